// What a gather holds: the range to invalidate, and the pages to retire after that.
using System.Diagnostics;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

/// <summary>One range and one list of pages. Invariant: pages on the list mean a range that is not empty.</summary>
internal struct GatherData
{
    // The range is empty while First > Last; the default value is empty because HasRange is false.
    internal ulong First;
    internal ulong Last;
    internal bool HasRange;

    // Whether tables left the tree although none of them is on the list: another call gathered them, and its flush may not be done.
    internal bool TablesFreed;

    // How many unlinked tables here are counted in the domain's UnflushedTables.
    internal int Reclaimed;
    internal PageList Pages;

    internal readonly bool IsEmpty => !HasRange;

    internal readonly IovaRange Range => new(new Iova(First), new Iova(Last));

    internal void AddRange(Iova first, Iova last)
    {
        if (HasRange)
        {
            First = Math.Min(First, first.Value);
            Last = Math.Max(Last, last.Value);
        }
        else
        {
            First = first.Value;
            Last = last.Value;
            HasRange = true;
        }
    }

    /// <summary>Takes over a page that was unlinked; its range was added before.</summary>
    internal void Add([Gathers] TablePage page)
    {
        Debug.Assert(HasRange, "A gathered page without a range would be retired without a flush.");
        page.MarkGathered();
        Pages.Add(page);
    }

    /// <summary>Returns one range that covers both, with no pages: what a flush for both is asked for.</summary>
    internal readonly GatherData Covering(in GatherData other)
    {
        GatherData both = default;
        AddTo(ref both);
        other.AddTo(ref both);
        return both;
    }

    private readonly void AddTo(ref GatherData all)
    {
        if (HasRange)
        {
            all.AddRange(new Iova(First), new Iova(Last));
            all.TablesFreed |= TablesFreed || !Pages.IsEmpty;
        }
    }

    internal void Append(ref GatherData other)
    {
        if (other.HasRange)
        {
            AddRange(new Iova(other.First), new Iova(other.Last));
            TablesFreed |= other.TablesFreed;
            Reclaimed += other.Reclaimed;
            Pages.Append(ref other.Pages);
            other = default;
        }
    }
}
