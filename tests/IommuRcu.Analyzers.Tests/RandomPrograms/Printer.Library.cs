// The contracts that the programs use, declared in the programs' own assembly.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

internal sealed partial class Printer
{
    /// <summary>The source of the types that the programs name.</summary>
    internal const string Library = """
        using System;
        using System.Threading;
        using System.Threading.Tasks;
        using IommuRcu.Annotations;

        [ReadLockScope]
        public readonly ref struct Guard
        {
            [ReleasesReadLock(DomainType = typeof(Epoch))]
            public void Dispose() { }
        }

        // The same for a body that the compiler takes apart, where a ref struct may not live.
        [ReadLockScope]
        public readonly struct Held : IDisposable
        {
            [ReleasesReadLock(DomainType = typeof(Epoch))]
            public void Dispose() { }
        }

        public sealed class Node { public int Size; }

        public sealed class Page { public int Size; }

        public struct Block { public int Size; }

        public static unsafe class Epoch
        {
            [AcquiresReadLock] public static Guard Enter() => default;
            [AcquiresReadLock] public static Held Hold() => default;
            [AcquiresReadLock] public static void Begin() { }
            [ReleasesReadLock] public static void End() { }
            [AcquiresReadLock(When = true)] public static bool TryBegin() => true;
            [RequiresReadLock] public static void Walk() { }
            [RequiresReadLock] [return: RcuProtected] public static Node Read() => new Node();
            [RequiresReadLock] [return: RcuProtected] public static Block* ReadBlock() => null;
            [WaitsForGracePeriod] public static void Wait() { }
            [WaitsForGracePeriod] public static Task WaitAsync() => Task.CompletedTask;
            public static Task Idle() => Task.CompletedTask;
            public static void Use(Node? node) { }
            public static void Use(Block* block) { }
            public static void Other() { }
            public static bool Ask() => true;
            public static int Number() => 0;
            public static void RunNow([RunsSynchronously] Action action) => action();
            public static void RunLater(Action action) { }
        }

        [TableGather]
        public sealed unsafe class Gather : IDisposable
        {
            public void Add([Gathers] Page page) { }
            public void Add([Gathers] Block* block) { }
            [FlushesIotlb] [Retires] public void Sync() { }
            [FlushesIotlb] [Retires] public void Dispose() { }
        }

        public static class Table
        {
            [return: Unpublished] public static Page Allocate() => new Page();
            public static void Link([Publishes] Page page) { }
            public static bool TryLink([Publishes(When = true)] Page page) => true;
            public static void Unlink([Unlinks] Page page) { }
            [return: Unlinks] public static Page? Take() => null;
            public static void Touch(Page page) { }
            public static void Retire([Retires] Page page) { }
            public static void Free([Frees] Page page) { }
        }

        // The same by pointers to unmanaged memory.
        public static unsafe class Memory
        {
            [return: Unpublished] public static Block* Allocate() => null;
            public static void Link([Publishes] Block* block) { }
            public static bool TryLink([Publishes(When = true)] Block* block) => true;
            public static void Unlink([Unlinks] Block* block) { }
            [return: Unlinks] public static Block* Take() => null;
            public static void Touch(Block* block) { }
            public static void Retire([Retires] Block* block) { }
            public static void Free([Frees] Block* block) { }
        }

        public static class Store
        {
            public static readonly object Gate0 = new object();
            public static readonly Lock Gate1 = new Lock();
            [RequiresWriterLock(Lock = "Gate0")] public static void Update0() { }
            [RequiresWriterLock(Lock = "Gate1")] public static void Update1() { }
            [RequiresReadLock(DomainType = typeof(Epoch), Or = "Gate0")] public static void Scan() { }
        }
        """;
}
