// IRCU005: uses what it read after the section has closed.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.NodeReaders;

class Node { public int Value = 1; }

class Cache
{
    [RcuProtected] private Node? _head = new();

    public int Read()
    {
        Node? node;
        using (Rcu.ReadLock())
        {
            node = Rcu.Dereference(ref _head);
        }

        return node!.Value;
    }
}
