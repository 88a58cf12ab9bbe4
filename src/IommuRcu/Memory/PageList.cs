// A list of pages, linked through their descriptors: nothing is allocated.
using System.Runtime.CompilerServices;

namespace IommuRcu.Memory;

/// <summary>A list of pages, in the order in which they were added. A page is on one list at a time.</summary>
/// <remarks>
/// A value with the list's two ends: pass it by reference. Of two copies only one may be used on; when the other is used after that, the pages'
/// states betray it and an exception is thrown. One thread at a time may use a list.
/// </remarks>
public unsafe struct PageList
{
    internal PageDescriptor* Head;
    internal PageDescriptor* Tail;
    private int _count;

    /// <summary>Gets the number of pages on the list.</summary>
    public readonly int Count => _count;

    /// <summary>Gets whether there is no page on the list.</summary>
    public readonly bool IsEmpty => Head == null;

    /// <summary>Appends a page.</summary>
    /// <param name="page">A page that is not free and on no list.</param>
    /// <exception cref="ArgumentException">The value is no page.</exception>
    /// <exception cref="InvalidOperationException">The page is free, or on a list already.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(TablePage page)
    {
        PageDescriptor* descriptor = page.Descriptor;
        if (descriptor == null || descriptor->OnList != 0 || descriptor->State == (int)TablePageState.Free)
        {
            ThrowCannotAdd(page);
        }

        descriptor->OnList = 1;
        descriptor->Next = null;
        if (Head == null)
        {
            Head = descriptor;
        }
        else
        {
            Tail->Next = descriptor;
        }

        Tail = descriptor;
        _count++;
    }

    /// <summary>Moves all pages of another list to the end of this one.</summary>
    /// <param name="other">The other list; empty afterwards.</param>
    public void Append(ref PageList other)
    {
        if (other.Head == null)
        {
            return;
        }

        if (Head == other.Head)
        {
            throw new InvalidOperationException("A list cannot be appended to itself, nor to a copy of itself.");
        }

        if (Head == null)
        {
            this = other;
        }
        else
        {
            Tail->Next = other.Head;
            Tail = other.Tail;
            _count += other._count;
        }

        other = default;
    }

    /// <summary>Takes the first page off the list.</summary>
    /// <param name="page">The page; it is on no list any more.</param>
    /// <returns><see langword="false"/> if the list was empty.</returns>
    /// <exception cref="InvalidOperationException">The list is a copy of one that was used up.</exception>
    public bool TryTake(out TablePage page)
    {
        PageDescriptor* descriptor = Head;
        if (descriptor == null)
        {
            page = default;
            return false;
        }

        if (descriptor->OnList == 0)
        {
            throw new InvalidOperationException("The list is a copy of one that was used up.");
        }

        Head = descriptor->Next;
        if (Head == null)
        {
            Tail = null;
        }

        _count--;
        descriptor->Next = null;
        descriptor->OnList = 0;
        page = new TablePage(descriptor);
        return true;
    }

    /// <summary>Enumerates the pages. They must stay on the list meanwhile: use <see cref="TryTake"/> to use a list up.</summary>
    /// <returns>The enumerator.</returns>
    public readonly Enumerator GetEnumerator() => new(Head);

    private static void ThrowCannotAdd(TablePage page)
    {
        if (page.IsNull)
        {
            throw new ArgumentException("The value is no page.", nameof(page));
        }

        throw new InvalidOperationException(
            page.Descriptor->OnList != 0 ? $"The page ({page}) is on a list already." : $"The page ({page}) is free: it belongs to its allocator.");
    }

    /// <summary>Enumerates the pages of a list.</summary>
    public struct Enumerator
    {
        private PageDescriptor* _next;
        private PageDescriptor* _current;

        internal Enumerator(PageDescriptor* head)
        {
            _next = head;
            _current = null;
        }

        /// <summary>Gets the page that the enumerator stands on.</summary>
        public readonly TablePage Current => new(_current);

        /// <summary>Steps to the next page.</summary>
        /// <returns><see langword="false"/> at the end.</returns>
        public bool MoveNext()
        {
            _current = _next;
            if (_current == null)
            {
                return false;
            }

            _next = _current->Next;
            return true;
        }
    }
}
