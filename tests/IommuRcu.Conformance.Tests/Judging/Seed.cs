// The seed of a random test: printed, and taken from the environment to replay.
using System.Globalization;

namespace IommuRcu.Conformance.Tests.Judging;

internal static class Seed
{
    public const string Variable = "IOMMURCU_SEED";

    /// <summary>How many times longer than by default the random tests are to be.</summary>
    public const string LengthVariable = "IOMMURCU_CONFORMANCE_LENGTH";

    public static int Get() =>
        int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out int seed)
            ? seed
            : Random.Shared.Next();

    public static int Length =>
        int.TryParse(Environment.GetEnvironmentVariable(LengthVariable), NumberStyles.Integer, CultureInfo.InvariantCulture, out int length)
            ? int.Max(length, 1)
            : 1;
}
