// A protected pointer read once; read again only where the second read stands for itself, or under the writer's lock.
using IommuRcu;
using IommuRcu.Annotations;

namespace ValidCode;

internal sealed class OneSnapshot
{
    private readonly Lock _gate = new();

    [RcuProtected(Lock = nameof(_gate))]
    private Limits? _limits;

    public int Packets()
    {
        using (Rcu.ReadLock())
        {
            return Rcu.Dereference(ref _limits) is { } limits ? limits.Packets + limits.Bytes : 0;
        }
    }

    public int PacketsIfAny()
    {
        if (Rcu.ReadPointer(ref _limits) is null)
        {
            return 0;
        }

        using (Rcu.ReadLock())
        {
            Limits? limits = Rcu.Dereference(ref _limits);
            return limits?.Packets ?? 0;
        }
    }

    public void Raise()
    {
        lock (_gate)
        {
            if (Rcu.DereferenceProtected(ref _limits) != null)
            {
                Rcu.Assign(ref _limits, new Limits(Rcu.DereferenceProtected(ref _limits)!.Packets + 1, 0));
            }
        }
    }

    private sealed record Limits(int Packets, int Bytes);
}
