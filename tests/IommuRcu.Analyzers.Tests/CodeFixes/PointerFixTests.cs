// The fixes of accesses: IRCU002, 003, 009, 012, 070, 072, 073.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class PointerFixTests
{
    [Fact]
    public Task PlainRead_BecomesADereference() => FixOf<RcuPointerReadPlainlyFixer>.MembersAsync(
        """
        class Node { public int Value; [RcuProtected] public Node Next; }
        [RcuProtected] Node _head;
        int Read()
        {
            using (Rcu.ReadLock())
            {
                return /* The first. */ {|IRCU002:{|IRCU002:_head|}.Next|}.Value;
            }
        }
        """,
        """
        class Node { public int Value; [RcuProtected] public Node Next; }
        [RcuProtected] Node _head;
        int Read()
        {
            using (Rcu.ReadLock())
            {
                return /* The first. */ Rcu.Dereference(ref Rcu.Dereference(ref _head).Next).Value;
            }
        }
        """);

    [Fact]
    public Task PlainReadInAnotherDomain_IsVolatile() => FixOf<RcuPointerReadPlainlyFixer>.MembersAsync(
        """
        class Node { public int Value; }
        [RcuProtected] Node _head;
        int Read(Epoch epoch)
        {
            epoch.Enter();
            try
            {
                return {|IRCU002:_head|}.Value;
            }
            finally
            {
                epoch.Exit();
            }
        }
        """,
        """
        class Node { public int Value; }
        [RcuProtected] Node _head;
        int Read(Epoch epoch)
        {
            epoch.Enter();
            try
            {
                return Volatile.Read(ref _head).Value;
            }
            finally
            {
                epoch.Exit();
            }
        }
        """);

    [Fact]
    public Task PlainWrite_BecomesAnAssign() => FixOf<RcuPointerWrittenPlainlyFixer>.MembersAsync(
        """
        class Node { [RcuProtected] public Node Next; }
        [RcuProtected] Node _head;
        void Publish(Node next) => {|IRCU003:_head = next|}; // From now on.
        void Clear() => {|IRCU003:_head = null|};
        """,
        """
        class Node { [RcuProtected] public Node Next; }
        [RcuProtected] Node _head;
        void Publish(Node next) => Rcu.Assign(ref _head, next); // From now on.
        void Clear() => Rcu.Assign(ref _head, null);
        """);

    [Fact]
    public Task PlainWriteInAnotherDomain_IsVolatile() => FixOf<RcuPointerWrittenPlainlyFixer>.MembersAsync(
        """
        [RcuProtected(DomainType = typeof(Epoch))] Page _head;
        void Publish(Page next)
        {
            {|IRCU003:_head = next|};
        }
        """,
        """
        [RcuProtected(DomainType = typeof(Epoch))] Page _head;
        void Publish(Page next)
        {
            Volatile.Write(ref _head, next);
        }
        """);

    [Fact]
    public Task ForgedGuard_IsOpened() => FixOf<ForgedGuardFixer>.MembersAsync(
        """
        int Read(Table table, bool quick)
        {
            using RcuReadScope section = quick ? {|IRCU009:default|} : Rcu.ReadLock();
            return 1;
        }
        int Again(Table table)
        {
            using RcuReadScope section = {|IRCU009:default|};
            return 2;
        }
        """,
        """
        int Read(Table table, bool quick)
        {
            using RcuReadScope section = Rcu.ReadLock();
            return 1;
        }
        int Again(Table table)
        {
            using RcuReadScope section = Rcu.ReadLock();
            return 2;
        }
        """);

    [Fact]
    public Task Bound_IsReadInside() => FixOf<BoundSampledOutsideSectionFixer>.MembersAsync(
        """
        [RcuBound] int _tail = 8;
        [RequiresReadLock(DomainType = typeof(Rcu))] int At(int index) => index;
        int Sum()
        {
            // How far it goes.
            int tail = _tail; // By now.

            // From the start.
            int sum = 0;
            using (Rcu.ReadLock())
            {
                for (int i = 0; i < tail; i++)
                {
                    sum += {|IRCU012:At(i)|};
                }
            }

            return sum;
        }
        """,
        """
        [RcuBound] int _tail = 8;
        [RequiresReadLock(DomainType = typeof(Rcu))] int At(int index) => index;
        int Sum()
        {
            // How far it goes.
            // From the start.
            int sum = 0;
            using (Rcu.ReadLock())
            {
                int tail = _tail; // By now.
                for (int i = 0; i < tail; i++)
                {
                    sum += At(i);
                }
            }

            return sum;
        }
        """);

    [Fact]
    public Task BoundThatIsNeededBehind_StaysOutside() => FixOf<BoundSampledOutsideSectionFixer>.NoneAsync(
        """
        [RcuBound] int _tail = 8;
        [RequiresReadLock(DomainType = typeof(Rcu))] int At(int index) => index;
        int Sum()
        {
            int tail = _tail;
            int sum = 0;
            using (Rcu.ReadLock())
            {
                for (int i = 0; i < tail; i++)
                {
                    sum += {|IRCU012:At(i)|};
                }
            }

            return sum / tail;
        }
        """);

    [Fact]
    public Task Update_TakesTheLock_AlsoInAnExpressionBody() => FixOf<UpdateWithoutWriterLockFixer>.MembersAsync(
        """
        readonly object _lock = new();
        [RequiresWriterLock(Lock = "_lock")] int Insert() => 1;
        public int Add() => {|IRCU070:Insert()|}; // The only one.
        public void AddTwice()
        {
            // Counts.
            int count = {|IRCU070:Insert()|};
            Console.WriteLine(count);
        }
        """,
        """
        readonly object _lock = new();
        [RequiresWriterLock(Lock = "_lock")] int Insert() => 1;
        public int Add()
        {
            lock (_lock)
            {
                return Insert();
            }
        } // The only one.
        public void AddTwice()
        {
            // Counts.
            lock (_lock)
            {
                int count = Insert();
                Console.WriteLine(count);
            }
        }
        """);

    [Fact]
    public Task Update_TakesAReaderWriterLockForWriting() => FixOf<UpdateWithoutWriterLockFixer>.MembersAsync(
        """
        readonly ReaderWriterLockSlim _lock = new();
        [RequiresWriterLock(Lock = "_lock")] void Insert() { }
        public void Add()
        {
            {|IRCU070:Insert()|};
        }
        """,
        """
        readonly ReaderWriterLockSlim _lock = new();
        [RequiresWriterLock(Lock = "_lock")] void Insert() { }
        public void Add()
        {
            _lock.EnterWriteLock();
            try
            {
                Insert();
            }
            finally
            {
                _lock.ExitWriteLock();
            }
        }
        """);

    [Fact]
    public Task EntryUpdate_IsOneOperation() => FixOf<NonAtomicEntryUpdateFixer>.MembersAsync(
        """
        [RcuProtected] ulong _entry;
        [RcuProtected] long _count;
        void Set() { {|IRCU072:_entry |= 0x100|}; } // Accessed.
        void Clear() => {|IRCU072:_entry &= ~0x100UL|};
        void Count() { {|IRCU072:_count++|}; {|IRCU072:--_count|}; {|IRCU072:_count += 3|}; {|IRCU072:_count -= 3|}; }
        """,
        """
        [RcuProtected] ulong _entry;
        [RcuProtected] long _count;
        void Set() { Interlocked.Or(ref _entry, 0x100); } // Accessed.
        void Clear() => Interlocked.And(ref _entry, ~0x100UL);
        void Count() { Interlocked.Increment(ref _count); Interlocked.Decrement(ref _count); Interlocked.Add(ref _count, 3); Interlocked.Add(ref _count, -3); }
        """);

    [Fact]
    public Task EntryUpdateWithoutAnOperation_IsACompareExchange() => FixOf<NonAtomicEntryUpdateFixer>.MembersAsync(
        """
        [RcuProtected] ulong _entry;
        void Flip(ulong bits)
        {
            // The accessed bits.
            {|IRCU072:_entry ^= bits & 0x300|}; // Both.
        }
        """,
        """
        [RcuProtected] ulong _entry;
        void Flip(ulong bits)
        {
            // The accessed bits.
            ulong seen;
            do
            {
                seen = Volatile.Read(ref _entry);
            }
            while (Interlocked.CompareExchange(ref _entry, seen ^ (bits & 0x300), seen) != seen); // Both.
        }
        """);

    [Fact]
    public Task EntryUpdateWhoseValueIsUsed_IsLeft() => FixOf<NonAtomicEntryUpdateFixer>.NoneAsync(
        """
        [RcuProtected] ulong _entry;
        ulong Set() => {|IRCU072:_entry |= 0x100|};
        ulong Next() { return {|IRCU072:_entry++|}; }
        """);

    [Fact]
    public Task SecondRead_UsesWhatTheTestHasRead() => FixOf<PointerReadTwiceFixer>.MembersAsync(
        """
        class Node { public int Value; public int Weight; [RcuProtected] public Node _next; }
        int Read(Node node, bool any)
        {
            using (Rcu.ReadLock())
            {
                // Both of one node.
                if (any && /* There is one. */ node._next != null)
                {
                    return {|IRCU073:Rcu.Dereference(ref node._next)|}.Value
                        + {|IRCU073:Rcu.Dereference(ref node._next)|}.Weight; // Twice.
                }

                return 0;
            }
        }
        """,
        """
        class Node { public int Value; public int Weight; [RcuProtected] public Node _next; }
        int Read(Node node, bool any)
        {
            using (Rcu.ReadLock())
            {
                // Both of one node.
                if (any && /* There is one. */ Rcu.Dereference(ref node._next) is { } next)
                {
                    return next.Value
                        + next.Weight; // Twice.
                }

                return 0;
            }
        }
        """);

    [Fact]
    public Task SecondReadBehindAWayOut_UsesWhatTheTestHasRead() => FixOf<PointerReadTwiceFixer>.MembersAsync(
        """
        class Node { public int Value; }
        [RcuProtected] Node _head;
        int Read(int head)
        {
            using (Rcu.ReadLock())
            {
                if (Rcu.ReadPointer(ref _head) is null || head < 0)
                {
                    return 0;
                }

                return head + {|IRCU073:Rcu.Dereference(ref _head)|}.Value;
            }
        }
        """,
        """
        class Node { public int Value; }
        [RcuProtected] Node _head;
        int Read(int head)
        {
            using (Rcu.ReadLock())
            {
                if (Rcu.Dereference(ref _head) is not { } head2 || head < 0)
                {
                    return 0;
                }

                return head + head2.Value;
            }
        }
        """);

    [Fact]
    public Task TwoHalvesOfOneExpression_HaveNoTestToName() => FixOf<PointerReadTwiceFixer>.NoneAsync(
        """
        class Node { public int Value; public int Weight; }
        [RcuProtected] Node _head;
        int Read()
        {
            using (Rcu.ReadLock())
            {
                return Rcu.Dereference(ref _head).Value + {|IRCU073:Rcu.Dereference(ref _head)|}.Weight;
            }
        }
        """);
}
