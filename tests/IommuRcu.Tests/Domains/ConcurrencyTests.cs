// Mappers that share tables, walkers, a dirty scanner and the reclaimer at once: every translation is checked against what was ever mapped there.
using System.Diagnostics;
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Domains;

public class ConcurrencyTests(ITestOutputHelper output)
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    // Granule i is only ever mapped to physical granules that are i modulo this: any other translation is wrong.
    private const ulong Slots = 1 << 14;

    [Theory]
    [InlineData("vtd-48", false)]
    [InlineData("vtd-39", true)]
    [InlineData("amd-64", false)]
    [InlineData("x86-57", false)]
    [InlineData("arm1-4k", false)]
    [InlineData("arm2-16k-40", true)]
    [InlineData("riscv2-50", false)]
    public void MappersThatShareTables_LoseNothingAndReadersSeeNothingWrong(string format, bool perPage)
    {
        int seed = TestSeed.Get(output);
        double seconds = double.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_STRESS_SECONDS"), out double s) ? s : 1.5;
        using DomainFixture fixture = AllFormats.Open(
            format,
            o => o with { RetireStrategy = perPage ? RetireStrategy.CallbackPerPage : RetireStrategy.CallbackPerList, Invalidator = null },
            256UL << 20);
        var stress = new Stress(fixture.Domain, seconds);
        var threads = new List<Thread>();
        for (int i = 0; i < Stress.Mappers; i++)
        {
            int index = i;
            threads.Add(new Thread(() => stress.Guard(() => stress.MapAndUnmap(index, new Random(seed + index)))));
        }

        threads.Add(new Thread(() => stress.Guard(() => stress.Translate(new Random(seed + 100)))));
        threads.Add(new Thread(() => stress.Guard(stress.Walk)));
        threads.Add(new Thread(() => stress.Guard(stress.ReadDirty)));
        threads.Add(new Thread(() => stress.Guard(stress.Reclaim)));
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        output.WriteLine($"{stress.Maps} maps, {stress.Translations} translations, {stress.Walked} pages walked, {stress.Reclaimed} tables reclaimed on request");
        Assert.Empty(stress.Failures);
        Assert.True(stress.Maps > 0 && stress.Walked > 0 && stress.Reclaimed > 0);
        fixture.Domain.ReclaimEmptyTables();
        Rcu.Barrier();
        Assert.InRange(fixture.Allocator.LivePages, 1, 8);
    }

    private sealed class Stress(IommuDomain domain, double seconds)
    {
        public const int Mappers = 3;

        private readonly long _end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        private readonly int _granule = domain.GranuleLog2;

        // Far apart, so that the tables of upper levels empty as well; within an area the granules of the mappers alternate.
        private readonly ulong[] _areas = [0, 1UL << 30, (1UL << Math.Min(domain.AddressBits - 2, 46)) + (3UL << 30), 5UL << 30];

        public List<string> Failures { get; } = [];

        public long Maps;
        public long Translations;
        public long Walked;
        public long Reclaimed;

        private bool IsOver => Stopwatch.GetTimestamp() >= _end || Failures.Count != 0;

        public void Guard(Action body)
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                Fail(e.ToString());
            }
        }

        public void MapAndUnmap(int mapper, Random random)
        {
            long maps = 0;
            while (!IsOver)
            {
                ulong area = _areas[random.Next(_areas.Length)];
                ulong index = ((ulong)random.Next(8) * 512) + ((ulong)random.Next(4) * Mappers) + (ulong)mapper;
                ulong count = 1;
                if (random.Next(8) == 0)
                {
                    // A table of the mapper's own, or two: such go as a whole.
                    index = (ulong)(9 + (2 * mapper)) * 512;
                    count = random.Next(2) == 0 ? 512u : 700u;
                }

                ulong at = area + (index << _granule);
                ulong to = (index + ((ulong)random.Next(64) * Slots)) << _granule;
                ulong size = count << _granule;
                domain.Map(new Iova(at), new PhysicalAddress(to), size, ReadWrite);
                maps++;
                for (int look = random.Next(3); look >= 0; look--)
                {
                    ulong offset = (ulong)random.NextInt64((long)size);
                    if (!domain.TryTranslate(new Iova(at + offset), out Translation found))
                    {
                        Fail($"mapper {mapper}: 0x{at:x} + 0x{offset:x} is lost");
                    }
                    else if (found.Address.Value != to + offset)
                    {
                        Fail($"mapper {mapper}: 0x{at:x} + 0x{offset:x} leads to {found.Address}, not 0x{to + offset:x}");
                    }
                }

                var gather = new IotlbGather(domain);
                ulong unmapped = random.Next(2) == 0 ? domain.Unmap(new Iova(at), size) : domain.Unmap(new Iova(at), size, ref gather);
                if (unmapped != size || domain.TryTranslate(new Iova(at), out _))
                {
                    Fail($"mapper {mapper}: unmapped 0x{unmapped:x} of 0x{size:x} at 0x{at:x}");
                }

                gather.Sync();
            }

            Interlocked.Add(ref Maps, maps);
        }

        public void Translate(Random random)
        {
            long count = 0;
            while (!IsOver)
            {
                ulong index = (ulong)random.Next(16 * 512);
                if (domain.TryTranslate(new Iova(_areas[random.Next(_areas.Length)] + (index << _granule)), out Translation found))
                {
                    Check(index, found.Address.Value, found.PageSize);
                }

                count++;
            }

            Translations = count;
        }

        public void Walk()
        {
            while (!IsOver)
            {
                foreach (ulong area in _areas)
                {
                    using (Rcu.ReadLock())
                    {
                        foreach (PageTableLeaf leaf in domain.Walk(new Iova(area), 16UL * 512 << _granule))
                        {
                            Check((leaf.Iova.Value - area) >> _granule, leaf.Address.Value, leaf.Size);
                            Walked++;
                        }
                    }
                }
            }
        }

        public void ReadDirty()
        {
            while (!IsOver)
            {
                foreach (ulong area in _areas)
                {
                    var bitmap = new DirtyBitmap(new Iova(area), 16UL * 512 << _granule, _granule);
                    domain.ReadDirty(bitmap.Start, bitmap.Size, bitmap, DirtyReadMode.ReadAndClear);
                }
            }
        }

        public void Reclaim()
        {
            while (!IsOver)
            {
                Reclaimed += domain.ReclaimEmptyTables();
                Thread.Yield();
            }
        }

        private void Check(ulong index, ulong address, ulong size)
        {
            if (((address >> _granule) & (Slots - 1)) != index)
            {
                Fail($"granule {index} (page of 0x{size:x}) leads to 0x{address:x}: it was never mapped there");
            }
        }

        private void Fail(string message)
        {
            lock (Failures)
            {
                Failures.Add(message);
            }
        }
    }
}
