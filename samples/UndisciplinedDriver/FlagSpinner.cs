// IRCU024: spins for a flag inside its section.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.FlagSpinners;

abstract class FlagSpinner
{
    private bool _ready;

    [RequiresReadLock(DomainType = typeof(Rcu))]
    public abstract int Count();

    public void MakeReady() => Volatile.Write(ref _ready, true);

    public int CountWhenReady()
    {
        using (Rcu.ReadLock())
        {
            while (!Volatile.Read(ref _ready))
            {
            }

            return Count();
        }
    }
}
