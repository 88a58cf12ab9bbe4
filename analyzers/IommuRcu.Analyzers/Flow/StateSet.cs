// The paths that reach one block, joined as far as nothing that matters tells them apart.
using System.Collections.Generic;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A bounded set of states.</summary>
internal sealed class StateSet
{
    /// <summary>The number of states beyond which a body is not analysed.</summary>
    public const int Limit = 256;

    // From so many paths another may be kept apart for a flag that goes with a condition.
    private const int Flagged = 4;
    private readonly int _block;

    public StateSet(int block) => _block = block;

    /// <summary>Gets the states.</summary>
    public List<State> States { get; } = new();

    /// <summary>Adds a path.</summary>
    /// <param name="state">Its state; the set owns it from now on.</param>
    /// <returns>Whether the set says anything new.</returns>
    /// <exception cref="GiveUpException">There are too many states to keep apart.</exception>
    public bool Add(State state)
    {
        int apart = 0;
        for (int i = 0; i < States.Count; i++)
        {
            State? joined = States[i].TryJoin(state, _block, apart < Flagged, out bool changed, out bool isKeptApart);
            apart += isKeptApart ? 1 : 0;
            if (joined is not null)
            {
                if (changed)
                {
                    States[i] = joined;
                }

                return changed;
            }
        }

        if (States.Count >= Limit)
        {
            throw new GiveUpException("its paths differ in too many ways");
        }

        States.Add(state);
        return true;
    }
}

/// <summary>Ends the analysis of one body, with the reason that is reported.</summary>
internal sealed class GiveUpException : System.Exception
{
    public GiveUpException(string reason)
        : base(reason)
    {
    }
}
