// Taking a domain down waits for one grace period, whatever its size. In a process of its own, where nobody else asks for one.
using IommuRcu.Memory;
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class DisposeTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Fact]
    public void Dispose_TakesOneGracePeriodHoweverLargeTheDomain()
    {
        string[] lines = ChildProgram.Run(typeof(CountsGracePeriods)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8, lines.Length);
        Assert.All(lines.Where(l => l.StartsWith(nameof(RetireStrategy.CallbackPerList), StringComparison.Ordinal)), l => Assert.EndsWith(": 1, 0 pages left", l));

        // A callback for each of a thousand tables is a backlog, and a backlog begins a grace period while the rest is still queued: one more, however many.
        Assert.All(lines.Where(l => l.StartsWith(nameof(RetireStrategy.CallbackPerPage), StringComparison.Ordinal)), l => Assert.Matches(": [12], 0 pages left$", l));
    }

    internal static class CountsGracePeriods
    {
        public static void Run()
        {
            using PhysicalMemory memory = PhysicalMemory.Allocate(64UL << 20);
            using var allocator = new PageAllocator(memory);
            foreach (RetireStrategy strategy in new[] { RetireStrategy.CallbackPerList, RetireStrategy.CallbackPerPage })
            {
                foreach (ulong pages in new ulong[] { 1, 512, 1000, 500_000 })
                {
                    IommuDomain domain = IommuDomain.Create(
                        PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = allocator, RetireStrategy = strategy });
                    domain.Map(Iova(0), Pa(0x1000), pages << 12, ReadWrite);
                    Rcu.Barrier();
                    ulong before = RcuGracePeriods.Instance.Completed;
                    domain.Dispose();
                    Console.WriteLine($"{strategy}, {pages} pages, grace periods: {RcuGracePeriods.Instance.Completed - before}, {allocator.LivePages} pages left");
                }
            }
        }
    }
}
