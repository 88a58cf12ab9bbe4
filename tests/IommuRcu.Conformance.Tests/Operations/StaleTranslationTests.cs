// A cleared entry stays usable until the invalidation that its gather asks for, and is dead after it; table memory follows later still.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Operations;

public sealed class StaleTranslationTests(ITestOutputHelper output)
{
    [QemuTheory(QemuArchitecture.X64)]
    [MemberData(nameof(CaseNames.X64), MemberType = typeof(CaseNames))]
    public void UnmappedOnX64_IsUsableUntilSyncAndDeadAfter(string name) => Run(name);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.X64Version10), MemberType = typeof(CaseNames))]
    public void UnmappedOnX64Version10_IsUsableUntilSyncAndDeadAfter(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(CaseNames.Arm64), MemberType = typeof(CaseNames))]
    public void UnmappedOnArm64_IsUsableUntilSyncAndDeadAfter(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.Arm64Version10), MemberType = typeof(CaseNames))]
    public void UnmappedOnArm64Version10_IsUsableUntilSyncAndDeadAfter(string name) => Run(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.RiscV64Version10), MemberType = typeof(CaseNames))]
    public void UnmappedOnRiscV64Version10_IsUsableUntilSyncAndDeadAfter(string name) => Run(name);

    private void Run(string name)
    {
        int seed = Seed.Get();
        output.WriteLine($"{Seed.Variable}={seed}");
        using var session = new ConformanceSession(ConformanceCases.Get(name));
        var random = new Random(seed);
        var judge = new Judge(session, random);
        IommuDomain domain = session.Domain;
        ulong data = session.Data[1].First;
        data = (data + (1UL << 30) - 1) & ~((1UL << 30) - 1);

        // Neighbours in other tables stay mapped throughout: an invalidation must not take them away, whatever it drops of what is cached.
        ulong neighbour = 0x10_0000_0000 - session.Granule;
        session.Map(neighbour, data + (1UL << 29), session.Granule);
        var neighbourAccess = new DmaAccess(new Iova(neighbour), 100, IsWrite: true);

        foreach (int log2 in Enumerable.Range(12, 19).Where(i => (domain.PageSizes & session.Case.PageSizes & (1UL << i)) != 0))
        {
            ulong iova = 0x10_0000_0000;
            ulong size = 1UL << log2;
            session.Map(iova, data, size);
            // What one access surely caches is one granule's translation, and that for its own device.
            const int Device = 3;
            var access = new DmaAccess(new Iova(iova + (ulong)random.NextInt64((long)session.Granule - 200)), 150, IsWrite: true);
            Assert.Empty(judge.Run([access, neighbourAccess], Device));

            Rcu.Barrier();
            long freed = session.Allocator.FreedPages;
            long invalidations = session.Iommu.Invalidations;
            var gather = new IotlbGather(domain);
            try
            {
                Assert.Equal(size, domain.Unmap(new Iova(iova), size, ref gather));
                Assert.Equal(invalidations, session.Iommu.Invalidations);
                Assert.False(domain.TryTranslate(new Iova(iova), out _));

                // The model still has the mapping: this must go through.
                Assert.Empty(judge.Run([access], Device));
                Assert.Equal(freed, session.Allocator.FreedPages);
                gather.Sync();
            }
            finally
            {
                gather.Dispose();
            }
            Assert.True(session.Iommu.Invalidations > invalidations, "Sync asked for no invalidation.");
            session.Model.Unmap(iova, iova + size - 1);
            Assert.Empty(judge.Run([access, access with { IsWrite = false }, neighbourAccess], Device));
        }
        output.WriteLine($"{judge.Accesses} accesses, {session.Iommu.Invalidations} invalidations");
    }
}
