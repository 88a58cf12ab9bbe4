// Every page size that a format has and its hardware walks: mapped, written and read all over, protected, unmapped; with a count for each size.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Operations;

public sealed class PageSizeTests(ITestOutputHelper output)
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [QemuTheory(QemuArchitecture.X64)]
    [MemberData(nameof(CaseNames.X64), MemberType = typeof(CaseNames))]
    public void PageOfEverySizeOnX64_IsServedProtectedAndUnmapped(string name) => Run(name);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.X64Version10), MemberType = typeof(CaseNames))]
    public void PageOfEverySizeOnX64Version10_IsServedProtectedAndUnmapped(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(CaseNames.Arm64), MemberType = typeof(CaseNames))]
    public void PageOfEverySizeOnArm64_IsServedProtectedAndUnmapped(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.Arm64Version10), MemberType = typeof(CaseNames))]
    public void PageOfEverySizeOnArm64Version10_IsServedProtectedAndUnmapped(string name) => Run(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.RiscV64Version10), MemberType = typeof(CaseNames))]
    public void PageOfEverySizeOnRiscV64Version10_IsServedProtectedAndUnmapped(string name) => Run(name);

    private void Run(string name)
    {
        int seed = Seed.Get();
        output.WriteLine($"{Seed.Variable}={seed}");
        var random = new Random(seed);
        using var session = new ConformanceSession(ConformanceCases.Get(name));
        var judge = new Judge(session, random);
        int bits = session.Case.JudgedAddressBits != 0 ? session.Case.JudgedAddressBits : session.Domain.AddressBits;
        int largest = bits - (session.Domain.IsSignExtended ? 2 : 1);
        int judged = 0;
        for (int log2 = session.Domain.GranuleLog2; log2 <= largest; log2++)
        {
            if ((session.Domain.PageSizes & session.Case.PageSizes & (1UL << log2)) == 0)
            {
                continue;
            }
            (int accesses, int refusals) = (judge.Accesses, judge.Refusals);
            JudgePage(session, judge, log2, random, $"{name}, 2^{log2} bytes, {Seed.Variable}={seed}");
            (accesses, refusals) = (judge.Accesses - accesses, judge.Refusals - refusals);
            output.WriteLine($"{Size(log2)}: {accesses - refusals} accesses served, {refusals} refused");
            Assert.True(accesses - refusals >= 20 && refusals >= 4);
            judged++;
        }
        ulong beyond = session.Domain.PageSizes & session.Case.PageSizes & ~((2UL << largest) - 1);
        output.WriteLine(beyond == 0 ? "No size is left out." : $"Left out, as larger than half the addresses: {beyond:x}");
        Assert.True(judged >= 3);
        Assert.False(session.Machine.HasExited, session.Machine.Errors);
    }

    private static void JudgePage(ConformanceSession session, Judge judge, int log2, Random random, string what)
    {
        ulong size = 1UL << log2;
        (ulong first, ulong last) = session.Data[^1];

        // The memory that DMA may reach, or where the page is larger, a page around the beginning of it.
        ulong address = (first + size - 1) & ~(size - 1);
        if (address > last || last - address < size - 1)
        {
            address = first & ~(size - 1);
        }

        // An odd multiple of the size, with small pages in the middle of the space, away from the mailboxes and the interrupt window.
        ulong iova = log2 < 34 ? (3UL << 36) + size : size;
        session.Map(iova, address, size);
        Assert.True(session.Domain.TryTranslate(new Iova(iova), out Translation translation));
        Assert.Equal(size, translation.PageSize);

        ulong from = iova + (ulong.Max(address, first) - address);
        ulong to = iova + (ulong.Min(address + size - 1, last) - address);
        var accesses = new List<DmaAccess>
        {
            new(new Iova(from), 40, IsWrite: true),
            new(new Iova(to - 39), 40, IsWrite: true),
            new(new Iova(from), 40, IsWrite: false),
            new(new Iova(to - 39), 40, IsWrite: false),
        };
        for (int i = 0; i < 8; i++)
        {
            int length = random.Next(1, (int)ulong.Min(to - from + 1, EduDevice.MaxLength) + 1);
            accesses.Add(new(new Iova(from + (ulong)random.NextInt64((long)(to - from + 2 - (ulong)length))), length, i % 2 == 0));
        }

        // Every entry of a contiguous run.
        int level = (log2 - session.Domain.GranuleLog2) / (session.Domain.GranuleLog2 - 3);
        ulong item = 1UL << session.ItemLog2(level);
        for (ulong at = iova; item < size && at < iova + size; at += item)
        {
            accesses.Add(new(new Iova(at + 8), 24, IsWrite: true));
            accesses.Add(new(new Iova(at + item - 24), 24, IsWrite: (at & item) == 0));
        }

        // Into the holes on both sides.
        accesses.Add(new(new Iova(iova - 16), 32, IsWrite: true));
        accesses.Add(new(new Iova(iova + size - 16), 32, IsWrite: false));
        accesses.Add(new(new Iova(iova - 32), 32, IsWrite: false));
        accesses.Add(new(new Iova(iova + size), 32, IsWrite: true));
        accesses.RemoveAll(a => !judge.IsSafe(a));
        var tables = session.CopyTables();
        Expect(accesses);
        Assert.Empty(session.TableDifferences(tables));

        Protect(IommuAccess.Read);
        Expect(accesses.Take(12));
        if (session.Case.HasWriteOnly)
        {
            Protect(IommuAccess.Write);
            Expect(accesses.Take(12));
        }
        Protect(ReadWrite);
        Expect(accesses.Take(12));
        session.Unmap(iova, size);
        Expect(accesses.Take(12));

        void Expect(IEnumerable<DmaAccess> some)
        {
            List<string> wrong = judge.Run(some);
            Assert.True(wrong.Count == 0, $"{what}:\n{string.Join('\n', wrong.Take(20))}\n{session.Machine.Errors}");
        }

        void Protect(IommuAccess access)
        {
            Assert.Equal(size, session.Model.Protect(iova, iova + size - 1, access));
            Assert.Equal(size, session.Domain.Protect(new Iova(iova), size, access));
        }
    }

    private static string Size(int log2) => $"{1 << (log2 % 10)} {(log2 / 10) switch { 1 => "KiB", 2 => "MiB", 3 => "GiB", 4 => "TiB", _ => "PiB" }}";
}
