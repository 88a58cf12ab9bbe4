// Switches that break the protocol on purpose, so that tests can show they would notice. Read on slow paths only.
namespace IommuRcu;

/// <summary>Deliberate faults for the torture test. Nothing sets them outside the tests; no reader's fast path looks at them.</summary>
internal static class TestHooks
{
    private static volatile bool _skipsBarrier;
    private static volatile int _skippedSlot = -1;
    private static volatile bool _runsCallbacksEarly;
    private static volatile int _reusedSlot = -1;
    private static volatile bool _closesQueuesEarly;
    private static volatile int _skippedCell = -1;
    private static volatile int _reusedCell = -1;

    /// <summary>The process-wide barrier does nothing.</summary>
    internal static bool SkipsBarrier { get => _skipsBarrier; set => _skipsBarrier = value; }

    /// <summary>The index of a slot that scans leave out; -1 for none.</summary>
    internal static int SkippedSlot { get => _skippedSlot; set => _skippedSlot = value; }

    /// <summary>Callbacks run without the grace period that they wait for.</summary>
    internal static bool RunsCallbacksEarly { get => _runsCallbacksEarly; set => _runsCallbacksEarly = value; }

    /// <summary>The index of a slot that every new thread gets although its owner is still alive; -1 for none.</summary>
    internal static int ReusedSlot { get => _reusedSlot; set => _reusedSlot = value; }

    /// <summary>The index of a cell that scans of sleepable domains leave out; -1 for none.</summary>
    internal static int SkippedCell { get => _skippedCell; set => _skippedCell = value; }

    /// <summary>The index of a cell that every new section of a sleepable domain gets although another is open in it; -1 for none.</summary>
    internal static int ReusedCell { get => _reusedCell; set => _reusedCell = value; }

    /// <summary>The callback thread takes a queue while its owner may be in the middle of a push.</summary>
    internal static bool ClosesQueuesEarly { get => _closesQueuesEarly; set => _closesQueuesEarly = value; }

    /// <summary>Pretends that the system refuses the process-wide barrier, for this reason.</summary>
    internal static string? BarrierRefusal { get; set; }

    /// <summary>Everything as it is shipped.</summary>
    internal static void Reset()
    {
        SkipsBarrier = false;
        SkippedSlot = -1;
        RunsCallbacksEarly = false;
        ReusedSlot = -1;
        ClosesQueuesEarly = false;
        SkippedCell = -1;
        ReusedCell = -1;
        BarrierRefusal = null;
    }
}
