// The hot paths of Rcu allocate nothing on the managed heap.
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

public sealed unsafe class AllocationTests
{
    private static int _ran;

    [Fact]
    public void HotPaths_AllocateNothing()
    {
        const int Count = 2_000;
        var heads = (RcuHead*)NativeMemory.AllocZeroed(Count, (nuint)sizeof(RcuHead));
        Use(heads, 16); // registers the thread, starts the callback thread
        Rcu.Barrier();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Use(heads, Count);
        long used = GC.GetAllocatedBytesForCurrentThread() - before;
        Rcu.Barrier();
        Assert.Equal(0, used);
        Assert.Equal(Count + 16, _ran);
        NativeMemory.Free(heads);
    }

    private static void Use(RcuHead* heads, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using (Rcu.ReadLock())
            {
                using (Rcu.ReadLock())
                {
                    Rcu.AssertReadLockHeld();
                }
            }

            Rcu.Call(heads + i, &Count);
            Rcu.Free(NativeMemory.Alloc(32));
            Rcu.HasElapsed(Rcu.StartGracePeriod());
            Rcu.Synchronize();
        }
    }

    private static void Count(RcuHead* head) => _ran++;
}
