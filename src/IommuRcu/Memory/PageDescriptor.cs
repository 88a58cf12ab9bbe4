// The descriptor of a 4 KiB frame: what the allocator and the gather know of a page, kept apart from the page itself.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu.Memory;

/// <summary>One cache line for each 4 KiB frame. A larger page uses the descriptor of its first frame.</summary>
/// <remarks>
/// The list link and the head of the grace-period callback are separate fields: a page can be on a list whose other pages, or whose first page
/// alone, are queued for a grace period. All zero is a valid free descriptor, so that untouched frames cost no memory.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct PageDescriptor
{
    internal const int Size = 64;

    /// <summary>Must stay first: the callback is handed this head and takes it for the descriptor.</summary>
    internal RcuHead Rcu;

    /// <summary>The next page of the list (gather, magazine or free list) that this page is on.</summary>
    internal PageDescriptor* Next;

    /// <summary>The page before it on a buddy free list; the next batch while the page heads a batch in the depot.</summary>
    internal PageDescriptor* Previous;

    internal ulong Address;
    internal byte* Pointer;

    /// <summary>A <see cref="TablePageState"/>. Whoever owns the page changes it; only the step to Free is a compare-exchange, to catch a double free by two threads.</summary>
    internal int State;

    /// <summary>The page's size, log2 of bytes.</summary>
    internal byte SizeLog2;

    /// <summary>1 while the page is on a <see cref="PageList"/>.</summary>
    internal byte OnList;

    /// <summary>While the page is on a buddy free list: its order + 1; else 0.</summary>
    internal byte FreeOrder;

    /// <summary>Log2 of the bytes that were filled with poison when the page was freed; 0 if they were not.</summary>
    internal byte PoisonedLog2;

    /// <summary>The length of a batch that this page heads in the depot.</summary>
    internal int BatchCount;

    /// <summary>The index of the page's allocator in the process's registry.</summary>
    internal int Allocator;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Move(PageDescriptor* page, TablePageState from, TablePageState to)
    {
        // No exchange: the caller owns the page in this state, so nobody else may move it. A misuse by two threads at once is caught at the free.
        if (page == null || Volatile.Read(ref page->State) != (int)from)
        {
            ThrowWrongState(page, to);
        }

        Volatile.Write(ref page->State, (int)to);
    }

    private static void ThrowWrongState(PageDescriptor* page, TablePageState to)
    {
        if (page == null)
        {
            throw new ArgumentException("A null page has no state.");
        }

        throw new InvalidOperationException(
            $"The page at {new PhysicalAddress(page->Address)} is {(TablePageState)page->State}; it cannot become {to}.");
    }
}
