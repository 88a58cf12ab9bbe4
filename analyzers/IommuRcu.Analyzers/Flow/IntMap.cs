// A small map from ints, sorted, and quick to copy: states are copied at every branch, and most copies are never changed.
using System;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A sorted array map. Not safe for several threads.</summary>
/// <typeparam name="T">The values.</typeparam>
internal struct IntMap<T>
{
    private int[]? _keys;
    private T[]? _values;

    // Another map reads the same arrays: they are never changed again, whoever wants to takes a copy first.
    private bool _isShared;

    /// <summary>Makes a copy: neither it nor this map changes the arrays from now on.</summary>
    /// <returns>The copy.</returns>
    public IntMap<T> Share()
    {
        _isShared = true;
        return this;
    }

    /// <summary>Gets how many keys there are.</summary>
    public int Count { readonly get; private set; }

    /// <summary>Gets a key by its position.</summary>
    /// <param name="index">The position.</param>
    /// <returns>The key.</returns>
    public readonly int KeyAt(int index) => _keys![index];

    /// <summary>Gets a value by its position.</summary>
    /// <param name="index">The position.</param>
    /// <returns>The value.</returns>
    public readonly T ValueAt(int index) => _values![index];

    /// <summary>Replaces a value by its position.</summary>
    /// <param name="index">The position.</param>
    /// <param name="value">The new value.</param>
    public void SetAt(int index, T value)
    {
        Own();
        _values![index] = value;
    }

    /// <summary>Tells whether two maps are the same without a look at what is in them.</summary>
    /// <param name="other">The other map.</param>
    /// <returns>Whether they are; where not, they may still be equal.</returns>
    public readonly bool IsSame(in IntMap<T> other) => Count == other.Count && ReferenceEquals(_keys, other._keys) && ReferenceEquals(_values, other._values);

    /// <summary>Looks a key up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether it is there.</returns>
    public readonly bool TryGetValue(int key, out T value)
    {
        int index = Find(key);
        value = index >= 0 ? _values![index] : default!;
        return index >= 0;
    }

    /// <summary>Sets a key's value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    public void Set(int key, T value)
    {
        Own();
        int index = Find(key);
        if (index >= 0)
        {
            _values![index] = value;
            return;
        }

        index = ~index;
        if (Count == (_keys?.Length ?? 0))
        {
            Array.Resize(ref _keys, (2 * Count) + 4);
            Array.Resize(ref _values, (2 * Count) + 4);
        }

        if (index < Count)
        {
            Array.Copy(_keys!, index, _keys!, index + 1, Count - index);
            Array.Copy(_values!, index, _values!, index + 1, Count - index);
        }

        _keys![index] = key;
        _values![index] = value;
        Count++;
    }

    /// <summary>Removes a key.</summary>
    /// <param name="key">The key.</param>
    /// <returns>Whether it was there.</returns>
    public bool Remove(int key)
    {
        int index = Find(key);
        if (index < 0)
        {
            return false;
        }

        Own();
        Count--;
        Array.Copy(_keys!, index + 1, _keys!, index, Count - index);
        Array.Copy(_values!, index + 1, _values!, index, Count - index);
        return true;
    }

    private readonly int Find(int key)
    {
        int[] keys = _keys!;
        int low = 0;
        int high = Count - 1;

        // Maps are often filled in order.
        if (high >= 0 && keys[high] < key)
        {
            return ~Count;
        }

        while (low <= high)
        {
            int middle = (low + high) >> 1;
            int found = keys[middle];
            if (found == key)
            {
                return middle;
            }

            if (found < key)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }

    private void Own()
    {
        if (!_isShared || _keys is null)
        {
            return;
        }

        int[] keys = new int[Count + 4];
        T[] values = new T[Count + 4];
        Array.Copy(_keys, keys, Count);
        Array.Copy(_values!, values, Count);
        _keys = keys;
        _values = values;
        _isShared = false;
    }
}
