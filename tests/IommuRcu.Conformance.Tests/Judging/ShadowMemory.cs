// What every byte of the guest's memory should be, so that a write that landed anywhere else is seen.
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Conformance.Tests.Judging;

/// <summary>A copy of all memory that is not zero, outside the ranges that the hardware and the library write on their own.</summary>
internal sealed class ShadowMemory
{
    private const int PageSize = 4096;
    private static readonly byte[] _zeros = new byte[PageSize];
    private readonly GuestMemory _memory;
    private readonly (ulong First, ulong Last)[] _excluded;
    private readonly Dictionary<ulong, byte[]> _pages = [];

    /// <summary>Copies memory as it is now.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="excluded">Ranges of whole pages that are not compared: tables, queues, mailboxes.</param>
    public ShadowMemory(GuestMemory memory, params (PhysicalAddress First, ulong Size)[] excluded)
    {
        _memory = memory;
        _excluded = [.. excluded.Select(e => (e.First.Value, e.First.Value + e.Size - 1))];
        ForEachWrittenPage((page, bytes) =>
        {
            if (!bytes.SequenceEqual(_zeros))
            {
                _pages.Add(page, bytes.ToArray());
            }
        });
    }

    public byte[] Read(ulong address, int length)
    {
        byte[] bytes = new byte[length];
        Walk(address, length, (page, offset, at, count) => page.AsSpan(offset, count).CopyTo(bytes.AsSpan(at)));
        return bytes;
    }

    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        Walk(address, copy.Length, (page, offset, at, count) => copy.AsSpan(at, count).CopyTo(page.AsSpan(offset)));
    }

    /// <summary>Writes both the memory and the copy: what the processor would do.</summary>
    public void WriteThrough(ulong address, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_memory.Span(new PhysicalAddress(address), bytes.Length));
        Write(address, bytes);
    }

    /// <summary>Compares all memory, and says where it differs.</summary>
    /// <param name="repair">Whether memory is made equal to the copy again.</param>
    public List<string> Differences(bool repair = false)
    {
        var differences = new List<string>();
        int visited = 0;
        ForEachWrittenPage((page, bytes) =>
        {
            visited += _pages.TryGetValue(page, out byte[]? expected) ? 1 : 0;
            expected ??= _zeros;
            int at = bytes.CommonPrefixLength(expected);
            if (at < PageSize)
            {
                differences.Add($"memory at 0x{page + (ulong)at:x} is 0x{bytes[at]:x2} and should be 0x{expected[at]:x2}");
                if (repair)
                {
                    expected.CopyTo(bytes);
                }
            }
        });
        if (visited < _pages.Count)
        {
            // What should be there and was never written at all.
            foreach ((ulong page, byte[] expected) in _pages)
            {
                Span<byte> bytes = _memory.Span(new PhysicalAddress(page), PageSize);
                int at = bytes.CommonPrefixLength(expected);
                if (at < PageSize && !differences.Exists(d => d.StartsWith($"memory at 0x{page + (ulong)at:x} ", StringComparison.Ordinal)))
                {
                    differences.Add($"memory at 0x{page + (ulong)at:x} is 0x{bytes[at]:x2} and should be 0x{expected[at]:x2}");
                    if (repair)
                    {
                        expected.CopyTo(bytes);
                    }
                }
            }
        }
        return differences;
    }

    private delegate void PageAction(ulong page, Span<byte> bytes);

    private void ForEachWrittenPage(PageAction action)
    {
        foreach ((PhysicalAddress start, ulong length) in _memory.WrittenRanges())
        {
            for (ulong page = start.Value; page < start.Value + length; page += PageSize)
            {
                bool skip = false;
                foreach ((ulong first, ulong last) in _excluded)
                {
                    skip |= page >= first && page <= last;
                }
                if (!skip)
                {
                    action(page, _memory.Span(new PhysicalAddress(page), PageSize));
                }
            }
        }
    }

    private void Walk(ulong address, int length, Action<byte[], int, int, int> action)
    {
        for (int at = 0; at < length;)
        {
            ulong page = (address + (ulong)at) & ~(PageSize - 1UL);
            int offset = (int)(address + (ulong)at - page);
            int count = int.Min(length - at, PageSize - offset);
            if (!_pages.TryGetValue(page, out byte[]? bytes))
            {
                bytes = new byte[PageSize];
                _pages.Add(page, bytes);
            }
            action(bytes, offset, at, count);
            at += count;
        }
    }
}
