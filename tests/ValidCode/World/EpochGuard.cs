// The guard of an epoch's section.
using IommuRcu.Annotations;

namespace ValidCode.World;

[ReadLockScope]
internal readonly struct EpochGuard(Epoch epoch) : IDisposable
{
    [ReleasesReadLock]
    public void Dispose() => epoch.Exit();
}
