// Iterators that open their sections between the yields.
using ValidCode.World;

namespace ValidCode;

internal sealed class Iterators(Table table)
{
    public IEnumerable<int> Values()
    {
        for (int i = 0; i < table.Length; i++)
        {
            int value;
            using (table.Epoch.Open())
            {
                value = table.Walk(i);
            }

            yield return value;
        }
    }

    public async IAsyncEnumerable<int> ValuesAsync()
    {
        for (int i = 0; i < table.Length; i++)
        {
            yield return ValueAt(i);
            await Task.Yield();
        }
    }

    private int ValueAt(int index)
    {
        using EpochGuard guard = table.Epoch.Open();
        return table.Walk(index);
    }
}
