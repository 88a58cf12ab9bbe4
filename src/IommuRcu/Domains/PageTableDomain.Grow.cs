// A root that grows while others walk: the tree gets a new root above the old one.
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    private readonly object _growLock = new();

    // How many levels the hardware was told of. Written under the lock, after RootChanged returned.
    private int _announcedLevels;

    /// <summary>Makes the tree deep enough for an address, and tells the hardware, before anything is mapped there.</summary>
    /// <remarks>Mappers that need the same growth wait for each other: none may return before the hardware starts from the new root.</remarks>
    private void GrowTo(ulong linear)
    {
        if (Reaches(Volatile.Read(ref _announcedLevels) - 1, linear))
        {
            return;
        }

        // The new roots are allocated before the lock is taken: the allocator may wait for callbacks, and a callback that maps up there waits for the lock.
        PageList spare = default;
        try
        {
            while (true)
            {
                int missing;
                lock (_growLock)
                {
                    ulong top = _top;
                    ThrowIfDisposed(top);
                    missing = MissingLevels(top, linear);
                    if (missing <= spare.Count)
                    {
                        Grow(top, linear, ref spare);
                        return;
                    }
                }

                while (spare.Count < missing)
                {
                    spare.Add(PageAllocator.Allocate(TFormat.GranuleLog2));
                }
            }
        }
        finally
        {
            // Never published: another mapper grew the tree first.
            PageAllocator.FreeList(ref spare);
        }
    }

    private static int MissingLevels(ulong top, ulong linear)
    {
        int missing = 0;
        while (!Reaches(TopLevel(top) + missing, linear))
        {
            missing++;
        }

        return missing;
    }

    // Under the lock, with enough spare pages.
    private void Grow(ulong top, ulong linear, ref PageList spare)
    {
        while (!Reaches(TopLevel(top), linear) && spare.TryTake(out TablePage page))
        {
            page.MarkLinked();
            int level = TopLevel(top) + 1;

            // The old root stays a table of the tree for good, so whoever still starts from it is right about all that it covers.
            *(ulong*)page.Pointer = TFormat.TableEntry(RootAddressOf(TopTable(top)).Value, level);
            top = (ulong)page.Pointer | (uint)(level + 1);

            // Release: the new root's first entry is there before anybody starts from it.
            Volatile.Write(ref _top, top);
        }

        if (TopLevel(top) + 1 > _announcedLevels)
        {
            // When this throws the tree has grown and the hardware does not know: the next mapping up there asks again.
            Invalidator?.RootChanged(RootOf(top));
            Volatile.Write(ref _announcedLevels, TopLevel(top) + 1);
        }
    }

    /// <summary>Says whether a table once was the root: such a table stays, because a mapper may have started from it.</summary>
    private static bool WasRoot(int level, ulong linear) =>
        TFormat.GrowsFromLevels != 0 && level >= TFormat.GrowsFromLevels - 1 && Reaches(level, linear);
}
