// Thousands of random operations through the library; emulated hardware must then see exactly what was asked for.
using System.Diagnostics;
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Operations;

public abstract class RandomOperationsTests(ITestOutputHelper output)
{
    private const int Rounds = 20;
    private const int OperationsInRound = 100;
    private const int AccessesInRound = 48;

    protected void Run(string name)
    {
        int seed = Seed.Get();
        output.WriteLine($"{Seed.Variable}={seed}");
        var random = new Random(seed);
        var clock = Stopwatch.StartNew();
        using var session = new ConformanceSession(ConformanceCases.Get(name), replacesWithoutBreak: random.Next(3) > 0);
        var mappings = new RandomMappings(session, random);
        var judge = new Judge(session, random);
        var pageSizes = new SortedDictionary<int, int>();
        for (int round = 0; round < Rounds * Seed.Length; round++)
        {
            for (int i = 0; i < OperationsInRound; i++)
            {
                mappings.Operate();
            }
            mappings.CheckTranslations(100);
            var tables = session.CopyTables();
            DmaAccess[] accesses = [.. mappings.Accesses(judge, AccessesInRound)];
            foreach (DmaAccess access in accesses)
            {
                if (session.Domain.TryTranslate(access.Address, out Translation translation))
                {
                    int log2 = (int)ulong.Log2(translation.PageSize);
                    pageSizes[log2] = pageSizes.GetValueOrDefault(log2) + 1;
                }
            }
            List<string> wrong = judge.Run(accesses);
            wrong.AddRange(session.TableDifferences(tables));
            Assert.True(wrong.Count == 0, $"{name}, round {round}, {Seed.Variable}={seed}:\n{string.Join('\n', wrong.Take(20))}\n{session.Machine.Errors}");
        }
        Assert.False(session.Machine.HasExited, session.Machine.Errors);
        output.WriteLine(
            $"{mappings.Operations} operations ({mappings.Splits} splits, {mappings.Merges} merges), {judge.Accesses} accesses of which {judge.Refusals} refused, {session.Rig.Transfers} DMAs, " +
            $"{session.Iommu.Invalidations} invalidations, {session.Allocator.AllocatedPages} table pages, {clock.ElapsedMilliseconds} ms");
        output.WriteLine("Accesses by page size: " + string.Join(", ", pageSizes.Select(size => $"2^{size.Key} {size.Value}")));
    }
}

/// <summary>On x86 machines: VT-d and AMD-Vi.</summary>
public sealed class RandomOperationsOnX64Tests(ITestOutputHelper output) : RandomOperationsTests(output)
{
    [QemuTheory(QemuArchitecture.X64)]
    [MemberData(nameof(CaseNames.X64), MemberType = typeof(CaseNames))]
    public void ManyOperations_HardwareSeesExactlyWhatWasAskedFor(string name) => Run(name);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.X64Version10), MemberType = typeof(CaseNames))]
    public void ManyOperationsOnVersion10_HardwareSeesExactlyWhatWasAskedFor(string name) => Run(name);
}

/// <summary>On Arm machines: SMMUv3.</summary>
public sealed class RandomOperationsOnArm64Tests(ITestOutputHelper output) : RandomOperationsTests(output)
{
    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(CaseNames.Arm64), MemberType = typeof(CaseNames))]
    public void ManyOperations_HardwareSeesExactlyWhatWasAskedFor(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.Arm64Version10), MemberType = typeof(CaseNames))]
    public void ManyOperationsOnVersion10_HardwareSeesExactlyWhatWasAskedFor(string name) => Run(name);
}

/// <summary>On RISC-V machines: the RISC-V IOMMU.</summary>
public sealed class RandomOperationsOnRiscV64Tests(ITestOutputHelper output) : RandomOperationsTests(output)
{
    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.RiscV64Version10), MemberType = typeof(CaseNames))]
    public void ManyOperationsOnVersion10_HardwareSeesExactlyWhatWasAskedFor(string name) => Run(name);
}
