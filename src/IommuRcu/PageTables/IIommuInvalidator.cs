// What the hardware half of an IOMMU does for a domain: forget what it has cached, and follow a root that moves.
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>
/// Invalidates what devices have cached of a domain. A domain calls it after it changed entries and before it retires tables that left the tree.
/// </summary>
/// <remarks>
/// Both members are called by any thread, concurrently, and inside or outside a read section; they must not call back into the domain, and must not wait
/// for a grace period. An exception from <see cref="Invalidate"/> means that nothing is known to be flushed: the caller keeps all that waited for it, and asks again.
/// </remarks>
public interface IIommuInvalidator
{
    /// <summary>
    /// Invalidates the cached translations of a range, and returns when every walk and every DMA that began before is done: drained.
    /// </summary>
    /// <param name="range">The range.</param>
    /// <param name="tablesFreed">Whether tables that covered part of the range left the tree: paging-structure caches are to be invalidated as well.</param>
    [FlushesIotlb]
    void Invalidate(IovaRange range, bool tablesFreed);

    /// <summary>
    /// Tells the hardware of a new root, and returns when no device starts from the old one any more. The old root is a table of the new tree, and
    /// stays valid at least until then: nothing is mapped above it, and it is not unlinked, before this returned. Calls for one domain come one at a time, in
    /// the order in which the root grew. When one throws, the mapping that needed the new root fails with that exception, and the next one up there calls again.
    /// </summary>
    /// <param name="root">The new root.</param>
    void RootChanged(PageTableRoot root);
}
