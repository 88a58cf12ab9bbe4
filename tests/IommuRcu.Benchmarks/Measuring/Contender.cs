// One thing that is measured: it runs a short round of many operations when asked, and says what one operation took.
using System.Diagnostics;

namespace IommuRcu.Benchmarks.Measuring;

/// <summary>One side of a comparison.</summary>
internal abstract class Contender(string name)
{
    /// <summary>Gets the name in tables and rows.</summary>
    public string Name { get; } = name;

    /// <summary>Gets what a round measures, one number for each of its rows: most measure one thing.</summary>
    public virtual int Results => 1;

    /// <summary>Runs one short round.</summary>
    /// <param name="ns">Receives nanoseconds an operation.</param>
    public abstract void Round(Span<double> ns);

    /// <summary>Nanoseconds an operation since a time stamp.</summary>
    protected static double Since(long start, long operations) =>
        (Stopwatch.GetTimestamp() - start) * (1e9 / Stopwatch.Frequency) / operations;
}

/// <summary>A contender made of a delegate that runs a number of operations.</summary>
internal sealed class Loop(string name, long operations, Action<long> body) : Contender(name)
{
    public override void Round(Span<double> ns)
    {
        long start = Stopwatch.GetTimestamp();
        body(operations);
        ns[0] = Since(start, operations);
    }
}

/// <summary>
/// A contender whose operations run on several threads at once. A round lasts from the first thread's start to the last one's end, so that
/// threads which happened to run one after the other do not count as fast.
/// </summary>
internal sealed class ThreadedLoop(string name, int threads, long operations, Action<long> body) : Contender(name)
{
    public override void Round(Span<double> ns)
    {
        long[] starts = new long[threads];
        long[] ends = new long[threads];
        int ready = 0;
        var others = new Thread[threads - 1];
        for (int i = 0; i < others.Length; i++)
        {
            int index = i + 1;
            others[i] = new Thread(() => Run(index));
            others[i].Start();
        }

        Run(0);
        Array.ForEach(others, thread => thread.Join());
        ns[0] = (ends.Max() - starts.Min()) * (1e9 / Stopwatch.Frequency) / operations;

        void Run(int index)
        {
            body(1); // its thread's first-time costs
            Interlocked.Increment(ref ready);
            while (Volatile.Read(ref ready) != threads)
            {
                // Nothing gentler: whoever yields or sleeps here starts late.
            }

            starts[index] = Stopwatch.GetTimestamp();
            body(operations);
            ends[index] = Stopwatch.GetTimestamp();
        }
    }
}
