// Cleaning a dirty entry against an unmap that comes in between: a store would write the unmapped translation back.
namespace IommuRcu.Tests.PageTables.Formats;

public sealed class CleaningRaceTests
{
    private const ulong Page = 0x20_0000;

    [Fact]
    public unsafe void CleanedByAStore_AnUnmappedPageComesBack()
    {
        using FormatDomain<InterruptedFormat> tested = MapDirtyPage();
        ulong* slot = tested.FindLeaf(Page, out _);
        using (InterruptedFormat.BeforeNextClean(() => tested.Domain.Unmap(new Iova(Page), 0x1000)))
        {
            // What a scan would do that only one writer was thought of.
            ulong entry = Volatile.Read(ref *slot);
            Volatile.Write(ref *slot, InterruptedFormat.WithoutDirty(entry));
        }

        // The caller of Unmap was told that nothing is mapped, and devices go on writing to memory that is somebody else's by now.
        Assert.True(tested.Domain.TryTranslate(new Iova(Page), out _));
        Volatile.Write(ref *slot, 0);
    }

    [Theory]
    [InlineData(0x1000)] // by itself
    [InlineData(0x20_0000)] // with the rest of its table, by vectors
    public void CleanedByReadDirty_AnUnmappedPageStaysUnmapped(ulong size)
    {
        using FormatDomain<InterruptedFormat> tested = MapDirtyPage();
        bool interrupted = false;
        var bitmap = new DirtyBitmap(new Iova(Page), size);
        using (InterruptedFormat.BeforeNextClean(() =>
            {
                interrupted = true;
                Assert.Equal(0x1000UL, tested.Domain.Unmap(new Iova(Page), 0x1000));
            }))
        {
            tested.Domain.ReadDirty(new Iova(Page), size, bitmap, DirtyReadMode.ReadAndClear);
        }

        Assert.True(interrupted);
        Assert.False(tested.Domain.TryTranslate(new Iova(Page), out _));
    }

    [Theory]
    [InlineData(0x1000)] // by itself
    [InlineData(0x20_0000)] // with the rest of its table, by vectors
    public void CleanedByReadDirty_APageMappedAnewKeepsItsOwnState(ulong size)
    {
        using FormatDomain<InterruptedFormat> tested = MapDirtyPage();
        var bitmap = new DirtyBitmap(new Iova(Page), size);
        using (InterruptedFormat.BeforeNextClean(() =>
            {
                tested.Domain.Unmap(new Iova(Page), 0x1000);
                tested.Domain.Map(new Iova(Page), new PhysicalAddress(0x7654_3000), 0x1000, IommuAccess.Read);
            }))
        {
            tested.Domain.ReadDirty(new Iova(Page), size, bitmap, DirtyReadMode.ReadAndClear);
        }

        Assert.True(tested.Domain.TryTranslate(new Iova(Page), out Translation translation));
        Assert.Equal(new PhysicalAddress(0x7654_3000), translation.Address);
        Assert.Equal(IommuAccess.Read, translation.Access);
    }

    private static FormatDomain<InterruptedFormat> MapDirtyPage()
    {
        var tested = new FormatDomain<InterruptedFormat>(48);

        // A neighbour keeps the table in the tree.
        tested.Domain.Map(new Iova(Page + 0x1000), new PhysicalAddress(0x9000_0000), 0x1000, IommuAccess.Read);
        tested.Domain.Map(new Iova(Page), new PhysicalAddress(0x1234_5000), 0x1000, IommuAccess.Read | IommuAccess.Write);
        tested.Write(Page);
        return tested;
    }
}
