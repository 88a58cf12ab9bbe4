// A page table that nobody can get wrong: a sorted list of pages. What the engine does is compared with it.
namespace IommuRcu.Tests.Domains;

internal sealed class NaiveModel(ulong pageSizes, bool keepsMemoryTypes = false)
{
    public sealed record Page(ulong Iova, ulong Size, ulong Address, IommuAccess Access)
    {
        public ulong Last => Iova + (Size - 1);
    }

    public SortedList<ulong, Page> Pages { get; } = [];

    public bool TryMap(ulong iova, ulong address, ulong size, IommuAccess access)
    {
        ulong last = iova + (size - 1);
        if (Pages.Values.Any(p => p.Iova <= last && iova <= p.Last))
        {
            return false;
        }

        while (true)
        {
            int n = 63;
            while (n > 0 && !((pageSizes >> n & 1) != 0 && ((iova | address) & ((1UL << n) - 1)) == 0 && (1UL << n) - 1 <= last - iova))
            {
                n--;
            }

            ulong page = 1UL << n;
            Pages.Add(iova, new Page(iova, page, address, access));
            if (iova + (page - 1) == last)
            {
                return true;
            }

            iova += page;
            address += page;
        }
    }

    /// <summary>Null: the range cuts a page.</summary>
    public ulong? Unmap(ulong iova, ulong size)
    {
        List<Page>? pages = Within(iova, size);
        if (pages is null)
        {
            return null;
        }

        ulong unmapped = 0;
        foreach (Page page in pages)
        {
            Pages.Remove(page.Iova);
            unmapped += page.Size;
        }

        return unmapped;
    }

    /// <summary>The pages of a range; null: the range cuts one.</summary>
    public List<Page>? Within(ulong iova, ulong size)
    {
        ulong last = iova + (size - 1);
        List<Page> pages = Pages.Values.Where(p => p.Iova <= last && iova <= p.Last).ToList();
        return pages.Any(p => p.Iova < iova || p.Last > last) ? null : pages;
    }

    public Page? Find(ulong iova) => Pages.Values.FirstOrDefault(p => p.Iova <= iova && iova <= p.Last);

    /// <summary>Null: the range cuts a page, or a page's memory type would change where it must not.</summary>
    public ulong? Protect(ulong iova, ulong size, IommuAccess access)
    {
        const IommuAccess MemoryType = IommuAccess.Cacheable | IommuAccess.Mmio;
        List<Page>? pages = Within(iova, size);
        if (keepsMemoryTypes && pages is not null && pages.Any(p => ((p.Access ^ access) & MemoryType) != 0))
        {
            return null;
        }

        pages?.ForEach(p => Pages[p.Iova] = p with { Access = access });
        return pages is null ? null : pages.Aggregate(0UL, (sum, p) => sum + p.Size);
    }

    public int Split(ulong iova, ulong size, ulong pageSize)
    {
        ulong last = iova + (size - 1);
        List<Page> pages = Pages.Values.Where(p => p.Iova <= last && iova <= p.Last && p.Size > pageSize).ToList();
        foreach (Page page in pages)
        {
            Pages.Remove(page.Iova);
            for (ulong offset = 0; offset < page.Size; offset += pageSize)
            {
                Pages.Add(page.Iova + offset, new Page(page.Iova + offset, pageSize, page.Address + offset, page.Access));
            }
        }

        return pages.Count;
    }

    public bool TryMerge(ulong iova, ulong size)
    {
        ulong last = iova + (size - 1);
        List<Page> pages = Pages.Values.Where(p => p.Iova <= last && iova <= p.Last).ToList();
        if (pages.Count == 1 && pages[0].Size > size)
        {
            return false;
        }

        ulong next = iova;
        foreach (Page page in pages)
        {
            if (page.Iova != next || page.Access != pages[0].Access || page.Address - page.Iova != pages[0].Address - iova)
            {
                return false;
            }

            next = page.Last + 1;
        }

        if (pages.Count == 0 || next != last + 1 || (pages[0].Address & (size - 1)) != 0)
        {
            return false;
        }

        pages.ForEach(p => Pages.Remove(p.Iova));
        Pages.Add(iova, new Page(iova, size, pages[0].Address, pages[0].Access));
        return true;
    }
}
