// Threads that come, go, and die inside their sections.
namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed unsafe class ReaderRegistryTests
{
    [Fact]
    public void ThousandsOfShortThreads_ShareFewSlots()
    {
        int before = ReaderRegistry.Used;
        for (int i = 0; i < 3_000; i++)
        {
            var thread = new Thread(static () =>
            {
                using (Rcu.ReadLock())
                {
                }
            });
            thread.Start();
            thread.Join();
        }

        Assert.InRange(ReaderRegistry.Used, before, before + 256);
        Rcu.Synchronize();
    }

    [Fact]
    public void ManyThreadsAtOnce_EachHasASlotOfItsOwn()
    {
        const int Count = 200;
        var slots = new nint[Count];
        using var all = new Barrier(Count + 1);
        var threads = new Thread[Count];
        for (int i = 0; i < Count; i++)
        {
            int index = i;
            threads[i] = new Thread(() =>
            {
                using (Rcu.ReadLock())
                {
                    slots[index] = (nint)CurrentReader.Slot;
                    all.SignalAndWait();
                    all.SignalAndWait();
                }
            }) { IsBackground = true };
            threads[i].Start();
        }

        all.SignalAndWait();
        Assert.Equal(Count, slots.Distinct().Count());
        Assert.All(slots, slot => Assert.Equal(0, slot % 128));
        Assert.False(Rcu.Synchronize(TimeSpan.Zero));
        all.SignalAndWait();
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.True(Rcu.Synchronize(Poll.Long));
    }

    [Fact]
    public void ThreadEndsInsideASection_IsReportedAndNoLongerWaitedFor()
    {
        RcuStallEventArgs? report = null;
        EventHandler<RcuStallEventArgs> handler = (_, e) =>
        {
            if (e.ThreadEnded && e.ThreadName == "dies inside")
            {
                Volatile.Write(ref report, e);
            }
        };
        Rcu.StallDetected += handler;
        try
        {
            ulong died = ReaderRegistry.DiedInSection;
            var thread = new Thread(OpenAndLeave) { Name = "dies inside" };
            thread.Start();
            int id = thread.ManagedThreadId;
            thread.Join();
            Assert.True(Rcu.Synchronize(Poll.Long));
            Assert.Equal(died + 1, ReaderRegistry.DiedInSection);
            Poll.Until(() => Volatile.Read(ref report) != null, "the report of the dead thread");
            Assert.Equal(id, report!.ManagedThreadId);
            Assert.Equal("Rcu", report.Domain);
        }
        finally
        {
            Rcu.StallDetected -= handler;
        }

        static void OpenAndLeave()
        {
            RcuReadScope never = Rcu.ReadLock();
            Assert.True(Rcu.IsReadLockHeld);
        }
    }

    [Fact]
    public void CallbacksOfAThreadThatDies_AreRun()
    {
        int ran = 0;
        var thread = new Thread(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                Rcu.Call(0, _ => ran++);
            }
        });
        thread.Start();
        thread.Join();
        Rcu.Barrier();
        Assert.Equal(1000, ran);
    }

    [Fact]
    public void PoolThreads_ReadAndRetire()
    {
        int ran = 0;
        Parallel.For(0, 10_000, i =>
        {
            using (Rcu.ReadLock())
            {
                Rcu.Call(i, _ => ran++);
            }
        });
        Rcu.Barrier();
        Assert.Equal(10_000, ran); // all of them on the one callback thread
    }
}
