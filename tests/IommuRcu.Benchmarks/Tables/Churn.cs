// Tables that come and go: a leaf table filled and emptied in one call each, and one page mapped and unmapped alone in its table.
using System.Diagnostics;
using IommuRcu.Benchmarks.Measuring;

namespace IommuRcu.Benchmarks.Tables;

/// <summary>
/// Results: mapping then unmapping 512 x 4 KiB, whose leaf table is allocated, gathered, retired and freed by RCU (callbacks run included);
/// mapping then unmapping the only page of a table. Nanoseconds a pair.
/// </summary>
internal sealed class Churn(TableSetup setup) : Contender("churn")
{
    private const int Tables = 500;
    private const int Pairs = 5000;
    private readonly Iova _start = new(30 * TableSetup.Gigabyte);
    private readonly Iova _alone = new(32 * TableSetup.Gigabyte);

    public override int Results => 2;

    public override void Round(Span<double> ns)
    {
        long start = Stopwatch.GetTimestamp();
        FillAndEmpty(setup.Domain);
        Rcu.Barrier();
        ns[0] = Since(start, Tables);
        start = Stopwatch.GetTimestamp();
        PingPong(setup.Domain);
        ns[1] = Since(start, Pairs);
    }

    private void FillAndEmpty(IommuDomain domain)
    {
        for (int i = 0; i < Tables; i++)
        {
            domain.Map(_start, TableSetup.OddAddress, TableSetup.LargePage, IommuAccess.Read | IommuAccess.Write);
            var gather = new IotlbGather(domain);
            domain.Unmap(_start, TableSetup.LargePage, ref gather);
            gather.Sync();
        }
    }

    private void PingPong(IommuDomain domain)
    {
        for (int i = 0; i < Pairs; i++)
        {
            domain.Map(_alone, TableSetup.OddAddress, TableSetup.Page, IommuAccess.Read | IommuAccess.Write);
            var gather = new IotlbGather(domain);
            domain.Unmap(_alone, TableSetup.Page, ref gather);
            gather.Sync();
        }
    }
}
