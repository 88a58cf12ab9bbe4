// Runs all rules on the members of a class, in a small world of pages, pools, epochs and gathers that declare their contracts.
namespace IommuRcu.Analyzers.Tests;

/// <summary>A test of a rule's situation: markup says what is reported, and nothing else may be.</summary>
internal static partial class RuleTest
{
    private const string Header = """
        using System;
        using System.Collections.Generic;
        using System.Diagnostics;
        using System.Linq;
        using System.Threading;
        using System.Threading.Tasks;
        using IommuRcu;
        using IommuRcu.Annotations;

        """;

    private const string World = """
        #nullable enable
        using System;
        using System.Threading.Tasks;
        using IommuRcu;
        using IommuRcu.Annotations;

        public sealed class Page
        {
            public int Order;
            public Page? Child;
            public void Write(int value) { }
        }

        public sealed class Pool : IDisposable
        {
            [return: Unpublished] public Page Allocate() => new();
            public bool TryAllocate([Unpublished(When = true)] out Page? page) { page = new(); return true; }
            public void Free([Frees] Page? page) { }
            public void Retire([Retires] Page page) { }
            public void Dispose() { }
        }

        public sealed class Table
        {
            [RequiresReadLock(DomainType = typeof(Rcu))] public int Walk(int index = 0) => index;
            [RequiresReadLock(DomainType = typeof(Rcu))] public int this[int index] => index;
            [RequiresReadLock(DomainType = typeof(Rcu))] public int Depth => 1;
            [RequiresReadLock(DomainType = typeof(Rcu))] [return: RcuProtected(DomainType = typeof(Rcu))] public Page Find(int index) => new();
            public void Link(int index, [Publishes] Page page) { }
            public void LinkUnder(Page parent, [Publishes] Page page) { }
            public bool TryLink(int index, [Publishes(When = true)] Page page) => true;
            [return: Unlinks] public Page? Unlink(int index) => null;
            public void Remove([Unlinks] Page page) { }
            [RunsAfterGracePeriod] public void Release(Page page) { }
            public bool TryFind(int index) => true;
            [MayBlock] public void Flush() { }
        }

        [TableGather]
        public ref struct Gather
        {
            public Gather(Table table) { }
            public void Add([Gathers] Page page) { }
            public ulong Unmap(int index) => 0;
            [FlushesIotlb, Retires] public void Sync() { }
            [FlushesIotlb, Retires] public void Dispose() { }
        }

        [ReadLockScope]
        public struct EpochScope : IDisposable
        {
            public void Dispose() { }
        }

        public sealed class Epoch
        {
            [AcquiresReadLock] public void Enter() { }
            [ReleasesReadLock] public void Exit() { }
            [AcquiresReadLock] public EpochScope Open() => default;
            [AcquiresReadLock(When = true)] public bool TryEnter() => true;
            [AcquiresReadLock(When = true, ElseHeld = true)] public bool EnterIfNotHeld() => true;
            [ReleasesReadLock(When = true)] public bool TryExit() => true;
            [RefreshesReadLock] public void Refresh() { }
            [AssertsReadLock] public void AssertHeld() { }
            [AssertsReadLock] public bool IsHeld => true;
            [RequiresReadLock] public int Touch() => 1;
            [WaitsForGracePeriod] public void Wait() { }
            [WaitsForGracePeriod] public ValueTask WaitAsync() => default;
        }

        public sealed class Sleepable
        {
            [AcquiresReadLock(Sleepable = true)] public EpochScope Open() => default;
            [RequiresReadLock] public int Touch() => 1;
            [WaitsForGracePeriod] public void Wait() { }
        }

        public static class Run
        {
            public static void Now([RunsSynchronously] Action action) => action();
            public static void Later(Action action) { }
            public static void Reclaim<T>(T state, [RunsAfterGracePeriod] Action<T> action) { }
        }
        """;

    /// <summary>Suggestions about empty sections, captures and contracts to add, which short examples are full of.</summary>
    private static readonly string[] _notOfInterest = ["IRCU037", "IRCU061", "IRCU094"];

    /// <summary>Checks the members of a class by their markup.</summary>
    /// <param name="members">The members, with markup.</param>
    internal static Task Members(string members)
        => Source("#nullable disable\n" + Header + (members.Contains("await ") ? "" : "unsafe ") + """
            class Subject
            {
                Table table = new();
                Pool pool = new();
                Epoch epoch = new();
                bool Flag;

            """ + members + "\n}\n");
}
