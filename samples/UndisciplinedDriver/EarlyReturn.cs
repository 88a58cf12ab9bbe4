// IRCU033: returns with the section open, and no grace period ends again.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.EarlyReturns;

class Epoch
{
    [AcquiresReadLock] public void Enter() { }
    [ReleasesReadLock] public void Exit() { }
}

class Reader(Epoch epoch)
{
    public int Read(int value)
    {
        epoch.Enter();
        if (value < 0)
        {
            return -1;
        }

        epoch.Exit();
        return value;
    }
}
