// What is true of a statement over every path that was explored, and so what the analysis owes.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

/// <summary>What the analysis must say about a line.</summary>
internal enum Duty
{
    /// <summary>Either answer is acceptable: the fault hangs on branches that nobody can see through.</summary>
    Free,

    /// <summary>Something must be reported here.</summary>
    Report,

    /// <summary>Nothing may be reported here.</summary>
    Silence,
}

/// <summary>The outcomes of one statement on all paths.</summary>
internal sealed class Verdict
{
    private bool _right;
    private bool _unsettled;
    private bool _wrong;
    private bool _wrongWithoutOpaqueBranch;
    private bool _wrongWithoutThrow;
    private bool _rightWithoutThrow;

    /// <summary>The ids of which one must be (or may be) reported.</summary>
    internal HashSet<string> Ids { get; } = [];

    /// <summary>The id that the fault is known by, of those in <see cref="Ids"/>.</summary>
    internal string? Primary { get; private set; }

    /// <summary>A path on which the statement was right.</summary>
    internal void Right(Path path)
    {
        _right = true;
        _rightWithoutThrow |= !path.Threw;
    }

    /// <summary>Whether some path met an earlier fault in the same thing, so that the report may be of that.</summary>
    internal bool IsUnsettled => _unsettled;

    /// <summary>A path on which neither answer is owed, as after an earlier fault in the same thing.</summary>
    internal void Unsettled() => _unsettled = true;

    /// <summary>A path on which the statement was wrong.</summary>
    internal void Wrong(Path path, params ReadOnlySpan<string> ids)
    {
        _wrong = true;
        Primary ??= ids[0];
        _wrongWithoutOpaqueBranch |= !path.ChoseOpaquely && !path.Threw;
        _wrongWithoutThrow |= !path.Threw;
        foreach (string id in ids)
        {
            Ids.Add(id);
        }
    }

    /// <summary>
    /// Wrong on every path, or on one whose branches are all visible: owed. For three rules opaque branches are taken
    /// both ways as well: a section not closed, a section open on some paths only, and a gather not synced.
    /// </summary>
    internal Duty Duty
    {
        get
        {
            if (!_wrong)
            {
                return _unsettled ? Duty.Free : Duty.Silence;
            }

            bool everyPath = !_right && !_unsettled;
            bool bothWays = _wrongWithoutThrow && (Ids.Contains("IRCU033") || Ids.Contains("IRCU045") || (Ids.Contains("IRCU008") && _rightWithoutThrow));
            return everyPath || _wrongWithoutOpaqueBranch || bothWays ? Duty.Report : Duty.Free;
        }
    }
}

/// <summary>What the run so far has done that weakens or taints its later outcomes.</summary>
internal sealed class Path
{
    /// <summary>A branch was taken that only the run itself could know.</summary>
    internal bool ChoseOpaquely { get; set; }

    /// <summary>What the number was asked first.</summary>
    internal string? Question { get; set; }

    /// <summary>A call threw.</summary>
    internal bool Threw { get; set; }
}
