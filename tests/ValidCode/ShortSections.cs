// Sections that end soon and allocate nothing, opened in every turn of loops that do not.
using IommuRcu;
using ValidCode.World;

namespace ValidCode;

internal sealed class ShortSections(Table table, SleepableRcu sleepable)
{
    private bool _stop;

    public void Stop() => Volatile.Write(ref _stop, true);

    public void Serve()
    {
        while (true)
        {
            using (table.Epoch.Open())
            {
                if (table.Walk(0) < 0)
                {
                    return;
                }
            }

            while (!Volatile.Read(ref _stop))
            {
                Thread.Yield();
            }
        }
    }

    public int First(int limit)
    {
        using (table.Epoch.Open())
        {
            int index = 0;
            while (true)
            {
                if (table.Walk(index) > limit)
                {
                    return index;
                }

                index++;
            }
        }
    }

    public string Describe(int count)
    {
        var found = new List<int>(count);
        Span<int> last = stackalloc int[1];
        using (table.Epoch.Open())
        {
            for (int i = 0; i < count; i++)
            {
                last[0] = table.Walk(i);
                found.Add(last[0]);
            }
        }

        return $"{found.Count} of {count}";
    }

    public List<int> MaySleep()
    {
        using (sleepable.ReadLock())
        {
            return [1, 2, 3];
        }
    }
}
