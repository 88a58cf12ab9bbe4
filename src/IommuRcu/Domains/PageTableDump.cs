// A dump of a domain's page tables, safe while the domain changes.
using System.Globalization;
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>Writes what a domain maps, and on request its tables with their raw entries, while devices and mappers go on.</summary>
/// <remarks>
/// <para>
/// A dump cuts itself into bounded read sections - at most 1,024 pages and 64 tables, or a copy of one table -, and formats and writes outside of them: no grace period
/// waits for the whole of it. So it is no snapshot: what is mapped or unmapped while it runs may be in it or not, a run that changes meanwhile may appear in two
/// parts, and a table may be listed that has left the tree since. What stays as it is throughout is in it exactly once; pages that are split or merged meanwhile may
/// be missed or listed in both sizes.
/// </para>
/// <para>It may run on any thread, several at once, but not once the domain is disposed.</para>
/// </remarks>
public static class PageTableDump
{
    // What one section visits: so many pages, and so many tables, because holes and empty tables take time as well.
    private const int LeavesPerSection = 1024;
    private const int TablesPerSection = 64;

    /// <summary>Writes every run of mapped pages as a line of text: IOVA range, physical range, access, page size and number, dirty and accessed pages.</summary>
    /// <param name="writer">Where the text goes. It is written to outside of read sections, so it may block.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="includeTables">Whether every table follows, with its level and its raw entries.</param>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayBlock]
    public static void Write(TextWriter writer, IommuDomain domain, bool includeTables = false)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(domain);
        PageTableRoot root = domain.Root;
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{domain.FormatName}: {domain.AddressBits} bits of IOVA, granule 0x{1UL << domain.GranuleLog2:x}, root at {root.Address}, {root.Levels} levels"));
        ulong bytes = 0;
        long pages = 0;
        foreach (PageTableRun run in Runs(domain))
        {
            bytes += run.Size;
            pages += run.Pages;
            writer.WriteLine(run.ToString());
        }

        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"0x{bytes:x} bytes in {pages} pages"));
        if (includeTables)
        {
            foreach (PageTableSnapshot table in Tables(domain))
            {
                WriteTable(writer, domain, table);
            }
        }
    }

    /// <summary>Enumerates the runs of mapped pages, lowest address first: pages next to each other, of one size and access, that map memory next to each other.</summary>
    /// <param name="domain">The domain.</param>
    /// <returns>The runs. Each step opens and closes read sections of its own.</returns>
    /// <exception cref="ObjectDisposedException">The domain is disposed, when the enumeration begins or goes on.</exception>
    public static IEnumerable<PageTableRun> Runs(IommuDomain domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return Enumerate();

        IEnumerable<PageTableRun> Enumerate()
        {
            var found = new List<PageTableRun>();
            foreach (IovaRange half in Apertures(domain))
            {
                Iova? next = half.First;
                while (next is { } from)
                {
                    next = Collect(domain, from, half.Last, found);

                    // The last run may go on behind the cut.
                    int complete = next is null ? found.Count : found.Count - 1;
                    for (int i = 0; i < complete; i++)
                    {
                        yield return found[i];
                    }

                    found.RemoveRange(0, Math.Max(0, complete));
                }
            }
        }
    }

    /// <summary>Enumerates the tables of the tree, each before those below it.</summary>
    /// <param name="domain">The domain.</param>
    /// <returns>The tables, each as it was in one read section of its own.</returns>
    /// <exception cref="ObjectDisposedException">The domain is disposed, when the enumeration begins or goes on.</exception>
    public static IEnumerable<PageTableSnapshot> Tables(IommuDomain domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return Enumerate();

        IEnumerable<PageTableSnapshot> Enumerate()
        {
            // Depth first, by address and level: a pointer would not outlive its section, a place in the tree does.
            var waiting = new Stack<(Iova First, int Level)>();
            waiting.Push((new Iova(0), domain.Root.Levels - 1));
            while (waiting.TryPop(out (Iova First, int Level) place))
            {
                if (domain.TrySnapshotTable(place.First, place.Level) is not { } table)
                {
                    continue;
                }

                yield return table;
                for (int i = table.Entries.Count - 1; i >= 0; i--)
                {
                    if (table.Entries[i].IsTable)
                    {
                        waiting.Push((table.Entries[i].Iova, place.Level - 1));
                    }
                }
            }
        }
    }

    private static IovaRange[] Apertures(IommuDomain domain)
    {
        if (!domain.IsSignExtended)
        {
            return [new IovaRange(new Iova(0), new Iova(domain.AddressBits == 64 ? ulong.MaxValue : (1UL << domain.AddressBits) - 1))];
        }

        ulong half = 1UL << (domain.AddressBits - 1);
        return [new IovaRange(new Iova(0), new Iova(half - 1)), new IovaRange(new Iova(unchecked(0 - half)), new Iova(ulong.MaxValue))];
    }

    /// <summary>Adds the runs of one section's worth of pages, and returns where to go on.</summary>
    internal static Iova? Collect(IommuDomain domain, Iova from, Iova last, List<PageTableRun> found)
    {
        // A range of 2^64 bytes has no size: what is left out here is the very last byte, whose page is met all the same.
        ulong size = last.Value - from.Value == ulong.MaxValue ? ulong.MaxValue : last.Value - from.Value + 1;
        using (Rcu.ReadLock())
        {
            PageTableWalk walk = domain.Walk(from, size);
            walk.DescentsLeft = TablesPerSection;
            for (int i = 0; i < LeavesPerSection; i++)
            {
                if (!walk.MoveNext())
                {
                    return walk.ResumeAt;
                }

                PageTableLeaf leaf = walk.Current;
                if (found.Count != 0 && found[^1].TryExtend(in leaf, out PageTableRun longer))
                {
                    found[^1] = longer;
                }
                else
                {
                    found.Add(new PageTableRun(in leaf));
                }
            }

            return walk.ResumeAt;
        }
    }

    private static void WriteTable(TextWriter writer, IommuDomain domain, PageTableSnapshot table)
    {
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"table at {table.Address}, level {table.Level}, from IOVA {table.First}, {table.Entries.Count} of {table.Capacity} entries"));
        foreach (PageTableEntry entry in table.Entries)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  [{entry.Index,4}] 0x{entry.Raw:x16} {entry.Iova} {(entry.IsTable ? "table at" : "page at")} {entry.Target}{(entry.IsMarked ? ", marked" : string.Empty)}"));
        }
    }
}
