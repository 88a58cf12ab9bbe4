// IRCU038: does not ask whether its section was opened.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.HopefulReaders;

class Gate
{
    [AcquiresReadLock(When = true)]
    public bool TryEnter() => true;

    public void Run() => TryEnter();
}
