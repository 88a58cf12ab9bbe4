// Waiters share grace periods: many of them need two, counted.
namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class SharedGracePeriodTests
{
    private const int Waiters = 32;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ConcurrentWaiters_ShareGracePeriods(bool expedited)
    {
        Rcu.Barrier(); // nothing that the callback thread would begin one for
        using var reader = new ReaderThread();
        reader.Open();
        ulong before = RcuGracePeriods.Instance.Completed;
        Thread[] threads = Start(expedited ? Rcu.SynchronizeExpedited : Rcu.Synchronize);

        // One leads; all others have asked, and wait for the next grace period or for this.
        Poll.Until(static () => RcuGracePeriods.Instance.Waiting.All == Waiters - 1, "the waiters");
        Assert.Equal(before, RcuGracePeriods.Instance.Completed);
        reader.Close();
        Join(threads);
        Assert.InRange(RcuGracePeriods.Instance.Completed - before, 1UL, 2UL);
    }

    [Fact]
    public void ConcurrentWaitersOfASleepableDomain_ShareGracePeriods()
    {
        using var rcu = new SleepableRcu();
        SleepableReadScope scope = rcu.ReadLock();
        ulong before = rcu.Readers.Completed;
        Thread[] threads = Start(rcu.Synchronize);
        Poll.Until(() => rcu.Readers.Waiting.All == Waiters - 1, "the waiters");
        scope.Dispose();
        Join(threads);
        Assert.InRange(rcu.Readers.Completed - before, 1UL, 2UL);
    }

    [Fact]
    public async Task AwaitedPolledAndBlockingWaits_ShareGracePeriods()
    {
        Rcu.Barrier();
        using var reader = new ReaderThread();
        reader.Open();
        ulong before = RcuGracePeriods.Instance.Completed;
        Task[] tasks = [.. Enumerable.Range(0, Waiters).Select(static _ => Rcu.SynchronizeAsync().AsTask())];
        RcuCookie[] cookies = [.. Enumerable.Range(0, Waiters).Select(static _ => Rcu.StartGracePeriod())];
        Rcu.Call(0, static _ => { });
        reader.Close();
        await Task.WhenAll(tasks).WaitAsync(Poll.Long);
        Array.ForEach(cookies, Rcu.WaitFor);
        Rcu.Barrier();
        Assert.All(cookies, static cookie => Assert.True(Rcu.HasElapsed(cookie)));
        Assert.InRange(RcuGracePeriods.Instance.Completed - before, 1UL, 4UL);
    }

    private static Thread[] Start(Action wait)
    {
        Thread[] threads = [.. Enumerable.Range(0, Waiters).Select(_ => new Thread(() => wait()) { IsBackground = true })];
        Array.ForEach(threads, static t => t.Start());
        return threads;
    }

    private static void Join(Thread[] threads) => Array.ForEach(threads, static t => Assert.True(t.Join(Poll.Long)));
}
