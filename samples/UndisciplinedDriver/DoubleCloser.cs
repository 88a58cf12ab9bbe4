// IRCU032: closes the section twice.
using IommuRcu;

namespace UndisciplinedDriver.DoubleClosers;

class Filter(IommuDomain domain)
{
    public bool IsMapped(Iova iova)
    {
        using RcuReadScope section = Rcu.ReadLock();
        bool isMapped = domain.TryTranslate(iova, out _);
        section.Dispose();
        return isMapped;
    }
}
