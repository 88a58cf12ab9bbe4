// IRCU073: tests one read of a protected pointer, and follows another.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.LimitReaders;

class Limits(int packets)
{
    public int Packets => packets;
}

class LimitReader
{
    [RcuProtected]
    private Limits? _limits;

    public void Set(int packets) => Rcu.Assign(ref _limits, new Limits(packets));

    public int Packets()
    {
        using (Rcu.ReadLock())
        {
            if (Rcu.Dereference(ref _limits) != null)
            {
                return Rcu.Dereference(ref _limits)!.Packets;
            }

            return 0;
        }
    }
}
