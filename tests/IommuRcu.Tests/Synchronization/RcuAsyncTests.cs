// Grace periods and barriers that are awaited.
namespace IommuRcu.Tests.Synchronization;

public sealed class RcuAsyncTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task OtherThreadReading_AsyncWaitsAndCanBeCancelled()
    {
        using var reader = new ReaderThread();
        reader.Open();
        Task first = Rcu.SynchronizeAsync().AsTask();
        using var source = new CancellationTokenSource();
        Task second = Rcu.SynchronizeAsync(source.Token).AsTask();
        Assert.False(first.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(_long));
        Assert.False(first.IsCompleted);
        reader.Close();
        await first.WaitAsync(_long);
        await Rcu.BarrierAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Rcu.SynchronizeAsync(new CancellationToken(true)).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Rcu.BarrierAsync(new CancellationToken(true)).AsTask());
    }
}
