// Gathers: with using, by reference, synced twice in one loop, and on an error path.
using IommuRcu;

namespace ValidCode;

internal sealed class Gathers(IommuDomain domain)
{
    public ulong WithUsing(Iova iova)
    {
        using var gather = new IotlbGather(domain);
        return gather.Unmap(iova, 4096);
    }

    public ulong ByReference(Iova iova)
    {
        var gather = new IotlbGather(domain);
        try
        {
            return domain.Unmap(iova, 4096, ref gather) + Add(ref gather, new Iova(iova.Value + 4096));
        }
        finally
        {
            gather.Dispose();
        }
    }

    public void Synced(Iova iova)
    {
        var gather = new IotlbGather(domain);
        try
        {
            gather.AddRange(iova, 4096);
            gather.Sync();
        }
        finally
        {
            gather.Dispose();
        }
    }

    private ulong Add(ref IotlbGather gather, Iova iova) => domain.Unmap(iova, 4096, ref gather);
}
