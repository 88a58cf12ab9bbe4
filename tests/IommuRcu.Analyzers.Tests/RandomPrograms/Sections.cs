// The read-side sections of one run: how deep, which are open, and who opened them.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

/// <summary>The sections of one path through a program.</summary>
internal sealed class Sections
{
    private readonly List<(int Opener, int Number, bool Raw)> _open = [];
    private int _numbers;
    private bool _ambiguous;

    /// <summary>Openers whose section was closed on this path.</summary>
    internal List<int> ClosedOpeners { get; } = [];

    /// <summary>After a fault in the pairing: nothing that follows on this path is certain.</summary>
    internal bool Tainted { get; set; }

    /// <summary>How many sections are open.</summary>
    internal int Depth => _open.Count;

    /// <summary>Tells one outermost section from the next.</summary>
    internal int Current { get; private set; }

    /// <summary>Opens a section and returns its number.</summary>
    internal int Open(int opener, bool raw)
    {
        if (_open.Count == 0)
        {
            Current++;
        }

        // Of two open sections without guards nobody can say which one a lone exit closes.
        _ambiguous |= raw && _open.Any(s => s.Raw);
        _open.Add((opener, ++_numbers, raw));
        return _numbers;
    }

    /// <summary>Closes the section of a guard.</summary>
    internal void CloseGuard(int number)
    {
        int index = _open.FindIndex(s => s.Number == number);
        if (index >= 0)
        {
            ClosedOpeners.Add(_open[index].Opener);
            _open.RemoveAt(index);
        }
    }

    /// <summary>Closes the innermost section without a guard; false when only guards are open.</summary>
    internal bool CloseRaw()
    {
        int index = _open.FindLastIndex(s => s.Raw);
        if (index < 0)
        {
            return false;
        }

        ClosedOpeners.Add(_open[index].Opener);
        _open.RemoveAt(index);
        return true;
    }

    /// <summary>The openers whose section never closed, and whether that is certain.</summary>
    internal IEnumerable<(int Opener, bool Certain)> StillOpen() => _open.Select(s => (s.Opener, !_ambiguous && !Tainted));
}
