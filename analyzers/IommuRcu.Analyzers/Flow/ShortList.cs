// A list of few elements that is never changed in place, so that states copy it for nothing.
using System;
using System.Collections;
using System.Collections.Generic;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A short list. Copies share their elements until one of them is changed. Not safe for several threads.</summary>
/// <typeparam name="T">The elements.</typeparam>
internal struct ShortList<T> : IReadOnlyList<T>
{
    private T[]? _items;

    /// <summary>Gets the number of elements.</summary>
    public readonly int Count => _items?.Length ?? 0;

    /// <summary>Gets or sets an element.</summary>
    /// <param name="index">Its position.</param>
    public T this[int index]
    {
        readonly get => _items![index];
        set
        {
            var items = (T[])_items!.Clone();
            items[index] = value;
            _items = items;
        }
    }

    /// <summary>Adds an element at the end.</summary>
    /// <param name="item">The element.</param>
    public void Add(T item)
    {
        var items = new T[Count + 1];
        _items?.CopyTo(items, 0);
        items[items.Length - 1] = item;
        _items = items;
    }

    /// <summary>Removes an element.</summary>
    /// <param name="index">Its position.</param>
    public void RemoveAt(int index)
    {
        if (Count == 1)
        {
            _items = null;
            return;
        }

        var items = new T[Count - 1];
        Array.Copy(_items!, items, index);
        Array.Copy(_items!, index + 1, items, index, items.Length - index);
        _items = items;
    }

    /// <summary>Removes all elements.</summary>
    public void Clear() => _items = null;

    /// <summary>Tells whether two lists are the same without a look at what is in them.</summary>
    /// <param name="other">The other list.</param>
    /// <returns>Whether they are; where not, they may still be equal.</returns>
    public readonly bool IsSame(in ShortList<T> other) => ReferenceEquals(_items, other._items);

    /// <summary>Finds the first element that fits.</summary>
    /// <param name="fits">Tells whether one does.</param>
    /// <returns>Its position, or -1.</returns>
    public readonly int FindIndex(Predicate<T> fits) => _items is null ? -1 : Array.FindIndex(_items, fits);

    /// <summary>Finds the last element that fits.</summary>
    /// <param name="fits">Tells whether one does.</param>
    /// <returns>Its position, or -1.</returns>
    public readonly int FindLastIndex(Predicate<T> fits) => _items is null ? -1 : Array.FindLastIndex(_items, fits);

    /// <summary>Tells whether an element fits.</summary>
    /// <param name="fits">Tells whether one does.</param>
    /// <returns>Whether there is one.</returns>
    public readonly bool Any(Predicate<T> fits) => FindIndex(fits) >= 0;

    /// <summary>Finds the first element that fits.</summary>
    /// <param name="fits">Tells whether one does.</param>
    /// <returns>The element, or none.</returns>
    public readonly T? FirstOrDefault(Predicate<T> fits) => FindIndex(fits) is >= 0 and var index ? _items![index] : default;

    /// <summary>Goes through the elements; what is changed meanwhile is not seen.</summary>
    /// <returns>The way through.</returns>
    public readonly Enumerator GetEnumerator() => new(_items ?? Array.Empty<T>());

    /// <inheritdoc/>
    readonly IEnumerator<T> IEnumerable<T>.GetEnumerator() => ((IEnumerable<T>)(_items ?? Array.Empty<T>())).GetEnumerator();

    /// <inheritdoc/>
    readonly IEnumerator IEnumerable.GetEnumerator() => (_items ?? Array.Empty<T>()).GetEnumerator();

    /// <summary>A way through the elements.</summary>
    internal struct Enumerator
    {
        private readonly T[] _items;
        private int _index;

        public Enumerator(T[] items)
        {
            _items = items;
            _index = -1;
        }

        public readonly T Current => _items[_index];

        public bool MoveNext() => ++_index < _items.Length;
    }
}
