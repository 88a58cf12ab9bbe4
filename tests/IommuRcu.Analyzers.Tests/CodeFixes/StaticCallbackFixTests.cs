// The fix that makes reclaim callbacks static: IRCU061.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class StaticCallbackFixTests
{
    [Fact]
    public Task WhatIsCaptured_BecomesTheState() => FixOf<CapturingReclaimCallbackFixer>.MembersAsync(
        """
        int _recycled;
        void Recycle(object item) => GC.KeepAlive(item);

        void This(object item) => Rcu.Call(item, {|IRCU061:old => Recycle(old)|});

        // Counts.
        void Unused(object item) => Rcu.Call(item, {|IRCU061:_ => _recycled++|});

        void Local(Epoch epoch, object item)
        {
            string name = "x" + item;
            epoch.Later(0, {|IRCU061:_ => GC.KeepAlive(name)|});
            epoch.Later(item, {|IRCU061:(object all) =>
            {
                // Both.
                GC.KeepAlive((all, name.Length, _recycled));
                this.Recycle(name);
            }|});
        }
        """,
        """
        int _recycled;
        void Recycle(object item) => GC.KeepAlive(item);

        void This(object item) => Rcu.Call((subject: this, old: item), static state => state.subject.Recycle(state.old));

        // Counts.
        void Unused(object item) => Rcu.Call((subject: this, item), static state => state.subject._recycled++);

        void Local(Epoch epoch, object item)
        {
            string name = "x" + item;
            epoch.Later(name, static name => GC.KeepAlive(name));
            epoch.Later((subject: this, name, all: item), static state =>
            {
                // Both.
                GC.KeepAlive((state.all, state.name.Length, state.subject._recycled));
                state.subject.Recycle(state.name);
            });
        }
        """);

    [Fact]
    public Task VariableThatIsWritten_IsLeft() => FixOf<CapturingReclaimCallbackFixer>.NoneAsync(
        """
        void Later(Epoch epoch, object item)
        {
            object last = item;
            epoch.Later(0, {|IRCU061:_ => GC.KeepAlive(last)|});
            last = new object();
            int count = 0;
            epoch.Later(0, {|IRCU061:_ => count++|});
        }
        """);

    [Fact]
    public Task StructThatChanges_IsLeft() => FixOf<CapturingReclaimCallbackFixer>.NoneAsync(
        """
        struct Counter { public int Value; public void Add() => Value++; }
        void Later(Epoch epoch)
        {
            Counter counter = default;
            epoch.Later(0, {|IRCU061:_ => counter.Add()|});
        }
        """);

    [Fact]
    public Task FunctionsInTheCallback_AreLeft() => FixOf<CapturingReclaimCallbackFixer>.NoneAsync(
        """
        void Later(Epoch epoch, object item)
        {
            epoch.Later(0, {|IRCU061:_ => { Action again = () => GC.KeepAlive(item); again(); }|});
            void Keep() => GC.KeepAlive(item);
            epoch.Later(item, {|IRCU061:state => { Keep(); GC.KeepAlive(item); }|});
        }
        """);
}
