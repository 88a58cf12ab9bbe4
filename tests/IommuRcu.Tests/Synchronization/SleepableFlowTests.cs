// Which code is inside a section that awaits: what the section's own flow does, on whatever thread; not what it starts.
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace IommuRcu.Tests.Synchronization;

public sealed class SleepableFlowTests
{
    /// <summary>Where the test's own flow is resumed: wherever the test runner does that.</summary>
    [Fact]
    public async Task ContinuationOfTheTest_IsInside()
    {
        using var rcu = new SleepableRcu();
        using (rcu.ReadLock())
        {
            await Task.Yield();
            AssertInside(rcu);
            await Task.Delay(1);
            AssertInside(rcu);
        }

        rcu.Synchronize();
    }

    [Fact]
    public async Task ContinuationOnThePool_IsInside()
    {
        using var rcu = new SleepableRcu();
        await Task.Run(async () =>
        {
            using (rcu.ReadLock())
            {
                await Task.Yield();
                AssertInside(rcu);

                // Resumed by the completing task, on its thread.
                await Task.Run(static () => Thread.SpinWait(100));
                AssertInside(rcu);
                await Nested(rcu);
                AssertInside(rcu);
            }

            rcu.Synchronize();
        }).WaitAsync(Poll.Long);

        static async Task Nested(SleepableRcu rcu)
        {
            AssertInside(rcu);
            await Task.Yield();
            AssertInside(rcu);
        }
    }

    /// <summary>As in a program with a user interface: one thread, no pool thread, runs all continuations.</summary>
    [Fact]
    public void ContinuationOnASynchronizationContext_IsInside()
    {
        using var rcu = new SleepableRcu();
        Pump.Run(async () =>
        {
            using (rcu.ReadLock())
            {
                await Task.Yield();
                AssertInside(rcu);
                await Task.Run(static () => Thread.SpinWait(100));
                AssertInside(rcu);
            }

            rcu.Synchronize();
        });
    }

    /// <summary>A cancellation callback, or anything else with a context of its own, runs in between; the section's thread stays inside.</summary>
    [Fact]
    public void OtherContextInBetween_LeavesTheThreadInside()
    {
        using var rcu = new SleepableRcu();
        using var source = new CancellationTokenSource();
        bool? insideCallback = null;
        source.Token.Register(() => insideCallback = rcu.IsReadLockHeld);
        var thread = new Thread(() =>
        {
            using (rcu.ReadLock())
            {
                source.Cancel();
                AssertInside(rcu);
            }
        }) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Poll.Long));
        Assert.False(insideCallback);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatASectionStarts_MayWaitForItsEnd(bool afterSuspension)
    {
        using var rcu = new SleepableRcu();
        using var began = new CountdownEvent(afterSuspension ? 3 : 4);
        SleepableReadScope scope = rcu.ReadLock();
        if (afterSuspension)
        {
            await Task.Yield();
        }
        else
        {
            ThreadPool.QueueUserWorkItem(_ => Wait()); // after a suspension it cannot be told from a continuation
        }

        Task task = Task.Run(Wait);
        Task async = Task.Run(async () =>
        {
            began.Signal();
            await rcu.SynchronizeAsync();
        });
        var thread = new Thread(Wait) { IsBackground = true };
        thread.Start();
        Assert.True(began.Wait(Poll.Long));
        Assert.False(task.IsCompleted);
        scope.Dispose();
        await task.WaitAsync(Poll.Long);
        await async.WaitAsync(Poll.Long);
        Assert.True(thread.Join(Poll.Long));

        void Wait()
        {
            began.Signal();
            rcu.Synchronize();
        }
    }

    [Fact]
    public async Task LongRunningTaskThatAFlowOfThePoolStarts_MayWait()
    {
        using var rcu = new SleepableRcu();
        await Task.Run(async () =>
        {
            SleepableReadScope scope = rcu.ReadLock();
            await Task.Yield();
            Task task = Task.Factory.StartNew(rcu.Synchronize, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await Task.Yield();
            scope.Dispose();
            await task.WaitAsync(Poll.Long);
        });
    }

    [Fact]
    public async Task UnrelatedFlows_MayWait()
    {
        using var rcu = new SleepableRcu();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task reader = Read();
        Assert.False(rcu.IsReadLockHeld);
        Assert.False(rcu.Synchronize(TimeSpan.Zero));
        await Task.Yield();
        Assert.False(rcu.IsReadLockHeld);
        Assert.False(rcu.Synchronize(TimeSpan.Zero));
        gate.SetResult();
        await reader.WaitAsync(Poll.Long);
        Assert.True(rcu.Synchronize(Poll.Long));

        async Task Read()
        {
            using (rcu.ReadLock())
            {
                await gate.Task;
                await Task.Yield();
            }
        }
    }

    /// <summary>Sections closed elsewhere, or hand over hand, so that none closes while it is the innermost of the flow that opened it.</summary>
    [Fact]
    public void ManySectionsInARow_AreForgotten()
    {
        using var rcu = new SleepableRcu();
        for (int i = 0; i < 200; i++)
        {
            SleepableReadScope scope = rcu.ReadLock();
            var thread = new Thread(scope.Dispose);
            thread.Start();
            thread.Join();
            Assert.InRange(rcu.Remembered, 0, 2);
        }

        SleepableReadScope last = rcu.ReadLock();
        for (int i = 0; i < 1_000; i++)
        {
            SleepableReadScope next = rcu.ReadLock();
            last.Dispose();
            last = next;
            Assert.InRange(rcu.Remembered, 1, 3);
            Assert.True(rcu.IsReadLockHeld);
        }

        last.Dispose();
        Assert.False(rcu.IsReadLockHeld);
        rcu.Synchronize();
    }

    [Fact]
    public async Task ManyAwaitingSectionsInARow_AreForgotten()
    {
        using var rcu = new SleepableRcu();
        await Task.Run(async () =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                using (rcu.ReadLock())
                {
                    await Task.Yield();
                }

                Assert.InRange(rcu.Remembered, 0, 1);
            }

            for (int i = 0; i < 200; i++)
            {
                SleepableReadScope scope = rcu.ReadLock();
                await Task.Run(scope.Dispose);
                Assert.InRange(rcu.Remembered, 0, 2);
            }
        });
    }

    /// <summary>The continuation runs while the thread that opened the section is still on its way out of the suspended methods.</summary>
    [Fact]
    public void ContinuationThatOvertakesTheSuspension_IsInside()
    {
        using var rcu = new SleepableRcu();
        using var entered = new ManualResetEventSlim();
        Task? flow = null;
        var thread = new Thread(() => flow = Read()) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Poll.Long));
        Poll.For(flow!);

        async Task Read()
        {
            using (rcu.ReadLock())
            {
                await new Overtaken(entered);
                entered.Set();
                AssertInside(rcu);
            }
        }
    }

    private static void AssertInside(SleepableRcu rcu)
    {
        // With a timeout, so that what is not noticed fails and does not hang.
        Assert.Throws<InvalidOperationException>(() => rcu.Synchronize(TimeSpan.FromMilliseconds(20)));
        Assert.True(rcu.IsReadLockHeld);
    }

    /// <summary>Awaiting it suspends the flow, which is resumed on the pool before the suspending thread goes on.</summary>
    private sealed class Overtaken(ManualResetEventSlim resumed) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public Overtaken GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static c => c(), continuation, preferLocal: false);
            Assert.True(resumed.Wait(Poll.Long));
        }
    }

    /// <summary>One thread that runs a method and all its continuations.</summary>
    private sealed class Pump : SynchronizationContext
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];

        public static void Run(Func<Task> body)
        {
            Exception? thrown = null;
            var thread = new Thread(() =>
            {
                var pump = new Pump();
                SetSynchronizationContext(pump);
                Task task = body();
                task.ContinueWith(_ => pump._posted.CompleteAdding(), TaskScheduler.Default);
                foreach ((SendOrPostCallback callback, object? state) in pump._posted.GetConsumingEnumerable())
                {
                    callback(state);
                }

                thrown = Record.Exception(() => task.GetAwaiter().GetResult());
            }) { IsBackground = true };
            thread.Start();
            Assert.True(thread.Join(Poll.Long));
            Assert.Null(thrown);
        }

        public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));
    }
}
