// IRCU004: keeps what it read beyond the section that protected it.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.LastNodeCaches;

class Node { public int Value = 1; }

class Cache
{
    [RcuProtected] private Node? _head = new();
    private Node? _last;

    public void Remember()
    {
        using (Rcu.ReadLock())
        {
            Node? node = Rcu.Dereference(ref _head);
            _last = node;
        }
    }
}
