// A subtree not yet linked is freed directly on an error path.
using ValidCode.World;

namespace ValidCode;

internal sealed class PrivateSubtree(Table table, Pool pool)
{
    public void Build(int index, Action<Page> fill)
    {
        Page parent = pool.Allocate();
        Page child = pool.Allocate();
        try
        {
            fill(child);
            parent.Child = child;
        }
        catch
        {
            pool.Free(child);
            pool.Free(parent);
            throw;
        }

        table.Link(index, parent);
    }

    public bool TryBuild(int index, int value)
    {
        Page page = pool.Allocate();
        if (value < 0)
        {
            pool.Free(page);
            return false;
        }

        page.Value = value;
        table.Link(index, page);
        return true;
    }
}
