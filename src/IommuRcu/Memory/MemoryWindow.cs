// One window of physical memory: where it lies, the pointer to its first byte, and how the system gets it back.
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace IommuRcu.Memory;

/// <summary>A window of physical addresses and the block of this process that backs it.</summary>
internal sealed unsafe class MemoryWindow
{
    internal const ulong PageSize = 4096;
    private const ulong HugePageSize = 2UL << 20;

    private readonly void* _block;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;

    private MemoryWindow(PhysicalAddress @base, ulong size, byte* pointer, void* block, MemoryMappedFile? file, MemoryMappedViewAccessor? view)
    {
        Base = @base.Value;
        Size = size;
        Pointer = pointer;
        _block = block;
        _file = file;
        _view = view;
    }

    internal ulong Base { get; }

    internal ulong Size { get; }

    internal byte* Pointer { get; }

    internal static void Check(PhysicalAddress @base, ulong size)
    {
        if (@base.Value % PageSize != 0)
        {
            throw new ArgumentException($"The physical address {@base} is not a multiple of 4 KiB.", nameof(@base));
        }

        if (size == 0 || size % PageSize != 0)
        {
            throw new ArgumentException($"The size, {size} bytes, is not a positive multiple of 4 KiB.", nameof(size));
        }

        if (@base.Value + (size - 1) < @base.Value)
        {
            throw new ArgumentException($"A window of {size} bytes at {@base} runs past 2^64.", nameof(size));
        }
    }

    /// <summary>Anonymous memory, zeroed when it is first touched, aligned to 2 MiB (4 KiB if smaller) as far as that keeps step with the base.</summary>
    internal static MemoryWindow Anonymous(PhysicalAddress @base, ulong size)
    {
        // A pointer that agrees with the physical address modulo the alignment lets a huge physical page be a huge page of the process.
        ulong alignment = size >= HugePageSize ? HugePageSize : PageSize;
        if (size > (ulong)nint.MaxValue - (2 * alignment))
        {
            throw new OutOfMemoryException($"A window of {size} bytes is more than a process can have.");
        }

        void* block = NativeMemory.AllocZeroed((nuint)(size + alignment));
        ulong skew = @base.Value & (alignment - 1);
        ulong aligned = ((ulong)block + (alignment - 1)) & ~(alignment - 1);
        ulong pointer = aligned + skew;
        if (pointer - alignment >= (ulong)block)
        {
            pointer -= alignment;
        }

        HugePages.Advise((byte*)pointer, size);
        return new MemoryWindow(@base, size, (byte*)pointer, block, null, null);
    }

    /// <summary>A shared view of a file.</summary>
    internal static MemoryWindow Shared(string path, PhysicalAddress @base, ulong size, ulong offset)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (offset % PageSize != 0)
        {
            throw new ArgumentException($"The offset, {offset} bytes, is not a multiple of 4 KiB.", nameof(offset));
        }

        if (size > long.MaxValue || offset > long.MaxValue - size)
        {
            throw new ArgumentException($"{size} bytes at offset {offset} are past the end of any file.", nameof(size));
        }

        var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            if ((ulong)stream.Length < offset + size)
            {
                throw new ArgumentException($"The file is {stream.Length} bytes; the window needs {offset + size}.", nameof(size));
            }

            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
            view = file.CreateViewAccessor((long)offset, (long)size, MemoryMappedFileAccess.ReadWrite);

            // AcquirePointer counts a reference on the handle, so that its finalizer cannot unmap what raw pointers still reach.
            byte* pointer = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            return new MemoryWindow(@base, size, pointer + view.PointerOffset, null, file, view);
        }
        catch
        {
            view?.Dispose();
            file?.Dispose();
            stream.Dispose();
            throw;
        }
    }

    internal void Release()
    {
        if (_view is not null)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file!.Dispose();
        }
        else
        {
            NativeMemory.Free(_block);
        }
    }
}
