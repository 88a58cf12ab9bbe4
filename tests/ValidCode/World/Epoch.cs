// An epoch of one's own: sections by enter and exit, by guard, by trying, and its grace period.
using IommuRcu.Annotations;

namespace ValidCode.World;

internal sealed class Epoch
{
    private int _depth;

    [AssertsReadLock]
    public bool IsHeld => Volatile.Read(ref _depth) > 0;

    [AcquiresReadLock]
    public void Enter() => Interlocked.Increment(ref _depth);

    [ReleasesReadLock]
    public void Exit() => Interlocked.Decrement(ref _depth);

    [AcquiresReadLock]
    public EpochGuard Open()
    {
        Interlocked.Increment(ref _depth);
        return new EpochGuard(this);
    }

    [AcquiresReadLock(When = true, ElseHeld = true)]
    public bool EnterIfNotHeld() => Interlocked.CompareExchange(ref _depth, 1, 0) == 0;

    [ReleasesReadLock(When = true)]
    public bool TryExit() => Interlocked.CompareExchange(ref _depth, 0, 1) == 1;

    [RefreshesReadLock]
    public void Refresh() => Thread.MemoryBarrier();

    [AssertsReadLock]
    public void AssertHeld() => ArgumentOutOfRangeException.ThrowIfZero(Volatile.Read(ref _depth));

    [WaitsForGracePeriod]
    public void Wait()
    {
        while (Volatile.Read(ref _depth) > 0)
        {
            Thread.Yield();
        }
    }
}
