// IRCU094: hands out a protected value, and does not tell callers in other assemblies.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.FirstItems;

/// <summary>Holds one item.</summary>
public sealed class ItemHolder
{
    [RcuProtected(DomainType = typeof(Rcu))]
    private object? _item;

    /// <summary>Replaces the item.</summary>
    public void Set(object item) => Rcu.Assign(ref _item, item);

    /// <summary>Gets the item.</summary>
    [RequiresReadLock(DomainType = typeof(Rcu))]
    public object? Get() => Rcu.Dereference(ref _item);
}
