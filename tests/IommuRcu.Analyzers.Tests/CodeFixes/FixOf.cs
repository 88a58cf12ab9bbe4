// Tests one code fix on the members of a class, beside a few types that declare their contracts.
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

/// <summary>A test of one fix: alone, and by FixAll in document, project and solution; what it leaves must be silent for all rules, marks aside.</summary>
internal static class FixOf<TFixer>
    where TFixer : CodeFixProvider, new()
{
    private const string World =
        """

        class Page { }
        class Pool : IDisposable
        {
            public void Free([Frees] Page page) { }
            public static void Retire([Retires] Page page) { }
            [RunsAfterGracePeriod] public void Recycle(Page page) { }
            public void Dispose() { }
        }
        class Table
        {
            [RequiresReadLock(DomainType = typeof(Rcu))] public int First() => 0;
            [RequiresReadLock(DomainType = typeof(Rcu))] [return: RcuProtected(DomainType = typeof(Rcu))] public Page Find() => new();
        }
        class Epoch
        {
            [AcquiresReadLock] public void Enter() { }
            [ReleasesReadLock] public void Exit() { }
            [RequiresReadLock] public int Touch() => 0;
            [WaitsForGracePeriod] public void Wait() { }
            [WaitsForGracePeriod] public void Barrier() { }
            public void Later<T>(T state, [RunsAfterGracePeriod] Action<T> action) { }
        }
        """;

    /// <summary>Checks what becomes of members.</summary>
    internal static Task MembersAsync(string members, string fixedMembers) =>
        RcuCodeFixTest<RcuDisciplineAnalyzer, TFixer>.VerifyAsync(Source(members), Source(fixedMembers));

    /// <summary>Checks what becomes of members, where FixAll does more than one fix after the other.</summary>
    internal static Task MembersAsync(string members, string fixedMembers, string allFixedMembers) => new RcuCodeFixTest<RcuDisciplineAnalyzer, TFixer>
    {
        TestCode = Source(members), FixedCode = Source(fixedMembers), BatchFixedCode = Source(allFixedMembers),
    }.RunAsync();

    /// <summary>Checks that nothing is offered.</summary>
    internal static Task NoneAsync(string members) =>
        new RcuCodeFixTest<RcuDisciplineAnalyzer, TFixer> { TestCode = Source(members) }.RunAsync();

    private static string Source(string members) => $$"""
        using System;
        using System.Collections.Generic;
        using System.Threading;
        using System.Threading.Tasks;
        using IommuRcu;
        using IommuRcu.Annotations;
        class Subject
        {
        {{string.Join('\n', members.Split('\n').Select(static line => line.Length == 0 ? line : "    " + line))}}
        }
        """ + World;
}
