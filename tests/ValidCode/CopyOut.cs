// Plain values copied out of a section, while the protected ones stay in it.
using IommuRcu;
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class CopyOut(Page first)
{
    [RcuProtected] private Page? _head = first;

    public int Value
    {
        get
        {
            using (Rcu.ReadLock())
            {
                Page? head = Rcu.Dereference(ref _head);
                return head == null ? 0 : head.Value;
            }
        }
    }

    public bool TryRead(out int value)
    {
        using RcuReadScope section = Rcu.ReadLock();
        if (Rcu.Dereference(ref _head) is not { } head)
        {
            value = 0;
            return false;
        }

        value = head.Value;
        return true;
    }

    [RequiresReadLock]
    [return: RcuProtected]
    public Page? Head() => Rcu.Dereference(ref _head);

    public int Depth()
    {
        int depth = 0;
        using (Rcu.ReadLock())
        {
            for (Page? page = Head(); page != null; page = page.Child)
            {
                depth++;
            }
        }

        return depth;
    }
}
