// The seed of a random test: printed, and replayed from IOMMURCU_SEED.
using System.Globalization;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Memory;

internal static class TestSeed
{
    internal static int Get(ITestOutputHelper output)
    {
        string? given = Environment.GetEnvironmentVariable("IOMMURCU_SEED");
        int seed = given is null ? Random.Shared.Next() : int.Parse(given, CultureInfo.InvariantCulture);
        output.WriteLine($"IOMMURCU_SEED={seed}");
        return seed;
    }
}
