// IRCU022: sleeps inside a section, and holds up every grace period.
using IommuRcu;

namespace UndisciplinedDriver.MappingPollers;

class Poller(IommuDomain domain)
{
    public void Poll(Iova iova)
    {
        using (Rcu.ReadLock())
        {
            while (!domain.TryTranslate(iova, out _))
            {
                Thread.Sleep(1);
            }
        }
    }
}
