// IRCU030: drops the guard that ReadLock returns, so the section never ends and no page is ever freed again.
using IommuRcu;

namespace UndisciplinedDriver;

/// <summary>Decides whether a buffer may be handed to the device.</summary>
public sealed class PacketFilter(IommuDomain domain)
{
    /// <summary>Says whether a device can write to an address.</summary>
    public bool IsWritable(Iova address)
    {
        Rcu.ReadLock();
        return domain.TryTranslate(address, out Translation translation) && translation.Access.HasFlag(IommuAccess.Write);
    }
}
