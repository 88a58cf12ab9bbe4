// IRCU041: retires a page that devices still reach through the IOTLB.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace UndisciplinedDriver.TableRetirers;

[TableGather]
class Gather
{
    public void Add([Gathers] TablePage page) { }
    [FlushesIotlb] public void Flush() { }
}

class Teardown(Gather gather)
{
    public static void Retire([Retires] TablePage page) { }

    public void Remove(TablePage page)
    {
        gather.Add(page);
        Retire(page);
    }
}
