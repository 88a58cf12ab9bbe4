// IRCU020: waits for a grace period inside a section, which that grace period waits for: the thread waits for itself.
using IommuRcu;

namespace UndisciplinedDriver;

/// <summary>Replaces the descriptor ring by a larger one.</summary>
public sealed class RingResizer(IommuDomain domain)
{
    /// <summary>Unmaps the old ring and waits until nobody uses it.</summary>
    public bool Retire(Iova ring, ulong size)
    {
        using (Rcu.ReadLock())
        {
            bool isMapped = domain.TryTranslate(ring, out _);
            domain.Unmap(ring, size);
            Rcu.Synchronize();
            return isMapped;
        }
    }
}
