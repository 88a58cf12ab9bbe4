// One grace period for all that a loop unlinks; and loops that have to wait in every turn.
using IommuRcu;
using ValidCode.World;

namespace ValidCode;

internal sealed class OneWaitForMany(Table table, Pool pool)
{
    public void Clear(int count)
    {
        var removed = new Page?[count];
        for (int i = 0; i < count; i++)
        {
            removed[i] = table.Unlink(i);
        }

        Rcu.Synchronize();
        foreach (Page? page in removed)
        {
            pool.Free(page);
        }
    }

    public void Serve(IEnumerable<int> requests)
    {
        foreach (int index in requests)
        {
            Page? page = table.Unlink(index);
            Rcu.Synchronize();
            pool.Free(page);
        }
    }

    public static bool Retry(Func<bool> attempt, int times)
    {
        for (int i = 0; i < times; i++)
        {
            if (attempt())
            {
                return true;
            }

            Rcu.Synchronize();
        }

        return false;
    }

    public static void DrainEach(IReadOnlyList<SleepableRcu> domains)
    {
        foreach (SleepableRcu domain in domains)
        {
            domain.Synchronize();
        }
    }
}
