// IRCU023: awaits inside a section that belongs to a thread.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.AsyncReaders;

class Epoch
{
    [AcquiresReadLock] public void Enter() { }
    [ReleasesReadLock] public void Exit() { }
}

class Reader(Epoch epoch)
{
    public async Task Read()
    {
        epoch.Enter();
        try
        {
            await Task.Yield();
        }
        finally
        {
            epoch.Exit();
        }
    }
}
