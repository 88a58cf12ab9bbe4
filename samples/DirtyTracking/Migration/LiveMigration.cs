// The migration from beginning to end, and every check of its outcome.
using System.Diagnostics;
using System.Runtime.InteropServices;
using IommuRcu;
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace DirtyTracking.Migration;

/// <summary>Pre-copy live migration: copy while devices run, round by round; stop them; copy the rest; compare.</summary>
public sealed unsafe class LiveMigration
{
    private const int HeatCells = 512;
    private const int LeastRounds = 25;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(25);
    private readonly MigrationOptions _options;
    private readonly Findings _findings = new();

    // Also the lock of the list; the other results are read when the thread has ended, or has hung.
    private readonly List<long> _rounds = [];
    private Guest? _guest;
    private Auditor? _auditor;
    private DeviceWorker[] _devices = [];
    private bool _converged;
    private TimeSpan _ran;
    private TimeSpan _downtime;
    private long _retiredPages;
    private long _leakedPages;

    // Below 0: not compared.
    private long _lostWrites = -1;
    private MigrationProgress _progress = new();

    /// <summary>Makes a migration.</summary>
    /// <param name="options">Its size and length.</param>
    public LiveMigration(MigrationOptions options)
    {
        options.Validate();
        _options = options;
    }

    /// <summary>How far it is. Any thread may ask.</summary>
    public MigrationProgress Progress
    {
        get => Volatile.Read(ref _progress);
        private set => Volatile.Write(ref _progress, value);
    }

    /// <summary>Runs it to its end, or until it has hung for too long.</summary>
    /// <returns>What was found.</returns>
    public MigrationReport Run()
    {
        using var counters = new RuntimeCounters();
        long gracePeriods = counters.Read("grace_periods");
        long callbacks = counters.Read("callbacks.run");

        // In a thread of its own: tables that were freed under their users may also send one round in circles, and that is a finding as well.
        var thread = new Thread(RunToEnd) { Name = "scanner", IsBackground = true };
        thread.Start();
        TimeSpan limit = TimeSpan.FromSeconds(2 * _options.Seconds) + _patience;
        if (!thread.Join(limit))
        {
            _findings.Error($"The migration has not ended after {limit.TotalSeconds:f0} seconds.");
        }

        EmulatedIommuStatistics iommu = _guest?.Iommu.Statistics ?? default;
        lock (_rounds)
        {
            return new MigrationReport
            {
                MemoryIdentical = _lostWrites == 0,
                WrongTranslations = _findings.WrongTranslations,
                LateReads = _findings.LateReads,
                LeakedPages = _leakedPages,
                LostWrites = Math.Max(0, _lostWrites),
                DeviceFaults = iommu.Faults,
                Errors = _findings.Errors,
                Rounds = _rounds.Count,
                PagesPerRound = [.. _rounds],
                Converged = _converged,
                DowntimeMilliseconds = _downtime.TotalMilliseconds,
                Seconds = _ran.TotalSeconds,
                TablePagesRetired = _retiredPages,
                TablePagesFreedAtOnce = _guest?.FreedAtOnce ?? 0,
                GracePeriods = counters.Read("grace_periods") - gracePeriods,
                Callbacks = counters.Read("callbacks.run") - callbacks,
                Buffers = _devices.Sum(d => d.Buffers),
                DmaTransfers = iommu.Transfers,
                Invalidations = iommu.Invalidations,
                CheckedTranslations = _auditor?.Checked ?? 0,
                Size = _options.Size,
                Devices = _options.Devices,
                Seed = _options.Seed,
                UnsafeFree = _options.UnsafeFree,
            };
        }
    }

    private void RunToEnd()
    {
        byte* destination = null;
        try
        {
            Guest guest = _guest = new Guest(_options);
            destination = (byte*)NativeMemory.Alloc((nuint)guest.Size);
            Migrate(guest, destination);
            _lostWrites = CountDifferentPages(guest, destination);
        }
        catch (Exception e)
        {
            _findings.Error($"scanner: {e.GetType().Name}: {e.Message}");
        }

        try
        {
            foreach (DeviceWorker device in _devices)
            {
                device.Stop();
            }

            if (_guest is { } guest)
            {
                CountLateReadsOfDevices(guest);
                _retiredPages = guest.Pages.RetiredPagesTotal;
                _leakedPages = guest.TearDown();
                _findings.LateRead(guest.Pages.DamagedPages);
                Progress = Progress with { Phase = MigrationPhase.Done, Failures = Failures(guest) };
                guest.Dispose();
            }
        }
        catch (Exception e)
        {
            _findings.Error($"tear-down: {e.GetType().Name}: {e.Message}");
            _leakedPages = Math.Max(1, _guest!.Pages.LivePages);
        }

        NativeMemory.Free(destination);
    }

    private void Migrate(Guest guest, byte* destination)
    {
        _devices = [.. Enumerable.Range(0, _options.Devices).Select(i => new DeviceWorker(guest, _findings, _options, i))];
        var copy = new PreCopy(guest, _findings, destination);
        Auditor auditor = _auditor = new Auditor(guest, _findings, _options.Seed);
        Stopwatch clock = Stopwatch.StartNew();
        foreach (DeviceWorker device in _devices)
        {
            device.Start();
        }

        _converged = CopyWhileDevicesRun(guest, copy, auditor, clock);
        _ran = clock.Elapsed;
        foreach (DeviceWorker device in _devices)
        {
            device.Stop();
        }

        Progress = Progress with { Phase = MigrationPhase.StopAndCopy, Elapsed = 1 };
        AddRound(copy.CopyDirty());
        _downtime = clock.Elapsed - _ran;
        Progress = Progress with { Phase = MigrationPhase.Verifying, Round = _rounds.Count };
        auditor.Walk();
        foreach (DeviceWorker device in _devices)
        {
            device.CheckWrites();
        }
    }

    private void AddRound(long pages)
    {
        lock (_rounds)
        {
            _rounds.Add(pages);
        }
    }

    private bool CopyWhileDevicesRun(Guest guest, PreCopy copy, Auditor auditor, Stopwatch clock)
    {
        // At most 1/16 of the memory is left for the time when devices stand still: 16 MiB of the default 256, a few milliseconds.
        long enough = guest.PageCount / 16;
        AddRound(copy.CopyAll());
        while (true)
        {
            double elapsed = clock.Elapsed.TotalSeconds / _options.Seconds;

            // The guest's load: devices always run at full speed, but after half of the time they keep to less and less of the memory.
            int workingSet = (int)(guest.Chunks / _options.Devices * 0.25 * Math.Min(1, 2.5 * (0.9 - elapsed)));
            foreach (DeviceWorker device in _devices)
            {
                device.WorkingSet = workingSet;
            }

            long began = Stopwatch.GetTimestamp();
            long pages = copy.CopyDirty();
            AddRound(pages);

            // As long again as the round took, but not so long that much becomes dirty meanwhile.
            auditor.RunFor(TimeSpan.FromMilliseconds(Math.Clamp(Stopwatch.GetElapsedTime(began).TotalMilliseconds, 5, 50)));
            Progress = Progress with
            {
                Phase = MigrationPhase.PreCopy,
                Round = _rounds.Count,
                PagesOfRound = pages,
                PagesToConverge = enough,
                Pages = guest.PageCount,
                Elapsed = Math.Min(1, elapsed),
                WorkingSet = (double)_devices.Sum(static d => d.WorkingSet) / guest.Chunks,
                TablePages = guest.Pages.RetiredPagesTotal + guest.FreedAtOnce,
                Failures = Failures(guest),
                Heat = HeatOf(guest, copy.LastRound, Progress.Heat),
            };
            // On a busy machine it may take longer to have looked often enough; not twice as long.
            bool enoughRounds = _rounds.Count >= LeastRounds || elapsed >= 1.8;
            if (pages <= enough && enoughRounds)
            {
                return true;
            }

            if (elapsed >= 1 && enoughRounds)
            {
                return false;
            }
        }
    }

    private static float[] HeatOf(Guest guest, DirtyBitmap bitmap, IReadOnlyList<float> before)
    {
        // What was hot cools down over a few rounds.
        var cells = new float[HeatCells];
        for (int i = 0; i < before.Count; i++)
        {
            cells[i] = before[i] < 0.02f ? 0 : before[i] * 0.7f;
        }

        double pagesPerCell = (double)guest.PageCount / HeatCells;
        foreach (IovaRange run in bitmap)
        {
            long first = (long)((run.First.Value - Guest.IovaBase.Value) / Guest.PageSize);
            long last = (long)((run.Last.Value - Guest.IovaBase.Value) / Guest.PageSize);
            for (long page = first; page <= last; page++)
            {
                cells[Math.Min(HeatCells - 1, (int)(page / pagesPerCell))] += (float)(1 / pagesPerCell);
            }
        }

        return cells;
    }

    private long Failures(Guest guest)
        => _findings.WrongTranslations + _findings.LateReads + _findings.Errors.Count + guest.Pages.DamagedPages;

    private static long CountDifferentPages(Guest guest, byte* destination)
    {
        byte* source = guest.Bytes;
        long different = 0;
        for (ulong at = 0; at < guest.Size; at += Guest.PageSize)
        {
            if (!new ReadOnlySpan<byte>(source + at, (int)Guest.PageSize).SequenceEqual(new ReadOnlySpan<byte>(destination + at, (int)Guest.PageSize)))
            {
                different++;
            }
        }

        return different;
    }

    // A device that stood on a freed table: only a missing flush could do that.
    private void CountLateReadsOfDevices(Guest guest)
        => _findings.LateRead(guest.Iommu.TakeFaults().Count(static f => f.RawEntry == PageAllocator.Poison));
}
