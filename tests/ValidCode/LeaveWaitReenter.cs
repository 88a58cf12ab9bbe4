// Leaving the caller's section to wait, and entering it again in a finally.
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class LeaveWaitReenter(Table table)
{
    [RequiresReadLock(DomainType = typeof(Epoch))]
    [RefreshesReadLock(DomainType = typeof(Epoch))]
    public void WaitInBetween()
    {
        table.Epoch.Exit();
        try
        {
            table.Epoch.Wait();
        }
        finally
        {
            table.Epoch.Enter();
        }
    }

    [RequiresReadLock(Domain = nameof(epoch))]
    public void SleepInBetween(Epoch epoch)
    {
        epoch.Exit();
        try
        {
            Thread.Sleep(1);
        }
        finally
        {
            epoch.Enter();
        }
    }

    public int WalkAround()
    {
        using EpochGuard guard = table.Epoch.Open();
        int before = table.Walk(0);
        WaitInBetween();
        return before + table.Walk(0);
    }
}
