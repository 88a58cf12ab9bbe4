// IRCU035: keeps a guard in a field, so that nobody sees any more where its section ends.
using System;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.PassKeepers;

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

class Keeper(Gate gate)
{
    private Pass? _pass;

    public void Begin() => _pass = gate.Enter();

    public void End() => _pass?.Dispose();
}
