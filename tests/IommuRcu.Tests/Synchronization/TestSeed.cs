// Seeds of random tests: fresh by default, replayed from IOMMURCU_SEED.
using System.Globalization;

namespace IommuRcu.Tests.Synchronization;

/// <summary>Where the randomness of a test comes from.</summary>
internal static class TestSeed
{
    /// <summary>The seed of this run; print it with every failure.</summary>
    internal static int Value { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_SEED"), NumberStyles.Integer, CultureInfo.InvariantCulture, out int seed)
            ? seed
            : Random.Shared.Next();

    /// <summary>How long a torture run lasts: seconds from IOMMURCU_TORTURE_SECONDS, or this many.</summary>
    internal static TimeSpan Duration(double seconds) =>
        TimeSpan.FromSeconds(
            double.TryParse(
                Environment.GetEnvironmentVariable("IOMMURCU_TORTURE_SECONDS"), NumberStyles.Float, CultureInfo.InvariantCulture, out double given)
                ? given
                : seconds);
}
