// The fixes of gathers and retires: IRCU034, 041, 043, 045; and of contracts: IRCU091.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class ReclaimFixTests
{
    [Fact]
    public Task SecondFree_Goes_AndNothingElse() => FixOf<FreedTwiceFixer>.MembersAsync(
        """
        void Drop(Pool pool, [Unpublished] Page page)
        {
            pool.Free(page);
            // Once more.
            {|IRCU043:pool.Free(page)|};
            Console.WriteLine();
        }
        """,
        """
        void Drop(Pool pool, [Unpublished] Page page)
        {
            pool.Free(page);
            // Once more.
            Console.WriteLine();
        }
        """);

    [Fact]
    public Task SecondFreeInALargerStatement_IsLeft() => FixOf<FreedTwiceFixer>.NoneAsync(
        """
        static void Now([RunsSynchronously] Action action) => action();
        void Drop(Pool pool, [Unpublished] Page page)
        {
            pool.Free(page);
            Now(() => {|IRCU043:pool.Free(page)|});
        }
        """);

    [Fact]
    public Task RetireBeforeTheFlush_FlushesFirst() => FixOf<RetiredBeforeFlushFixer>.MembersAsync(
        """
        [TableGather] class Batch
        {
            public void Add([Gathers] Page page) { }
            [FlushesIotlb] public void Flush() { }
        }
        void Remove(Batch batch, Page page)
        {
            batch.Add(page);
            // Devices may still walk it.
            {|IRCU041:Pool.Retire(page)|};
        }
        """,
        """
        [TableGather] class Batch
        {
            public void Add([Gathers] Page page) { }
            [FlushesIotlb] public void Flush() { }
        }
        void Remove(Batch batch, Page page)
        {
            batch.Add(page);
            // Devices may still walk it.
            batch.Flush();
            Pool.Retire(page);
        }
        """);

    [Fact]
    public Task RetireOfAGatheredPage_IsTheSyncs() => FixOf<RetiredBeforeFlushFixer>.MembersAsync(
        """
        [TableGather] class Batch
        {
            public void Add([Gathers] Page page) { }
            [FlushesIotlb, Retires] public void Sync() { }
        }
        void Remove(Batch batch, Page page)
        {
            batch.Add(page);
            {|IRCU041:Pool.Retire(page)|}; // At last.
        }
        """,
        """
        [TableGather] class Batch
        {
            public void Add([Gathers] Page page) { }
            [FlushesIotlb, Retires] public void Sync() { }
        }
        void Remove(Batch batch, Page page)
        {
            batch.Add(page);
            batch.Sync(); // At last.
        }
        """);

    [Fact]
    public Task GatherSyncedOnSomePath_IsHeldInAUsing() => FixOf<GatherNeverSyncedFixer>.MembersAsync(
        """
        ulong Unmap(IommuDomain domain, Iova iova, bool flush)
        {
            // What goes.
            var gather = {|IRCU045:new IotlbGather(domain)|}; // By and by.
            ulong size = gather.Unmap(iova, 4096);
            if (flush)
            {
                gather.Sync();
            }

            return size;
        }
        """,
        """
        ulong Unmap(IommuDomain domain, Iova iova, bool flush)
        {
            // What goes.
            using var gather = new IotlbGather(domain); // By and by.
            ulong size = gather.Unmap(iova, 4096);
            if (flush)
            {
                gather.Sync();
            }

            return size;
        }
        """);

    [Fact]
    public Task GatherPassedByReference_IsSyncedInAFinally() => FixOf<GatherNeverSyncedFixer>.MembersAsync(
        """
        ulong Unmap(IommuDomain domain, Iova iova)
        {
            var gather = {|IRCU045:new IotlbGather(domain)|};
            ulong size = domain.Unmap(iova, 4096, ref gather);
            return size;
        }
        """,
        """
        ulong Unmap(IommuDomain domain, Iova iova)
        {
            var gather = new IotlbGather(domain);
            try
            {
                ulong size = domain.Unmap(iova, 4096, ref gather);
                return size;
            }
            finally
            {
                gather.Dispose();
            }
        }
        """);

    [Fact]
    public Task GatherPassedByValue_IsPassedByReference() => FixOf<GuardCopiedFixer>.MembersAsync(
        """
        static void Unmap(IommuDomain domain, Iova iova)
        {
            var gather = new IotlbGather(domain);
            try
            {
                Add(/* All. */ {|IRCU034:gather|}, iova);
                Add({|IRCU034:gather|}, iova);
            }
            finally
            {
                gather.Dispose();
            }
        }
        static void Add(IotlbGather gather, Iova iova) => gather.AddRange(iova, 4096);
        """,
        """
        static void Unmap(IommuDomain domain, Iova iova)
        {
            var gather = new IotlbGather(domain);
            try
            {
                Add(/* All. */ ref gather, iova);
                Add(ref gather, iova);
            }
            finally
            {
                gather.Dispose();
            }
        }
        static void Add(ref IotlbGather gather, Iova iova) => gather.AddRange(iova, 4096);
        """);

    [Fact]
    public Task GatherOfAUsing_CannotBePassedByReference() => FixOf<GuardCopiedFixer>.NoneAsync(
        """
        static void Unmap(IommuDomain domain, Iova iova)
        {
            using var gather = new IotlbGather(domain);
            Add({|IRCU034:gather|}, iova);
        }
        static void Add(IotlbGather gather, Iova iova) => gather.AddRange(iova, 4096);
        """);

    [Fact]
    public Task MethodThatOthersMayCall_KeepsItsParameters() => FixOf<GuardCopiedFixer>.NoneAsync(
        """
        static void Unmap(IommuDomain domain, Iova iova)
        {
            var gather = new IotlbGather(domain);
            try
            {
                Add({|IRCU034:gather|}, iova);
            }
            finally
            {
                gather.Dispose();
            }
        }
        public static void Add(IotlbGather gather, Iova iova) => gather.AddRange(iova, 4096);
        """);

    [Fact]
    public Task DemandOfAnOverride_IsPutOnTheBase_Once() => FixOf<OverrideChangesContractFixer>.MembersAsync(
        """
        abstract class Walker
        {
            /// <summary>Looks.</summary>
            public abstract int Look();
        }
        class First : Walker { [{|IRCU091:RequiresReadLock(DomainType = typeof(Rcu))|}] public override int Look() => 1; }
        class Second : Walker { [{|IRCU091:RequiresReadLock(DomainType = typeof(Rcu))|}] public override int Look() => 2; }
        """,
        """
        abstract class Walker
        {
            /// <summary>Looks.</summary>
            [RequiresReadLock(DomainType = typeof(Rcu))]
            public abstract int Look();
        }
        class First : Walker { [RequiresReadLock(DomainType = typeof(Rcu))] public override int Look() => 1; }
        class Second : Walker { [RequiresReadLock(DomainType = typeof(Rcu))] public override int Look() => 2; }
        """);

    [Fact]
    public Task DemandThatTheBaseCannotName_IsLeft() => FixOf<OverrideChangesContractFixer>.NoneAsync(
        """
        abstract class Walker { public abstract void Insert(); }
        class First : Walker
        {
            readonly object _lock = new();
            [{|IRCU091:RequiresWriterLock(Lock = nameof(_lock))|}] public override void Insert() { }
        }
        """);
}
