// What the hardware holds for a domain: the root, the sequence of its invalidations, and the devices that use it.
namespace IommuRcu.Emulation;

/// <summary>The hardware's half of one domain, and the invalidator that the domain calls.</summary>
internal sealed class TranslationContext(EmulatedIommu iommu, bool shared) : IIommuInvalidator
{
    private readonly object _lock = new();

    /// <summary>Raised before each sweep of the caches. A look-up that began before it leaves nothing in them.</summary>
    internal long Sequence;

    // Set once, before the first device is attached.
    private HardwareWalker? _walker;
    private int _addressBits;
    private WalkRoot? _root;

    // Replaced as a whole under the lock.
    private EmulatedDevice[] _devices = [];

    internal EmulatedIommu Iommu { get; } = iommu;

    /// <summary>Whether the domain calls the IOMMU itself, not this context.</summary>
    internal bool IsShared { get; } = shared;

    /// <summary>The domain, to tell whether a second device belongs to the same; or whatever stands for it.</summary>
    internal object? Key { get; private set; }

    internal HardwareWalker Walker => _walker!;

    internal WalkRoot Root => Volatile.Read(ref _root)!;

    internal bool HasDevices => Volatile.Read(ref _devices).Length != 0;

    public void Invalidate(IovaRange range, bool tablesFreed)
    {
        Sweep(range, tablesFreed);
        Iommu.Drain();
    }

    public void RootChanged(PageTableRoot root)
    {
        lock (_lock)
        {
            // A domain may grow before it is attached; Attach asks it for the root then.
            if (_walker is not null)
            {
                Volatile.Write(ref _root, _walker.RootOf(root, _addressBits));
            }
        }

        Iommu.Drain();
    }

    /// <summary>The first half of an invalidation: afterwards no look-up that begins finds, and none that is under way leaves, what was cached before.</summary>
    internal void Sweep(IovaRange range, bool tablesFreed)
    {
        // A full fence; pairs with the one in TranslationCache.Put.
        Interlocked.Increment(ref Sequence);
        foreach (EmulatedDevice device in Volatile.Read(ref _devices))
        {
            device.Sweep(range, tablesFreed, _walker!.TableShift);
        }
    }

    internal void Bind(object key, HardwareWalker walker, int addressBits, Func<PageTableRoot> root)
    {
        lock (_lock)
        {
            // Asked for under the lock: a root that grows now is either seen here, or told by RootChanged after this.
            Volatile.Write(ref _root, walker.RootOf(root(), addressBits));
            Key = key;
            _walker = walker;
            _addressBits = addressBits;
        }
    }

    internal void Add(EmulatedDevice device)
    {
        lock (_lock)
        {
            Volatile.Write(ref _devices, [.. _devices, device]);
        }
    }

    internal void Remove(EmulatedDevice device)
    {
        lock (_lock)
        {
            Volatile.Write(ref _devices, [.. _devices.Where(d => d != device)]);
        }
    }
}
