// Callbacks that throw, floods of them, and several threads that queue at once.
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed unsafe class CallbackTests : IDisposable
{
    private readonly int _limit = Rcu.CallbackLimit;

    public void Dispose() => Rcu.CallbackLimit = _limit;

    [Fact]
    public void CallbackThatThrows_IsReportedAndNothingElseIsLost()
    {
        var failures = new List<Exception>();
        EventHandler<RcuCallbackFailedEventArgs> collect = (_, e) => failures.Add(e.Exception);
        EventHandler<RcuCallbackFailedEventArgs> broken = (_, _) => throw new InvalidOperationException("a listener's own failure");
        Rcu.CallbackFailed += broken;
        Rcu.CallbackFailed += collect;
        try
        {
            long count = CallbackFailures.Count;
            int ran = 0;
            for (int i = 0; i < 100; i++)
            {
                Rcu.Call(i, i =>
                {
                    ran++;
                    if (i % 10 == 0)
                    {
                        throw new FormatException("callback " + i);
                    }
                });
            }

            Rcu.Barrier();
            Assert.Equal(100, ran);
            Assert.Equal(10, failures.Count);
            Assert.All(failures, e => Assert.IsType<FormatException>(e));
            Assert.Equal(count + 10, CallbackFailures.Count);
        }
        finally
        {
            Rcu.CallbackFailed -= collect;
            Rcu.CallbackFailed -= broken;
        }
    }

    [Fact]
    public void ManyThreads_EachSeesItsCallbacksInOrder()
    {
        const int Threads = 8;
        const int Each = 20_000;
        var last = new int[Threads];
        int outOfOrder = 0;
        var threads = new Thread[Threads];
        for (int t = 0; t < Threads; t++)
        {
            int me = t;
            threads[t] = new Thread(() =>
            {
                for (int i = 1; i <= Each; i++)
                {
                    Rcu.Call(i, i =>
                    {
                        outOfOrder += last[me] == i - 1 ? 0 : 1;
                        last[me] = i;
                    });
                }
            });
            threads[t].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Rcu.Barrier();
        Assert.Equal(0, outOfOrder);
        Assert.All(last, n => Assert.Equal(Each, n));
    }

    [Fact]
    public void BigBatchOfOneThread_DoesNotKeepAnothersCallbackWaiting()
    {
        const int Many = 40_000;
        int ran = 0;
        int ranBeforeOther = -1;
        using (var reader = new ReaderThread())
        {
            reader.Open(); // so that all become ready together
            for (int i = 0; i < Many; i++)
            {
                Rcu.Call(0, _ => ran++);
            }

            var other = new Thread(() => Rcu.Call(0, _ => ranBeforeOther = ran));
            other.Start();
            other.Join();
            reader.Close();
            Rcu.Barrier();
        }

        Assert.Equal(Many, ran);
        Assert.InRange(ranBeforeOther, 0, 3 * RcuCallbacks.Quantum);
    }

    [Fact]
    public void CallbackQueuedInACallback_IsRunByTheNextBarrier()
    {
        int ran = 0;
        Rcu.Call(0, _ => Rcu.Call(0, _ => ran++));
        Rcu.Barrier();
        Rcu.Barrier();
        Assert.Equal(1, ran);
    }

    [Fact]
    public void ThreadInALongSection_StillGetsItsCallbacksRun()
    {
        int ran = 0;
        using (Rcu.ReadLock())
        {
            Rcu.Call(0, _ => ran++);
        }

        using var other = new ReaderThread();
        other.Open();
        Rcu.Call(0, _ => ran++);
        other.Close();
        Rcu.Barrier();
        Assert.Equal(2, ran);
    }

    [Fact]
    public void FloodWhileAReaderHoldsEverythingUp_IsSlowedDown()
    {
        Rcu.CallbackLimit = 1024;
        using var reader = new ReaderThread();
        reader.Open();
        long waits = RcuCallbacks.Waits;
        long skips = RcuCallbacks.Skips;
        int ran = 0;
        Flood(2048);
        Assert.True(RcuCallbacks.Waits > waits);
        Assert.Equal(skips, RcuCallbacks.Skips);

        waits = RcuCallbacks.Waits;
        using (Rcu.ReadLock())
        {
            Flood(1024);
        }

        Assert.True(RcuCallbacks.Skips > skips);
        Assert.Equal(waits, RcuCallbacks.Waits);
        Assert.Equal(0, Volatile.Read(ref ran));
        reader.Close();
        Rcu.Barrier();
        Assert.Equal(3072, ran);

        void Flood(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Rcu.Call(0, _ => ran++);
            }
        }
    }

    [Fact]
    public void FloodOfASleepableDomain_IsSlowedDown()
    {
        Rcu.CallbackLimit = 1024;
        using var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        long waits = RcuCallbacks.Waits;
        long skips = RcuCallbacks.Skips;
        int ran = 0;
        Flood();
        Assert.True(RcuCallbacks.Skips > skips); // this flow is inside
        Assert.Equal(waits, RcuCallbacks.Waits);
        var thread = new Thread(Flood);
        thread.Start();
        thread.Join();
        Assert.True(RcuCallbacks.Waits > waits);
        Assert.Equal(0, Volatile.Read(ref ran));
        scope.Dispose();
        rcu.Barrier();
        Assert.Equal(4096, ran);

        void Flood()
        {
            for (int i = 0; i < 2048; i++)
            {
                rcu.Call(0, _ => ran++);
            }
        }
    }

    [Fact]
    public void FloodWithNobodyReading_StaysWithinTheLimit()
    {
        Rcu.CallbackLimit = 4096;
        var head = (RcuHead*)NativeMemory.Alloc(200_000, (nuint)sizeof(RcuHead));
        long worst = 0;
        for (int i = 0; i < 200_000; i++)
        {
            Rcu.Call(head + i, &Nothing);
            worst = Math.Max(worst, (long)(CurrentReader.Slot->Queued - Volatile.Read(ref CurrentReader.Slot->Done)));
        }

        Rcu.Barrier();
        NativeMemory.Free(head);

        // A call that waits gives up after 100 ms, which a starved machine may need; still the backlog is nowhere near all of it.
        Assert.InRange(worst, 0, 50_000);
    }

    [Fact]
    public void ScarceMemory_WakesTheCallbackThread()
    {
        Rcu.Call(0, static _ => { });
        long flushes = MemoryPressure.Flushes;
        MemoryPressure.Look(load: 89, highLoad: 90);
        Assert.Equal(flushes, MemoryPressure.Flushes);
        MemoryPressure.Look(load: 90, highLoad: 90);
        Assert.Equal(flushes + 1, MemoryPressure.Flushes);
        Rcu.FlushBacklog();
    }

    [Fact]
    public void BlocksFreedUnderAReader_KeepTheirContentUntilItIsGone()
    {
        using var reader = new ReaderThread();
        reader.Open();
        const int Count = 1000;
        long freed = RcuCallbacks.BlocksFreed;
        var blocks = new nint[Count];
        for (int i = 0; i < Count; i++)
        {
            var block = (long*)NativeMemory.Alloc(64);
            *block = i;
            blocks[i] = (nint)block;
            Rcu.Free(block);
        }

        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(i, *(long*)blocks[i]);
        }

        Assert.Equal(freed, RcuCallbacks.BlocksFreed);
        reader.Close();
        Rcu.Barrier();
        Assert.Equal(freed + Count, RcuCallbacks.BlocksFreed);
    }

    [Fact]
    public void LimitTooSmall_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => Rcu.CallbackLimit = 1023);

    private static void Nothing(RcuHead* head)
    {
    }
}
