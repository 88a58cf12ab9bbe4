// Thread.Interrupt strikes waits, and leaves the runtime whole.
namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class InterruptTests : IDisposable
{
    private readonly int _limit = Rcu.CallbackLimit;

    public void Dispose() => Rcu.CallbackLimit = _limit;

    [Fact]
    public void InterruptedWaiters_ThrowAndLeaveNothingBehind()
    {
        using var reader = new ReaderThread();
        reader.Open();
        Action[] waits =
        [
            Rcu.Synchronize,
            Rcu.Synchronize,
            Rcu.SynchronizeExpedited,
            static () => Rcu.Synchronize(Poll.Long),
            static () => Rcu.WaitFor(Rcu.StartGracePeriod()),
            Rcu.Barrier,
        ];
        Rcu.Call(0, static _ => { }); // what Barrier waits for
        var thrown = new Exception?[waits.Length];
        Thread[] threads = [.. waits.Select((wait, i) => new Thread(() => thrown[i] = Record.Exception(wait)) { IsBackground = true })];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => Poll.Until(() => (t.ThreadState & ThreadState.WaitSleepJoin) != 0, "the wait"));
        Array.ForEach(threads, static t => t.Interrupt());
        Array.ForEach(threads, static t => Assert.True(t.Join(Poll.Long)));
        Assert.All(thrown, static e => Assert.IsType<ThreadInterruptedException>(e));
        Assert.Equal((0, 0), RcuGracePeriods.Instance.Waiting);
        reader.Close();
        Assert.True(Rcu.Synchronize(Poll.Long));
        Rcu.Barrier();
    }

    /// <summary>Interrupts at any moment: also where a leader hands over, and must not fail to.</summary>
    [Fact]
    public void WaitersInterruptedAtRandom_NeverLoseTheGracePeriod()
    {
        var random = new Random(TestSeed.Value);
        bool stops = false;
        long interrupted = 0;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() =>
        {
            while (!Volatile.Read(ref stops))
            {
                try
                {
                    if (i == 0)
                    {
                        using (Rcu.ReadLock())
                        {
                            Thread.Sleep(1);
                        }
                    }
                    else
                    {
                        Rcu.Synchronize();
                    }
                }
                catch (ThreadInterruptedException)
                {
                    Interlocked.Increment(ref interrupted);
                }
            }
        }) { IsBackground = true })];
        Array.ForEach(threads, static t => t.Start());
        Poll.Until(
            () =>
            {
                threads[random.Next(threads.Length)].Interrupt();
                return Volatile.Read(ref interrupted) >= 5_000;
            },
            $"five thousand interrupts (seed {TestSeed.Value})");
        Volatile.Write(ref stops, true);
        Array.ForEach(threads, static t => Assert.True(t.Join(Poll.Long)));
        Assert.Equal((0, 0), RcuGracePeriods.Instance.Waiting);
        Assert.True(Rcu.Synchronize(Poll.Long), $"seed {TestSeed.Value}");
    }

    [Fact]
    public void LockThatIsWaitedFor_PutsTheInterruptOff()
    {
        object gate = new();
        bool entered = false;
        Exception? later = null;
        var thread = new Thread(() =>
        {
            using (Gate.Enter(gate))
            {
                entered = true;
            }

            later = Record.Exception(static () => Thread.Sleep(Timeout.Infinite));
        }) { IsBackground = true };
        using (Gate.Enter(gate))
        {
            thread.Start();
            Poll.Until(() => (thread.ThreadState & ThreadState.WaitSleepJoin) != 0, "the wait for the lock");
            thread.Interrupt();
        }

        Assert.True(thread.Join(Poll.Long));
        Assert.True(entered);
        Assert.IsType<ThreadInterruptedException>(later);
    }

    [Fact]
    public void CallbackThreadInterrupted_GoesOn()
    {
        Thread? callbacks = null;
        Rcu.Call(0, _ => callbacks = Thread.CurrentThread);
        Rcu.Barrier();
        for (int i = 0; i < 100; i++)
        {
            callbacks!.Interrupt();
            Rcu.Call(0, static _ => { });
            Poll.For(Rcu.BarrierAsync());
        }

        Assert.True(callbacks!.IsAlive);
    }

    /// <summary>The callback is queued; a call that threw would be made again.</summary>
    [Fact]
    public void CallHeldUpByBackPressure_IsQueuedOnceAndThrowsLater()
    {
        Rcu.CallbackLimit = 1024;
        using var reader = new ReaderThread();
        reader.Open();
        int ran = 0;
        Exception? call = null;
        Exception? later = null;
        var thread = new Thread(() =>
        {
            call = Record.Exception(() =>
            {
                for (int i = 0; i < 1024; i++)
                {
                    Rcu.Call(0, _ => ran++);
                }
            });
            later = Record.Exception(static () => Thread.Sleep(0));
        }) { IsBackground = true };
        thread.Start();
        thread.Interrupt(); // strikes at the first wait, which is the last call's
        Assert.True(thread.Join(Poll.Long));
        reader.Close();
        Rcu.Barrier();
        Assert.Null(call);
        Assert.IsType<ThreadInterruptedException>(later);
        Assert.Equal(1024, ran);
    }

    [Fact]
    public void DisposeInterrupted_CanBeCalledAgain()
    {
        var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        int ran = 0;
        rcu.Call(0, _ => ran++);
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(rcu.Dispose)) { IsBackground = true };
        thread.Start();
        Poll.Until(() => (thread.ThreadState & ThreadState.WaitSleepJoin) != 0, "the wait of Dispose");
        thread.Interrupt();
        Assert.True(thread.Join(Poll.Long));
        Assert.IsType<ThreadInterruptedException>(thrown);
        Assert.Throws<ObjectDisposedException>(() => rcu.ReadLock().Dispose());
        Assert.Equal(0, ran);
        scope.Dispose();
        rcu.Dispose();
        Assert.Equal(1, ran);
    }
}
