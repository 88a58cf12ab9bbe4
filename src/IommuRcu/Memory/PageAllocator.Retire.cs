// Retiring: pages whose IOTLB flush is done are freed after a grace period, by one callback for each page or one for a whole list.
using IommuRcu.Annotations;

namespace IommuRcu.Memory;

public sealed unsafe partial class PageAllocator
{
    /// <summary>Frees each gathered page of a list after a grace period: one callback a page, through the head in its own descriptor.</summary>
    /// <param name="pages">The list, flushed; empty afterwards.</param>
    /// <exception cref="ArgumentException">A page belongs to another allocator. It and those after it are still on the list.</exception>
    /// <exception cref="InvalidOperationException">A page is not gathered. It and those after it are still on the list.</exception>
    internal void RetireEach([Retires] ref PageList pages)
    {
        while (pages.Head != null)
        {
            PageDescriptor* descriptor = pages.Head;
            CheckOwner(descriptor);
            PageDescriptor.Move(descriptor, TablePageState.Gathered, TablePageState.Retired);
            pages.TryTake(out _);
            CountRetired(1);

            // From here on the callback owns the page, and may have freed it already.
            Rcu.Call(&descriptor->Rcu, &FreePage);
        }
    }

    /// <summary>Frees all gathered pages of a list after a grace period: one callback, through the head in the first page's descriptor.</summary>
    /// <param name="pages">The list, flushed; empty afterwards.</param>
    /// <exception cref="ArgumentException">A page belongs to another allocator. The list is as it was.</exception>
    /// <exception cref="InvalidOperationException">A page is not gathered. The list is as it was.</exception>
    internal void RetireList([Retires] ref PageList pages)
    {
        PageDescriptor* first = pages.Head;
        if (first == null)
        {
            return;
        }

        // Checked before the first change, so that a misuse leaves the list whole.
        for (PageDescriptor* page = first; page != null; page = page->Next)
        {
            CheckOwner(page);
            if (Volatile.Read(ref page->State) != (int)TablePageState.Gathered || page->OnList == 0)
            {
                ThrowCannotRetire(page);
            }
        }

        for (PageDescriptor* page = first; page != null; page = page->Next)
        {
            Volatile.Write(ref page->State, (int)TablePageState.Retired);
        }

        CountRetired(pages.Count);
        pages = default;

        // From here on the callback owns the chain, and may have freed it already.
        Rcu.Call(&first->Rcu, &FreeChain);
    }

    [RunsAfterGracePeriod]
    private static void FreePage(RcuHead* head)
    {
        // Alone: it was taken off its list, so it links to nothing.
        var descriptor = (PageDescriptor*)head;
        AllocatorOf(descriptor).FreeRetired(descriptor);
    }

    [RunsAfterGracePeriod]
    private static void FreeChain(RcuHead* head)
    {
        var descriptor = (PageDescriptor*)head;
        AllocatorOf(descriptor).FreeRetired(descriptor);
    }

    private static PageAllocator AllocatorOf(PageDescriptor* descriptor)
        => Volatile.Read(ref Volatile.Read(ref _registry)[descriptor->Allocator])
            ?? throw new InvalidOperationException("The allocator of a retired page was disposed.");

    private static void ThrowCannotRetire(PageDescriptor* page) => throw new InvalidOperationException(
        $"The page ({new TablePage(page)}) cannot be retired: {(page->OnList == 0 ? "the list is a copy of one that was used up" : "it is not gathered")}.");

    /// <summary>Frees retired pages that are linked through their descriptors: counted once, and pushed a magazine at a time.</summary>
    private void FreeRetired(PageDescriptor* first)
    {
        CacheBlock* block = Cache().Block;
        long pages = 0;
        long bytes = 0;
        while (first != null)
        {
            // As many as a magazine holds while the block is announced as busy: whoever wants to empty it waits no longer than that.
            Volatile.Write(ref block->Busy, 1);
            bool revoked = Volatile.Read(ref block->Revoked) != 0;
            PageDescriptor* refused = null;
            for (int i = 0; i < MagazineSize(0) && first != null && refused == null; i++)
            {
                PageDescriptor* page = first;
                int order = page->SizeLog2 - BuddyFrames.FrameLog2;
                if (Volatile.Read(ref page->State) != (int)TablePageState.Retired)
                {
                    // Not this callback's page: somebody corrupted the list. What was counted stays counted, the rest is left alone.
                    Volatile.Write(ref block->Busy, 0);
                    CountReclaimed(block, pages, bytes);
                    ThrowNotRetired(page);
                }

                // Read first: the page's next owner links it elsewhere.
                first = page->Next;
                page->OnList = 0;
                pages++;
                bytes += 1L << page->SizeLog2;
                if (_poison)
                {
                    FillWithPoison(page);
                }

                Volatile.Write(ref page->State, (int)TablePageState.Free);
                if (revoked || order >= CacheBlock.CachedOrders || !TryPush(block, order, page))
                {
                    refused = page;
                }
            }

            Volatile.Write(ref block->Busy, 0);
            if (refused != null)
            {
                GiveBackSlowly(block, refused->SizeLog2 - BuddyFrames.FrameLog2, refused);
            }
        }

        CountReclaimed(block, pages, bytes);
    }

    private static void CountReclaimed(CacheBlock* block, long pages, long bytes)
    {
        Volatile.Write(ref block->ReclaimedPages, block->ReclaimedPages + pages);
        Volatile.Write(ref block->FreedPages, block->FreedPages + pages);
        Volatile.Write(ref block->FreedBytes, block->FreedBytes + bytes);
    }

    private static void ThrowNotRetired(PageDescriptor* page)
        => throw new InvalidOperationException($"The page ({new TablePage(page)}) was on its way through a grace period, and is not retired any more.");

    private void CountRetired(long count)
    {
        CacheBlock* block = Cache().Block;
        Volatile.Write(ref block->RetiredPages, block->RetiredPages + count);
    }

    private void CheckOwner(PageDescriptor* descriptor)
    {
        if (!Owns(descriptor))
        {
            ThrowForeign(new TablePage(descriptor));
        }
    }
}
