// Every format behind emulated hardware that reads entries by its own statement of it: each page size, each wrong bit in one entry, dirty state.
using IommuRcu.Emulation;
using IommuRcu.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Emulation;

public sealed class FormatHardwareTests(ITestOutputHelper output)
{
    public static TheoryData<string> Cases => [.. _cases.Keys];

    private static readonly Dictionary<string, (Action<ITestOutputHelper> WrongBits, Action<ITestOutputHelper> Dirty)> _cases = new()
    {
        ["VT-d 39"] = Case<VtdSecondStageFormat>(39, IgnoredBits.Vtd),
        ["VT-d 48"] = Case<VtdSecondStageFormat>(48, IgnoredBits.Vtd),
        ["VT-d 57"] = Case<VtdSecondStageFormat>(57, IgnoredBits.Vtd),
        ["AMD 48"] = Case<AmdV1Format>(48, IgnoredBits.Amd),
        ["AMD 64"] = Case<AmdV1Format>(64, IgnoredBits.Amd),
        ["x86-64 48"] = Case<X86FirstStageFormat>(48, IgnoredBits.X86),
        ["x86-64 57"] = Case<X86FirstStageFormat>(57, IgnoredBits.X86),
        ["Arm 1 4K"] = Case<ArmStage1Format<ArmGranule4K>>(48, IgnoredBits.ArmStage1),
        ["Arm 1 16K"] = Case<ArmStage1Format<ArmGranule16K>>(47, IgnoredBits.ArmStage1),
        ["Arm 1 64K"] = Case<ArmStage1Format<ArmGranule64K>>(48, IgnoredBits.ArmStage1),
        ["Arm 2 4K"] = Case<ArmStage2Format<ArmGranule4K>>(42, IgnoredBits.ArmStage2),
        ["Arm 2 16K"] = Case<ArmStage2Format<ArmGranule16K>>(48, IgnoredBits.ArmStage2),
        ["Arm 2 64K"] = Case<ArmStage2Format<ArmGranule64K>>(45, IgnoredBits.ArmStage2),
        ["Sv39"] = Case<RiscVFirstStageFormat>(39, IgnoredBits.RiscV),
        ["Sv48"] = Case<RiscVFirstStageFormat>(48, IgnoredBits.RiscV),
        ["Sv57"] = Case<RiscVFirstStageFormat>(57, IgnoredBits.RiscV),
        ["Sv39x4"] = Case<RiscVSecondStageFormat>(41, IgnoredBits.RiscV),
        ["Sv48x4"] = Case<RiscVSecondStageFormat>(50, IgnoredBits.RiscV),
        ["Sv57x4"] = Case<RiscVSecondStageFormat>(59, IgnoredBits.RiscV),
    };

    /// <summary>Flips each of the 64 bits of a writable leaf and a read-only one of every page size, and of the table entries above them.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void OneWrongBitInOneEntry_IsNoticedUnlessTheSpecificationIgnoresIt(string name) => _cases[name].WrongBits(output);

    [Theory]
    [MemberData(nameof(Cases))]
    public void PageOfEverySize_IsDirtyWhenADeviceWroteIt(string name) => _cases[name].Dirty(output);

    private static (Action<ITestOutputHelper> WrongBits, Action<ITestOutputHelper> Dirty) Case<TFormat>(int addressBits, Func<EntryKindUnderTest, ulong> ignored)
        where TFormat : struct, IPageTableFormat
        => (o => new Bench<TFormat>(addressBits).FlipEveryBit(ignored, o), o => new Bench<TFormat>(addressBits).WriteEveryPageSize(o));

    /// <summary>A domain, a device, and for each page size a page of memory inside it.</summary>
    private sealed unsafe class Bench<TFormat>(int addressBits)
        where TFormat : struct, IPageTableFormat
    {
        private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

        private static int IndexBits => TFormat.GranuleLog2 - 3;

        internal void FlipEveryBit(Func<EntryKindUnderTest, ulong> ignored, ITestOutputHelper output)
        {
            var wrong = new List<string>();
            int entries = 0;

            // The reclaimer marks live table entries with it.
            Assert.Equal(0UL, TFormat.ReclaimMark & ~ignored(new EntryKindUnderTest(true, 1, 0, false, true)));
            ForEachPage(writable: true, page =>
            {
                foreach ((nint slot, int level) in page.Path[..^1])
                {
                    Judge(page, slot, new EntryKindUnderTest(true, level, 0, false, true));
                }

                JudgeLeaf(page, writable: true);
            });
            ForEachPage(writable: false, page => JudgeLeaf(page, writable: false));
            output.WriteLine($"{entries} entries, 64 bits each");
            Assert.True(wrong.Count == 0, string.Join("\n", wrong));
            Assert.True(entries > 6);

            void JudgeLeaf(Page page, bool writable)
            {
                (nint slot, int level) = page.Path[^1];
                bool run = page.SizeLog2 != TFormat.GranuleLog2 + (level * IndexBits);
                Judge(page, slot, new EntryKindUnderTest(false, level, page.SizeLog2, run, writable));
            }

            void Judge(Page page, nint slot, EntryKindUnderTest kind)
            {
                entries++;
                var entry = (ulong*)slot;
                ulong expected = ~ignored(kind);
                ulong noticed = 0;
                for (int bit = 0; bit < 64; bit++)
                {
                    ulong right = *entry;
                    *entry = right ^ (1UL << bit);
                    page.Invalidate();
                    noticed |= page.IsServedAsMapped(kind.IsWritable) ? 0 : 1UL << bit;
                    *entry = right;
                }

                page.Invalidate();
                if (!page.IsServedAsMapped(kind.IsWritable) || noticed != expected)
                {
                    wrong.Add($"{kind} 0x{*entry:x16}: not noticed 0x{expected & ~noticed:x16}, noticed without reason 0x{noticed & ~expected:x16}");
                }
            }
        }

        internal void WriteEveryPageSize(ITestOutputHelper output)
        {
            var sizes = new List<string>();
            ForEachPage(writable: true, page =>
            {
                ulong size = 1UL << page.SizeLog2;
                var dirty = new DirtyBitmap(page.First, size, page.SizeLog2);
                page.Domain.ReadDirty(page.First, size, dirty, DirtyReadMode.ReadAndClear);
                dirty.Clear();
                Assert.True(page.Read());
                page.Domain.ReadDirty(page.First, size, dirty, DirtyReadMode.Peek);
                Assert.Equal(0, dirty.Count);
                Assert.True(page.IsServedAsMapped(writable: true));
                page.Domain.ReadDirty(page.First, size, dirty, DirtyReadMode.ReadAndClear);
                Assert.Equal(1, dirty.Count);

                // Cleaned and flushed: the next write must mark it again.
                dirty.Clear();
                Assert.True(page.IsServedAsMapped(writable: true));
                page.Domain.ReadDirty(page.First, size, dirty, DirtyReadMode.Peek);
                Assert.Equal(1, dirty.Count);

                if (TFormat.AccessedMask != 0)
                {
                    page.Domain.ReadAccessed(page.First, size, dirty, DirtyReadMode.ReadAndClear);
                    dirty.Clear();
                    Assert.True(page.Read());
                    page.Domain.ReadAccessed(page.First, size, dirty, DirtyReadMode.Peek);
                    Assert.Equal(1, dirty.Count);
                }

                sizes.Add($"2^{page.SizeLog2}");
            });
            output.WriteLine(string.Join(' ', sizes));
        }

        /// <summary>Maps one page of each size that fits, alone in a domain of its own.</summary>
        private void ForEachPage(bool writable, Action<Page> test)
        {
            for (int sizeLog2 = TFormat.GranuleLog2; sizeLog2 <= Math.Min(addressBits - 2, TFormat.PhysicalAddressBits - 1); sizeLog2++)
            {
                if ((TFormat.PageSizes & (1UL << sizeLog2)) == 0)
                {
                    continue;
                }

                // An odd multiple of the size, with another index at each level above; the physical address is an even multiple. So a page whose size
                // or a table whose level is misread leads elsewhere.
                ulong size = 1UL << sizeLog2;
                ulong first = size;
                for (int shift = TFormat.GranuleLog2; shift + 4 <= addressBits; shift += IndexBits)
                {
                    first |= shift > sizeLog2 ? (ulong)((shift / IndexBits) + 1) << shift : 0;
                }

                ulong target = sizeLog2 < 39 ? 5UL << 40 : 0;

                // Upper half, then a hole, then more: what a misread coded size leaves or adds shows in the address.
                ulong offset = (size >> 1) + (size >> 3) + 0x48;
                using var memory = PhysicalMemory.Allocate(new PhysicalAddress(0x10_0000), 16 << 20);
                memory.AddWindow(new PhysicalAddress((target + offset) & ~0xFFFUL), 4096);
                using var iommu = new EmulatedIommu(memory);
                using var pages = new PageAllocator(memory, new() { Ranges = [PhysicalRange.OfSize(new PhysicalAddress(0x10_0000), 16 << 20)] });
                using IommuDomain domain = IommuDomain.Create<TFormat>(new() { PageAllocator = pages, AddressBits = addressBits, Invalidator = iommu });
                domain.Map(new Iova(first), new PhysicalAddress(target), size, writable ? ReadWrite : IommuAccess.Read);
                var page = new Page
                {
                    Iommu = iommu,
                    Domain = domain,
                    Device = iommu.Attach(1, domain),
                    First = new Iova(first),
                    Probe = new Iova(first + offset),
                    Target = (ulong*)memory.GetPointer(new PhysicalAddress(target + offset), 8),
                    SizeLog2 = sizeLog2,
                    Path = Path(memory, domain.Root, first + offset),
                };
                Assert.True(page.IsServedAsMapped(writable), $"2^{sizeLog2}: {string.Join("; ", iommu.TakeFaults())}");
                test(page);
                iommu.Detach(1);
                domain.Dispose();
                Rcu.Barrier();
            }
        }

        /// <summary>Finds the entries on the way to an address, the leaf's last.</summary>
        private (nint Slot, int Level)[] Path(PhysicalMemory memory, PageTableRoot root, ulong iova)
        {
            Assert.True(TFormat.TryGetGeometry(addressBits, out PageTableGeometry geometry));
            var path = new List<(nint Slot, int Level)>();
            ulong table = root.Address.Value;
            for (int level = root.Levels - 1; ; level--)
            {
                int bits = level == geometry.Levels - 1 ? geometry.RootIndexBits : IndexBits;
                ulong index = (iova >> (TFormat.GranuleLog2 + (IndexBits * level))) & ((1UL << bits) - 1);
                var slot = (ulong*)memory.GetPointer(new PhysicalAddress(table + (8 * index)), 8);
                path.Add(((nint)slot, level));
                if (level == 0 || !TFormat.IsTable(*slot, level))
                {
                    return [.. path];
                }

                table = TFormat.TableAddress(*slot);
            }
        }
    }

    /// <summary>One page under test.</summary>
    private sealed unsafe class Page
    {
        private ulong _last = 0x1234_5678_9ABC_DEF0;

        internal required EmulatedIommu Iommu { get; init; }

        internal required IommuDomain Domain { get; init; }

        internal required EmulatedDevice Device { get; init; }

        internal required Iova First { get; init; }

        internal required Iova Probe { get; init; }

        internal required ulong* Target { get; init; }

        internal required int SizeLog2 { get; init; }

        internal required (nint Slot, int Level)[] Path { get; init; }

        internal void Invalidate() => Iommu.Invalidate(new IovaRange(new Iova(0), new Iova(ulong.MaxValue)), tablesFreed: true);

        /// <summary>Reads what the memory holds: a value that is nowhere else.</summary>
        internal bool Read()
        {
            *Target = ++_last;
            byte[] got = new byte[8];
            return Device.DmaRead(Probe, got) && BitConverter.ToUInt64(got) == _last;
        }

        /// <summary>Reads, and only where that came from the right place writes: into it, or not at all.</summary>
        internal bool IsServedAsMapped(bool writable)
        {
            if (!Read())
            {
                return false;
            }

            bool written = Device.DmaWrite(Probe, BitConverter.GetBytes(++_last));
            return written == writable && *Target == (writable ? _last : _last - 1);
        }
    }
}
