// A page that holds a table: a handle to its descriptor.
using System.Runtime.CompilerServices;

namespace IommuRcu.Memory;

/// <summary>A page of physical memory from a <see cref="PageAllocator"/>: the handle through which it is linked, gathered, retired and freed.</summary>
/// <remarks>The handle is a value; copies mean the same page. It is valid until its allocator is disposed; the page's bytes, until the page is freed.</remarks>
public readonly unsafe struct TablePage : IEquatable<TablePage>
{
    internal readonly PageDescriptor* Descriptor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal TablePage(PageDescriptor* descriptor) => Descriptor = descriptor;

    /// <summary>Gets whether this is the default value, which is no page.</summary>
    public bool IsNull => Descriptor == null;

    /// <summary>Gets the physical address of the page's first byte.</summary>
    /// <exception cref="InvalidOperationException">The value is null.</exception>
    public PhysicalAddress Address => new(Checked()->Address);

    /// <summary>Gets the page's size, as the logarithm to base 2 of its bytes: 12 for 4 KiB.</summary>
    /// <exception cref="InvalidOperationException">The value is null.</exception>
    public int SizeLog2 => Checked()->SizeLog2;

    /// <summary>Gets the page's size in bytes.</summary>
    /// <exception cref="InvalidOperationException">The value is null.</exception>
    public ulong Size => 1UL << Checked()->SizeLog2;

    /// <summary>Gets the page's first byte in this process.</summary>
    /// <remarks>The bytes are shared with readers and devices once the page is linked: read and write whole entries, with <see cref="Volatile"/> or <see cref="Interlocked"/>.</remarks>
    /// <exception cref="InvalidOperationException">The value is null.</exception>
    public byte* Pointer => Checked()->Pointer;

    /// <summary>Gets where the page is in its life. For a page that others own it may have changed already.</summary>
    /// <exception cref="InvalidOperationException">The value is null.</exception>
    public TablePageState State => (TablePageState)Volatile.Read(ref Checked()->State);

    /// <summary>Gets whether the page is on a <see cref="PageList"/>, a gather's included.</summary>
    internal bool IsOnList => Checked()->OnList != 0;

    /// <summary>Compares two handles.</summary>
    public static bool operator ==(TablePage left, TablePage right) => left.Descriptor == right.Descriptor;

    /// <summary>Compares two handles.</summary>
    public static bool operator !=(TablePage left, TablePage right) => left.Descriptor != right.Descriptor;

    /// <summary>Tells whether both handles mean the same page.</summary>
    /// <param name="other">The other handle.</param>
    /// <returns><see langword="true"/> if they do.</returns>
    public bool Equals(TablePage other) => Descriptor == other.Descriptor;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TablePage other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((nuint)Descriptor).GetHashCode();

    /// <summary>Returns the page's address, size and state.</summary>
    public override string ToString() => IsNull ? "no page" : $"{Size >> 10} KiB at {Address}, {State}";

    /// <summary>Allocated to Linked: call it before the entry that names the page is stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void MarkLinked() => PageDescriptor.Move(Descriptor, TablePageState.Allocated, TablePageState.Linked);

    /// <summary>Linked back to Allocated: the store of the entry lost its race, so nobody ever reached the page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void MarkNeverLinked() => PageDescriptor.Move(Descriptor, TablePageState.Linked, TablePageState.Allocated);

    /// <summary>Linked to Unlinked: call it after the entry that named the page was cleared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void MarkUnlinked() => PageDescriptor.Move(Descriptor, TablePageState.Linked, TablePageState.Unlinked);

    /// <summary>Unlinked to Gathered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void MarkGathered() => PageDescriptor.Move(Descriptor, TablePageState.Unlinked, TablePageState.Gathered);

    /// <summary>Gathered to Retired: the IOTLB is flushed, the callback is about to be queued.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void MarkRetired() => PageDescriptor.Move(Descriptor, TablePageState.Gathered, TablePageState.Retired);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PageDescriptor* Checked()
    {
        if (Descriptor == null)
        {
            ThrowNull();
        }

        return Descriptor;
    }

    private static void ThrowNull() => throw new InvalidOperationException("The value is no page.");
}
