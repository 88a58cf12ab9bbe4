// A root that grows while others walk: the tree gets a new root above the old one.
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    private readonly object _growLock = new();

    // The root that hardware is told of. It runs ahead of the root that software starts from: between the two lies RootChanged. Written under the lock.
    private ulong _newestTop;

    /// <summary>Makes the tree deep enough for an address, and tells the hardware, before anything is mapped there.</summary>
    /// <remarks>
    /// No call starts from a root that the hardware was not told of. So nothing is mapped above what devices reach, whoever grew the tree, and no table that a device may
    /// still start from can be unlinked: the entry above it is not in anybody's way before RootChanged has returned.
    /// </remarks>
    private void GrowTo(ulong linear)
    {
        if (Reaches(TopLevel(Volatile.Read(ref _top)), linear))
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
                    ThrowIfDisposed(_top);
                    if (Reaches(TopLevel(_top), linear))
                    {
                        return;
                    }

                    missing = MissingLevels(_newestTop, linear);
                    if (missing <= spare.Count)
                    {
                        Grow(linear, ref spare);
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
    private void Grow(ulong linear, ref PageList spare)
    {
        ulong top = _newestTop;
        while (!Reaches(TopLevel(top), linear) && spare.TryTake(out TablePage page))
        {
            page.MarkLinked();
            int level = TopLevel(top) + 1;

            // The old root stays a table of the tree, so whoever still starts from it is right about all that it covers.
            *(ulong*)page.Pointer = TFormat.TableEntry(RootAddressOf(TopTable(top)).Value, level);
            top = (ulong)page.Pointer | (uint)(level + 1);
        }

        // First what Root says, then the call, then where software starts: a device that is attached meanwhile gets the new root, or is told of it. When the call
        // throws, the hardware may use either root: both stay, and the next mapping up there asks again.
        Volatile.Write(ref _newestTop, top);
        Invalidator?.RootChanged(RootOf(top));

        // Release: the new root's first entry is there before anybody starts from it.
        Volatile.Write(ref _top, top);
    }

    /// <summary>Says whether a table once was the root: such a table stays, because a mapper may have started from it.</summary>
    private static bool WasRoot(int level, ulong linear) =>
        TFormat.GrowsFromLevels != 0 && level >= TFormat.GrowsFromLevels - 1 && Reaches(level, linear);
}
