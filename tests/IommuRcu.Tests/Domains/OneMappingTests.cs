// What a look-up or a walk reports is one mapping that was there: never parts of two, whatever comes in between.
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed class OneMappingTests
{
    private const ulong Run = 0x1_0000;
    private const ulong Page = 0x1000;
    private static readonly PhysicalAddress _before = new(0x7_0000);
    private static readonly PhysicalAddress _after = new(0x123_4000);

    [Fact]
    public void RiscVRunReplacedMeanwhile_IsReportedAsOneOfTheTwo() => RunReplacedMeanwhile<RiscVFirstStageFormat>(39);

    [Fact]
    public void ArmRunReplacedMeanwhile_IsReportedAsOneOfTheTwo() => RunReplacedMeanwhile<ArmStage1Format<ArmGranule4K>>(39);

    [Fact]
    public void AmdRunReplacedMeanwhile_IsReportedAsOneOfTheTwo() => RunReplacedMeanwhile<AmdV1Format>(39);

    /// <summary>A run of 64 KiB, read-only, gives way to pages of 4 KiB elsewhere, dirty, at every point of a walk and a look-up in the middle of it.</summary>
    private static void RunReplacedMeanwhile<TFormat>(int addressBits)
        where TFormat : struct, IPageTableFormat
    {
        int points = 0;
        bool interrupted = true;
        for (int at = 0; interrupted; at++)
        {
            foreach (ulong from in new[] { Run, Run + 0x5000, Run + 0xF000 })
            {
                using var tested = new FormatDomain<HookedFormat<TFormat>>(addressBits, memory: 1 << 20, pageSizes: Page | Run);
                tested.Domain.Map(new Iova(Run), _before, Run, IommuAccess.Read);
                interrupted = false;
                Action replace = () =>
                {
                    interrupted = true;
                    tested.Domain.Unmap(new Iova(Run), Run);
                    tested.Domain.Map(new Iova(Run), _after, Run - Page, IommuAccess.Read | IommuAccess.Write);
                    tested.Write(Run);
                };
                var met = new List<PageTableLeaf>();
                using (Rcu.ReadLock())
                {
                    using (FormatHook.SetAt(at, replace))
                    {
                        PageTableWalk walk = tested.Domain.Walk(new Iova(from), Page);
                        while (walk.MoveNext())
                        {
                            met.Add(walk.Current);
                        }
                    }
                }

                Assert.All(met, leaf => AssertIsOne(leaf.Iova.Value, leaf.Address, leaf.Size, leaf.Access, leaf.IsDirty));
                points += interrupted ? 1 : 0;
            }

            using (var tested = new FormatDomain<HookedFormat<TFormat>>(addressBits, memory: 1 << 20, pageSizes: Page | Run))
            {
                tested.Domain.Map(new Iova(Run), _before, Run, IommuAccess.Read);
                using (FormatHook.SetAt(at, () =>
                    {
                        interrupted = true;
                        tested.Domain.Unmap(new Iova(Run), Run);
                        tested.Domain.Map(new Iova(Run), _after, Run - Page, IommuAccess.Read | IommuAccess.Write);
                    }))
                {
                    ulong iova = Run + 0x5123;
                    if (tested.Domain.TryTranslate(new Iova(iova), out Translation found))
                    {
                        ulong offset = iova & (found.PageSize - 1);
                        AssertIsOne(iova - offset, new PhysicalAddress(found.Address.Value - offset), found.PageSize, found.Access, isDirty: null);
                    }
                }
            }
        }

        Assert.True(points > 10);
    }

    private static void AssertIsOne(ulong iova, PhysicalAddress address, ulong size, IommuAccess access, bool? isDirty)
    {
        if (size == Run)
        {
            Assert.Equal((Run, _before, IommuAccess.Read), (iova, address, access));
            Assert.NotEqual(true, isDirty);
        }
        else
        {
            Assert.Equal((Page, _after + (iova - Run), IommuAccess.Read | IommuAccess.Write), (size, address, access));
        }
    }
}
