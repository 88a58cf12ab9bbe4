// Windows of physical memory: where they lie, what they refuse, and files shared with others.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Memory;

public sealed unsafe class PhysicalMemoryTests
{
    private const ulong MiB = 1UL << 20;

    [Fact]
    public void OneWindow_IsZeroedAndWritable()
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(4 * MiB);
        Assert.Equal(4 * MiB, memory.Size);
        Assert.Equal([new PhysicalRange(new(0), new((4 * MiB) - 1))], memory.Windows);
        byte* pointer = memory.GetPointer(default, 4 * MiB);
        Assert.Equal(0UL, (ulong)pointer % (2 * MiB));
        Assert.Equal(-1, new ReadOnlySpan<byte>(pointer, (int)(4 * MiB)).IndexOfAnyExcept((byte)0));
        pointer[(4 * MiB) - 1] = 7;
        Assert.Equal(7, *memory.PointerTo(new PhysicalAddress((4 * MiB) - 1)));
    }

    [Theory]
    [InlineData(0x1000UL, 0x1000UL)]
    [InlineData(0x7fff_f000UL, 0x3000UL)]
    [InlineData(0x1_0000_1000UL, 0x40_0000UL)]
    [InlineData(0xffff_ffff_ffff_e000UL, 0x2000UL)]
    public void BaseAnywhere_PointersAgreeWithAddresses(ulong @base, ulong size)
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(new PhysicalAddress(@base), size);
        byte* first = memory.GetPointer(new PhysicalAddress(@base), size);
        Assert.True(first == memory.PointerTo(new PhysicalAddress(@base)));
        Assert.True(first + size - 1 == memory.PointerTo(new PhysicalAddress(@base + size - 1)));
        ulong alignment = size >= 2 * MiB ? 2 * MiB : 4096;
        Assert.Equal(@base % alignment, (ulong)first % alignment);
        new Span<byte>(first, (int)size).Fill(0xa5);
    }

    [Fact]
    public void RangesOutsideTheWindows_AreRefused()
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(new PhysicalAddress(0x10000), 0x4000);
        Assert.False(memory.TryGetPointer(new PhysicalAddress(0xffff), 1, out byte* pointer));
        Assert.True(pointer == null);
        Assert.False(memory.TryGetPointer(new PhysicalAddress(0x14000), 1, out _));
        Assert.False(memory.TryGetPointer(new PhysicalAddress(0x13fff), 2, out _));
        Assert.False(memory.TryGetPointer(new PhysicalAddress(0x10000), ulong.MaxValue, out _));
        Assert.True(memory.TryGetPointer(new PhysicalAddress(0x13fff), 1, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.GetPointer(new PhysicalAddress(0x12000), 0x2001));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.PointerTo(default));
    }

    [Fact]
    public void TwoWindows_AreFoundAndNotJoined()
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(2 * MiB);
        memory.AddWindow(new PhysicalAddress(1UL << 32), MiB);
        Assert.Equal(3 * MiB, memory.Size);
        *memory.PointerTo(new PhysicalAddress((1UL << 32) + 5)) = 9;
        Assert.Equal(9, *memory.GetPointer(new PhysicalAddress((1UL << 32) + 5), 1));
        memory.AddWindow(new PhysicalAddress(2 * MiB), MiB);
        Assert.False(memory.TryGetPointer(new PhysicalAddress((2 * MiB) - 1), 2, out _));
    }

    [Fact]
    public void BadWindows_AreRefusedBeforeAnythingChanges()
    {
        Assert.Throws<ArgumentException>(() => PhysicalMemory.Allocate(0));
        Assert.Throws<ArgumentException>(() => PhysicalMemory.Allocate(4097));
        Assert.Throws<ArgumentException>(() => PhysicalMemory.Allocate(new PhysicalAddress(8), 4096));
        Assert.Throws<ArgumentException>(() => PhysicalMemory.Allocate(new PhysicalAddress(0xffff_ffff_ffff_f000), 8192));
        Assert.Throws<OutOfMemoryException>(() => PhysicalMemory.Allocate(1UL << 63));
        using PhysicalMemory memory = PhysicalMemory.Allocate(2 * MiB);
        Assert.Throws<ArgumentException>(() => memory.AddWindow(new PhysicalAddress(MiB), 4096));
        Assert.Throws<ArgumentException>(() => memory.AddWindow(new PhysicalAddress((2 * MiB) - 4096), MiB));
        Assert.Single(memory.Windows);
    }

    [Fact]
    public void DisposedMemory_RefusesWindowsAndAllocators()
    {
        PhysicalMemory memory = PhysicalMemory.Allocate(MiB);
        memory.Dispose();
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.AddWindow(new PhysicalAddress(1UL << 30), MiB));
        Assert.Throws<ObjectDisposedException>(() => new PageAllocator(memory, new() { Ranges = [new(new(0x1000), new(0x1fff))] }));
    }

    [Fact]
    public void SharedFile_IsSeenByBothSides()
    {
        string path = Path.Combine(Path.GetTempPath(), $"iommurcu-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllBytes(path, new byte[64 * 1024]);
            using (PhysicalMemory low = PhysicalMemory.FromFile(path, new PhysicalAddress(0x100000), 0x8000, 0x4000))
            using (PhysicalMemory other = PhysicalMemory.FromFile(path, default, 0x8000, 0x8000))
            {
                low.AddWindow(path, new PhysicalAddress(1UL << 32), 0x4000, 0xc000);
                *low.PointerTo(new PhysicalAddress(0x105678)) = 0x5a;
                Assert.Equal(0x5a, *other.PointerTo(new PhysicalAddress(0x1678)));
                *other.PointerTo(new PhysicalAddress(0x4001)) = 0x11;
                Assert.Equal(0x11, *low.PointerTo(new PhysicalAddress((1UL << 32) + 1)));
            }

            byte[] content = File.ReadAllBytes(path);
            Assert.Equal(0x5a, content[0x4000 + 0x5678]);
            Assert.Equal(0x11, content[0xc001]);
            Assert.Equal(64 * 1024, content.Length);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void SharedFile_TooShortOrMisaligned_IsRefused()
    {
        string path = Path.Combine(Path.GetTempPath(), $"iommurcu-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllBytes(path, new byte[8192]);
            Assert.Throws<ArgumentException>(() => PhysicalMemory.FromFile(path, default, 8192, 4096));
            Assert.Throws<ArgumentException>(() => PhysicalMemory.FromFile(path, default, 4096, 12));
            Assert.Throws<ArgumentException>(() => PhysicalMemory.FromFile(string.Empty, default, 4096));
            Assert.Throws<FileNotFoundException>(() => PhysicalMemory.FromFile(path + "-none", default, 4096));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Ranges_AreHeldByTheirLastAddress()
    {
        PhysicalRange top = PhysicalRange.OfSize(new PhysicalAddress(ulong.MaxValue - 4095), 4096);
        Assert.Equal(ulong.MaxValue, top.Last.Value);
        Assert.True(top.Contains(new PhysicalAddress(ulong.MaxValue)));
        Assert.False(top.Contains(default));
        Assert.Throws<ArgumentOutOfRangeException>(() => PhysicalRange.OfSize(default, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => PhysicalRange.OfSize(new PhysicalAddress(4096), ulong.MaxValue));
    }
}
