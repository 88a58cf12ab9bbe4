// A section that a callee drops and takes again: what was read before is read anew.
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class CalleeRetakes(Table table)
{
    public int Scan()
    {
        using EpochGuard guard = table.Epoch.Open();
        int sum = 0;
        Page? page = table.Find(0);
        for (int i = 1; page != null && i < table.Length; i++)
        {
            sum += page.Value;
            if (i % 4 == 0)
            {
                table.Epoch.Refresh();
            }

            page = table.Find(i);
        }

        return sum;
    }

    [RequiresReadLock(DomainType = typeof(Epoch))]
    public int Twice()
    {
        int sum = table.Find(0)?.Value ?? 0;
        table.Epoch.Refresh();
        return sum + (table.Find(0)?.Value ?? 0);
    }
}
