// The read side and grace periods of Rcu in ordinary use and misuse.
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

public sealed unsafe class RcuBasicsTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(30);

    [Fact]
    public void NoSection_IsNotHeld()
    {
        Assert.False(Rcu.IsReadLockHeld);
        Assert.Throws<InvalidOperationException>(Rcu.AssertReadLockHeld);
    }

    [Fact]
    public void NestedSections_AreHeldUntilTheLastCloses()
    {
        using (Rcu.ReadLock())
        {
            for (int i = 0; i < 10_000; i++)
            {
                RcuReadScope inner = Rcu.ReadLock();
                Assert.True(Rcu.IsReadLockHeld);
                inner.Dispose();
            }

            Rcu.AssertReadLockHeld();
        }

        Assert.False(Rcu.IsReadLockHeld);
    }

    [Fact]
    public void SectionsClosedOutOfOrder_AreHeldUntilTheLastCloses()
    {
        RcuReadScope first = Rcu.ReadLock();
        RcuReadScope second = Rcu.ReadLock();
        first.Dispose();
        Assert.True(Rcu.IsReadLockHeld);
        second.Dispose();
        Assert.False(Rcu.IsReadLockHeld);
    }

    [Fact]
    public void DefaultScope_DisposesWithoutEffect()
    {
        RcuReadScope nothing = default;
        nothing.Dispose();
        using (Rcu.ReadLock())
        {
            nothing.Dispose();
            Assert.True(Rcu.IsReadLockHeld);
        }

        nothing.Dispose();
        Assert.False(Rcu.IsReadLockHeld);
    }

    [Fact]
    public void ScopeClosedTwice_DoesNotThrow()
    {
        RcuReadScope scope = Rcu.ReadLock();
        scope.Dispose();
        scope.Dispose();
        Assert.False(Rcu.IsReadLockHeld);
        using (Rcu.ReadLock())
        {
            Assert.True(Rcu.IsReadLockHeld);
        }
    }

    [Fact]
    public void NobodyReading_SynchronizeReturns()
    {
        Rcu.Synchronize();
        Rcu.SynchronizeExpedited();
        Assert.True(Rcu.Synchronize(_long));
        Assert.True(Rcu.Synchronize(Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public void OtherThreadReading_SynchronizeWaitsForItAndForNoLaterSection()
    {
        using var reader = new ReaderThread();
        reader.Open();
        Assert.False(Rcu.Synchronize(_short));
        Assert.False(Rcu.Synchronize(TimeSpan.Zero));
        RcuCookie cookie = Rcu.StartGracePeriod();
        Assert.False(Rcu.HasElapsed(cookie));
        reader.Close();
        Rcu.WaitFor(cookie);
        Assert.True(Rcu.HasElapsed(cookie));
        Assert.True(Rcu.Synchronize(_long));
    }

    [Fact]
    public void SectionOpenedAfterTheGracePeriodBegan_IsNotWaitedFor()
    {
        using var early = new ReaderThread();
        using var late = new ReaderThread();
        ulong number = 0;

        // The number that the early reader announces must be known: where one began just then, it opens its section anew.
        Poll.Until(
            () =>
            {
                number = Volatile.Read(ref GracePeriodNumber.Current);
                early.Open();
                if (Volatile.Read(ref GracePeriodNumber.Current) == number)
                {
                    return true;
                }

                early.Close();
                return false;
            },
            "a section that announces a known number");

        // Others may have one under way. Once readers announce the next number, this one has begun.
        Poll.Until(() => !Rcu.Synchronize(TimeSpan.Zero) && Volatile.Read(ref GracePeriodNumber.Current) == number + 1, "the grace period");
        late.Open();
        RcuCookie cookie = new(RcuGracePeriods.Instance, number);
        Assert.False(Rcu.HasElapsed(cookie));
        early.Close();
        Rcu.WaitFor(cookie);
        late.Close();
    }

    [Fact]
    public void InsideASection_WaitingThrowsAtOnce()
    {
        RcuCookie cookie = Rcu.StartGracePeriod();
        using (Rcu.ReadLock())
        {
            Assert.Throws<InvalidOperationException>(Rcu.Synchronize);
            Assert.Throws<InvalidOperationException>(() => Rcu.Synchronize(_long));
            Assert.Throws<InvalidOperationException>(Rcu.SynchronizeExpedited);
            Assert.Throws<InvalidOperationException>(() => { _ = Rcu.SynchronizeAsync(); });
            Assert.Throws<InvalidOperationException>(Rcu.Barrier);
            Assert.Throws<InvalidOperationException>(() => { _ = Rcu.BarrierAsync(); });
            Assert.Throws<InvalidOperationException>(() => Rcu.WaitFor(cookie));
            Assert.False(Rcu.MayWait);
            Assert.True(Rcu.IsReadLockHeld);
        }

        Assert.True(Rcu.MayWait);
    }

    [Fact]
    public void InACallback_WaitingThrowsAtOnce()
    {
        var seen = new List<Exception?>();
        Rcu.Call(seen, static seen =>
        {
            seen.Add(Record.Exception(Rcu.Synchronize));
            seen.Add(Record.Exception(Rcu.Barrier));
            seen.Add(Record.Exception(() => Rcu.WaitFor(Rcu.StartGracePeriod())));
            seen.Add(Rcu.MayWait ? null : new InvalidOperationException());
            using (Rcu.ReadLock())
            {
                seen.Add(Rcu.IsReadLockHeld ? new InvalidOperationException() : null);
            }
        });
        Rcu.Barrier();
        Assert.Equal(5, seen.Count);
        Assert.All(seen, e => Assert.IsType<InvalidOperationException>(e));
    }

    [Fact]
    public void BadTimeout_ThrowsArgumentOutOfRange()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Rcu.Synchronize(TimeSpan.FromMilliseconds(-2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rcu.Synchronize(TimeSpan.MaxValue));
    }

    [Fact]
    public void DefaultCookie_HasElapsed()
    {
        Assert.True(Rcu.HasElapsed(default));
        Rcu.WaitFor(default);
    }

    [Fact]
    public void Callbacks_RunInTheOrderTheyWereQueued()
    {
        const int Count = 5_000;
        var ran = new List<int>();
        for (int i = 0; i < Count; i++)
        {
            Rcu.Call((ran, i), static state => state.ran.Add(state.i));
        }

        Rcu.Barrier();
        Assert.Equal(Enumerable.Range(0, Count), ran);
    }

    [Fact]
    public void Callback_WaitsForAnOpenSection()
    {
        using var reader = new ReaderThread();
        reader.Open();
        using var ran = new ManualResetEventSlim();
        Rcu.Call(ran, static ran => ran.Set());
        Assert.False(ran.Wait(_short));
        reader.Close();
        Assert.True(ran.Wait(_long));
    }

    [Fact]
    public void IntrusiveCallback_IsGivenItsHead()
    {
        const int Count = 100;
        var nodes = (Node*)NativeMemory.AllocZeroed(Count, (nuint)sizeof(Node));
        int sum = 0;
        for (int i = 0; i < Count; i++)
        {
            nodes[i].Value = i;
            nodes[i].Sum = &sum;
            Rcu.Call(&nodes[i].Head, &AddUp);
        }

        Rcu.Barrier();
        Assert.Equal(Count * (Count - 1) / 2, sum);
        NativeMemory.Free(nodes);
    }

    [Fact]
    public void NullArguments_Throw()
    {
        RcuHead head = default;
        RcuHead* pointer = &head;
        Assert.Throws<ArgumentNullException>(() => Rcu.Call(null, &AddUp));
        Assert.Throws<ArgumentNullException>(() => Rcu.Call(pointer, null));
        Assert.Throws<ArgumentNullException>(() => Rcu.Call(1, null!));
        Rcu.Free(null);
    }

    [Fact]
    public void NativeBlocks_AreFreedAfterAGracePeriod()
    {
        for (int i = 0; i < 10_000; i++)
        {
            var block = (int*)NativeMemory.Alloc(64);
            *block = i;
            Rcu.Free(block);
        }

        Rcu.Barrier();
    }

    [Fact]
    public void Pointers_ReadWriteAndExchange()
    {
        int a = 1, b = 2;
        int* location = null;
        Rcu.Assign(ref location, &a);
        using (Rcu.ReadLock())
        {
            Assert.Equal(1, *Rcu.Dereference(ref location));
            Assert.Equal(1, *Rcu.Dereference(&location));
        }

        Assert.True(Rcu.Exchange(ref location, &b) == &a);
        Assert.True(Rcu.CompareExchange(ref location, &a, &a) == &b);
        Assert.True(Rcu.CompareExchange(ref location, &a, &b) == &b);
        Assert.True(Rcu.ReadPointer(ref location) == &a);
        Assert.True(Rcu.DereferenceProtected(ref location) == &a);

        string? reference = null;
        Rcu.Assign(ref reference, "a");
        using (Rcu.ReadLock())
        {
            Assert.Equal("a", Rcu.Dereference(ref reference));
        }

        Assert.Equal("a", Rcu.Exchange(ref reference, "b"));
        Assert.Equal("b", Rcu.CompareExchange(ref reference, "c", reference));
        Assert.Equal("c", Rcu.ReadPointer(ref reference));
        Assert.Equal("c", Rcu.DereferenceProtected(ref reference));
    }

    private static void AddUp(RcuHead* head)
    {
        var node = (Node*)head;
        *node->Sum += node->Value;
    }

    private struct Node
    {
        internal RcuHead Head;
        internal int Value;
        internal int* Sum;
    }
}
