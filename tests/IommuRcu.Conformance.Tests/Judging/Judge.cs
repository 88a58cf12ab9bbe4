// Does accesses through the emulated IOMMU and compares everything that can be seen with the truth.
using IommuRcu.Qemu.Devices;
using IommuRcu.Qemu.Iommus;

namespace IommuRcu.Conformance.Tests.Judging;

internal sealed class Judge(ConformanceSession session, Random random)
{
    private readonly ConformanceSession _session = session;
    private int _nextDevice;

    /// <summary>Accesses judged so far, and how many of them had to be refused, wholly or in part.</summary>
    public int Accesses { get; private set; }

    public int Refusals { get; private set; }

    /// <summary>Whether every byte that an access may reach is in memory that DMA may be let into.</summary>
    public bool IsSafe(DmaAccess access) =>
        access.Length >= 1 && access.Length <= EduDevice.MaxLength
        && access.Address.Value + (ulong)(access.Length - 1) >= access.Address.Value
        && (access.Address.Value > _session.Reserved.Last || access.Address.Value + (ulong)access.Length - 1 < _session.Reserved.First)
        && _session.Model.Pieces(access.Address.Value, access.Length)
            .TrueForAll(p => p.Segment is null || _session.IsData(p.Address, (ulong)p.Length));

    /// <summary>Does accesses and lists everything that is wrong; nothing when all is right.</summary>
    /// <param name="accesses">Safe accesses; which of them are permitted is the model's to say.</param>
    /// <param name="firstDevice">The device that does the first one; by default devices take turns.</param>
    public List<string> Run(IEnumerable<DmaAccess> accesses, int? firstDevice = null)
    {
        _nextDevice = firstDevice ?? _nextDevice;
        var wrong = new List<string>();
        var waiting = new List<DmaAccess>();
        var refused = new List<DmaAccess>();
        foreach (DmaAccess access in accesses)
        {
            Assert.True(IsSafe(access), $"{access} is not for a test to do.");
            (_session.Model.Pieces(access.Address.Value, access.Length).TrueForAll(p => p.Permits(access.IsWrite)) ? waiting : refused).Add(access);
        }
        while (waiting.Count > 0)
        {
            RunSideBySide(TakeIndependent(waiting), wrong);
        }
        RunRefused(refused, wrong);
        wrong.AddRange(_session.Shadow.Differences());
        return wrong;
    }

    // Side by side go accesses that share no memory, unless both only read.
    private List<DmaAccess> TakeIndependent(List<DmaAccess> waiting)
    {
        var taken = new List<DmaAccess>();
        var ranges = new List<(ulong First, ulong Last, bool IsWrite)>();
        for (int i = 0; i < waiting.Count && taken.Count < _session.Rig.Width;)
        {
            DmaAccess access = waiting[i];
            var mine = _session.Model.Pieces(access.Address.Value, access.Length)
                .ConvertAll(p => (First: p.Address, Last: p.Address + (ulong)p.Length - 1, access.IsWrite));
            if (mine.Exists(m => ranges.Exists(r => m.First <= r.Last && r.First <= m.Last)))
            {
                i++;
                continue;
            }
            ranges.AddRange(mine);
            taken.Add(access);
            waiting.RemoveAt(i);
        }
        return taken;
    }

    private void RunSideBySide(List<DmaAccess> accesses, List<string> wrong)
    {
        Accesses += accesses.Count;
        var buffers = new List<byte[]>();
        var expected = new List<byte[]>();
        foreach (DmaAccess access in accesses)
        {
            byte[] bytes = RandomBytes(access.Length);
            expected.Add(bytes);
            if (access.IsWrite)
            {
                ForEachPiece(access, (piece, offset) => _session.Shadow.Write(piece.Address, bytes.AsSpan(offset, piece.Length)));
                buffers.Add([.. bytes]);
            }
            else
            {
                ForEachPiece(access, (piece, offset) => _session.Shadow.WriteThrough(piece.Address, bytes.AsSpan(offset, piece.Length)));
                // A segment may map the same memory twice, and the access may touch both: then the later bytes are what is there.
                ForEachPiece(access, (piece, offset) => _session.Shadow.Read(piece.Address, piece.Length).CopyTo(bytes, offset));
                buffers.Add(RandomBytes(access.Length));
            }
        }
        _session.Rig.RunBatch(accesses, buffers, Device(accesses.Count));
        for (int i = 0; i < accesses.Count; i++)
        {
            int same = buffers[i].AsSpan().CommonPrefixLength(expected[i]);
            if (same < expected[i].Length)
            {
                wrong.Add($"{accesses[i]} differs from byte {same} on, and should have been {Describe(accesses[i])}");
            }
        }
        if (_session.Iommu.TakeFault() is { } fault)
        {
            wrong.Add($"{fault} though all of these are mapped: {string.Join("; ", accesses.Select(Describe))}");
            _session.Iommu.DropFaults();
        }
    }

    // One after the other, so that each record belongs to its access; the bytes of what was permitted of them are compared as well.
    private void RunRefused(List<DmaAccess> accesses, List<string> wrong)
    {
        Accesses += accesses.Count;
        Refusals += accesses.Count;
        List<DmaAccess> again = RunRefusedOnce(accesses, _session.Case.SilentWhenCached, wrong);

        // The refusal itself was seen in the data; where the model records it only when nothing is cached, it is asked once more.
        foreach (DmaAccess access in again)
        {
            ulong page = access.Address.Value & ~(_session.Granule - 1);
            ulong end = (access.Address.Value + (ulong)access.Length - 1) | (_session.Granule - 1);
            _session.Iommu.Invalidate(new IovaRange(new(page), new(end)), tablesFreed: false);
            RunRefusedOnce([access], mayBeSilent: false, wrong);
        }
    }

    private List<DmaAccess> RunRefusedOnce(List<DmaAccess> accesses, bool mayBeSilent, List<string> wrong)
    {
        var again = new List<DmaAccess>();
        if (accesses.Count == 0)
        {
            return again;
        }
        int firstDevice = Device(accesses.Count);
        var buffers = accesses.ConvertAll(a => RandomBytes(a.Length));
        byte[][] written = [.. buffers.Select(b => b.ToArray())];
        var expected = new List<byte[]>();
        foreach (DmaAccess access in accesses)
        {
            // What a read will find is laid out before any of them runs: writes among them come later and change only what they may.
            if (!access.IsWrite)
            {
                ForEachPiece(access, (piece, _) =>
                {
                    if (piece.Permits(isWrite: false))
                    {
                        _session.Shadow.WriteThrough(piece.Address, RandomBytes(piece.Length));
                    }
                });
            }
        }
        _session.Rig.RunBatch(accesses, buffers, firstDevice, index =>
        {
            DmaAccess access = accesses[index];
            Piece first = _session.Model.Pieces(access.Address.Value, access.Length).First(p => !p.Permits(access.IsWrite));

            // A refused part of a read shows nothing of memory: the model fills it with zeros.
            byte[] after = access.IsWrite ? written[index] : new byte[access.Length];
            ForEachPiece(access, (piece, offset) =>
            {
                if (piece.Permits(access.IsWrite) && access.IsWrite)
                {
                    _session.Shadow.Write(piece.Address, written[index].AsSpan(offset, piece.Length));
                }
                else if (piece.Permits(access.IsWrite))
                {
                    _session.Shadow.Read(piece.Address, piece.Length).CopyTo(after, offset);
                }
            });
            expected.Add(after);
            if (!_session.Iommu.RecordsFaults)
            {
                return;
            }
            IommuFault? fault = _session.Iommu.TakeFault();
            if (fault is not null)
            {
                // An access is refused once for every piece that the bus makes of it.
                _session.Iommu.DropFaults();
            }
            IommuFaultKind kind = first.Segment is null ? _session.Case.Hole : _session.Case.Denied;
            bool isRight = fault is { } record && record.Kind == kind
                && record.RequesterId == _session.Rig.RequesterId(firstDevice + (index % _session.Rig.Width))
                && (record.Address.Value ^ first.Iova) >> 12 == 0 && (record.IsWrite is not { } isWrite || isWrite == access.IsWrite);
            if (!isRight && mayBeSilent && first.Segment is not null)
            {
                again.Add(access);
            }
            else if (!isRight)
            {
                wrong.Add($"{(fault is { } f ? f.ToString() : "nothing")} was recorded of {Describe(access)}, where {kind} at 0x{first.Iova:x} should be");
            }
        });
        for (int i = 0; i < accesses.Count; i++)
        {
            int same = buffers[i].AsSpan().CommonPrefixLength(expected[i]);
            if (same < expected[i].Length)
            {
                wrong.Add($"{Describe(accesses[i])} read what it may not, or not what it may, from byte {same} on");
            }
        }
        return again;
    }

    private void ForEachPiece(DmaAccess access, Action<Piece, int> action)
    {
        foreach (Piece piece in _session.Model.Pieces(access.Address.Value, access.Length))
        {
            action(piece, (int)(piece.Iova - access.Address.Value));
        }
    }

    private string Describe(DmaAccess access) =>
        $"{(access.IsWrite ? "write" : "read")} of 0x{access.Address.Value:x}+{access.Length} [" + string.Join(", ",
            _session.Model.Pieces(access.Address.Value, access.Length).Select(p =>
                p.Segment is { } s ? $"0x{p.Iova:x}+{p.Length} -> 0x{p.Address:x} {s.Access}" : $"0x{p.Iova:x}+{p.Length} hole")) + "]";

    private int Device(int count)
    {
        int device = _nextDevice;
        _nextDevice = (_nextDevice + count) % _session.Rig.Width;
        return device;
    }

    private byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
