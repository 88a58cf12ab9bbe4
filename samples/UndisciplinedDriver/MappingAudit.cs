// IRCU010: asserts its section after it has closed it, which fails whenever it runs.
using System;
using IommuRcu;

namespace UndisciplinedDriver.MappingAudits;

class Audit(IommuDomain domain)
{
    public bool IsMapped(Iova iova)
    {
        bool isMapped;
        using (Rcu.ReadLock())
        {
            isMapped = domain.TryTranslate(iova, out _);
        }

        Rcu.AssertReadLockHeld();
        return isMapped;
    }
}
