// Every page goes back to the pool it came from, and every pool is shut down after the last page was retired through it.
using IommuRcu;
using ValidCode.World;

namespace ValidCode;

internal sealed class PoolsAndTheirEnds(Table table)
{
    private readonly Pool _small = new();
    private readonly Pool _large = new();

    public void Probe(bool large)
    {
        Pool pool = large ? _large : _small;
        pool.Free(pool.Allocate());
    }

    public void Both()
    {
        Page one = _small.Allocate();
        Page two = _large.Allocate();
        _large.Free(two);
        _small.Free(one);
    }

    public static void Lend(Pool from, Pool to)
    {
        // Nothing says that they are two.
        Page page = from.Allocate();
        to.Free(page);
    }

    public void Close(int index)
    {
        Page? page = table.Unlink(index);
        if (page is not null)
        {
            _small.Retire(page);
        }

        Rcu.Barrier();
        _small.Dispose();
    }

    public void Replace(int index, Pool pool)
    {
        Page? page = table.Unlink(index);
        pool.Dispose();
        pool = new Pool();
        if (page is not null)
        {
            pool.Retire(page);
        }

        Rcu.Barrier();
        pool.Dispose();
    }
}
