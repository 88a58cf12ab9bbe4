// The torture run, after the kernel's rcutorture: readers, writers, churn and sleepers, all at random from one seed.
using System.Diagnostics;

namespace IommuRcu.Tests.Synchronization;

/// <summary>What a torture run does.</summary>
internal sealed record TortureOptions(int Seed, TimeSpan Duration)
{
    internal int Readers { get; init; } = 2;

    internal int Writers { get; init; } = 2;

    internal int Churners { get; init; } = 1;

    internal int Sleepers { get; init; } = 2;

    /// <summary>All writers use the sleepable domain, and none the other.</summary>
    internal bool SleepersOnly { get; init; }

    /// <summary>The run ends after so many sections, if not before.</summary>
    internal long Rounds { get; init; } = long.MaxValue;

    /// <summary>Readers fill their store buffer before each section, which makes a missing barrier show soon.</summary>
    internal bool FillsStoreBuffers { get; init; }

    /// <summary>Writers only use Synchronize, on a single cell: as many short grace periods as possible, all of them under some reader's feet.</summary>
    internal bool SynchronizesOnly { get; init; }

    /// <summary>Called with the index of the first reader's slot, when every long-lived thread has its own; without readers, with 0, at the start.</summary>
    internal Action<int>? Sabotage { get; init; }
}

/// <summary>One torture run.</summary>
internal sealed unsafe partial class Torture : IDisposable
{
    private const int Spread = 16; // words of a 128-byte line
    private readonly TortureOptions _options;
    private readonly TorturePool _pool;
    private readonly Barrier _registered;
    private readonly TorturePool _sleepablePool = new(cells: 4, elements: 600);
    private readonly SleepableRcu _sleepable = new("torture");
    private volatile bool _stops;
    private string? _fault;
    private readonly long[] _sections; // one for each reader and sleeper, on lines of their own
    private long _retired;
    private long _threads;

    internal Torture(TortureOptions options)
    {
        _options = options;
        _sections = new long[(options.Readers + options.Sleepers + 1) * Spread];
        _pool = new TorturePool(options.SynchronizesOnly ? 1 : 4, elements: 600);
        _registered = new Barrier(options.Readers + options.Writers);
    }

    /// <summary>The first fault that a reader saw.</summary>
    internal string? Fault => Volatile.Read(ref _fault);

    internal string Summary => $"seed {_options.Seed}: {Sections} sections, {_retired} elements retired, {_threads} short threads; fault: {Fault ?? "none"}";

    private long Sections
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _sections.Length; i += Spread)
            {
                sum += Volatile.Read(ref _sections[i]);
            }

            return sum;
        }
    }

    public void Dispose()
    {
        _sleepable.Dispose();
        _registered.Dispose();
        _pool.Dispose();
        _sleepablePool.Dispose();
    }

    /// <summary>Runs until the time is over or a reader sees a fault; then everything retired must have come back.</summary>
    internal void Run()
    {
        Rcu.Barrier(); // the callback thread has its slot
        var random = new Random(_options.Seed);
        var threads = new List<Thread>();
        for (int i = 0; i < _options.Readers; i++)
        {
            int seed = random.Next();
            int reader = i;
            threads.Add(new Thread(() => Read(seed, reader)) { Name = "torture reader" });
        }

        for (int i = 0; i < _options.Writers; i++)
        {
            int seed = random.Next();
            bool sleepable = (i % 2 == 1 && _options.Sleepers > 0) || _options.SleepersOnly;
            threads.Add(new Thread(() => Write(seed, sleepable)) { Name = "torture writer" });
        }

        for (int i = 0; i < _options.Churners; i++)
        {
            int seed = random.Next();
            threads.Add(new Thread(() => Churn(seed)) { Name = "torture churner" });
        }

        if (_options.Readers == 0)
        {
            _options.Sabotage?.Invoke(0);
        }

        foreach (Thread thread in threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }

        var sleepers = new List<Task>();
        for (int i = 0; i < _options.Sleepers; i++)
        {
            int seed = random.Next();
            int sleeper = _options.Readers + i;
            sleepers.Add(Task.Run(() => SleepReadAsync(seed, sleeper)));
        }

        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < _options.Duration && Fault == null && Sections < _options.Rounds)
        {
            threads[0].Join(5);
        }

        _stops = true;
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Task.WaitAll([.. sleepers]);
        TestHooks.Reset();
        Rcu.Barrier();
        _sleepable.Barrier();
        Check(_pool);
        Check(_sleepablePool);

        void Check(TorturePool pool)
        {
            if (pool.FreeCount != pool.ElementCount - pool.CellCount)
            {
                Report($"{pool.ElementCount - pool.CellCount - pool.FreeCount} elements never came back");
            }
        }
    }

    private void Report(string fault) => Interlocked.CompareExchange(ref _fault, fault, null);

    private void Read(int seed, int reader)
    {
        var random = new Random(seed);
        Register();
        if (reader == 0)
        {
            _options.Sabotage?.Invoke(CurrentReader.Slot->Index);
        }

        ref long sections = ref _sections[reader * Spread];
        ulong[] cold = new ulong[_options.FillsStoreBuffers ? 1 << 23 : 0];
        while (!_stops)
        {
            if (_options.FillsStoreBuffers)
            {
                FillStoreBuffer(cold, random);
            }

            ReadNested(random, random.Next(16) == 0 ? random.Next(1, 4) : 0);
            Volatile.Write(ref sections, sections + 1);
        }
    }

    private void Register()
    {
        using (Rcu.ReadLock())
        {
        }

        _registered.SignalAndWait();
    }

    // Stores to lines that are in no cache. They leave the store buffer in order, so that an announcement behind them is late.
    private static void FillStoreBuffer(ulong[] cold, Random random)
    {
        int at = random.Next();
        for (int i = 0; i < 48; i++)
        {
            at = (at * 1103515245) + 12345;
            cold[at & (cold.Length - 1)] = (ulong)i;
        }
    }

    private void ReadNested(Random random, int depth)
    {
        using (Rcu.ReadLock())
        {
            TortureElement* element = _pool.Read(random.Next(_pool.CellCount));
            ulong stamp = Volatile.Read(ref element->Stamp);
            Look(element, stamp);
            Linger(random);
            if (depth > 0)
            {
                ReadNested(random, depth - 1);
            }

            Look(element, stamp);
        }
    }

    private void Look(TortureElement* element, ulong stamp)
    {
        if (TorturePool.Fault(element, stamp) is { } fault)
        {
            Report(fault);
        }
    }

    private void Linger(Random random)
    {
        int kind = random.Next(1000);
        if (kind < 800)
        {
            Thread.SpinWait(random.Next(30));
        }
        else if (kind < 990)
        {
            Thread.SpinWait(random.Next(1000));
        }
        else
        {
            for (int i = random.Next(20); i > 0 && !_stops; i--)
            {
                Thread.Yield();
            }
        }
    }

    private void Churn(int seed)
    {
        var random = new Random(seed);
        while (!_stops)
        {
            int next = random.Next();
            var thread = new Thread(() =>
            {
                var random = new Random(next);
                for (int i = random.Next(8); i >= 0; i--)
                {
                    ReadNested(random, random.Next(3));
                }
            }) { IsBackground = true, Name = "torture short" };
            thread.Start();
            thread.Join();
            _threads++;
        }
    }
}
