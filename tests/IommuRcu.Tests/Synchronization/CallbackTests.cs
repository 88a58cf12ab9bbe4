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
    public void FloodWhileAReaderHoldsEverythingUp_DelaysEveryCallBeyondTheLimit()
    {
        const int Limit = 1024;
        Rcu.CallbackLimit = Limit;
        Rcu.Barrier();
        using var reader = new ReaderThread();
        reader.Open();
        long waits = RcuCallbacks.Waits;
        long skips = RcuCallbacks.Skips;
        int ran = 0;
        Flood(Limit - 1);
        Assert.Equal(waits, RcuCallbacks.Waits);

        long began = Environment.TickCount64;
        for (int i = 1; i <= 3; i++)
        {
            Flood(1);
            Assert.Equal(waits + i, RcuCallbacks.Waits);
        }

        Rcu.Free(NativeMemory.Alloc(16));
        Assert.Equal(waits + 4, RcuCallbacks.Waits - (RcuCallbacks.Waits == waits + 5 ? 1 : 0)); // the batch is a callback, too
        Assert.True(Environment.TickCount64 - began >= 300, "a call was not held up");
        Assert.Equal(skips, RcuCallbacks.Skips);
        Assert.True(CallbackThread.Hurries || Limit < 4096);

        waits = RcuCallbacks.Waits;
        using (Rcu.ReadLock())
        {
            Flood(5);
        }

        Assert.Equal(skips + 5, RcuCallbacks.Skips);
        Assert.Equal(waits, RcuCallbacks.Waits);
        Assert.Equal(0, Volatile.Read(ref ran));
        reader.Close();
        Rcu.Barrier();
        Assert.Equal(Limit + 7, ran);

        void Flood(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Rcu.Call(0, _ => ran++);
            }
        }
    }

    [Fact]
    public void FloodOfFreedBlocksAlone_DelaysEveryCallBeyondTheLimit()
    {
        Rcu.CallbackLimit = 1024;
        Rcu.Barrier();
        using var reader = new ReaderThread();
        reader.Open();
        long waits = RcuCallbacks.Waits;
        for (int i = 0; i < 1000; i++)
        {
            Rcu.Free(NativeMemory.Alloc(16));
        }

        Assert.Equal(waits, RcuCallbacks.Waits);
        for (int i = 0; i < 30; i++)
        {
            using (Rcu.ReadLock())
            {
                Rcu.Free(NativeMemory.Alloc(16)); // over the limit without a wait
            }
        }

        Assert.Equal(waits, RcuCallbacks.Waits);
        for (int i = 0; i < 2; i++)
        {
            waits = RcuCallbacks.Waits;
            Rcu.Free(NativeMemory.Alloc(16));
            Assert.True(RcuCallbacks.Waits > waits);
        }

        reader.Close();
        Rcu.Barrier();
    }

    [Fact]
    public void FloodInACallback_IsNotHeldUp()
    {
        Rcu.CallbackLimit = 1024;
        Rcu.Barrier();
        long waits = RcuCallbacks.Waits;
        long skips = RcuCallbacks.Skips;
        int ran = 0;
        Rcu.Call(0, _ =>
        {
            for (int i = 0; i < 1030; i++)
            {
                Rcu.Call(0, _ => ran++);
            }
        });
        Rcu.Barrier();
        Rcu.Barrier();
        Assert.Equal(1030, ran);
        Assert.Equal(waits, RcuCallbacks.Waits);
        Assert.InRange(RcuCallbacks.Skips - skips, 7, 8); // from the 1024th on; the callback that queues them may count still
    }

    [Fact]
    public void FloodOfASleepableDomain_DelaysEveryCallBeyondTheLimit()
    {
        Rcu.CallbackLimit = 1024;
        using var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        long waits = RcuCallbacks.Waits;
        long skips = RcuCallbacks.Skips;
        int ran = 0;
        Flood(1026);
        Assert.Equal(skips + 3, RcuCallbacks.Skips); // this flow is inside
        Assert.Equal(waits, RcuCallbacks.Waits);
        var thread = new Thread(() => Flood(2));
        thread.Start();
        thread.Join();
        Assert.Equal(waits + 2, RcuCallbacks.Waits);
        Assert.Equal(0, Volatile.Read(ref ran));
        scope.Dispose();
        rcu.Barrier();
        Assert.Equal(1028, ran);

        void Flood(int count)
        {
            for (int i = 0; i < count; i++)
            {
                rcu.Call(0, _ => ran++);
            }
        }
    }

    /// <summary>A backlog, or scarce memory, makes whoever waits for readers look at them more often; that ends with the backlog.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FloodOrScarceMemory_ExpeditesGracePeriods(bool flood)
    {
        Rcu.Barrier();
        Poll.Until(() => !CallbackThread.Hurries, "the end of an earlier hurry");
        using var reader = new ReaderThread();
        reader.Open();
        Rcu.Call(0, static _ => { });
        Assert.False(CallbackThread.Hurries);
        if (flood)
        {
            for (int i = 0; i < 6000; i++)
            {
                Rcu.Call(0, static _ => { });
            }
        }
        else
        {
            MemoryPressure.Look(load: 90, highLoad: 90);
        }

        Assert.True(CallbackThread.Hurries);
        reader.Close();
        Rcu.Barrier();
        Poll.Until(() => !CallbackThread.Hurries, "the end of the hurry");
    }

    [Fact]
    public void Hurry_MeansMoreLooksAndShorterPauses()
    {
        Assert.Equal(1, CallbackThread.PauseMilliseconds(stuck: 100_000, hurries: true));
        Assert.Equal(10, CallbackThread.PauseMilliseconds(stuck: 100_000, hurries: false));
        Assert.Equal(1, CallbackThread.PauseMilliseconds(stuck: 0, hurries: false));
        Assert.True(Looks(ReaderWait.BriefExpedited) > Looks(ReaderWait.Brief));

        static int Looks(ReaderWait wait)
        {
            int looks = 0;
            while (wait.Pause(hurried: false))
            {
                looks++;
            }

            return looks;
        }
    }

    /// <summary>A callback may use a block that is freed after it was queued.</summary>
    [Fact]
    public void BlockFreedAfterACallback_IsFreedAfterItRan()
    {
        var seen = new List<long>();
        Rcu.Barrier();
        using var reader = new ReaderThread();
        reader.Open();
        long freed = RcuCallbacks.BlocksFreed;
        for (int i = 0; i < 20; i++)
        {
            Rcu.Free(NativeMemory.Alloc(16));
            Rcu.Call(seen, static seen => seen.Add(RcuCallbacks.BlocksFreed));
        }

        reader.Close();
        Rcu.Barrier();
        Assert.Equal(Enumerable.Range(1, 20).Select(i => freed + i), seen);
    }

    [Fact]
    public void CallbackWhoseExceptionHasNoMessage_IsReported()
    {
        var failures = new List<Exception>();
        EventHandler<RcuCallbackFailedEventArgs> collect = (_, e) => failures.Add(e.Exception);
        Rcu.CallbackFailed += collect;
        try
        {
            Rcu.Call(0, static _ => throw new UnspeakableException());
            Rcu.Barrier();
            Assert.IsType<UnspeakableException>(Assert.Single(failures));
        }
        finally
        {
            Rcu.CallbackFailed -= collect;
        }
    }

    /// <summary>The callback thread's own section would hold up every grace period, and so every later callback.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void CallbackThatLeavesASectionOpen_IsReportedAndTheSectionClosed(bool throws, bool proving)
    {
        var failures = new List<Exception>();
        EventHandler<RcuCallbackFailedEventArgs> collect = (_, e) => failures.Add(e.Exception);
        Rcu.ProvingMode = proving;
        Rcu.CallbackFailed += collect;
        try
        {
            using var sleepable = new SleepableRcu();
            Rcu.Call(throws, Leave);
            sleepable.Call(throws, Leave);
            Poll.For(Rcu.BarrierAsync());
            Poll.For(sleepable.BarrierAsync());
            Assert.True(Rcu.Synchronize(Poll.Long));
            Assert.Equal(throws ? 4 : 2, failures.Count);
            Assert.Equal(2, failures.Count(static e => e.Message.Contains("left a read-side section open", StringComparison.Ordinal)));
        }
        finally
        {
            Rcu.CallbackFailed -= collect;
            Rcu.ProvingMode = false;
        }

        static void Leave(bool throws)
        {
            RcuReadScope never = Rcu.ReadLock();
            RcuReadScope neither = Rcu.ReadLock();
            if (throws)
            {
                throw new FormatException();
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

/// <summary>An exception whose message cannot be read.</summary>
internal sealed class UnspeakableException : Exception
{
    public override string Message => throw new NotSupportedException("no message");
}
