// RCU whose sections may await: a domain of its own for each user (the kernel's SRCU).
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>Read-copy-update whose read-side sections may await and move between threads. Each instance is a domain of its own.</summary>
/// <remarks>
/// The invariant is that of <see cref="Rcu"/>, for the sections of one instance: a section of one protects nothing of another, and a slow reader of one
/// delays no other. A section costs a few locked instructions, so prefer <see cref="Rcu"/> where nothing awaits. All members may be called by any
/// thread; <see cref="Dispose"/> once, when no section is opened any more.
/// </remarks>
public sealed unsafe partial class SleepableRcu : IDisposable
{
    private readonly SleepableReaders _readers;
    private readonly SleepableCallbacks _callbacks;
    private readonly AsyncLocal<SleepableSection?>? _flow;
    private volatile bool _disposed;

    /// <summary>Makes a domain with no readers.</summary>
    /// <param name="name">Its name in reports.</param>
    /// <param name="tracksSections">
    /// Whether sections are known to the asynchronous flow they were opened in, so that waiting inside one throws instead of hanging; costs
    /// about 150 bytes of managed memory a section. Without it <see cref="ReadLock"/> allocates nothing.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    public SleepableRcu(string name = nameof(SleepableRcu), bool tracksSections = true)
    {
        ArgumentNullException.ThrowIfNull(name);
        ProcessWideBarrier.Require();
        Name = name;
        _readers = new SleepableReaders(name);
        _callbacks = new SleepableCallbacks(_readers);
        if (tracksSections)
        {
            _flow = new AsyncLocal<SleepableSection?>(SleepableSection.NoteContextChange);
        }
    }

    /// <summary>Gets the name of the domain in reports.</summary>
    public string Name { get; }

    /// <summary>Gets whether the asynchronous flow of the caller, or one that started it, is inside a section of this domain.</summary>
    /// <remarks>Where sections are not tracked: whether any section is open at all.</remarks>
    [AssertsReadLock]
    public bool IsReadLockHeld => _flow == null ? _readers.AnyOpen : SleepableSection.InnermostOpen(_flow.Value) != null;

    /// <summary>Opens a section. Never blocks; nests.</summary>
    /// <returns>The section; dispose it once, on any thread.</returns>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [AcquiresReadLock(Sleepable = true)]
    public SleepableReadScope ReadLock()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int cell = _readers.Open(out ulong generation);
        if (_flow != null)
        {
            var section = new SleepableSection(_flow.Value);
            _readers.InfoOf(cell).Section = section;
            _flow.Value = section;
        }

        return new SleepableReadScope(this, cell, generation);
    }

    /// <summary>Throws unless the caller's flow is inside a section of this domain.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    [AssertsReadLock]
    public void AssertReadLockHeld()
    {
        if (!IsReadLockHeld)
        {
            throw new InvalidOperationException($"No read-side section of {Name} is open here. Open one with its ReadLock().");
        }
    }

    /// <summary>Waits until every open section has closed and every queued callback has run. No section may be opened afterwards.</summary>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    [WaitsForGracePeriod]
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        ThrowIfMayNotWait();
        _disposed = true;
        _readers.WaitFor(_readers.NextTarget(), default, expedited: false);
        _callbacks.Retire();
    }

    internal void Close(int cell, ulong generation)
    {
        // Taken out before the cell can belong to somebody else; a scope that is stale changes nothing.
        SleepableSection? section = _readers.InfoOf(cell).Section;
        if (!_readers.TryClose(cell, generation))
        {
            throw new InvalidOperationException($"This section of {Name} was closed before.");
        }

        if (section != null)
        {
            section.IsOpen = false;
            if (_flow!.Value is { IsOpen: false } innermost)
            {
                _flow.Value = SleepableSection.InnermostOpen(innermost);
            }
        }
    }
}
