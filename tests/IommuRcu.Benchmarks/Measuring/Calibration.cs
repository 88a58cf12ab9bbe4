// How fast the machine is just now: a thousand additions, each of which needs the one before.
using System.Runtime.CompilerServices;

namespace IommuRcu.Benchmarks.Measuring;

/// <summary>A loop of 1,000 dependent additions: at full speed it takes <see cref="FullSpeed"/> ns, an addition a cycle.</summary>
internal static class Calibration
{
    /// <summary>What the loop takes on this kind of machine at full speed, in ns.</summary>
    public const double FullSpeed = 235;

    private const int Repeats = 50;
    private static long _step = 1;
    private static long _sum;

    public static Contender Create() => new Loop("calibration", Repeats, Run);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run(long repeats)
    {
        long step = Volatile.Read(ref _step);
        long sum = 0;
        for (long i = 0; i < repeats; i++)
        {
            for (int j = 0; j < 50; j++)
            {
                // The step is not known to the compiler, which does not reorder additions: a chain of twenty.
                sum += step; sum += step; sum += step; sum += step; sum += step;
                sum += step; sum += step; sum += step; sum += step; sum += step;
                sum += step; sum += step; sum += step; sum += step; sum += step;
                sum += step; sum += step; sum += step; sum += step; sum += step;
            }
        }

        Volatile.Write(ref _sum, sum);
    }
}
