// A device and its driver: maps a buffer, lets the device write into it, unmaps it, and does so as fast as it can.
using System.Runtime.InteropServices;
using IommuRcu;
using IommuRcu.Emulation;

namespace DirtyTracking.Migration;

/// <summary>One thread. It owns a stripe of the guest's memory, so it knows what every line that it wrote must hold.</summary>
internal sealed unsafe class DeviceWorker
{
    private const int LineSize = 64;
    private const int LinesPerPage = (int)Guest.PageSize / LineSize;
    private const int WritesPerBuffer = 24;
    private const int PagesPerChunk = (int)(Guest.ChunkSize / Guest.PageSize);

    private readonly Guest _guest;
    private readonly Findings _findings;
    private readonly EmulatedDevice _device;
    private readonly DirtyBitmap _dirty;
    private readonly int _firstChunk;
    private readonly int _chunks;

    // How often each page of the stripe was written; with it, where its last write went and what it was.
    private readonly uint[] _writes;
    private readonly Thread _thread;
    private ulong _random;
    private long _buffers;
    private int _workingSet;
    private bool _stop;

    internal DeviceWorker(Guest guest, Findings findings, MigrationOptions options, int index)
    {
        _guest = guest;
        _findings = findings;
        _device = guest.Iommu.Attach(index, guest.Domain);
        _firstChunk = guest.Chunks * index / options.Devices;
        _chunks = (guest.Chunks * (index + 1) / options.Devices) - _firstChunk;
        _workingSet = _chunks;
        _writes = new uint[_chunks * PagesPerChunk];
        _dirty = new DirtyBitmap(Guest.IovaOfChunk(_firstChunk), (ulong)_chunks * Guest.ChunkSize);
        _random = Mixing.Hash(((ulong)(uint)options.Seed << 32) + (ulong)index + 1);
        _thread = new Thread(Run) { Name = $"device {index}", IsBackground = true };
    }

    /// <summary>Buffers mapped, used and unmapped so far.</summary>
    internal long Buffers => Volatile.Read(ref _buffers);

    /// <summary>How many chunks of its stripe the device works in at a time: at least the two that it has mapped. It never works slower.</summary>
    internal int WorkingSet
    {
        get => Volatile.Read(ref _workingSet);
        set => Volatile.Write(ref _workingSet, Math.Clamp(value, 2, _chunks));
    }

    internal void Start() => _thread.Start();

    internal void Stop()
    {
        Volatile.Write(ref _stop, true);
        if ((_thread.ThreadState & System.Threading.ThreadState.Unstarted) == 0)
        {
            _thread.Join();
        }
    }

    /// <summary>Checks, once the device has stopped, that the last write to each page is where it belongs.</summary>
    internal void CheckWrites()
    {
        Span<byte> expected = stackalloc byte[LineSize];
        for (int page = 0; page < _writes.Length; page++)
        {
            if (_writes[page] == 0)
            {
                continue;
            }

            int globalPage = (_firstChunk * PagesPerChunk) + page;
            int line = Compose(globalPage, _writes[page], expected);
            var written = new ReadOnlySpan<byte>(_guest.Bytes + ((ulong)globalPage * Guest.PageSize) + (line * LineSize), LineSize);
            if (!written.SequenceEqual(expected))
            {
                _findings.WrongTranslation();
            }
        }
    }

    private static int Compose(int page, uint write, Span<byte> line)
    {
        ulong state = Mixing.Hash(((ulong)(uint)page << 32) | write);
        int at = (int)(state % LinesPerPage);
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(line))
        {
            word = Mixing.Next(ref state);
        }

        return at;
    }

    private void Run()
    {
        try
        {
            // Two buffers at any time: one is written to while the other is replaced.
            int older = Pick(-1);
            _guest.Map(older);
            while (!Volatile.Read(ref _stop))
            {
                int newer = Pick(older);
                _guest.Map(newer);
                for (int i = 0; i < WritesPerBuffer; i++)
                {
                    Write((i & 1) == 0 ? newer : older, check: (i & 7) == 0);
                }

                Unmap(older);
                older = newer;
                Volatile.Write(ref _buffers, _buffers + 1);
            }

            Unmap(older);
        }
        catch (Exception e)
        {
            _findings.Error($"{_thread.Name}: {e.GetType().Name}: {e.Message}");
        }
    }

    // The device works in a part of its stripe that wanders slowly: that is what the rounds can converge on, and what the heat map shows.
    private int Pick(int not)
    {
        int window = WorkingSet;
        int start = (int)(_buffers / 1000 % _chunks);
        int chunk;
        do
        {
            chunk = _firstChunk + ((start + Mixing.Below(ref _random, window)) % _chunks);
        }
        while (chunk == not);
        return chunk;
    }

    private void Write(int chunk, bool check)
    {
        int pageInChunk = Mixing.Below(ref _random, PagesPerChunk);
        int globalPage = (chunk * PagesPerChunk) + pageInChunk;
        uint write = ++_writes[globalPage - (_firstChunk * PagesPerChunk)];
        Span<byte> line = stackalloc byte[LineSize];
        int at = Compose(globalPage, write, line);
        Iova iova = Guest.IovaOfChunk(chunk) + ((ulong)pageInChunk * Guest.PageSize) + (ulong)(at * LineSize);
        if (!_device.DmaWrite(iova, line))
        {
            // The IOMMU has recorded the fault; the report counts it.
            return;
        }

        if (check)
        {
            Span<byte> back = stackalloc byte[LineSize];
            if (_device.DmaRead(iova, back) && !back.SequenceEqual(line))
            {
                _findings.WrongTranslation();
            }
        }
    }

    private void Unmap(int chunk)
    {
        Iova iova = Guest.IovaOfChunk(chunk);
        var gather = new IotlbGather(_guest.Domain);
        try
        {
            // The dirty bits leave with the entries. In two halves now and then, so that a table also empties in parts.
            if ((chunk & 3) == 0)
            {
                _guest.Domain.Unmap(iova, Guest.ChunkSize / 2, ref gather, _dirty);
                _guest.Domain.Unmap(iova + (Guest.ChunkSize / 2), Guest.ChunkSize / 2, ref gather, _dirty);
            }
            else
            {
                _guest.Domain.Unmap(iova, Guest.ChunkSize, ref gather, _dirty);
            }

            gather.Sync();
        }
        finally
        {
            gather.Dispose();
        }

        // Only now, with the IOTLB flushed and DMA drained, may the pages be copied: before, a write could come after the copy and be lost.
        foreach (IovaRange run in _dirty)
        {
            _guest.Harvested.Set(run.First, run.Size);
        }

        _dirty.Clear();
    }
}
