// Where pages come from and go to: the thread's magazines, then the depot of full magazines, then the buddy system.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu.Memory;

public sealed unsafe partial class PageAllocator
{
    // How many full magazines of one size the depot keeps before it gives them back to the buddy system.
    private const int DepotLimit = 64;

    // How often one call looks for a page, reclaiming the backlog in between, while others take what that brings back.
    private const int MostAttempts = 16;

    // The cache that this thread used last, of whichever allocator, and all that it has.
    [ThreadStatic]
    private static ThreadCache? _recent;

    [ThreadStatic]
    private static ThreadCache? _ofThread;

    // Under the lock: full magazines by order, linked through Previous of their first page.
    private readonly PageDescriptor*[] _depot = new PageDescriptor*[CacheBlock.CachedOrders];
    private readonly int[] _depotCount = new int[CacheBlock.CachedOrders];
    private readonly List<ThreadCache> _caches = [];
    private int _sweepAt = 16;
    private ulong _takenBytes;
    private ulong _peakTakenBytes;

    /// <summary>How many pages of an order a magazine holds: 32 of 4 KiB, down to 2 of 64 KiB.</summary>
    private static int MagazineSize(int order) => 32 >> order;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ThreadCache Cache()
    {
        ThreadCache? cache = _recent;
        return cache is not null && cache.Owner == this ? cache : FindCache();
    }

    /// <summary>Takes a page that is nobody's, and counts it as allocated; null if there is none.</summary>
    private PageDescriptor* Take(int order)
    {
        CacheBlock* block = Cache().Block;
        PageDescriptor* descriptor = null;
        if (order < CacheBlock.CachedOrders)
        {
            // Pairs with the process-wide barrier in Revoke: it stands between this store and the read of Revoked.
            Volatile.Write(ref block->Busy, 1);
            if (Volatile.Read(ref block->Revoked) == 0)
            {
                descriptor = Pop(block, order);
            }

            // Release: the magazine is consistent before somebody else may take it.
            Volatile.Write(ref block->Busy, 0);
        }

        if (descriptor == null)
        {
            descriptor = TakeSlowly(block, order);
            if (descriptor == null)
            {
                return null;
            }
        }

        Volatile.Write(ref block->AllocatedPages, block->AllocatedPages + 1);
        Volatile.Write(ref block->AllocatedBytes, block->AllocatedBytes + (1L << descriptor->SizeLog2));
        return descriptor;
    }

    /// <summary>Takes back a page whose state is Free already, and counts it as freed.</summary>
    private void GiveBack(PageDescriptor* descriptor)
    {
        CacheBlock* block = Cache().Block;
        int order = descriptor->SizeLog2 - BuddyFrames.FrameLog2;
        if (_poison)
        {
            FillWithPoison(descriptor);
        }

        Volatile.Write(ref block->FreedPages, block->FreedPages + 1);
        Volatile.Write(ref block->FreedBytes, block->FreedBytes + (1L << descriptor->SizeLog2));
        if (order < CacheBlock.CachedOrders)
        {
            // Pairs with the process-wide barrier in Revoke, as in Take.
            Volatile.Write(ref block->Busy, 1);
            if (Volatile.Read(ref block->Revoked) == 0 && TryPush(block, order, descriptor))
            {
                Volatile.Write(ref block->Busy, 0);
                return;
            }

            Volatile.Write(ref block->Busy, 0);
        }

        GiveBackSlowly(block, order, descriptor);
    }

    private static void FillWithPoison(PageDescriptor* descriptor)
    {
        new Span<ulong>(descriptor->Pointer, 1 << (descriptor->SizeLog2 - 3)).Fill(Poison);
        descriptor->PoisonedLog2 = descriptor->SizeLog2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PageDescriptor* Pop(CacheBlock* block, int order)
    {
        Magazine* active = CacheBlock.Active(block, order);
        PageDescriptor* descriptor = active->Head;
        if (descriptor == null)
        {
            Magazine* spare = CacheBlock.Spare(block, order);
            if (spare->Head == null)
            {
                return null;
            }

            (*active, *spare) = (*spare, *active);
            descriptor = active->Head;
        }

        active->Head = descriptor->Next;
        active->Count--;
        descriptor->Next = null;
        return descriptor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryPush(CacheBlock* block, int order, PageDescriptor* descriptor)
    {
        Magazine* active = CacheBlock.Active(block, order);
        if (active->Count == MagazineSize(order))
        {
            Magazine* spare = CacheBlock.Spare(block, order);
            if (spare->Head != null)
            {
                return false;
            }

            (*active, *spare) = (*spare, *active);
        }

        descriptor->Next = active->Head;
        active->Head = descriptor;
        active->Count++;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private PageDescriptor* TakeSlowly(CacheBlock* block, int order)
    {
        PageDescriptor* descriptor = TakeLocked(block, order, emptyCaches: false);
        if (descriptor != null)
        {
            return descriptor;
        }

        return TakeScarce(block, order);
    }

    /// <summary>Takes a page when memory runs low: from other threads' caches, then from what waits for a grace period.</summary>
    /// <remarks>
    /// Others may take the pages that a flush brings back before this thread runs again, so coming away with empty hands once does not mean that memory
    /// is used up. It is when nothing was freed between two attempts.
    /// </remarks>
    private PageDescriptor* TakeScarce(CacheBlock* block, int order)
    {
        long freedBefore = -1;
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            long freed = FreedPages;
            PageDescriptor* descriptor = TakeLocked(block, order, emptyCaches: true);
            if (descriptor != null || freed == freedBefore || Rcu.IsReadLockHeld || !Rcu.MayWait)
            {
                return descriptor;
            }

            freedBefore = freed;
            Interlocked.Increment(ref _backlogFlushes);
            Rcu.FlushBacklog();
        }

        return null;
    }

    private PageDescriptor* TakeLocked(CacheBlock* block, int order, bool emptyCaches)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (emptyCaches)
            {
                EmptyCaches();
            }

            // The lock keeps revokers away, so the thread's own magazines may be touched without Busy.
            if (order >= CacheBlock.CachedOrders)
            {
                return TakeFrame(order);
            }

            PageDescriptor* descriptor = Pop(block, order);
            if (descriptor != null)
            {
                return descriptor;
            }

            PageDescriptor* batch = _depot[order];
            Magazine* active = CacheBlock.Active(block, order);
            if (batch != null)
            {
                _depot[order] = batch->Previous;
                _depotCount[order]--;
                active->Head = batch;
                active->Count = batch->BatchCount;
                return Pop(block, order);
            }

            // The page itself, and half a magazine for the next calls as far as the limit allows.
            descriptor = TakeFrame(order);
            for (int i = MagazineSize(order) / 2; descriptor != null && !emptyCaches && i > 0; i--)
            {
                PageDescriptor* extra = TakeFrame(order);
                if (extra == null)
                {
                    break;
                }

                TryPush(block, order, extra);
            }

            return descriptor;
        }
    }

    private PageDescriptor* TakeFrame(int order)
    {
        ulong size = 1UL << (order + BuddyFrames.FrameLog2);
        if (size > _limit || _takenBytes > _limit - size)
        {
            return null;
        }

        PageDescriptor* descriptor = _frames.Take(order);
        if (descriptor != null)
        {
            FrameRange range = _frames.RangeOf(descriptor);
            long index = descriptor - range.Descriptors;
            descriptor->Address = (range.FirstFrame + (ulong)index) << BuddyFrames.FrameLog2;
            descriptor->Pointer = range.Pointer + (index << BuddyFrames.FrameLog2);
            descriptor->SizeLog2 = (byte)(order + BuddyFrames.FrameLog2);
            descriptor->Allocator = _index;
            descriptor->Next = null;
            descriptor->Previous = null;
            _takenBytes += size;
            _peakTakenBytes = Math.Max(_peakTakenBytes, _takenBytes);
        }

        return descriptor;
    }

    private void GiveFrame(PageDescriptor* descriptor)
    {
        _takenBytes -= 1UL << descriptor->SizeLog2;
        _frames.Give(descriptor, descriptor->SizeLog2 - BuddyFrames.FrameLog2);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void GiveBackSlowly(CacheBlock* block, int order, PageDescriptor* descriptor)
    {
        lock (_lock)
        {
            if (order >= CacheBlock.CachedOrders)
            {
                GiveFrame(descriptor);
                return;
            }

            // Both magazines are full (or this thread was revoked meanwhile): one goes to the depot.
            Magazine* active = CacheBlock.Active(block, order);
            if (active->Count == MagazineSize(order) && CacheBlock.Spare(block, order)->Head != null)
            {
                ToDepot(order, *active);
                *active = default;
            }

            TryPush(block, order, descriptor);
        }
    }

    private void ToDepot(int order, Magazine magazine)
    {
        if (_depotCount[order] == DepotLimit)
        {
            GiveFrames(magazine.Head);
            return;
        }

        magazine.Head->BatchCount = magazine.Count;
        magazine.Head->Previous = _depot[order];
        _depot[order] = magazine.Head;
        _depotCount[order]++;
    }

    private void GiveFrames(PageDescriptor* first)
    {
        while (first != null)
        {
            PageDescriptor* next = first->Next;
            GiveFrame(first);
            first = next;
        }
    }

    /// <summary>Gives all cached pages back to the buddy system: the depot's and every thread's. Under the lock.</summary>
    private void EmptyCaches()
    {
        for (int order = 0; order < CacheBlock.CachedOrders; order++)
        {
            while (_depot[order] != null)
            {
                PageDescriptor* batch = _depot[order];
                _depot[order] = batch->Previous;
                GiveFrames(batch);
            }

            _depotCount[order] = 0;
        }

        if (_caches.Count == 0)
        {
            return;
        }

        foreach (ThreadCache cache in _caches)
        {
            Volatile.Write(ref cache.Block->Revoked, 1);
        }

        // One barrier for all threads: after it each owner either sees Revoked, or is seen to be Busy here.
        ProcessWideBarrier.Pass();
        foreach (ThreadCache cache in _caches)
        {
            var spin = default(SpinWait);
            while (Volatile.Read(ref cache.Block->Busy) != 0 && cache.Thread.IsAlive)
            {
                // A few instructions, or as long as that thread is preempted in them.
                spin.SpinOnce();
            }

            EmptyMagazines(cache);
            Volatile.Write(ref cache.Block->Revoked, 0);
        }
    }

    private void EmptyMagazines(ThreadCache cache)
    {
        Magazine* magazines = CacheBlock.Active(cache.Block, 0);
        for (int i = 0; i < 2 * CacheBlock.CachedOrders; i++)
        {
            GiveFrames(magazines[i].Head);
            magazines[i] = default;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ThreadCache FindCache()
    {
        ThreadCache? found = null;
        ThreadCache? previous = null;
        for (ThreadCache? cache = _ofThread; cache is not null; cache = cache.NextOfThread)
        {
            if (cache.Owner == this)
            {
                found = cache;
            }

            if (cache.Owner is null)
            {
                // Its allocator was disposed: forget it.
                if (previous is null)
                {
                    _ofThread = cache.NextOfThread;
                }
                else
                {
                    previous.NextOfThread = cache.NextOfThread;
                }
            }
            else
            {
                previous = cache;
            }
        }

        if (found is null)
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_caches.Count >= _sweepAt)
                {
                    AdoptFromDeadThreads();
                }

                found = new ThreadCache(this, _ofThread);
                _caches.Add(found);
            }

            _ofThread = found;
        }

        _recent = found;
        return found;
    }

    private void AdoptFromDeadThreads()
    {
        for (int i = _caches.Count - 1; i >= 0; i--)
        {
            ThreadCache cache = _caches[i];
            if (cache.Thread.IsAlive)
            {
                continue;
            }

            EmptyMagazines(cache);
            AdoptCounters(cache.Block);
            cache.Release();
            _caches[i] = _caches[^1];
            _caches.RemoveAt(_caches.Count - 1);
        }

        _sweepAt = Math.Max(16, 2 * _caches.Count);
    }

    private void ReleaseCaches()
    {
        foreach (ThreadCache cache in _caches)
        {
            AdoptCounters(cache.Block);
            cache.Release();
        }

        _caches.Clear();
    }
}
