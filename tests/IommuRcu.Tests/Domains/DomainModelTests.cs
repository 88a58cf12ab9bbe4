// Random operations on a domain of each format, compared step by step with a naive model; FsCheck shrinks what fails.
using FsCheck;
using FsCheck.Fluent;
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Domains;

public class DomainModelTests(ITestOutputHelper output)
{
    private static readonly IommuAccess[] _accesses = [IommuAccess.Read, IommuAccess.Read | IommuAccess.Write, IommuAccess.Read | IommuAccess.Write | IommuAccess.Cacheable];

    /// <summary>One operation: numbers, so that shrinking makes it simpler.</summary>
    public sealed record Step(int Kind, int Where, int Offset, int Size, int Address)
    {
        public override string ToString() => $"({Kind} {Where} {Offset} {Size} {Address})";
    }

    [Theory]
    [MemberData(nameof(AllFormats.Names), MemberType = typeof(AllFormats))]
    public void RandomOperations_AgreeWithTheModel(string format)
    {
        int seed = TestSeed.Get(output);
        int tests = int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_MODEL_TESTS"), out int n) ? n : 12;
        Gen<Step> step = Gen.Choose(0, 1 << 20).ArrayOf(5).Select(a => new Step(a[0], a[1], a[2], a[3], a[4]));
        Arbitrary<Step[]> steps = Arb.From(step.ArrayOf(60), Shrink);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(tests).WithReplay((ulong)seed, 0x9E37_79B9_7F4A_7C15),
            Prop.ForAll(steps, s => Run(format, s)));
    }

    private static IEnumerable<Step[]> Shrink(Step[] steps)
    {
        for (int length = steps.Length / 2; length > 0; length /= 2)
        {
            for (int from = 0; from + length <= steps.Length; from += length)
            {
                yield return [.. steps[..from], .. steps[(from + length)..]];
            }
        }
    }

    private static void Run(string format, Step[] steps)
    {
        using DomainFixture fixture = AllFormats.Open(format, o => o with { ReplacesWithoutBreak = true });
        var run = new ModelRun(fixture);
        foreach (Step step in steps)
        {
            run.Do(step);
        }

        run.CompareAll();
        run.UnmapAll();
    }

    private sealed class ModelRun
    {
        private readonly IommuDomain _domain;
        private readonly NaiveModel _model;
        private readonly int _granuleLog2;
        private readonly ulong[] _areas;
        private readonly IommuAccess[] _accesses;

        public ModelRun(DomainFixture fixture)
        {
            _domain = fixture.Domain;
            _model = new NaiveModel(_domain.PageSizes, keepsMemoryTypes: _domain.FormatName.StartsWith("Arm", StringComparison.Ordinal));
            _granuleLog2 = _domain.GranuleLog2;
            _accesses = [.. DomainModelTests._accesses.Where(IsSupported)];
            ulong end = _domain.AddressBits == 64 ? 0 : 1UL << (_domain.AddressBits - (_domain.IsSignExtended ? 1 : 0));
            _areas = _domain.IsSignExtended
                ? [0, 0x3FC0_0000, end - 0x8000_0000, 0 - end, unchecked(0 - 0x8000_0000UL)]
                : [0, 0x3FC0_0000, end / 2, end - 0x8000_0000];
        }

        public void Do(Step step)
        {
            ulong iova = _areas[step.Where % _areas.Length] + Length(step.Offset, step.Where >> 3);
            ulong size = Math.Max(1UL << _granuleLog2, Length(step.Size, step.Size >> 8));
            ulong address = Length(step.Address, step.Address >> 9) + ((step.Address & 1) != 0 ? iova & 0x3FFF_FFFF : 0);
            ulong last = _domain.IsSignExtended && iova > AreaLast(0) ? ulong.MaxValue : AreaLast(0);
            size = Math.Min(size - 1, last - iova) + 1;

            switch (step.Kind % 12)
            {
                case 0 or 1 or 2 or 3:
                    Map(iova, address, size, _accesses[step.Kind / 12 % _accesses.Length]);
                    break;
                case 4 or 5:
                    Unmap(iova, size, step.Kind / 12);
                    break;
                case 6:
                    // A page that is mapped, so that something happens.
                    if (_model.Pages.Count != 0)
                    {
                        NaiveModel.Page page = _model.Pages.Values[step.Offset % _model.Pages.Count];
                        Unmap(page.Iova, page.Size, step.Kind / 12);
                    }

                    break;
                case 7:
                    _domain.ReclaimEmptyTables();
                    break;
                case 8:
                    Protect(iova, size, _accesses[step.Kind / 12 % _accesses.Length]);
                    break;
                case 9 or 10:
                    if (PageAt(step.Offset) is { } whole)
                    {
                        Split(whole, step.Size);
                    }

                    break;
                default:
                    if (PageAt(step.Offset) is { } part)
                    {
                        Merge(part, step.Size);
                    }

                    break;
            }

            Translate(iova);
            Translate(iova + (size - 1));
            Translate(iova + size / 2);
        }

        public void CompareAll()
        {
            var found = new List<NaiveModel.Page>();
            using (Rcu.ReadLock())
            {
                Collect(found, 0, AreaLast(0));
                if (_domain.IsSignExtended)
                {
                    ulong high = ~AreaLast(0);
                    Collect(found, high, ulong.MaxValue);
                }
            }

            Assert.Equal(_model.Pages.Values, found);
        }

        public void UnmapAll()
        {
            foreach (NaiveModel.Page page in _model.Pages.Values)
            {
                Assert.Equal(page.Size, _domain.Unmap(new Iova(page.Iova), page.Size));
            }

            _model.Pages.Clear();
            CompareAll();
        }

        private bool IsSupported(IommuAccess access)
        {
            try
            {
                _domain.Map(new Iova(0), default, 1UL << _granuleLog2, access);
                _domain.Unmap(new Iova(0), 1UL << _granuleLog2);
                return true;
            }
            catch (ArgumentException)
            {
                return false;
            }
        }

        private ulong AreaLast(ulong first)
        {
            int bits = _domain.AddressBits - (_domain.IsSignExtended ? 1 : 0);
            return bits == 64 ? ulong.MaxValue - first : (1UL << bits) - 1;
        }

        private void Collect(List<NaiveModel.Page> found, ulong first, ulong last)
        {
            ulong at = first;
            if (first == 0 && last == ulong.MaxValue)
            {
                last--;
            }

            foreach (PageTableLeaf leaf in _domain.Walk(new Iova(at), last - at + 1))
            {
                found.Add(new NaiveModel.Page(leaf.Iova.Value, leaf.Size, leaf.Address.Value, leaf.Access));
            }
        }

        // Mostly small, sometimes near the size of a page of a higher level, sometimes exactly one.
        private ulong Length(int number, int kind)
        {
            ulong granules = (ulong)(number % 97);
            int indexBits = _granuleLog2 - 3;
            ulong bytes = (kind % 6) switch
            {
                0 or 1 => granules << _granuleLog2,
                2 => (1UL << (_granuleLog2 + indexBits)) + (granules << _granuleLog2),
                3 => (granules % 5) << (_granuleLog2 + indexBits),
                4 => (granules % 16) << (_granuleLog2 + 4),
                _ => granules % 2 << 30,
            };
            return Math.Min(bytes, 0x7000_0000UL) & ~((1UL << _granuleLog2) - 1);
        }

        private void Map(ulong iova, ulong address, ulong size, IommuAccess access)
        {
            // Large and misaligned would take a table for every few megabytes.
            if (size > 8UL << 20 && ((iova | address) & 0x1F_FFFF) != 0)
            {
                size = 8UL << 20;
            }

            bool expected = _model.TryMap(iova, address, size, access);
            bool mapped = true;
            try
            {
                _domain.Map(new Iova(iova), new PhysicalAddress(address), size, access);
            }
            catch (IovaInUseException)
            {
                mapped = false;
            }

            Assert.Equal(expected, mapped);
        }

        private void Unmap(ulong iova, ulong size, int way)
        {
            ulong? expected = _model.Unmap(iova, size);
            ulong? unmapped = null;
            var gather = new IotlbGather(_domain);
            try
            {
                unmapped = (way % 3) switch
                {
                    0 => _domain.Unmap(new Iova(iova), size),
                    1 => _domain.Unmap(new Iova(iova), size, ref gather),
                    _ => gather.Unmap(new Iova(iova), size, new DirtyBitmap(new Iova(iova), size)),
                };
            }
            catch (ArgumentException)
            {
            }
            finally
            {
                gather.Dispose();
            }

            Assert.Equal(expected, unmapped);
        }

        private NaiveModel.Page? PageAt(int index) => _model.Pages.Count == 0 ? null : _model.Pages.Values[index % _model.Pages.Count];

        private void Protect(ulong iova, ulong size, IommuAccess access)
        {
            ulong? expected = _model.Protect(iova, size, access);
            ulong? mapped = null;
            try
            {
                mapped = _domain.Protect(new Iova(iova), size, access);
            }
            catch (ArgumentException)
            {
            }

            Assert.Equal(expected, mapped);
        }

        // Into one of the four next smaller sizes: more would make a table of every few pages.
        private void Split(NaiveModel.Page page, int choice)
        {
            ulong[] smaller = [.. Sizes().Where(s => s < page.Size && page.Size / s <= 1024).OrderDescending().Take(4)];
            if (smaller.Length != 0)
            {
                ulong size = smaller[choice % smaller.Length];
                ulong granule = 1UL << _granuleLog2;
                ulong within = page.Iova + ((ulong)choice % (page.Size >> _granuleLog2) << _granuleLog2);
                Assert.Equal(_model.Split(within, granule, size), _domain.Split(new Iova(within), granule, size));
            }
        }

        private void Merge(NaiveModel.Page page, int choice)
        {
            ulong[] larger = [.. Sizes().Where(s => s >= page.Size).Order().Take(5)];
            ulong size = larger[choice % larger.Length];
            ulong start = page.Iova & ~(size - 1);
            Assert.Equal(_model.TryMerge(start, size), _domain.TryMerge(new Iova(start), size));
        }

        private IEnumerable<ulong> Sizes() => Enumerable.Range(0, 63).Select(n => 1UL << n).Where(s => (_domain.PageSizes & s) != 0);

        private void Translate(ulong iova)
        {
            NaiveModel.Page? page = _model.Find(iova);
            bool found = _domain.TryTranslate(new Iova(iova), out Translation translation);
            Assert.Equal(page is not null, found);
            if (page is not null)
            {
                Assert.Equal(page.Address + (iova - page.Iova), translation.Address.Value);
                Assert.Equal(page.Size, translation.PageSize);
                Assert.Equal(page.Access, translation.Access);
            }
        }
    }
}
