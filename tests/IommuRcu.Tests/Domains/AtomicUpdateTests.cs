// A device that writes at any point of an operation on its page: that the page is dirty is never lost.
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed unsafe class AtomicUpdateTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
    private const ulong Large = 0x20_0000;
    private const ulong Base = 2 * Large;
    private const ulong Written = Base + 0x5000;

    public static TheoryData<string> Operations =>
    [
        "protect", "protect the same", "split", "split into runs", "merge", "merge runs", "read dirty", "read dirty of a part", "harvest", "harvest a large page", "harvest whole tables",
    ];

    [Theory]
    [MemberData(nameof(Operations))]
    public void WriteAtAnyPoint_IsReportedOrStaysToBeReported(string operation)
    {
        RunAll<VtdSecondStageFormat>(operation);
        RunAll<AmdV1Format>(operation);
        RunAll<X86FirstStageFormat>(operation, addressBits: 48);
        RunAll<ArmStage1Format<ArmGranule4K>>(operation);
        RunAll<ArmStage2Format<ArmGranule4K>>(operation);
        RunAll<RiscVFirstStageFormat>(operation);
    }

    private static void RunAll<TFormat>(string operation, int addressBits = 39)
        where TFormat : struct, IPageTableFormat
    {
        int written = 0;
        bool interrupted = true;
        for (int at = 0; interrupted; at++)
        {
            interrupted = false;
            using var tested = new FormatDomain<HookedFormat<TFormat>>(addressBits, memory: 1 << 20, replacesWithoutBreak: true);
            IommuDomain domain = tested.Domain;
            bool isLarge = operation is "split" or "split into runs" or "harvest a large page";
            domain.Map(new Iova(Base), new PhysicalAddress(Base), Large, ReadWrite);
            if (!isLarge)
            {
                ulong run = operation == "merge runs" && (domain.PageSizes & 0x1_0000) != 0 ? 0x1_0000u : 0x1000u;
                Assert.Equal(1, domain.Split(new Iova(Base), Large, run));
            }

            var found = new DirtyBitmap(new Iova(Base), Large);
            domain.ReadDirty(new Iova(Base), Large, new DirtyBitmap(new Iova(Base), Large), DirtyReadMode.ReadAndClear); // some formats start dirty
            bool wrote = false;
            using (FormatHook.SetAt(at, () =>
                {
                    interrupted = true;
                    wrote = TryWrite(tested);
                }))
            {
                Do(domain, operation, found);
            }

            if (wrote)
            {
                written++;
                domain.ReadDirty(new Iova(Base), Large, found, DirtyReadMode.Peek);
                Assert.True(found[new Iova(Written)], $"{TFormat.Name}: written at question {at}, and nobody says so.");
            }
            else
            {
                Assert.True(found.IsEmpty);
            }
        }

        Assert.True(written > 2);
    }

    private static void Do(IommuDomain domain, string operation, DirtyBitmap found)
    {
        switch (operation)
        {
            case "protect":
                // To what still lets the state be seen.
                domain.Protect(new Iova(Base), Large, ReadWrite);
                break;
            case "protect the same":
                domain.Protect(new Iova(Written), 0x1000, ReadWrite);
                break;
            case "split":
                Assert.Equal(1, domain.Split(new Iova(Base), Large, 0x1000));
                break;
            case "split into runs":
                Assert.Equal(1, domain.Split(new Iova(Base), Large, (domain.PageSizes & 0x1_0000) != 0 ? 0x1_0000u : 0x1000u));
                break;
            case "merge" or "merge runs":
                Assert.True(domain.TryMerge(new Iova(Base), Large));
                break;
            case "read dirty":
                domain.ReadDirty(new Iova(Base), Large, found, DirtyReadMode.ReadAndClear);
                break;
            case "read dirty of a part":
                domain.ReadDirty(new Iova(Written), 0x1000, found, DirtyReadMode.ReadAndClear);
                break;
            case "harvest":
                Assert.Equal(0x2000UL, domain.Unmap(new Iova(Written), 0x2000, found));
                break;
            case "harvest a large page":
                Assert.Equal(Large, domain.Unmap(new Iova(Base), Large, found));
                break;
            default:
                Assert.Equal(Large, domain.Unmap(new Iova(0), 1UL << 30, found));
                break;
        }
    }

    [Fact]
    public void WriteToATableThatWasMerged_BeforeTheFlush_DirtiesThePage()
    {
        WriteBeforeTheMergesFlush<VtdSecondStageFormat>();
        WriteBeforeTheMergesFlush<AmdV1Format>();
        WriteBeforeTheMergesFlush<ArmStage1Format<ArmGranule4K>>();
        WriteBeforeTheMergesFlush<RiscVSecondStageFormat>(addressBits: 41);
    }

    private static void WriteBeforeTheMergesFlush<TFormat>(int addressBits = 39)
        where TFormat : struct, IPageTableFormat
    {
        using var tested = new FormatDomain<TFormat>(addressBits, memory: 1 << 20, replacesWithoutBreak: true);
        tested.Domain.Map(new Iova(Base), new PhysicalAddress(Base), Large, ReadWrite);
        tested.Domain.Split(new Iova(Base), Large, 0x1000);
        tested.Domain.ReadDirty(new Iova(Base), Large, new DirtyBitmap(new Iova(Base), Large), DirtyReadMode.ReadAndClear);
        ulong* slot = tested.FindLeaf(Written, out int level);
        Assert.Equal(0, level);
        tested.Invalidator.OnInvalidate = (_, _) =>
        {
            // The device has the table that the page took the place of.
            *slot = TFormat.WithDirty(*slot);
        };
        Assert.True(tested.Domain.TryMerge(new Iova(Base), Large));
        tested.Invalidator.OnInvalidate = null;
        PageTableLeaf page = Assert.Single(tested.Walk());
        Assert.Equal(Large, page.Size);
        Assert.True(page.IsDirty);
    }

    // As a device does that finds the page clean: false where there is no page any more.
    private static bool TryWrite<TFormat>(FormatDomain<HookedFormat<TFormat>> tested)
        where TFormat : struct, IPageTableFormat
    {
        ulong* slot = tested.FindLeaf(Written, out _);
        if (slot == null)
        {
            return false;
        }

        tested.Write(Written);
        return true;
    }
}
