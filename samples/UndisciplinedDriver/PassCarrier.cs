// IRCU036: gives its guard to another thread, which its section does not protect.
using System;
using System.Threading.Tasks;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.PassCarriers;

[ReadLockScope]
sealed class Pass : IDisposable
{
    public void Dispose() { }
}

class Gate
{
    [AcquiresReadLock]
    public Pass Enter() => new();
}

class Carrier(Gate gate)
{
    public void Run()
    {
        Pass pass = gate.Enter();
        Task.Run(() => pass.Dispose());
    }
}
