// IRCU042: retires a page that new readers still find.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace UndisciplinedDriver.SlotReplacers;

class Slots
{
    public static void Link([Publishes] TablePage page) { }
    public static void Unlink([Unlinks] TablePage page) { }
    public static void Retire([Retires] TablePage page) { }

    public void Replace(PageAllocator allocator)
    {
        TablePage page = allocator.Allocate();
        Link(page);
        Retire(page);
    }
}
