// IRCU009: makes up a guard that opened nothing.
using IommuRcu;

namespace UndisciplinedDriver.QuickProbes;

class Reader(IommuDomain domain)
{
    public bool IsMapped(Iova iova, bool quick)
    {
        using RcuReadScope section = quick ? default : Rcu.ReadLock();
        return domain.TryTranslate(iova, out _);
    }
}
