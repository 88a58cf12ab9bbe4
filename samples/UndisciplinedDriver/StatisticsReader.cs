// IRCU008: opens the section on some paths only.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.StatisticsReaders;

class Epoch
{
    [AcquiresReadLock] public void Enter() { }
    [ReleasesReadLock] public void Exit() { }
    [RequiresReadLock] public int First() => 0;
}

class Reader(Epoch epoch)
{
    public int Read(int mode)
    {
        if (mode > 1)
        {
            epoch.Enter();
        }

        int first = epoch.First();
        if (mode > 1)
        {
            epoch.Exit();
        }

        return first;
    }
}
