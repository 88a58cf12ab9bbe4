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

#if NET10_0_OR_GREATER
    /// <summary>The callback thread too, and whoever else there is: in a process where nothing else runs.</summary>
    [Fact]
    public void HotPaths_AllocateNothingOnAnyThread()
    {
        string output = ChildProgram.Run(typeof(AllThreads));
        Assert.Contains("calibrated: True, hot paths: 0 bytes", output, StringComparison.Ordinal);
    }

    internal static class AllThreads
    {
        private const int Count = 5_000;

        public static void Run()
        {
            var heads = (RcuHead*)NativeMemory.AllocZeroed(2 * Count, (nuint)sizeof(RcuHead));
            var sleepable = new SleepableRcu("hot", tracksSections: false);

            // First-time costs, of a thread that falls asleep and is woken too.
            Once(heads, sleepable);
            using (var other = new ReaderThread())
            {
                other.Open();
                Rcu.Synchronize(TimeSpan.FromMilliseconds(50));
                other.Close();
            }

            Poll.Until(static () => Volatile.Read(ref CallbackSignal.Awake) == 0, "the sleep of the callback thread");
            Once(heads, sleepable);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Once(heads, sleepable);
            long used = GC.GetTotalAllocatedBytes(precise: true) - before;

            before = GC.GetTotalAllocatedBytes(precise: true);
            var thread = new Thread(static () => GC.KeepAlive(new byte[100]));
            thread.Start();
            thread.Join();
            Console.WriteLine($"calibrated: {GC.GetTotalAllocatedBytes(precise: true) - before >= 100}, hot paths: {used} bytes");
        }

        private static void Once(RcuHead* heads, SleepableRcu sleepable)
        {
            Use(heads, Count);
            for (int i = Count; i < 2 * Count; i++)
            {
                using (sleepable.ReadLock())
                {
                }

                sleepable.Call(heads + i, &AllocationTests.Count);
                sleepable.Free(NativeMemory.Alloc(32));
                sleepable.HasElapsed(sleepable.StartGracePeriod());
                sleepable.Synchronize();
            }

            Rcu.Barrier();
            sleepable.Barrier();
        }
    }
#endif

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
