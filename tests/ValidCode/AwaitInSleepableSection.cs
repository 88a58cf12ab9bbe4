// Awaiting inside a section of sleepable RCU, which may.
using IommuRcu;
using IommuRcu.Annotations;

namespace ValidCode;

internal sealed class AwaitInSleepableSection(SleepableRcu sleepable, Stream stream)
{
    [RcuProtected(Domain = nameof(sleepable))] private byte[]? _buffer = new byte[64];

    public async Task<int> ReadAsync()
    {
        using (sleepable.ReadLock())
        {
            byte[] buffer = sleepable.IsReadLockHeld ? Volatile.Read(ref _buffer) ?? [] : [];
            return await stream.ReadAsync(buffer);
        }
    }

    public async Task PauseAsync()
    {
        using SleepableReadScope scope = sleepable.ReadLock();
        await Task.Yield();
        Thread.Sleep(0);
    }

    public async Task ReplaceAsync(byte[] next)
    {
        byte[]? old = Interlocked.Exchange(ref _buffer, next);
        await sleepable.SynchronizeAsync();
        GC.KeepAlive(old);
    }

    public async Task WaitAfterwardsAsync()
    {
        await PauseAsync();
        await sleepable.BarrierAsync();
    }
}
