// IRCU048: gives a page to another pool than the one it came from.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.ScratchTable;

class Page { }

class Pool
{
    [return: Unpublished]
    public Page Allocate() => new();

    public void Free([Frees] Page page) => GC.KeepAlive(page);
}

class ScratchTables
{
    private readonly Pool _roots = new();
    private readonly Pool _leaves = new();

    public void Probe()
    {
        Page page = _roots.Allocate();
        _leaves.Free(page);
    }
}
