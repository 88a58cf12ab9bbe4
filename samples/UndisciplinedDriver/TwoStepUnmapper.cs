// IRCU046: goes on with a gather that it has disposed of, so that nothing flushes the second range.
using IommuRcu;

namespace UndisciplinedDriver.TwoStepUnmappers;

class Unmapper(IommuDomain domain)
{
    public void Unmap(Iova first, Iova second)
    {
        var gather = new IotlbGather(domain);
        try
        {
            gather.Unmap(first, 4096);
        }
        finally
        {
            gather.Dispose();
        }

        gather.Unmap(second, 4096);
    }
}
