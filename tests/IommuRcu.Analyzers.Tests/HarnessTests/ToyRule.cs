// A rule and a fix simple enough to test the harness with: a class whose name does not begin with a capital.
using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace IommuRcu.Analyzers.Tests.HarnessTests;

[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ToyAnalyzer : DiagnosticAnalyzer
{
    internal static readonly DiagnosticDescriptor Rule = new(
        "TOY1", "Lower-case class", "Class '{0}' begins with a small letter", "Toy", DiagnosticSeverity.Warning, isEnabledByDefault: true);

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rule];

    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterSyntaxNodeAction(Check, SyntaxKind.ClassDeclaration);
    }

    private static void Check(SyntaxNodeAnalysisContext context)
    {
        SyntaxToken name = ((ClassDeclarationSyntax)context.Node).Identifier;
        if (name.Text == "crash")
        {
            throw new InvalidOperationException("crashed on purpose");
        }

        if (char.IsLower(name.Text[0]))
        {
            context.ReportDiagnostic(Diagnostic.Create(Rule, name.GetLocation(), name.Text));
        }
    }
}

[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
internal sealed class ToyFixer : CodeFixProvider
{
    public override ImmutableArray<string> FixableDiagnosticIds => ["TOY1"];

    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    public override Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        foreach (Diagnostic diagnostic in context.Diagnostics)
        {
            Offer(diagnostic, string.Empty);
            Offer(diagnostic, "My");
        }

        return Task.CompletedTask;

        void Offer(Diagnostic diagnostic, string prefix) => context.RegisterCodeFix(
            CodeAction.Create(
                "Capital " + prefix, cancellation => FixAsync(context.Document, diagnostic, prefix, cancellation), "capital" + prefix),
            diagnostic);
    }

    private static async Task<Document> FixAsync(
        Document document, Diagnostic diagnostic, string prefix, CancellationToken cancellationToken)
    {
        SyntaxNode root = (await document.GetSyntaxRootAsync(cancellationToken))!;
        SyntaxToken name = root.FindToken(diagnostic.Location.SourceSpan.Start);
        SyntaxToken renamed = SyntaxFactory.Identifier(prefix + char.ToUpperInvariant(name.Text[0]) + name.Text[1..]).WithTriviaFrom(name);
        return document.WithSyntaxRoot(root.ReplaceToken(name, renamed));
    }
}
