// The tests of formats, tested: each fault must make the rules fail, or the walk by the book, and no fault must not.
using IommuRcu.Tests.PageTables.Formats.Walkers;
using Xunit.Sdk;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class FormatMutationTests
{
    [Fact]
    public void NoFault_PassesRulesAndWalks()
    {
        CheckRules<None>();
        RunWithWalker<None>();
    }

    [Fact]
    public void Rules_NoticeEachFault()
    {
        AssertNoticed(CheckRules<MarkIsIdentity>);
        AssertNoticed(CheckRules<MarkIsAddress>);
        AssertNoticed(CheckRules<TablesLookDirty>);
        AssertNoticed(CheckRules<AddressIsCut>);
        AssertNoticed(CheckRules<CodedSizeIsHalved>);
        AssertNoticed(CheckRules<RunItemsDiffer>);
        AssertNoticed(CheckRules<TableNamesNoLevel>);
        AssertNoticed(CheckRules<CleanIsReadOnly>);
        AssertNoticed(CheckRules<DirtyIsLost>);
        AssertNoticed(CheckRules<PermissionsAreSwapped>);
    }

    [Fact]
    public void WalkByTheBook_NoticesWrongEntries()
    {
        AssertNoticed(RunWithWalker<AddressIsCut>);
        AssertNoticed(RunWithWalker<CodedSizeIsHalved>);
        AssertNoticed(RunWithWalker<PermissionsAreSwapped>);
    }

    [Theory]
    [InlineData(13)]
    [InlineData(16)]
    [InlineData(20)]
    public unsafe void WalkByTheBook_NoticesOneWrongBitInOneEntryOfARun(int sizeLog2)
    {
        using var tested = new FormatDomain<AmdV1Format>(39);
        ulong size = 1UL << sizeLog2;
        tested.Domain.Map(new Iova(size), new PhysicalAddress(3 * size), size, IommuAccess.Read | IommuAccess.Write);
        SpecifiedWalk right = AmdV1Walker.Walk(tested.Memory, tested.Domain.Root, 39, size);
        ulong* slot = tested.FindLeaf(size + size - 1, out _);
        for (int bit = 0; bit < 64; bit++)
        {
            // Accessed, dirty, and what hardware ignores.
            if (bit is (>= 1 and <= 8) or 63)
            {
                continue;
            }

            *slot ^= 1UL << bit;
            AssertNoticed(() => Assert.Equal(right, AmdV1Walker.Walk(tested.Memory, tested.Domain.Root, 39, size)));
            *slot ^= 1UL << bit;
        }

        Assert.Equal(right, AmdV1Walker.Walk(tested.Memory, tested.Domain.Root, 39, size));
    }

    private static void AssertNoticed(Action test) => Assert.IsAssignableFrom<XunitException>(Record.Exception(test));

    private static void CheckRules<TFault>()
        where TFault : struct, IFormatFault
    {
        var rules = new MutatedRules<TFault>();
        rules.Zero_IsAHoleAtEveryLevel();
        rules.PageSizes_HoldTheGranuleAndFitTheirTables();
        rules.Geometry_CoversTheWidthAndFitsSixtyFourBits();
        rules.AddressField_IsLinearAndReversible();
        rules.Supports_RefusesNoPermission();
        for (int sizeLog2 = 12; sizeLog2 < 52; sizeLog2++)
        {
            if (sizeLog2 != 39)
            {
                rules.Leaf_SaysWhatItWasMadeOf(sizeLog2);
                rules.Leaf_MadeDirtyAndCleanStaysTheSameMapping(sizeLog2);
            }
        }

        rules.Table_SaysWhatItWasMadeOf();
        rules.TableIdentity_TellsATableFromEveryLeafAndHole();
        rules.ReclaimMark_IsOneBitThatNothingElseUses();
    }

    private static void RunWithWalker<TFault>()
        where TFault : struct, IFormatFault
    {
        var run = new FormatModelRun<MutatedFormat<TFault>>(48, seed: 7, AmdV1Walker.Walk);
        for (int step = 0; step < 100; step++)
        {
            run.Step();
        }

        run.CompareAll();
        run.Dispose(); // not after a failure: it would hide the first
    }

    private sealed class MutatedRules<TFault> : FormatRules<MutatedFormat<TFault>>
        where TFault : struct, IFormatFault;

    private readonly struct None : IFormatFault
    {
        public static FormatFault Fault => FormatFault.None;
    }

    private readonly struct MarkIsIdentity : IFormatFault
    {
        public static FormatFault Fault => FormatFault.MarkIsIdentity;
    }

    private readonly struct MarkIsAddress : IFormatFault
    {
        public static FormatFault Fault => FormatFault.MarkIsAddress;
    }

    private readonly struct TablesLookDirty : IFormatFault
    {
        public static FormatFault Fault => FormatFault.TablesLookDirty;
    }

    private readonly struct AddressIsCut : IFormatFault
    {
        public static FormatFault Fault => FormatFault.AddressIsCut;
    }

    private readonly struct CodedSizeIsHalved : IFormatFault
    {
        public static FormatFault Fault => FormatFault.CodedSizeIsHalved;
    }

    private readonly struct RunItemsDiffer : IFormatFault
    {
        public static FormatFault Fault => FormatFault.RunItemsDiffer;
    }

    private readonly struct TableNamesNoLevel : IFormatFault
    {
        public static FormatFault Fault => FormatFault.TableNamesNoLevel;
    }

    private readonly struct CleanIsReadOnly : IFormatFault
    {
        public static FormatFault Fault => FormatFault.CleanIsReadOnly;
    }

    private readonly struct DirtyIsLost : IFormatFault
    {
        public static FormatFault Fault => FormatFault.DirtyIsLost;
    }

    private readonly struct PermissionsAreSwapped : IFormatFault
    {
        public static FormatFault Fault => FormatFault.PermissionsAreSwapped;
    }
}
