// The protocols, searched exhaustively: the real ones hold in every state, and each broken variant is refuted.
namespace IommuRcu.Tests.Models;

/// <summary>
/// Set <c>IOMMURCU_LONG</c> to search the larger variants of the real protocols too (minutes and gigabytes).
/// </summary>
public class ModelTests
{
    private static bool Long => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_LONG"));

    /// <summary>Model, whether liveness is looked at, definitions.</summary>
    public static TheoryData<string, bool, string> RealProtocols()
    {
        var rows = new TheoryData<string, bool, string>
        {
            { "rcu", false, "" },
            { "rcu", false, "ARM64" },
            { "rcu", true, "OBJECTS=2" },
            { "handover", false, "" },
            { "reclaim", false, "NO_DEVICE" },
            { "reclaim", false, "NO_WALKER ROUNDS=1" },
            { "largepage", false, "NO_DEVICE ONE_MAPPING=1" },
            { "largepage", false, "NO_WALKER ONE_MAPPING=1" },
        };
        if (Long)
        {
            rows.Add("rcu", false, "READERS=3 OBJECTS=2");
            rows.Add("rcu", true, "OBJECTS=2 ARM64");
            rows.Add("handover", false, "CALLS=3");
            rows.Add("reclaim", false, "NO_WALKER");
            rows.Add("reclaim", false, "NO_DEVICE WHOLE_PATH");
            rows.Add("reclaim", false, "NO_WALKER WHOLE_PATH");
            rows.Add("reclaim", false, "NO_DEVICE GENERATION");
            rows.Add("reclaim", false, "NO_WALKER GENERATION");
            rows.Add("reclaim", false, "NO_DEVICE BOTH");
            rows.Add("reclaim", false, "NO_WALKER BOTH");
            rows.Add("reclaim", false, "NO_WALKER SETS_ACCESSED");
            rows.Add("reclaim", false, "ROUNDS=1");
            rows.Add("largepage", false, "NO_DEVICE");
            rows.Add("largepage", false, "NO_WALKER");
            rows.Add("largepage", false, "ONE_MAPPING=1");
        }

        return rows;
    }

    [SpinTheory]
    [MemberData(nameof(RealProtocols))]
    public void RealProtocol_HoldsInEveryState(string model, bool liveness, string defines)
    {
        SpinResult result = Spin.Check(model, liveness, defines.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.True(result.Errors == 0, result.FirstError + "\n" + result.Output);
        Assert.True(result.Complete, "the search was not exhaustive:\n" + result.Output);
        Assert.True(result.States > 1000, "a search of so few states says nothing:\n" + result.Output);
    }

    /// <summary>Model, whether liveness is looked at, definitions, and a part of the claim that must fail.</summary>
    public static TheoryData<string, bool, string, string> BrokenProtocols() => new()
    {
        { "rcu", false, "NO_FIRST_BARRIER", "assertion violated" },
        { "rcu", false, "ARM64 NO_SECOND_BARRIER", "assertion violated" },
        { "rcu", false, "ARM64 ADVANCE_BEFORE_BARRIER", "Freed" },
        { "rcu", false, "SKIP_ONE_READER", "Predates" },
        { "rcu", false, "CALLBACK_EARLY", "Freed" },
        { "rcu", false, "SNAPSHOT_EARLY", "Predates" },
        { "rcu", false, "UNLINK_LATE", "Freed" },
        { "rcu", true, "OBJECTS=2 NEVER_COMPARE", "acceptance cycle" },
        { "handover", false, "NO_FLIP_BARRIER", "Ran" },
        { "handover", false, "IGNORE_ANNOUNCED", "Ran" },
        { "handover", false, "NO_SLEEP_BARRIER", "invalid end state" },
        { "handover", false, "SLEEP_UNANNOUNCED", "invalid end state" },
        { "handover", false, "FORGET_WAKE", "invalid end state" },
        { "handover", false, "ADDED_BY_OWNER", "invalid end state" },
        { "reclaim", false, "NO_DEVICE NO_BARRIER", "found" },
        { "reclaim", false, "NO_DEVICE NO_REREAD", "found" },
        { "reclaim", false, "NO_DEVICE UNMARKED_INSTALL", "found" },
        { "reclaim", false, "NO_DEVICE NO_CONFIRM", "found" },
        { "reclaim", false, "NO_DEVICE NO_MARK", "found" },
        { "reclaim", false, "NO_DEVICE PLAIN_UNLINK", "found" },
        { "reclaim", false, "NO_DEVICE MARK_IGNORED", "found" },
        { "reclaim", false, "NO_DEVICE FROZEN_NOT_PRESENT", "found" },
        { "reclaim", false, "NO_DEVICE NO_GRACE_PERIOD", "Freed" },
        { "reclaim", false, "NO_WALKER ROUNDS=1 NO_MAPPER_FLUSH", "found" },
        { "reclaim", false, "NO_WALKER ROUNDS=1 WHOLE_PATH ONLY_INSTALLER_FLUSHES", "found" },
        { "reclaim", false, "NO_WALKER ROUNDS=1 NO_FLUSH", "Freed" },
        { "largepage", false, "NO_DEVICE NO_BARRIER", "found" },
        { "largepage", false, "NO_DEVICE BARRIER_BEFORE_LAST_MARK", "found" },
        { "largepage", false, "NO_DEVICE ONE_MAPPING=1 LARGE_BY_STORE", "Freed" },
        { "largepage", false, "NO_DEVICE ONE_MAPPING=1 LARGE_NO_REREAD", "found" },
        { "largepage", false, "NO_DEVICE ONE_MAPPING=1 PLAIN_UNLINK", "Freed" },
        { "largepage", false, "NO_DEVICE ONE_MAPPING=1 OUTSIDE_SECTION", "Freed" },
        { "largepage", false, "NO_WALKER ONE_MAPPING=1 LARGE_NO_FLUSH", "found" },
    };

    [SpinTheory]
    [MemberData(nameof(BrokenProtocols))]
    public void BrokenProtocol_IsRefuted(string model, bool liveness, string defines, string claim)
    {
        SpinResult result = Spin.Check(model, liveness, defines.Split(' '));

        Assert.True(result.Errors > 0, "the broken variant was not refuted:\n" + result.Output);
        Assert.Contains(claim, result.FirstError, StringComparison.Ordinal);
    }
}
