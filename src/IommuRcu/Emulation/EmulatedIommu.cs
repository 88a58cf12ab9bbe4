// An IOMMU in this process: devices, what they are attached to, and the invalidations that a domain asks for.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu.Emulation;

/// <summary>Translates the DMA of emulated devices through a domain's own tables, with caches that go stale, as strictly as hardware does.</summary>
/// <remarks>
/// <para>It reads entries by its own statement of each of the library's formats (of a user's format, by that format's), refuses what the specifications reserve, and
/// never opens a read-side section: only the flush of an unmap, drained, keeps a device off what was unmapped.
/// A translation that was cached is used until it is invalidated, whatever the tables say meanwhile. Accessed and dirty bits are set by compare-exchange
/// against the entry that was walked; if it changed, the walk begins again.</para>
/// <para>An invalidation returns when every walk and every DMA that began before it is done.</para>
/// <para>For a single domain, give the IOMMU itself as <see cref="IommuDomainOptions.Invalidator"/>; for several, what <see cref="CreateInvalidator"/>
/// returns, one for each. All members may be called from any thread.</para>
/// </remarks>
public sealed partial class EmulatedIommu : IIommuInvalidator, IDisposable
{
    private readonly object _lock = new();
    private readonly EmulatedIommuOptions _options;

    // Both replaced as a whole under the lock.
    private Dictionary<int, EmulatedDevice> _devices = [];
    private TranslationContext[] _contexts = [];
    private long _invalidations;
    private bool _disposed;

    /// <summary>Makes an IOMMU in front of a memory.</summary>
    /// <param name="memory">The memory that tables lie in and DMA goes to.</param>
    /// <param name="options">What it caches; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="memory"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public EmulatedIommu(PhysicalMemory memory, EmulatedIommuOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        options ??= new EmulatedIommuOptions();
        if (options.IotlbEntries is < 16 or > 65536 || !int.IsPow2(options.IotlbEntries))
        {
            throw new ArgumentException($"An IOTLB has a power of two of entries, 16 to 65,536, not {options.IotlbEntries}.", nameof(options));
        }

        if (options.FaultCapacity is < 1 or > 1 << 20)
        {
            throw new ArgumentException($"1 to 1,048,576 faults can be kept, not {options.FaultCapacity}.", nameof(options));
        }

        Memory = memory;
        _options = options;
        Faults = new FaultLog(options.FaultCapacity);
    }

    /// <summary>Gets the memory that tables lie in and DMA goes to.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>Gets the number of faults recorded, those included that were dropped or taken.</summary>
    public long FaultCount => Faults.Total;

    /// <summary>Gets the counters. Exact while no DMA is in flight.</summary>
    public EmulatedIommuStatistics Statistics
        => Slots.Count() with { Invalidations = Volatile.Read(ref _invalidations), Faults = FaultCount };

    internal EmulationHooks? Hooks { get; init; }

    internal DmaSlots Slots { get; } = new();

    internal FaultLog Faults { get; }

    /// <summary>Makes the invalidator of one domain, where several domains share this IOMMU: it invalidates what devices cached of that domain alone.</summary>
    /// <returns>The invalidator, to be given as <see cref="IommuDomainOptions.Invalidator"/> of one domain.</returns>
    public IIommuInvalidator CreateInvalidator() => AddContext(shared: false);

    /// <summary>Attaches a device to a domain, whose tables translate its DMA from now on.</summary>
    /// <param name="deviceId">The device's id, such as its PCI requester id.</param>
    /// <param name="domain">The domain. It must outlive the attachment.</param>
    /// <returns>The device.</returns>
    /// <exception cref="InvalidOperationException">
    /// The device is attached already; or the domain's invalidator is this IOMMU itself or one that another domain uses, and there is another domain.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The IOMMU is disposed.</exception>
    public EmulatedDevice Attach(int deviceId, IommuDomain domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        lock (_lock)
        {
            var visitor = new WalkerOfDomain(Hooks);
            HardwareWalker walker = domain.Accept<WalkerOfDomain, HardwareWalker>(ref visitor);
            return Attach(deviceId, ContextOf(domain), domain, walker, domain.AddressBits, () => domain.Root);
        }
    }

    /// <summary>Attaches a device to tables that no domain of this library manages.</summary>
    /// <typeparam name="TFormat">The tables' format.</typeparam>
    /// <param name="deviceId">The device's id.</param>
    /// <param name="root">The root of the tables.</param>
    /// <param name="addressBits">The width of an IOVA in bits; 0 for the format's default.</param>
    /// <returns>The device. What it caches is invalidated by <see cref="Invalidate"/> of this IOMMU.</returns>
    /// <exception cref="ArgumentException">The format has no tables of that width.</exception>
    /// <exception cref="InvalidOperationException">The device is attached already.</exception>
    /// <exception cref="ObjectDisposedException">The IOMMU is disposed.</exception>
    public EmulatedDevice Attach<TFormat>(int deviceId, PageTableRoot root, int addressBits = 0)
        where TFormat : struct, IPageTableFormat
    {
        int width = addressBits == 0 ? TFormat.DefaultAddressBits : addressBits;
        if (!TFormat.TryGetGeometry(width, out _))
        {
            throw new ArgumentException($"{TFormat.Name} has no tables for addresses of {width} bits.", nameof(addressBits));
        }

        lock (_lock)
        {
            TranslationContext context = AddContext(shared: true);
            return Attach(deviceId, context, context, HardwareWalker.Of<TFormat>(Hooks), width, () => root);
        }
    }

    /// <summary>Detaches a device: returns when none of its DMA is in flight, and what it had cached is gone. Its DMA faults from now on.</summary>
    /// <param name="deviceId">The device's id.</param>
    /// <returns><see langword="false"/> if no domain was attached to it.</returns>
    public bool Detach(int deviceId)
    {
        lock (_lock)
        {
            if (!_devices.TryGetValue(deviceId, out EmulatedDevice? device) || device.Context is not { } context)
            {
                return false;
            }

            device.Context = null;
            context.Remove(device);

            // Raised before the sweep, so that a walk under way leaves nothing behind it.
            Interlocked.Increment(ref context.Sequence);
            device.SweepAll();
            Drain();
            if (!context.HasDevices && context.IsShared)
            {
                Volatile.Write(ref _contexts, [.. _contexts.Where(c => c != context)]);
            }

            return true;
        }
    }

    /// <summary>Reads memory as a device. <see cref="EmulatedDevice.DmaRead"/> does the same without looking for the device.</summary>
    /// <param name="deviceId">The device's id.</param>
    /// <param name="iova">The first IOVA.</param>
    /// <param name="destination">Receives the bytes. After a fault it holds those before the page at fault.</param>
    /// <returns><see langword="false"/> if a page was refused; the fault is recorded.</returns>
    public bool DmaRead(int deviceId, Iova iova, Span<byte> destination)
        => Find(deviceId) is { } device ? device.DmaRead(iova, destination) : RefuseUnknown(deviceId, iova, write: false);

    /// <summary>Writes memory as a device. <see cref="EmulatedDevice.DmaWrite"/> does the same without looking for the device.</summary>
    /// <param name="deviceId">The device's id.</param>
    /// <param name="iova">The first IOVA.</param>
    /// <param name="source">The bytes. After a fault those before the page at fault are written.</param>
    /// <returns><see langword="false"/> if a page was refused; the fault is recorded.</returns>
    public bool DmaWrite(int deviceId, Iova iova, ReadOnlySpan<byte> source)
        => Find(deviceId) is { } device ? device.DmaWrite(iova, source) : RefuseUnknown(deviceId, iova, write: true);

    /// <summary>Takes the faults that nobody has taken yet, the oldest first.</summary>
    /// <returns>The faults; the log is empty afterwards.</returns>
    public IReadOnlyList<IommuFault> TakeFaults() => Faults.Take();

    /// <summary>Detaches every device, and waits for DMA in flight. Afterwards the memory may be disposed.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (int deviceId in _devices.Keys)
            {
                Detach(deviceId);
            }
        }
    }

    private EmulatedDevice? Find(int deviceId)
        => Volatile.Read(ref _devices).TryGetValue(deviceId, out EmulatedDevice? device) ? device : null;

    private bool RefuseUnknown(int deviceId, Iova iova, bool write)
    {
        Faults.Record(new IommuFault { DeviceId = deviceId, Iova = iova, IsWrite = write, Reason = IommuFaultReason.NotAttached, Level = -1 });
        return false;
    }

    private EmulatedDevice Attach(
        int deviceId, TranslationContext context, object key, HardwareWalker walker, int addressBits, Func<PageTableRoot> root)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        EmulatedDevice? device = Find(deviceId);
        if (device is { IsAttached: true })
        {
            throw new InvalidOperationException($"Device {deviceId} is attached already; detach it first.");
        }

        if (!context.HasDevices)
        {
            context.Bind(key, walker, addressBits, root);
        }

        if (device is null)
        {
            device = new EmulatedDevice(this, deviceId, _options);
            Volatile.Write(ref _devices, new Dictionary<int, EmulatedDevice>(_devices) { [deviceId] = device });
        }

        // Known to the invalidations before the first translation can be cached.
        context.Add(device);
        device.Context = context;
        return device;
    }

    private readonly struct WalkerOfDomain(EmulationHooks? hooks) : IDomainVisitor<HardwareWalker>
    {
        public HardwareWalker Visit<TFormat>(IommuDomain domain)
            where TFormat : struct, IPageTableFormat
            => HardwareWalker.Of<TFormat>(hooks);
    }
}
