// IRCU039: leaves the section open when the visitor throws.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.NodeVisitors;

class Epoch
{
    [AcquiresReadLock] public void Enter() { }
    [ReleasesReadLock] public void Exit() { }
}

class Reader(Epoch epoch)
{
    public void Read([RunsSynchronously] Action visit)
    {
        epoch.Enter();
        visit();
        epoch.Exit();
    }
}
