// Delegates from elsewhere: run behind the section, or inside it where a contract says so.
using IommuRcu;
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class DelegatesOfOthers(Table table, SleepableRcu sleepable)
{
    private static readonly Func<int, int> _twice = static value => 2 * value;

    public event Action<int>? Found;

    [RequiresReadLock]
    public delegate bool Filter(int value);

    public void Behind(Action<int> visit)
    {
        int found;
        using (table.Epoch.Open())
        {
            found = table.Walk(0);
        }

        visit(found);
        Found?.Invoke(found);
    }

    public int Inside([RunsSynchronously] Func<int, int> select, Filter filter)
    {
        using (table.Epoch.Open())
        {
            int found = table.Walk(0);
            return filter(found) ? select(found) : _twice(found);
        }
    }

    public void MaySleep(Action visit)
    {
        using (sleepable.ReadLock())
        {
            visit();
        }
    }
}
