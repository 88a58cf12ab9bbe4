// IRCU001: walks the page table with no read-side section, so an unmap elsewhere frees the pages it stands on.
using IommuRcu;

namespace UndisciplinedDriver;

/// <summary>Lists what a domain maps, for a debug file.</summary>
public sealed class TableDumper(IommuDomain domain)
{
    /// <summary>Adds a line a mapping.</summary>
    public void Dump(ICollection<string> lines)
    {
        foreach (PageTableLeaf leaf in domain.Walk(new Iova(0), 1UL << 30))
        {
            lines.Add(leaf.ToString());
        }
    }
}
