// IRCU044: uses a page after it was freed.
using IommuRcu.Memory;

namespace UndisciplinedDriver.PageMeasurers;

class Pool(PageAllocator allocator)
{
    public ulong Drop()
    {
        TablePage page = allocator.Allocate();
        allocator.Free(page);
        return page.Size;
    }
}
