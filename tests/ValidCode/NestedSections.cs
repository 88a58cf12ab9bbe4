// Sections inside sections, of one domain and of several.
using IommuRcu;
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class NestedSections(Table table, SleepableRcu sleepable)
{
    [RcuProtected] private Page? _head = new();

    public int Nested()
    {
        using (table.Epoch.Open())
        {
            int sum = table.Walk(0);
            using (table.Epoch.Open())
            {
                sum += table.Walk(1);
            }

            return sum + table.Walk(2);
        }
    }

    public int Mixed()
    {
        using (sleepable.ReadLock())
        using (Rcu.ReadLock())
        using (table.Epoch.Open())
        {
            return table.Walk(0) + (Rcu.Dereference(ref _head)?.Value ?? 0);
        }
    }

    public void WaitForAnother()
    {
        using (sleepable.ReadLock())
        {
            Rcu.Synchronize();
        }
    }
}
