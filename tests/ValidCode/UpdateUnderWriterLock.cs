// Updates and reads under the writer lock, which needs no section.
using IommuRcu;
using IommuRcu.Annotations;

namespace ValidCode;

internal sealed class UpdateUnderWriterLock
{
    private readonly Lock _lock = new();
    [RcuProtected(Lock = nameof(_lock))] private Settings? _settings;

    public void Grow()
    {
        lock (_lock)
        {
            Settings? old = Rcu.DereferenceProtected(ref _settings);
            Rcu.Assign(ref _settings, new Settings(old == null ? 1 : old.Size * 2));
        }
    }

    public void Shrink()
    {
        using (_lock.EnterScope())
        {
            Rcu.Assign(ref _settings, new Settings(Halved()));
        }
    }

    public void Reset()
    {
        _lock.Enter();
        try
        {
            Clear();
        }
        finally
        {
            _lock.Exit();
        }
    }

    [RequiresReadLock(Or = nameof(_lock))]
    private int Halved() => Rcu.DereferenceProtected(ref _settings) is { } settings ? settings.Size / 2 : 1;

    [RequiresWriterLock(Lock = nameof(_lock))]
    private void Clear() => Rcu.Assign(ref _settings, null);

    private sealed record Settings(int Size);
}
