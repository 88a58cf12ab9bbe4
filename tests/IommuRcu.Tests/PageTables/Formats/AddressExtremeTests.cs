// The ends of what can be addressed, in every format: first and last page of the aperture, the end of the 64 bits, the highest physical address.
namespace IommuRcu.Tests.PageTables.Formats;

public sealed class AddressExtremeTests
{
    private const IommuAccess Access = IommuAccess.Read | IommuAccess.Write;

    [Fact]
    public void VtdSecondStage_MapsTheEnds()
    {
        MapTheEnds<VtdSecondStageFormat>(39);
        MapTheEnds<VtdSecondStageFormat>(48);
        MapTheEnds<VtdSecondStageFormat>(57);
    }

    [Fact]
    public void AmdV1_MapsTheEnds()
    {
        MapTheEnds<AmdV1Format>(39);
        MapTheEnds<AmdV1Format>(57);
        MapTheEnds<AmdV1Format>(64);
    }

    [Fact]
    public void X86FirstStage_MapsTheEnds()
    {
        MapTheEnds<X86FirstStageFormat>(48);
        MapTheEnds<X86FirstStageFormat>(57);
    }

    [Fact]
    public void ArmStage1_MapsTheEnds()
    {
        MapTheEnds<ArmStage1Format<ArmGranule4K>>(25);
        MapTheEnds<ArmStage1Format<ArmGranule4K>>(48);
        MapTheEnds<ArmStage1Format<ArmGranule16K>>(25); // one level
        MapTheEnds<ArmStage1Format<ArmGranule16K>>(48);
        MapTheEnds<ArmStage1Format<ArmGranule64K>>(29);
        MapTheEnds<ArmStage1Format<ArmGranule64K>>(48);
    }

    [Fact]
    public void ArmStage2_MapsTheEnds()
    {
        MapTheEnds<ArmStage2Format<ArmGranule4K>>(34); // 16 tables side by side
        MapTheEnds<ArmStage2Format<ArmGranule4K>>(44);
        MapTheEnds<ArmStage2Format<ArmGranule16K>>(48);
        MapTheEnds<ArmStage2Format<ArmGranule64K>>(46);
    }

    [Fact]
    public void RiscV_MapsTheEnds()
    {
        MapTheEnds<RiscVFirstStageFormat>(39);
        MapTheEnds<RiscVFirstStageFormat>(57);
        MapTheEnds<RiscVSecondStageFormat>(41);
        MapTheEnds<RiscVSecondStageFormat>(59);
    }

    private static void MapTheEnds<TFormat>(int addressBits)
        where TFormat : struct, IPageTableFormat
    {
        using var tested = new FormatDomain<TFormat>(addressBits);
        ulong granule = 1UL << TFormat.GranuleLog2;
        ulong highest = (1UL << TFormat.PhysicalAddressBits) - granule;
        ulong[] pages =
        [
            tested.Halves[0].First,
            tested.Halves[0].First + (tested.Halves[0].Size - granule),
            tested.Halves[1].First,
            tested.Halves[1].First + (tested.Halves[1].Size - granule),
        ];
        ulong address = highest;
        foreach (ulong page in pages)
        {
            tested.Domain.Map(new Iova(page), new PhysicalAddress(address), granule, Access);
            address -= granule;
        }

        address = highest;
        foreach (ulong page in pages)
        {
            Assert.True(tested.Domain.TryTranslate(new Iova(page + (granule - 1)), out Translation translation));
            Assert.Equal(new PhysicalAddress(address + (granule - 1)), translation.Address);
            address -= granule;
        }

        Assert.Equal(pages, tested.Walk().Select(leaf => leaf.Iova.Value));

        // One past the end of each half is not mapped, or not an address of the aperture at all.
        Assert.False(tested.Domain.TryTranslate(new Iova(pages[0] + granule), out _));
        if (addressBits < 64)
        {
            ulong outside = TFormat.SignExtended ? pages[1] + granule : pages[3] + granule;
            Assert.False(tested.Domain.TryTranslate(new Iova(outside), out _));
            AssertOutside(tested.Domain, outside, granule);
            AssertOutside(tested.Domain, TFormat.SignExtended ? pages[1] : pages[3], 2 * granule);
        }
        else
        {
            AssertOutside(tested.Domain, pages[3], 2 * granule);
        }

        Assert.ThrowsAny<ArgumentException>(
            () => tested.Domain.Map(new Iova(pages[0] + granule), new PhysicalAddress(highest + granule), granule, Access));
        Assert.ThrowsAny<ArgumentException>(
            () => tested.Domain.Map(new Iova(pages[0] + granule), new PhysicalAddress(highest), 2 * granule, Access));

        foreach (ulong page in pages)
        {
            Assert.Equal(granule, tested.Domain.Unmap(new Iova(page), granule));
        }

        Assert.Empty(tested.Walk());
    }

    private static void AssertOutside(IommuDomain domain, ulong iova, ulong size)
    {
        Assert.ThrowsAny<ArgumentException>(() => domain.Map(new Iova(iova), new PhysicalAddress(0), size, Access));
        Assert.ThrowsAny<ArgumentException>(() => domain.Unmap(new Iova(iova), size));
        Assert.ThrowsAny<ArgumentException>(() => WalkAny(domain, iova, size));
    }

    private static void WalkAny(IommuDomain domain, ulong iova, ulong size)
    {
        using (Rcu.ReadLock())
        {
            foreach (PageTableLeaf _ in domain.Walk(new Iova(iova), size))
            {
            }
        }
    }
}
