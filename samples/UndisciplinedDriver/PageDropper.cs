// IRCU043: frees a page twice.
using IommuRcu.Memory;

namespace UndisciplinedDriver.PageDroppers;

class Pool(PageAllocator allocator)
{
    public void Drop()
    {
        TablePage page = allocator.Allocate();
        allocator.Free(page);
        allocator.Free(page);
    }
}
