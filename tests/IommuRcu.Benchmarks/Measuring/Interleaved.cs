// Runs contenders round by round in turn, so that a noisy moment of the machine hits all of them alike; the fastest round counts.
using System.Diagnostics;

namespace IommuRcu.Benchmarks.Measuring;

/// <summary>What the rounds of one contender gave.</summary>
internal sealed record Measurement(Contender Contender, double[][] Rounds)
{
    /// <summary>The fastest round: what the code takes where nothing disturbs it.</summary>
    public double Minimum(int result = 0) => Rounds[result].Min();

    public double Median(int result = 0) => MedianOf(Rounds[result]);

    /// <summary>The median over the rounds of this one's time divided by the other's in the same round.</summary>
    public double MedianRatio(Measurement other, int result = 0, int otherResult = 0) =>
        MedianOf([.. Rounds[result].Zip(other.Rounds[otherResult], (mine, theirs) => mine / theirs)]);

    private static double MedianOf(double[] values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted[sorted.Length / 2];
    }
}

internal static class Interleaved
{
    /// <summary>Runs all contenders for about this long.</summary>
    /// <param name="contenders">Measured in turn, in alternating order.</param>
    /// <param name="seconds">For all of them together, after the warm-up, which takes a third of that on top.</param>
    public static Measurement[] Run(IReadOnlyList<Contender> contenders, double seconds)
    {
        // The warm-up lets the just-in-time compiler see the loops often and finish its optimized code in the background.
        RunFor(contenders, seconds / 3, leastRounds: 40);
        return RunFor(contenders, seconds, leastRounds: 20);
    }

    private static Measurement[] RunFor(IReadOnlyList<Contender> contenders, double seconds, int leastRounds)
    {
        var rounds = contenders.Select(contender => Enumerable.Range(0, contender.Results).Select(_ => new List<double>()).ToArray()).ToArray();
        double[] ns = new double[contenders.Max(contender => contender.Results)];
        var clock = Stopwatch.StartNew();
        for (int round = 0; round < leastRounds || clock.Elapsed.TotalSeconds < seconds; round++)
        {
            for (int i = 0; i < contenders.Count; i++)
            {
                int which = round % 2 == 0 ? i : contenders.Count - 1 - i;
                contenders[which].Round(ns);
                for (int result = 0; result < rounds[which].Length; result++)
                {
                    rounds[which][result].Add(ns[result]);
                }
            }

            if (clock.Elapsed.TotalSeconds > Math.Max(seconds * 4, 30))
            {
                break; // a contender so slow that the least number of rounds would take for ever
            }
        }

        return [.. contenders.Select((contender, i) => new Measurement(contender, [.. rounds[i].Select(list => list.ToArray())]))];
    }
}
