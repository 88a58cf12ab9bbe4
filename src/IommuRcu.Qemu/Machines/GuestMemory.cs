// The guest's RAM: one sparse shared file that QEMU and this process both map.
using System.ComponentModel;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IommuRcu.Qemu.Machines;

/// <summary>A piece of guest physical memory and where it lies in the file.</summary>
/// <param name="Base">Its first physical address.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Offset">Where it begins in the file, in bytes.</param>
public readonly record struct GuestMemoryWindow(PhysicalAddress Base, ulong Size, ulong Offset);

/// <summary>
/// Guest RAM in a shared sparse file: only pages that somebody wrote take memory, so that a guest of many gigabytes costs nothing and a
/// scan of all its memory visits the written pages only. Safe from any thread, as far as the memory's users are.
/// </summary>
public sealed unsafe class GuestMemory : IDisposable
{
    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int NoSuchData = 6; // ENXIO: no data from there to the end of the file

    private readonly FileStream _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private bool _unlinked;

    /// <summary>Creates the file, all zero.</summary>
    /// <param name="windows">The pieces of physical memory; their offsets cover the file without a gap.</param>
    /// <exception cref="ArgumentException">No window is given, or their offsets leave gaps.</exception>
    public GuestMemory(params IReadOnlyList<GuestMemoryWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        ulong size = 0;
        foreach (GuestMemoryWindow window in windows)
        {
            if (window.Offset != size || window.Size == 0 || ((window.Size | window.Base.Value) & 0xfff) != 0)
            {
                throw new ArgumentException("Windows must be whole pages that follow one another in the file.", nameof(windows));
            }
            size += window.Size;
        }
        if (size == 0)
        {
            throw new ArgumentException("No window is given.", nameof(windows));
        }
        Windows = windows;
        string folder = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(folder, $"iommurcu-ram-{Environment.ProcessId}-{Guid.NewGuid():n}");
        _file = new FileStream(Path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            _file.SetLength((long)size);
            _mapping = MemoryMappedFile.CreateFromFile(_file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            _view = _mapping.CreateViewAccessor();
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        }
        catch
        {
            _file.Dispose();
            File.Delete(Path);
            throw;
        }
    }

    /// <summary>The file's path, until <see cref="Unlink"/>.</summary>
    public string Path { get; }

    /// <summary>The pieces of physical memory.</summary>
    public IReadOnlyList<GuestMemoryWindow> Windows { get; }

    /// <summary>All memory, in bytes.</summary>
    public ulong Size => Windows.Aggregate(0UL, (sum, w) => sum + w.Size);

    /// <summary>Whether a range is memory, all of it in one window.</summary>
    public bool Contains(PhysicalAddress address, ulong length)
    {
        foreach (GuestMemoryWindow window in Windows)
        {
            ulong at = address.Value - window.Base.Value;
            if (at < window.Size)
            {
                return length <= window.Size - at;
            }
        }
        return false;
    }

    /// <summary>The memory at a physical address, up to the end of its window.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not memory.</exception>
    public Span<byte> Span(PhysicalAddress address, int length)
    {
        ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
        foreach (GuestMemoryWindow window in Windows)
        {
            ulong at = address.Value - window.Base.Value;
            if (at < window.Size && (ulong)length <= window.Size - at)
            {
                return new Span<byte>(_start + window.Offset + at, length);
            }
        }
        throw new ArgumentOutOfRangeException(nameof(address), address, "Not memory of the guest.");
    }

    /// <summary>The 64-bit word at a physical address, which others may change at any time.</summary>
    /// <exception cref="ArgumentException">The address is not a multiple of 8.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not memory.</exception>
    public ref ulong Word(PhysicalAddress address)
    {
        if ((address.Value & 7) != 0)
        {
            throw new ArgumentException("A word's address is a multiple of 8.", nameof(address));
        }
        return ref MemoryMarshal.AsRef<ulong>(Span(address, 8));
    }

    /// <summary>Maps a part of the memory once more, for the library to build page tables in.</summary>
    /// <param name="address">Its first physical address.</param>
    /// <param name="size">Its size in bytes; all of it in one window.</param>
    /// <returns>The part, to be disposed of before this.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not memory.</exception>
    public Memory.PhysicalMemory MapForTables(PhysicalAddress address, ulong size)
    {
        foreach (GuestMemoryWindow window in Windows)
        {
            ulong at = address.Value - window.Base.Value;
            if (at < window.Size && size <= window.Size - at)
            {
                // Through the open descriptor, because the file has no other name once the machine runs.
                string path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_file.SafeFileHandle.DangerousGetHandle()}");
                return Memory.PhysicalMemory.FromFile(path, address, size, window.Offset + at);
            }
        }
        throw new ArgumentOutOfRangeException(nameof(address), address, "Not memory of the guest.");
    }

    /// <summary>Lists the pieces that somebody has written: everything else is zero, and takes no memory.</summary>
    /// <returns>Ranges in whole pages, in the file's order.</returns>
    /// <exception cref="Win32Exception">The file system cannot tell.</exception>
    public IReadOnlyList<(PhysicalAddress Address, ulong Length)> WrittenRanges()
    {
        var ranges = new List<(PhysicalAddress, ulong)>();
        foreach (GuestMemoryWindow window in Windows)
        {
            ulong end = window.Offset + window.Size;
            ulong at = window.Offset;
            while (at < end)
            {
                long data = Seek((long)at, SeekData);
                if (data < 0 || (ulong)data >= end)
                {
                    break;
                }
                ulong hole = Math.Min((ulong)Seek(data, SeekHole), end);
                ranges.Add((window.Base + ((ulong)data - window.Offset), hole - (ulong)data));
                at = hole;
            }
        }
        return ranges;
    }

    private long Seek(long offset, int whence)
    {
        long result = Native.Seek(_file.SafeFileHandle, offset, whence);
        if (result < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            return error == NoSuchData && whence == SeekData ? -1 : throw new Win32Exception(error, "Cannot list the written parts of the RAM file");
        }
        return result;
    }

    /// <summary>Removes the file's name, once all who share it have opened it: it then vanishes with its last user.</summary>
    public void Unlink()
    {
        if (!_unlinked)
        {
            _unlinked = true;
            File.Delete(Path);
        }
    }

    /// <summary>Unmaps the memory. Nobody may use it any more.</summary>
    public void Dispose()
    {
        Unlink();
        if (_view.SafeMemoryMappedViewHandle.IsClosed)
        {
            return;
        }
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
        _file.Dispose();
    }

    private static partial class Native
    {
        // lseek keeps no state here that others use: the stream's own position is never relied on.
        [DllImport("libc", EntryPoint = "lseek", SetLastError = true)]
        public static extern long Seek(SafeFileHandle file, long offset, int whence);
    }
}
