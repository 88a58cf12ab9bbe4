// IRCU031: closes the section by hand, and not when something throws.
using IommuRcu;

namespace UndisciplinedDriver.MappingProbes;

class Filter(IommuDomain domain)
{
    public bool IsMapped(Iova iova)
    {
        RcuReadScope section = Rcu.ReadLock();
        bool isMapped = domain.TryTranslate(iova, out _);
        section.Dispose();
        return isMapped;
    }
}
