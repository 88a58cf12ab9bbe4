// Physical memory as the process sees it: windows of physical addresses, each backed by a block of this process's address space.
using System.Runtime.CompilerServices;

namespace IommuRcu.Memory;

/// <summary>Translates physical addresses to pointers: one or more windows, anonymous or a shared file (as a virtual machine's memory is).</summary>
/// <remarks>
/// <para>All members may be called from any thread. <see cref="Dispose"/> is the exception: nothing may use the memory, or pointers into it, any more.</para>
/// <para>There is no finalizer: memory that is never disposed stays mapped until the process ends, because raw pointers may still reach it.</para>
/// </remarks>
public sealed unsafe class PhysicalMemory : IDisposable
{
    // The first window never changes, so the hot path reads these three without ordering.
    private readonly ulong _firstBase;
    private readonly ulong _firstSize;
    private readonly byte* _firstPointer;

    private readonly object _lock = new();
    private readonly List<PageAllocator> _allocators = [];

    // Replaced as a whole under the lock, never changed in place.
    private MemoryWindow[] _windows;
    private bool _disposed;

    private PhysicalMemory(MemoryWindow first)
    {
        _firstBase = first.Base;
        _firstSize = first.Size;
        _firstPointer = first.Pointer;
        _windows = [first];
    }

    /// <summary>Gets the windows, in the order in which they were added.</summary>
    public IReadOnlyList<PhysicalRange> Windows
        => Array.ConvertAll(Volatile.Read(ref _windows), static w => PhysicalRange.OfSize(new PhysicalAddress(w.Base), w.Size));

    /// <summary>Gets the bytes of all windows together.</summary>
    public ulong Size
    {
        get
        {
            ulong size = 0;
            foreach (MemoryWindow window in Volatile.Read(ref _windows))
            {
                size += window.Size;
            }

            return size;
        }
    }

    /// <summary>Makes memory with one zeroed window of anonymous memory, from physical address 0.</summary>
    /// <param name="size">The size in bytes: a multiple of 4 KiB, not 0.</param>
    /// <returns>The memory.</returns>
    /// <exception cref="ArgumentException"><paramref name="size"/> is 0 or not a multiple of 4 KiB.</exception>
    /// <exception cref="OutOfMemoryException">The process cannot have that much.</exception>
    public static PhysicalMemory Allocate(ulong size) => Allocate(default, size);

    /// <summary>Makes memory with one zeroed window of anonymous memory.</summary>
    /// <param name="base">The physical address of its first byte: a multiple of 4 KiB.</param>
    /// <param name="size">The size in bytes: a multiple of 4 KiB, not 0.</param>
    /// <returns>The memory.</returns>
    /// <exception cref="ArgumentException">An argument is not a multiple of 4 KiB, the size is 0, or the window runs past 2^64.</exception>
    /// <exception cref="OutOfMemoryException">The process cannot have that much.</exception>
    public static PhysicalMemory Allocate(PhysicalAddress @base, ulong size)
    {
        MemoryWindow.Check(@base, size);
        return new PhysicalMemory(MemoryWindow.Anonymous(@base, size));
    }

    /// <summary>Makes memory with one window onto a file that others may share, as a virtual machine's memory file.</summary>
    /// <param name="path">The file. It must exist and reach to the end of the window.</param>
    /// <param name="base">The physical address of its first byte: a multiple of 4 KiB.</param>
    /// <param name="size">The size in bytes: a multiple of 4 KiB, not 0.</param>
    /// <param name="offset">Where in the file the window begins, in bytes: a multiple of 4 KiB.</param>
    /// <returns>The memory.</returns>
    /// <exception cref="ArgumentException">A number is not a multiple of 4 KiB, the size is 0, the window runs past 2^64, or the file is too short.</exception>
    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened for reading and writing.</exception>
    public static PhysicalMemory FromFile(string path, PhysicalAddress @base, ulong size, ulong offset = 0)
    {
        MemoryWindow.Check(@base, size);
        return new PhysicalMemory(MemoryWindow.Shared(path, @base, size, offset));
    }

    /// <summary>Adds a zeroed window of anonymous memory.</summary>
    /// <param name="base">The physical address of its first byte: a multiple of 4 KiB.</param>
    /// <param name="size">The size in bytes: a multiple of 4 KiB, not 0.</param>
    /// <exception cref="ArgumentException">An argument is not a multiple of 4 KiB, the size is 0, or the window runs past 2^64 or over another window.</exception>
    /// <exception cref="OutOfMemoryException">The process cannot have that much.</exception>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public void AddWindow(PhysicalAddress @base, ulong size)
    {
        MemoryWindow.Check(@base, size);
        lock (_lock)
        {
            CheckNewWindow(@base, size);
            Append(MemoryWindow.Anonymous(@base, size));
        }
    }

    /// <summary>Adds a window onto a file that others may share: the second half of a machine's memory that is split around 4 GiB, for example.</summary>
    /// <param name="path">The file. It must exist and reach to the end of the window.</param>
    /// <param name="base">The physical address of its first byte: a multiple of 4 KiB.</param>
    /// <param name="size">The size in bytes: a multiple of 4 KiB, not 0.</param>
    /// <param name="offset">Where in the file the window begins, in bytes: a multiple of 4 KiB.</param>
    /// <exception cref="ArgumentException">A number is not a multiple of 4 KiB, the size is 0, the file is too short, or the window runs past 2^64 or over another window.</exception>
    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened for reading and writing.</exception>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public void AddWindow(string path, PhysicalAddress @base, ulong size, ulong offset = 0)
    {
        MemoryWindow.Check(@base, size);
        lock (_lock)
        {
            CheckNewWindow(@base, size);
            Append(MemoryWindow.Shared(path, @base, size, offset));
        }
    }

    /// <summary>Finds the bytes of a physical range. They are contiguous in the process only within one window.</summary>
    /// <param name="address">The first physical address.</param>
    /// <param name="length">The length in bytes. With 0 the address itself must still lie in a window.</param>
    /// <param name="pointer">The first byte, or <see langword="null"/>.</param>
    /// <returns><see langword="true"/> if the whole range lies in one window.</returns>
    public bool TryGetPointer(PhysicalAddress address, ulong length, out byte* pointer)
    {
        foreach (MemoryWindow window in Volatile.Read(ref _windows))
        {
            ulong offset = address.Value - window.Base;
            if (offset < window.Size && length <= window.Size - offset)
            {
                pointer = window.Pointer + offset;
                return true;
            }
        }

        pointer = null;
        return false;
    }

    /// <summary>Finds the bytes of a physical range.</summary>
    /// <param name="address">The first physical address.</param>
    /// <param name="length">The length in bytes.</param>
    /// <returns>The first byte. The pointer is valid until the memory is disposed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie in one window.</exception>
    public byte* GetPointer(PhysicalAddress address, ulong length)
        => TryGetPointer(address, length, out byte* pointer) ? pointer : throw OutsideWindows(address, length);

    /// <summary>Gives the memory back to the system. Every pointer into it is dead afterwards.</summary>
    /// <remarks>Page allocators on the memory that have nothing in use any more are disposed with it.</remarks>
    /// <exception cref="InvalidOperationException">An allocator on the memory has live pages, or pages that wait for a grace period; nothing was disposed.</exception>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            foreach (PageAllocator allocator in _allocators)
            {
                allocator.ThrowIfInUse();
            }

            // Each allocator takes itself off the list.
            while (_allocators.Count > 0)
            {
                _allocators[^1].Dispose();
            }

            _disposed = true;
            foreach (MemoryWindow window in _windows)
            {
                window.Release();
            }
        }
    }

    /// <summary>Where the first window is, which never changes: for walkers that keep a copy.</summary>
    internal void GetFirstWindow(out ulong @base, out ulong size, out byte* pointer)
    {
        @base = _firstBase;
        size = _firstSize;
        pointer = _firstPointer;
    }

    /// <summary>The pointer of a physical address that is known to lie in a window: the walkers' path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* PointerTo(PhysicalAddress address)
    {
        ulong offset = address.Value - _firstBase;
        return offset < _firstSize ? _firstPointer + offset : PointerInOtherWindow(address);
    }

    /// <summary>The pointer of a physical address, or null where that many bytes from it do not lie in one window: for addresses that may be wrong.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* PointerOrNull(PhysicalAddress address, ulong length)
    {
        ulong offset = address.Value - _firstBase;
        if (offset < _firstSize && length <= _firstSize - offset)
        {
            return _firstPointer + offset;
        }

        TryGetPointer(address, length, out byte* pointer);
        return pointer;
    }

    internal void Attach(PageAllocator allocator)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (PageAllocator other in _allocators)
            {
                allocator.ThrowIfOverlaps(other);
            }

            _allocators.Add(allocator);
        }
    }

    internal void Detach(PageAllocator allocator)
    {
        lock (_lock)
        {
            _allocators.Remove(allocator);
        }
    }

    private static ArgumentOutOfRangeException OutsideWindows(PhysicalAddress address, ulong length)
        => new(nameof(address), $"{length} bytes at physical address {address} do not lie in one window of this memory.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* PointerInOtherWindow(PhysicalAddress address) => GetPointer(address, 1);

    private void CheckNewWindow(PhysicalAddress @base, ulong size)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (MemoryWindow window in _windows)
        {
            // Compared by last addresses: a window may end at 2^64.
            if (@base.Value <= window.Base + (window.Size - 1) && window.Base <= @base.Value + (size - 1))
            {
                throw new ArgumentException($"{size} bytes at {@base} overlap a window of {window.Size} bytes at 0x{window.Base:x}.", nameof(@base));
            }
        }
    }

    private void Append(MemoryWindow window) => Volatile.Write(ref _windows, [.. _windows, window]);
}
