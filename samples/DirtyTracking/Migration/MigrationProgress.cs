// What an onlooker may know while the migration runs.
namespace DirtyTracking.Migration;

/// <summary>The stages of a migration.</summary>
public enum MigrationPhase
{
    /// <summary>Making the guest.</summary>
    Preparing,

    /// <summary>Copying while devices run.</summary>
    PreCopy,

    /// <summary>Copying the rest while devices stand still.</summary>
    StopAndCopy,

    /// <summary>Comparing both memories.</summary>
    Verifying,

    /// <summary>Over.</summary>
    Done,
}

/// <summary>A moment of the run. A new one replaces the last after every round.</summary>
public sealed record MigrationProgress
{
    /// <summary>Where the run stands.</summary>
    public MigrationPhase Phase { get; init; }

    /// <summary>Rounds done.</summary>
    public int Round { get; init; }

    /// <summary>Pages that the last round copied.</summary>
    public long PagesOfRound { get; init; }

    /// <summary>A round of at most so many pages ends the pre-copy.</summary>
    public long PagesToConverge { get; init; }

    /// <summary>All pages of the guest.</summary>
    public long Pages { get; init; }

    /// <summary>The part of the time that is over, 0 to 1.</summary>
    public double Elapsed { get; init; }

    /// <summary>The part of the memory that devices work in at a time, 0 to 1.</summary>
    public double WorkingSet { get; init; }

    /// <summary>Table pages that left the tables so far.</summary>
    public long TablePages { get; init; }

    /// <summary>Failures found so far.</summary>
    public long Failures { get; init; }

    /// <summary>For each equal part of the memory, how dirty it was in the last rounds, 0 to 1 and above.</summary>
    public IReadOnlyList<float> Heat { get; init; } = [];
}
