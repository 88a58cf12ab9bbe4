// IRCU034: copies a gather, so that two lists believe they own its pages.
using IommuRcu;

namespace UndisciplinedDriver.RangeUnmappers;

class Unmapper(IommuDomain domain)
{
    public void Unmap(Iova iova)
    {
        var gather = new IotlbGather(domain);
        try
        {
            Add(gather, iova);
        }
        finally
        {
            gather.Dispose();
        }
    }

    private static void Add(IotlbGather gather, Iova iova) => gather.AddRange(iova, 4096);
}
