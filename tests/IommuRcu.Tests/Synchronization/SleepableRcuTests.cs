// Sections that may await.
using System.Reflection;
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

public sealed class SleepableRcuTests
{
    [Fact]
    public async Task SectionAcrossAwait_IsWaitedFor()
    {
        using var rcu = new SleepableRcu("test");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task reader = ReadAsync(rcu, gate.Task);
        Assert.False(rcu.Synchronize(TimeSpan.FromMilliseconds(20)));
        RcuCookie cookie = rcu.StartGracePeriod();
        Task waiter = rcu.SynchronizeAsync().AsTask();
        Assert.False(rcu.HasElapsed(cookie));
        Assert.False(waiter.IsCompleted);
        gate.SetResult();
        await reader.WaitAsync(Poll.Long);
        await waiter.WaitAsync(Poll.Long);
        rcu.WaitFor(cookie);
        Assert.True(rcu.HasElapsed(cookie));
        rcu.Synchronize();
        rcu.SynchronizeExpedited();

        static async Task ReadAsync(SleepableRcu rcu, Task gate)
        {
            using (rcu.ReadLock())
            {
                rcu.AssertReadLockHeld();
                await gate;
                rcu.AssertReadLockHeld();
            }

            Assert.False(rcu.IsReadLockHeld);
        }
    }

    [Fact]
    public void ScopeClosedTwice_Throws()
    {
        using var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        SleepableReadScope copy = scope;
        scope.Dispose();
        Assert.Throws<InvalidOperationException>(scope.Dispose);
        Assert.Throws<InvalidOperationException>(copy.Dispose);

        // Also when its cell serves another section.
        using (rcu.ReadLock())
        {
            Assert.Throws<InvalidOperationException>(scope.Dispose);
            Assert.False(SynchronizeElsewhere(rcu, TimeSpan.Zero));
        }

        default(SleepableReadScope).Dispose();
    }

    [Fact]
    public void ScopeClosedByAnotherThread_EndsTheSection()
    {
        using var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        Assert.False(SynchronizeElsewhere(rcu, TimeSpan.Zero));
        var thread = new Thread(() => scope.Dispose());
        thread.Start();
        thread.Join();
        rcu.Synchronize();
    }

    [Fact]
    public void SlowReaderOfOne_DelaysNoOther()
    {
        using var slow = new SleepableRcu("slow");
        using var quick = new SleepableRcu("quick");
        using (slow.ReadLock())
        {
            bool ran = false;
            bool ranSlow = false;
            slow.Call(0, _ => ranSlow = true);
            quick.Call(0, _ => ran = true);
            quick.Barrier();
            Assert.True(ran);
            quick.Synchronize();
            Rcu.Synchronize();
            Rcu.Barrier();
            Assert.False(ranSlow);
            Assert.False(SynchronizeElsewhere(slow, TimeSpan.Zero));
        }
    }

    [Fact]
    public void SectionOfRcu_DoesNotHoldUpASleepableDomain()
    {
        using var rcu = new SleepableRcu();
        using var reader = new ReaderThread();
        reader.Open();
        rcu.Synchronize();
        reader.Close();
    }

    [Fact]
    public void WaitingInsideASection_ThrowsAtOnce()
    {
        using var rcu = new SleepableRcu();
        using var other = new SleepableRcu();
        RcuCookie cookie = rcu.StartGracePeriod();
        using (rcu.ReadLock())
        {
            using (rcu.ReadLock())
            {
            }

            Assert.Throws<InvalidOperationException>(rcu.Synchronize);
            Assert.Throws<InvalidOperationException>(() => rcu.Synchronize(Poll.Long));
            Assert.Throws<InvalidOperationException>(rcu.SynchronizeExpedited);
            Assert.Throws<InvalidOperationException>(rcu.Barrier);
            Assert.Throws<InvalidOperationException>(rcu.Dispose);
            Assert.Throws<InvalidOperationException>(() => rcu.WaitFor(cookie));
            Assert.Throws<InvalidOperationException>(() => { _ = rcu.SynchronizeAsync(); });
            Assert.Throws<InvalidOperationException>(() => { _ = rcu.BarrierAsync(); });
            other.Synchronize();
            Rcu.Synchronize();
        }

        rcu.Synchronize();
    }

    [Fact]
    public async Task WaitingInsideASectionAfterAwait_ThrowsAtOnce()
    {
        using var rcu = new SleepableRcu();
        await Task.Run(async () =>
        {
            using (rcu.ReadLock())
            {
                await Task.Yield();
                Assert.Throws<InvalidOperationException>(rcu.Synchronize);
            }

            rcu.Synchronize();
        });
    }

    [Fact]
    public async Task TaskStartedInsideASection_MayWaitForItsEnd()
    {
        using var rcu = new SleepableRcu();
        Task waiter;
        using (rcu.ReadLock())
        {
            waiter = Task.Run(rcu.Synchronize);
            Assert.NotEqual(waiter, await Task.WhenAny(waiter, Task.Run(Rcu.Synchronize)));
        }

        await waiter.WaitAsync(Poll.Long);
    }

    [Fact]
    public async Task SuspendedSectionOnThisThread_DoesNotCountAsMine()
    {
        using var rcu = new SleepableRcu();
        var gate = new TaskCompletionSource();
        Task reader = Hold();
        Assert.False(rcu.IsReadLockHeld);
        Assert.False(rcu.Synchronize(TimeSpan.Zero));
        gate.SetResult();
        await reader.WaitAsync(Poll.Long);
        rcu.Synchronize();

        async Task Hold()
        {
            using (rcu.ReadLock())
            {
                await gate.Task;
            }
        }
    }

    [Fact]
    public void Callbacks_RunInOrder()
    {
        using var rcu = new SleepableRcu();
        var ran = new List<int>();
        for (int i = 0; i < 5_000; i++)
        {
            rcu.Call((ran, i), static s => s.ran.Add(s.i));
        }

        rcu.Barrier();
        Assert.Equal(Enumerable.Range(0, 5_000), ran);
    }

    [Fact]
    public void Disposed_RunsItsCallbacksFirstAndThrowsLater()
    {
        var rcu = new SleepableRcu();
        int ran = 0;
        rcu.Call(0, _ => ran++);
        rcu.Dispose();
        Assert.Equal(1, ran);
        rcu.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { rcu.ReadLock().Dispose(); });
        Assert.Throws<ObjectDisposedException>(rcu.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => rcu.Call(0, _ => { }));
    }

    [Fact]
    public void CookieOfAnotherDomain_Throws()
    {
        using var rcu = new SleepableRcu();
        RcuCookie mine = rcu.StartGracePeriod();
        RcuCookie global = Rcu.StartGracePeriod();
        Assert.Throws<ArgumentException>(() => rcu.HasElapsed(global));
        Assert.Throws<ArgumentException>(() => Rcu.HasElapsed(mine));
        Assert.Throws<ArgumentException>(() => Rcu.WaitFor(mine));
    }

    [Fact]
    public void ThousandsOfOpenSections_AreAllWaitedFor()
    {
        using var rcu = new SleepableRcu(tracksSections: false);
        var scopes = new SleepableReadScope[3_000];
        for (int i = 0; i < scopes.Length; i++)
        {
            scopes[i] = rcu.ReadLock();
        }

        Assert.True(rcu.IsReadLockHeld);
        RcuCookie cookie = rcu.StartGracePeriod();
        for (int i = scopes.Length - 1; i > 0; i--)
        {
            scopes[i].Dispose();
        }

        Assert.False(rcu.Synchronize(TimeSpan.FromMilliseconds(5)));
        scopes[0].Dispose();
        rcu.WaitFor(cookie);
        Assert.False(rcu.IsReadLockHeld);
    }

    [Fact]
    public void UntrackedSections_AllocateNothing()
    {
        using var rcu = new SleepableRcu(tracksSections: false);
        rcu.ReadLock().Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            using (rcu.ReadLock())
            {
            }
        }

        // A thread that moves to another processor may have to add a cell there.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
    }

    /// <summary>Every public call of Rcu that is not a setting of the whole process is there, with the same parameters.</summary>
    [Fact]
    public void Calls_AreThoseOfRcu()
    {
        string[] settings = ["StallDetected", "StallLimit", "ProvingMode", "CallbackLimit"];
        string[] expected = [.. Calls(typeof(Rcu), BindingFlags.Static).Where(call => !settings.Any(call.Contains))];
        string[] actual = [.. Calls(typeof(SleepableRcu), BindingFlags.Instance)];
        Assert.True(expected.Length > 20);
        Assert.Empty(expected.Except(actual));

        static IEnumerable<string> Calls(Type type, BindingFlags kind) => type
            .GetMethods(BindingFlags.Public | BindingFlags.DeclaredOnly | kind)
            .Select(static method => $"{method.Name}({string.Join(", ", method.GetParameters().Select(static p => p.ParameterType.ToString()))})");
    }

    [Fact]
    public unsafe void Pointers_ReadWriteAndExchange()
    {
        using var rcu = new SleepableRcu();
        int a = 1, b = 2;
        int* location = null;
        rcu.Assign(ref location, &a);
        string? reference = null;
        rcu.Assign(ref reference, "a");
        using (rcu.ReadLock())
        {
            Assert.Equal(1, *rcu.Dereference(ref location));
            Assert.Equal(1, *rcu.Dereference(&location));
            Assert.Equal("a", rcu.Dereference(ref reference));
        }

        Assert.True(rcu.Exchange(ref location, &b) == &a);
        Assert.True(rcu.CompareExchange(ref location, &a, &a) == &b);
        Assert.True(rcu.CompareExchange(ref location, &a, &b) == &b);
        Assert.True(rcu.ReadPointer(ref location) == &a);
        Assert.True(rcu.DereferenceProtected(ref location) == &a);
        Assert.Equal("a", rcu.Exchange(ref reference, "b"));
        Assert.Equal("b", rcu.CompareExchange(ref reference, "c", reference));
        Assert.Equal("c", rcu.ReadPointer(ref reference));
        Assert.Equal("c", rcu.DereferenceProtected(ref reference));
    }

    [Fact]
    public unsafe void BlocksFreed_KeepTheirContentAndTheirPlaceAmongCallbacks()
    {
        using var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        const int Count = 200;
        var blocks = new nint[Count];
        int ran = 0;
        for (int i = 0; i < Count; i++)
        {
            var block = (long*)NativeMemory.Alloc(64);
            *block = i;
            blocks[i] = (nint)block;
            rcu.Call(i, n => ran += *(long*)blocks[n] == n ? 1 : 0); // the block is freed behind it
            rcu.Free(block);
        }

        rcu.Free(null);
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(i, *(long*)blocks[i]));
        scope.Dispose();
        rcu.Barrier();
        Assert.Equal(Count, ran);
    }

    [Fact]
    public void CallbackThatThrows_IsReportedByItsDomainAlone()
    {
        using var rcu = new SleepableRcu();
        using var other = new SleepableRcu();
        var mine = new List<Exception>();
        int others = 0;
        int everybodys = 0;
        EventHandler<RcuCallbackFailedEventArgs> count = (_, e) => everybodys += e.Exception is DivideByZeroException ? 1 : 0;
        rcu.CallbackFailed += (_, e) => mine.Add(e.Exception);
        other.CallbackFailed += (_, _) => others++;
        Rcu.CallbackFailed += count;
        rcu.Call(0, static _ => throw new DivideByZeroException());
        other.Call(0, static _ => { });
        rcu.Barrier();
        other.Barrier();
        Rcu.CallbackFailed -= count;
        Assert.IsType<DivideByZeroException>(Assert.Single(mine));
        Assert.Equal(0, others);
        Assert.Equal(1, everybodys);
    }

    /// <summary>A section or a callback that comes while the domain is disposed is either refused or done; nothing is lost, nobody hangs.</summary>
    [Fact]
    public void DisposedWhileInUse_RefusesOrServes()
    {
        for (int round = 0; round < 100; round++)
        {
            var rcu = new SleepableRcu("disposed", tracksSections: round % 2 == 0);
            int called = 0;
            int ran = 0;
            bool gone = false;
            int openAfterwards = 0;
            using var start = new Barrier(4);
            Thread[] threads =
            [
                new Thread(() => Use(() => rcu.Call(0, _ => Interlocked.Increment(ref ran)), ref called)),
                new Thread(() =>
                {
                    int opened = 0;
                    Use(
                        () =>
                        {
                            using (rcu.ReadLock())
                            {
                                openAfterwards += Volatile.Read(ref gone) ? 1 : 0;
                            }
                        },
                        ref opened);
                }),
                new Thread(Dispose),
                new Thread(Dispose),
            ];
            Array.ForEach(threads, static t => t.IsBackground = true);
            Array.ForEach(threads, static t => t.Start());
            Array.ForEach(threads, static t => Assert.True(t.Join(Poll.Long)));
            Poll.Until(() => Volatile.Read(ref ran) == called, $"the callbacks, {ran} of {called}");
            Assert.Equal(0, openAfterwards);

            void Use(Action action, ref int times)
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                    {
                        action();
                        times++;
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            }

            void Dispose()
            {
                start.SignalAndWait();
                rcu.Dispose();
                Volatile.Write(ref gone, true);
            }
        }
    }

    [Fact]
    public async Task AskedOfADisposedDomain_ThrowsAtOnce()
    {
        var rcu = new SleepableRcu();
        Task before = rcu.BarrierAsync().AsTask();
        RcuCookie cookie = rcu.StartGracePeriod();
        rcu.Dispose();
        await before.WaitAsync(Poll.Long);
        Assert.True(rcu.HasElapsed(cookie));
        Assert.Throws<ObjectDisposedException>(() => { _ = rcu.BarrierAsync(); });
        Assert.Throws<ObjectDisposedException>(() => { _ = rcu.SynchronizeAsync(); });
        Assert.Throws<ObjectDisposedException>(() => rcu.StartGracePeriod());
        Assert.Throws<ObjectDisposedException>(rcu.Barrier);
    }

    private static bool SynchronizeElsewhere(SleepableRcu rcu, TimeSpan timeout)
    {
        bool over = false;
        var thread = new Thread(() => over = rcu.Synchronize(timeout));
        thread.Start();
        thread.Join();
        return over;
    }
}
