// What should be mapped, kept as plain ranges: the truth that the hardware is compared with.
namespace IommuRcu.Conformance.Tests.Judging;

/// <summary>A mapped range: one call of Map, or what is left of it.</summary>
internal readonly record struct Segment(ulong First, ulong Last, ulong Address, IommuAccess Access)
{
    public ulong AddressOf(ulong iova) => Address + (iova - First);
}

/// <summary>A part of an access that lies in one segment or in one hole.</summary>
internal readonly record struct Piece(ulong Iova, int Length, Segment? Segment)
{
    public ulong Address => Segment!.Value.AddressOf(Iova);

    public bool Permits(bool isWrite) =>
        Segment is { } segment && (segment.Access & (isWrite ? IommuAccess.Write : IommuAccess.Read)) != 0;
}

internal sealed class MappingModel
{
    private readonly List<Segment> _segments = [];

    public IReadOnlyList<Segment> Segments => _segments;

    public Segment? Find(ulong iova)
    {
        int at = IndexOfFirstEndingAtOrAfter(iova);
        return at < _segments.Count && _segments[at].First <= iova ? _segments[at] : null;
    }

    public bool Overlaps(ulong first, ulong last)
    {
        int at = IndexOfFirstEndingAtOrAfter(first);
        return at < _segments.Count && _segments[at].First <= last;
    }

    public void Map(ulong first, ulong last, ulong address, IommuAccess access)
    {
        Assert.False(Overlaps(first, last), "The model maps over a mapping.");
        _segments.Insert(IndexOfFirstEndingAtOrAfter(first), new Segment(first, last, address, access));
    }

    /// <summary>Removes a range, and returns how many bytes of it were mapped.</summary>
    public ulong Unmap(ulong first, ulong last)
    {
        ulong removed = 0;
        for (int at = IndexOfFirstEndingAtOrAfter(first); at < _segments.Count && _segments[at].First <= last;)
        {
            Segment segment = _segments[at];
            ulong from = ulong.Max(first, segment.First);
            ulong to = ulong.Min(last, segment.Last);
            removed += to - from + 1;
            _segments.RemoveAt(at);
            if (segment.First < from)
            {
                _segments.Insert(at++, segment with { Last = from - 1 });
            }
            if (to < segment.Last)
            {
                _segments.Insert(at++, new Segment(to + 1, segment.Last, segment.AddressOf(to + 1), segment.Access));
            }
        }
        return removed;
    }

    /// <summary>Gives what is mapped in a range another access, and returns how many bytes that is.</summary>
    public ulong Protect(ulong first, ulong last, IommuAccess access)
    {
        ulong mapped = 0;
        foreach (Piece piece in Pieces(first, last))
        {
            if (piece.Segment is { } segment)
            {
                ulong from = ulong.Max(first, segment.First);
                ulong to = ulong.Min(last, segment.Last);
                mapped += Unmap(from, to);
                Map(from, to, segment.AddressOf(from), access);
            }
        }
        return mapped;
    }

    /// <summary>Cuts an access at the borders of segments.</summary>
    public List<Piece> Pieces(ulong iova, int length) => [.. Pieces(iova, iova + (ulong)length - 1)];

    // Lengths are meant for accesses; for longer ranges they are cut off, and not used.
    private List<Piece> Pieces(ulong first, ulong last)
    {
        var pieces = new List<Piece>();
        for (ulong at = first; ;)
        {
            int index = IndexOfFirstEndingAtOrAfter(at);
            Segment? segment = index < _segments.Count && _segments[index].First <= at ? _segments[index] : null;
            ulong end = segment?.Last ?? (index < _segments.Count ? _segments[index].First - 1 : ulong.MaxValue);
            end = ulong.Min(end, last);
            pieces.Add(new Piece(at, (int)ulong.Min(end - at + 1, int.MaxValue), segment));
            if (end == last)
            {
                return pieces;
            }
            at = end + 1;
        }
    }

    private int IndexOfFirstEndingAtOrAfter(ulong iova)
    {
        int low = 0, high = _segments.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_segments[middle].Last < iova)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
