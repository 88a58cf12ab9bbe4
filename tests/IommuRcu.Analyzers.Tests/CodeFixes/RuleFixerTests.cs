// What all fixes have in common: stable keys, titles in words, and no change where nothing can be repaired.
using IommuRcu.Analyzers.CodeFixes;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class RuleFixerTests
{
    private const string Walk =
        """
        using IommuRcu;
        using IommuRcu.Annotations;
        class Table
        {
            [RequiresReadLock(DomainType = typeof(Rcu))] public int First() => 0;
            public void Read() { First(); }
        }
        """;

    [Fact]
    public void Keys_AreStable()
    {
        string[] expected =
        [
            "IRCU001: IommuRcu.WrapInSection, IommuRcu.PassContractOn",
            "IRCU002: IommuRcu.Dereference",
            "IRCU003: IommuRcu.Assign",
            "IRCU006: IommuRcu.PassContractOn",
            "IRCU008: IommuRcu.WrapInSection",
            "IRCU009: IommuRcu.OpenInsteadOfForging",
            "IRCU010: IommuRcu.RemoveAssertion",
            "IRCU012: IommuRcu.SampleInside",
            "IRCU020: IommuRcu.WaitAfterSection",
            "IRCU030: IommuRcu.HoldGuard",
            "IRCU031: IommuRcu.CloseAlways",
            "IRCU032: IommuRcu.RemoveExit",
            "IRCU033: IommuRcu.CloseAlways",
            "IRCU034: IommuRcu.PassByReference",
            "IRCU037: IommuRcu.RemoveSection",
            "IRCU039: IommuRcu.CloseAlways",
            "IRCU040: IommuRcu.GatherInstead, IommuRcu.DeferInstead",
            "IRCU041: IommuRcu.SyncBefore",
            "IRCU043: IommuRcu.RemoveFree",
            "IRCU045: IommuRcu.HoldGather",
            "IRCU051: IommuRcu.WaitBehindLoop",
            "IRCU061: IommuRcu.StaticCallback",
            "IRCU064: IommuRcu.WaitBefore",
            "IRCU070: IommuRcu.WrapInLock",
            "IRCU072: IommuRcu.AtomicUpdate",
            "IRCU073: IommuRcu.ReadOnce",
            "IRCU091: IommuRcu.CopyToBase",
            "IRCU094: IommuRcu.AddAttribute",
        ];
        Assert.Equal(
            expected,
            FixedProject.Fixers.SelectMany(static fixer => fixer.FixableDiagnosticIds.Select(id => $"{id}: {string.Join(", ", fixer.Keys)}"))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Titles_NeedNoUsings()
    {
        FixedProject project = FixedProject.Create([], []).With("Table.cs", Walk);
        List<(RuleFixer Fixer, CodeAction Action)> offers = await project.OffersAsync(Assert.Single(await project.FindAsync()));
        Assert.Equal(
            ["Open a section with 'Rcu.ReadLock()'", "Put RequiresReadLock on 'Read'"], offers.Select(static offer => offer.Action.Title));
    }

    [Fact]
    public async Task FixAll_ForAnotherKey_ChangesNothing()
    {
        FixedProject project = FixedProject.Create([], []).With("Table.cs", Walk);
        FixedProject after = await project.FixAllAsync(new WalkOutsideReadSectionFixer(), "IommuRcu.RemoveExit");
        Assert.Equal(Walk, await after.TextAsync("Table.cs"));
        Assert.True(project.IsSameAs(after));
    }

    [Fact]
    public async Task FixAll_OverManyDocuments_FixesEach()
    {
        FixedProject project = FixedProject.Create([], []);
        for (int i = 0; i < 5; i++)
        {
            project = project.With($"Table{i}.cs", Walk.Replace("Table", $"Table{i}", StringComparison.Ordinal));
        }

        foreach (FixAllScope scope in new[] { FixAllScope.Document, FixAllScope.Project, FixAllScope.Solution })
        {
            FixedProject after = await project.FixAllAsync(new WalkOutsideReadSectionFixer(), null, scope);
            Assert.Empty(await after.FindAsync());
            Assert.Empty(await after.ErrorsAsync());
        }
    }
}
