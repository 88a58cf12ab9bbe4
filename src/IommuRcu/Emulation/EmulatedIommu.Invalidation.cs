// Invalidations: sweep the caches, then wait for what is in flight.
namespace IommuRcu.Emulation;

public sealed partial class EmulatedIommu
{
    /// <summary>Invalidates a range in what every device has cached, and returns when every walk and DMA that began before is done.</summary>
    /// <param name="range">The range.</param>
    /// <param name="tablesFreed">Whether cached addresses of tables that cover the range are removed too.</param>
    public void Invalidate(IovaRange range, bool tablesFreed)
    {
        SweepAllContexts(range, tablesFreed);
        Drain();
    }

    /// <summary>Re-points the domain that uses the IOMMU itself as its invalidator to a new root, and returns when no device starts from the old one.</summary>
    /// <param name="root">The new root.</param>
    /// <exception cref="InvalidOperationException">Several domains use the IOMMU itself; each needs an invalidator of its own.</exception>
    public void RootChanged(PageTableRoot root)
    {
        TranslationContext? only = null;
        foreach (TranslationContext context in Volatile.Read(ref _contexts))
        {
            if (!context.IsShared)
            {
                continue;
            }

            if (only is not null)
            {
                throw new InvalidOperationException("Several domains use the IOMMU itself as invalidator. Give each what CreateInvalidator returns.");
            }

            only = context;
        }

        // Without an attached device there is nothing to re-point: Attach asks the domain for its root.
        only?.RootChanged(root);
    }

    /// <summary>The first half of an invalidation.</summary>
    internal void SweepAllContexts(IovaRange range, bool tablesFreed)
    {
        foreach (TranslationContext context in Volatile.Read(ref _contexts))
        {
            context.Sweep(range, tablesFreed);
        }
    }

    /// <summary>The second half of an invalidation: returns when every DMA that was in flight is done.</summary>
    internal void Drain()
    {
        Interlocked.Increment(ref _invalidations);
        if (Hooks is not { SkipsDrain: true })
        {
            Slots.Drain();
        }
    }

    private TranslationContext AddContext(bool shared)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var context = new TranslationContext(this, shared);
            Volatile.Write(ref _contexts, [.. _contexts, context]);
            return context;
        }
    }

    private TranslationContext ContextOf(IommuDomain domain)
    {
        if (domain.Options.Invalidator is TranslationContext own && own.Iommu == this)
        {
            return own.Key is null || own.Key == domain
                ? own
                : throw new InvalidOperationException("Another domain uses this invalidator. Each domain needs one of its own.");
        }

        // The domain calls the IOMMU itself, or something else (a wrapper, or nothing at all): its devices are invalidated with all others.
        foreach (TranslationContext context in _contexts)
        {
            if (context.Key == domain)
            {
                return context;
            }
        }

        return AddContext(shared: true);
    }
}
