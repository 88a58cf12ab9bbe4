// The base of all code fixes: offers the repairs of a finding, and makes all of one kind in a document for FixAll.
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A code fix for one rule, as a list of repairs in order of preference.</summary>
public abstract class RuleFixer : CodeFixProvider
{
    private readonly ImmutableArray<Repair> _repairs;

    private protected RuleFixer(ImmutableArray<string> ids, params Repair[] repairs)
    {
        FixableDiagnosticIds = ids;
        _repairs = [.. repairs];
    }

    /// <inheritdoc/>
    public sealed override ImmutableArray<string> FixableDiagnosticIds { get; }

    /// <summary>Gets the keys of the repairs, in order of preference: stable, because IDEs and scripts name a fix by its key.</summary>
    internal IEnumerable<string> Keys => _repairs.Select(static each => each.Key);

    /// <inheritdoc/>
    public sealed override FixAllProvider GetFixAllProvider() => FixAllProvider.Create(
        async (context, document, diagnostics) =>
        {
            // Without a key (dotnet format gives none where its first diagnostic is another rule's) each finding gets its first repair.
            string? key = context.CodeActionEquivalenceKey;
            return await RepairAsync(
                document,
                diagnostics,
                finding => _repairs.FirstOrDefault(each => (key is null || each.Key == key) && each.Applies(finding)),
                withFollowUps: true,
                context.CancellationToken).ConfigureAwait(false);
        });

    /// <inheritdoc/>
    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        SemanticModel? model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        if (root is null || model is null)
        {
            return;
        }

        Lazy<ContractMap?> contracts = ContractsOf(context.Document, model, context.CancellationToken);
        foreach (Diagnostic diagnostic in context.Diagnostics.Where(each => FixableDiagnosticIds.Contains(each.Id)))
        {
            Finding finding = Find(root, model, diagnostic, contracts);
            foreach (Repair repair in _repairs.Where(each => each.Applies(finding)))
            {
                context.RegisterCodeFix(
                    CodeAction.Create(
                        repair.Title(finding),
                        cancellation => RepairAsync(context.Document, [diagnostic], _ => repair, withFollowUps: false, cancellation),
                        repair.Key),
                    diagnostic);
            }
        }
    }

    private static Finding Find(SyntaxNode root, SemanticModel model, Diagnostic diagnostic, Lazy<ContractMap?> contracts) =>
        new(diagnostic, root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true), model, contracts);

    // Few repairs need the contracts, and reading the files takes a while.
    private static Lazy<ContractMap?> ContractsOf(Document document, SemanticModel model, CancellationToken cancellationToken) => new(() =>
    {
        ImmutableArray<AdditionalText> files = document.Project.AnalyzerOptions.AdditionalFiles;
        return ContractMap.Create(model.Compilation, ContractFiles.Read(model.Compilation, files, cancellationToken).Contracts);
    });

    // Repairs are made from the top down on one tree; a finding whose node an earlier repair removed is done already.
    private static async Task<Document> RepairAsync(
        Document document,
        ImmutableArray<Diagnostic> diagnostics,
        Func<Finding, Repair?> choose,
        bool withFollowUps,
        CancellationToken cancellationToken)
    {
        SyntaxNode? root = await document.GetSyntaxRootAsync(cancellationToken).ConfigureAwait(false);
        SemanticModel? model = await document.GetSemanticModelAsync(cancellationToken).ConfigureAwait(false);
        if (root is null || model is null)
        {
            return document;
        }

        Lazy<ContractMap?> contracts = ContractsOf(document, model, cancellationToken);
        List<(Finding Finding, Repair Repair)> findings = [];
        foreach (Diagnostic diagnostic in diagnostics.OrderBy(each => each.Location.SourceSpan.Start))
        {
            Finding finding = Find(root, model, diagnostic, contracts);
            if (choose(finding) is Repair repair)
            {
                findings.Add((finding, repair));
            }
        }

        if (withFollowUps)
        {
            findings.AddRange([.. findings.SelectMany(static each => each.Repair.FollowUps(each.Finding))]);
        }

        SyntaxNode tracked = root.TrackNodes(
            findings.SelectMany(each => each.Repair.Touches(each.Finding).Append(each.Finding.Node)).Distinct());
        SyntaxNode current = tracked;
        foreach ((Finding finding, Repair repair) in findings)
        {
            if (current.GetCurrentNode(finding.Node) is SyntaxNode node)
            {
                current = repair.Apply(current, node, finding);
            }
        }

        return current == tracked ? document : document.WithSyntaxRoot(current);
    }
}
