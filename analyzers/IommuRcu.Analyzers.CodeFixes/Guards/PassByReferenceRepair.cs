// Passes a guard by in and a gather by ref: changes the parameter and every call of the method.
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Works where all calls are in sight: on private methods of a type in one part, and on local functions.</summary>
internal sealed class PassByReferenceRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.PassByReference";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Pass it by '{finding.Property(DiagnosticProperties.PassBy)}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => Find(finding) is not null;

    /// <inheritdoc/>
    public override IEnumerable<SyntaxNode> Touches(Finding finding) =>
        Find(finding) is (ParameterSyntax parameter, List<ArgumentSyntax> arguments) ? [parameter, .. arguments] : [];

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(finding) is not (ParameterSyntax original, List<ArgumentSyntax> arguments)
            || root.GetCurrentNode(original) is not ParameterSyntax parameter
            || parameter.Modifiers.Any(static each => each.Kind() is SyntaxKind.RefKeyword or SyntaxKind.InKeyword))
        {
            return root;
        }

        SyntaxToken by = SyntaxFactory.Token(IsRef(finding) ? SyntaxKind.RefKeyword : SyntaxKind.InKeyword).WithTrailingTrivia(SyntaxFactory.Space);
        ParameterSyntax passed = parameter.WithoutLeadingTrivia().WithModifiers(parameter.Modifiers.Add(by)).WithLeadingTrivia(parameter.GetLeadingTrivia());
        root = root.ReplaceNode(parameter, passed);
        foreach (ArgumentSyntax each in arguments)
        {
            if (root.GetCurrentNode(each) is ArgumentSyntax argument)
            {
                SyntaxTriviaList leading = argument.GetLeadingTrivia();
                root = root.ReplaceNode(argument, argument.WithoutLeadingTrivia().WithRefKindKeyword(by).WithLeadingTrivia(leading));
            }
        }

        return root;
    }

    private static bool IsRef(Finding finding) => finding.Property(DiagnosticProperties.PassBy) == "ref";

    private static (ParameterSyntax Parameter, List<ArgumentSyntax> Arguments)? Find(Finding finding)
    {
        SemanticModel model = finding.Model;
        if (finding.Property(DiagnosticProperties.PassBy) is null
            || finding.Node.FirstAncestorOrSelf<ArgumentSyntax>() is not { RefKindKeyword.RawKind: 0, Parent.Parent: InvocationExpressionSyntax call } argument
            || argument.Expression.Span != finding.Node.Span
            || model.GetSymbolInfo(call).Symbol is not IMethodSymbol { IsGenericMethod: false, IsExtensionMethod: false } method
            || !AreCallsInSight(method)
            || ParameterOf(method, call, argument) is not IParameterSymbol { RefKind: RefKind.None, IsParams: false, HasExplicitDefaultValue: false } parameter
            || parameter.DeclaringSyntaxReferences[0].GetSyntax() is not ParameterSyntax declared
            || declared.SyntaxTree != model.SyntaxTree)
        {
            return null;
        }

        SyntaxNode scope = method.MethodKind == MethodKind.LocalFunction
            ? method.DeclaringSyntaxReferences[0].GetSyntax().Parent!
            : method.ContainingType.DeclaringSyntaxReferences[0].GetSyntax();
        var arguments = new List<ArgumentSyntax>();
        foreach (SimpleNameSyntax name in scope.DescendantNodes().OfType<SimpleNameSyntax>()
            .Where(each => each.Identifier.ValueText == method.Name))
        {
            if (!SymbolEqualityComparer.Default.Equals(model.GetSymbolInfo(name).Symbol, method))
            {
                continue;
            }

            // Each use must be a call that gives a variable.
            SyntaxNode called = name.Parent is MemberAccessExpressionSyntax access && access.Name == name ? access : name;
            if (called.Parent is not InvocationExpressionSyntax other
                || other.ArgumentList.Arguments.FirstOrDefault(each => SymbolEqualityComparer.Default.Equals(ParameterOf(method, other, each), parameter))
                    is not ArgumentSyntax given
                || !CanRefer(given.Expression, model, IsRef(finding)))
            {
                return null;
            }

            arguments.Add(given);
        }

        return (declared, arguments);
    }

    private static bool AreCallsInSight(IMethodSymbol method) =>
        method is { IsAsync: false, PartialDefinitionPart: null, PartialImplementationPart: null, DeclaringSyntaxReferences.Length: 1 }
        && (method.MethodKind == MethodKind.LocalFunction
            || (method is { MethodKind: MethodKind.Ordinary, DeclaredAccessibility: Accessibility.Private }
                && method.ContainingType.DeclaringSyntaxReferences.Length == 1
                && method.ContainingType.ContainingType is null))
        && !method.DeclaringSyntaxReferences[0].GetSyntax(CancellationToken.None).DescendantNodes().Any(static each => each is YieldStatementSyntax);

    private static IParameterSymbol? ParameterOf(IMethodSymbol method, InvocationExpressionSyntax call, ArgumentSyntax argument)
    {
        int index = call.ArgumentList.Arguments.IndexOf(argument);
        return argument.NameColon is NameColonSyntax named
            ? method.Parameters.FirstOrDefault(each => each.Name == named.Name.Identifier.ValueText)
            : index < method.Parameters.Length ? method.Parameters[index] : null;
    }

    // A using variable and an in parameter may be passed by in only.
    private static bool CanRefer(ExpressionSyntax expression, SemanticModel model, bool isRef) => model.GetSymbolInfo(expression).Symbol switch
    {
        ILocalSymbol { IsUsing: false, IsForEach: false } or IParameterSymbol { RefKind: not RefKind.In } or IFieldSymbol { IsReadOnly: false } => true,
        ILocalSymbol or IParameterSymbol or IFieldSymbol => !isRef,
        _ => false,
    };
}
