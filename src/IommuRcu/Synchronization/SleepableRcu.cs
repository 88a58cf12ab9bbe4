// RCU whose sections may await: a domain of its own for each user (the kernel's SRCU).
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>Read-copy-update whose read-side sections may await and move between threads. Each instance is a domain of its own.</summary>
/// <remarks>
/// The invariant is that of <see cref="Rcu"/>, for the sections of one instance: a section of one protects nothing of another, and a slow reader of one
/// delays no other. A section costs a few locked instructions, so prefer <see cref="Rcu"/> where nothing awaits. All members may be called by any
/// thread, <see cref="Dispose"/> too.
/// </remarks>
public sealed unsafe partial class SleepableRcu : IDisposable
{
    private readonly SleepableReaders _readers;
    private readonly SleepableCallbacks _callbacks;
    private readonly AsyncLocal<SleepableSection?>? _flow;
    private readonly object _disposing = new();
    private volatile bool _disposed;
    private bool _gone;

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

    /// <summary>Sections that the caller's flow remembers, closed ones counted.</summary>
    internal int Remembered => SleepableSection.Length(_flow?.Value);

    internal SleepableReaders Readers => _readers;

    /// <summary>Opens a section. Never blocks; nests.</summary>
    /// <returns>The section; dispose it once, on any thread.</returns>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [AcquiresReadLock(Sleepable = true)]
    public SleepableReadScope ReadLock()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        SleepableSection? section = _flow == null ? null : new SleepableSection(SleepableSection.InnermostOpen(_flow.Value));
        int cell = _readers.Open(section, out ulong generation);
        try
        {
            // The section is announced. Either Dispose waits for it, or the process-wide barrier of its grace period came before, and this read sees it.
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (section != null)
            {
                _flow!.Value = section;
            }
        }
        catch
        {
            Close(cell, generation);
            throw;
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

    /// <summary>Waits until every open section has closed and every queued callback has run. Nothing can be opened or queued afterwards.</summary>
    /// <remarks>
    /// May be called more than once, and by several threads: each call returns when all is done. What another thread does meanwhile either throws
    /// <see cref="ObjectDisposedException"/> or is done as ever: a section is waited for, a callback runs.
    /// </remarks>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted. Nothing can be opened any more; another call goes on waiting.</exception>
    [WaitsForGracePeriod]
    public void Dispose()
    {
        if (Volatile.Read(ref _gone))
        {
            return;
        }

        ThrowIfInside();
        lock (_disposing)
        {
            if (_gone)
            {
                return;
            }

            _disposed = true;
            _readers.WaitFor(_readers.NextTarget(), default, expedited: false);
            if (_callbacks.IsRegistered)
            {
                _callbacks.Retire();
            }

            Volatile.Write(ref _gone, true);
        }
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
