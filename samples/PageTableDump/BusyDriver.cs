// A driver that maps and unmaps buffers on its own thread: what the dump must not be disturbed by, and must not disturb.
namespace IommuRcu.Samples.PageTableDump;

internal sealed class BusyDriver : IDisposable
{
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _started = new();
    private volatile bool _stop;
    private long _rounds;

    public BusyDriver(IommuDomain domain)
    {
        _thread = new Thread(() => MapAndUnmap(domain)) { IsBackground = true, Name = "busy driver" };
        _thread.Start();
    }

    public long Rounds => Volatile.Read(ref _rounds);

    public void WaitForFirstRound() => _started.Wait();

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _started.Dispose();
    }

    private void MapAndUnmap(IommuDomain domain)
    {
        // Beside the mappings that stay, in tables of its own and in shared ones.
        ulong granule = 1UL << domain.GranuleLog2;
        for (ulong i = 0; !_stop; i++)
        {
            var buffer = new Iova((96 + (i % 32)) * granule);
            domain.Map(buffer, new PhysicalAddress(0x80_0000), granule, IommuAccess.Read | IommuAccess.Write);
            using (var gather = new IotlbGather(domain))
            {
                gather.Unmap(buffer, granule);
            }

            Volatile.Write(ref _rounds, (long)i + 1);
            _started.Set();
        }
    }
}
