// IRCU045: loses a gather on some path, with the pages on it.
using IommuRcu;

namespace UndisciplinedDriver.BatchUnmappers;

class Unmapper(IommuDomain domain)
{
    public ulong Unmap(Iova iova, bool flush)
    {
        var gather = new IotlbGather(domain);
        ulong size = gather.Unmap(iova, 4096);
        if (flush)
        {
            gather.Sync();
        }

        return size;
    }
}
