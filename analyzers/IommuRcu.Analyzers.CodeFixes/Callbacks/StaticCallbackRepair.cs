// Makes a capturing callback static: what it captured travels in its state.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Rewrites <c>Call(state, x => …)</c> where the state has a type parameter's type. A captured variable that is written again is left: the state would be a copy.</summary>
internal sealed class StaticCallbackRepair : Repair
{
    private const string State = "state";

    /// <inheritdoc/>
    public override string Key => "IommuRcu.StaticCallback";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Make the callback static, and pass what it needs as its state";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => PlanFor(finding) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (PlanFor(finding) is not Plan plan || node.FirstAncestorOrSelf<LambdaExpressionSyntax>() is not LambdaExpressionSyntax lambda
            || lambda.Parent?.Parent is not ArgumentListSyntax { Arguments.Count: 2 } list || lambda.Modifiers.Any(SyntaxKind.StaticKeyword))
        {
            return root;
        }

        ArgumentSyntax given = list.Arguments[0];
        string parameter = plan.Parts.Count == 1 ? plan.Parts[0].Name : State;
        ExpressionSyntax state = plan.Parts.Count == 1
            ? Part(plan.Parts[0], given).Expression
            : SyntaxFactory.TupleExpression(SyntaxFactory.SeparatedList(plan.Parts.Select(each => Part(each, given))));
        SyntaxNode body = new Rewriter(plan, parameter).Visit(lambda.Body);
        LambdaExpressionSyntax made = SyntaxFactory.SimpleLambdaExpression(
            SyntaxFactory.TokenList(SyntaxFactory.Token(SyntaxKind.StaticKeyword)),
            SyntaxFactory.Parameter(SyntaxFactory.Identifier(parameter)),
            body as BlockSyntax,
            body as ExpressionSyntax).WithArrowToken(lambda.ArrowToken);
        ArgumentListSyntax arguments = list.ReplaceNodes(
            [given.Expression, lambda],
            (old, _) => (old == lambda ? made : state).WithTriviaFrom(old).WithAdditionalAnnotations(Formatter.Annotation));
        return root.ReplaceNode(list, arguments);
    }

    private static ArgumentSyntax Part((string Name, bool IsThis, bool IsGiven) part, ArgumentSyntax given)
    {
        ExpressionSyntax value = part.IsThis ? SyntaxFactory.ThisExpression() : part.IsGiven ? given.Expression.WithoutTrivia() : SyntaxFactory.IdentifierName(part.Name);
        ArgumentSyntax argument = SyntaxFactory.Argument(value);
        return part.Name.Length == 0 || value is IdentifierNameSyntax name && name.Identifier.ValueText == part.Name
            ? argument
            : argument.WithNameColon(SyntaxFactory.NameColon(part.Name));
    }

    private static Plan? PlanFor(Finding finding)
    {
        SemanticModel model = finding.Model;
        if (finding.Node is not LambdaExpressionSyntax { AsyncKeyword.RawKind: 0 } lambda || ParameterOf(lambda) is not ParameterSyntax parameter
            || lambda.Parent is not ArgumentSyntax { NameColon: null, Parent: ArgumentListSyntax { Arguments: { Count: 2 } arguments, Parent: InvocationExpressionSyntax call } } argument
            || arguments[1] != argument || arguments[0].NameColon is not null || !TakesAnyState(model, call)
            || lambda.SyntaxTree.Options is not CSharpParseOptions { LanguageVersion: >= LanguageVersion.CSharp9 }
            || model.GetEnclosingSymbol(lambda.SpanStart)?.ContainingType is not INamedTypeSymbol type)
        {
            return null;
        }

        var plan = new Plan();
        foreach (SyntaxNode node in lambda.Body.DescendantNodesAndSelf())
        {
            switch (node)
            {
                case AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax or QueryExpressionSyntax or BaseExpressionSyntax:
                case IdentifierNameSyntax { Identifier.ValueText: State or "nameof" }:
                    return null;
                case ThisExpressionSyntax:
                    plan.UsesThis = true;
                    break;
                case SimpleNameSyntax name when IsUnqualified(name) && !plan.Note(name, model.GetSymbolInfo(name).Symbol, lambda, parameter, model):
                    return null;
            }
        }

        ExpressionSyntax given = arguments[0].Expression;
        if (plan.UsesThis)
        {
            string self = char.ToLowerInvariant(type.Name[0]) + type.Name.Substring(1);
            self = SyntaxFacts.GetKeywordKind(self) == SyntaxKind.None ? self : "self";
            plan.This = self;
            plan.Parts.Add((self, true, false));
        }

        plan.Parts.AddRange(plan.Captured.Select(static each => (each, false, false)));
        string? known = (given as IdentifierNameSyntax)?.Identifier.ValueText;
        if (plan.Parameter is string used)
        {
            plan.Parts.Add((used, false, true));
        }
        else if (!(given is LiteralExpressionSyntax || (known is not null && plan.Captured.Contains(known))))
        {
            // It is kept alive as before.
            plan.Parts.Add((known ?? string.Empty, false, true));
        }

        // Every name must be its own, in the state and in the callback.
        List<string> names = [.. plan.Parts.Select(static each => each.Name)];
        HashSet<string> inBody = [.. lambda.Body.DescendantTokens().Where(static each => each.IsKind(SyntaxKind.IdentifierToken)).Select(static each => each.ValueText)];
        return names.Distinct().Count() == names.Count && !plan.Own.Overlaps(names) && !plan.Own.Overlaps(plan.Members)
            && !(plan.This is not null && inBody.Contains(plan.This))
            && !names.Any(static each => each.StartsWith("Item", System.StringComparison.Ordinal))
            ? plan
            : null;
    }

    private static ParameterSyntax? ParameterOf(LambdaExpressionSyntax lambda) => lambda switch
    {
        SimpleLambdaExpressionSyntax simple => simple.Parameter,
        ParenthesizedLambdaExpressionSyntax { ParameterList.Parameters: { Count: 1 } parameters } => parameters[0],
        _ => null,
    };

    // void Call<T>(T state, Action<T> callback), whatever its name.
    private static bool TakesAnyState(SemanticModel model, InvocationExpressionSyntax call) =>
        call.Expression is not (GenericNameSyntax or MemberAccessExpressionSyntax { Name: GenericNameSyntax })
        && model.GetSymbolInfo(call).Symbol is IMethodSymbol { TypeParameters.Length: 1, OriginalDefinition.Parameters: { Length: 2 } parameters } method
        && SymbolEqualityComparer.Default.Equals(parameters[0].Type, method.OriginalDefinition.TypeParameters[0])
        && parameters[1].Type is INamedTypeSymbol { Name: "Action", TypeArguments.Length: 1 } action
        && SymbolEqualityComparer.Default.Equals(action.TypeArguments[0], method.OriginalDefinition.TypeParameters[0])
        && method.TypeParameters[0] is { HasReferenceTypeConstraint: false, HasValueTypeConstraint: false, HasUnmanagedTypeConstraint: false, ConstraintTypes.IsEmpty: true };

    // A name by itself: no member of something else, and no name of an argument or initializer.
    private static bool IsUnqualified(SimpleNameSyntax name) => name.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Name != name,
        AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment => assignment.Left != name,
        MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax or QualifiedNameSyntax or AliasQualifiedNameSyntax => false,
        _ => true,
    };

    /// <summary>What a callback needs.</summary>
    private sealed class Plan
    {
        public bool UsesThis { get; set; }

        public string? This { get; set; }

        /// <summary>Gets the callback's own parameter, if it is used.</summary>
        public string? Parameter { get; private set; }

        public List<string> Captured { get; } = [];

        public HashSet<string> Members { get; } = [];

        /// <summary>Gets the callback's own locals.</summary>
        public HashSet<string> Own { get; } = [];

        public List<(string Name, bool IsThis, bool IsGiven)> Parts { get; } = [];

        /// <summary>Notes a name in the callback. Returns whether it can be dealt with.</summary>
        public bool Note(SimpleNameSyntax name, ISymbol? symbol, LambdaExpressionSyntax lambda, ParameterSyntax parameter, SemanticModel model)
        {
            string text = name.Identifier.ValueText;
            switch (symbol)
            {
                case ILocalSymbol { IsConst: true }:
                    return true;
                case ILocalSymbol or IParameterSymbol:
                    SyntaxNode? declared = symbol.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
                    if (declared == parameter)
                    {
                        Parameter = text;
                        return !IsWritten(name);
                    }

                    if (declared is null || symbol is ILocalSymbol { RefKind: not RefKind.None } or IParameterSymbol { RefKind: not RefKind.None })
                    {
                        return false;
                    }

                    if (lambda.Span.Contains(declared.Span))
                    {
                        Own.Add(text);
                        return true;
                    }

                    // A struct that changes when it is called would change as a copy.
                    if (((symbol as ILocalSymbol)?.Type ?? ((IParameterSymbol)symbol).Type) is { TypeKind: TypeKind.Struct, SpecialType: SpecialType.None, IsReadOnly: false })
                    {
                        return false;
                    }

                    if (!Captured.Contains(text))
                    {
                        Captured.Add(text);
                    }

                    return !IsWrittenAnywhere(symbol, declared, lambda, model);
                case IFieldSymbol or IPropertySymbol or IMethodSymbol or IEventSymbol when !symbol.IsStatic && symbol is not IMethodSymbol { MethodKind: MethodKind.Constructor }:
                    UsesThis = true;
                    Members.Add(text);
                    return name is IdentifierNameSyntax && symbol is not IMethodSymbol { MethodKind: MethodKind.LocalFunction };
                default:
                    return symbol is not null && symbol is not IMethodSymbol { MethodKind: MethodKind.LocalFunction };
            }
        }

        // A parameter of the type itself may be written in any member.
        private static bool IsWrittenAnywhere(ISymbol symbol, SyntaxNode declared, LambdaExpressionSyntax lambda, SemanticModel model)
        {
            SyntaxNode? member = lambda.FirstAncestorOrSelf<MemberDeclarationSyntax>();
            return (member?.Span.Contains(declared.Span) == true ? member : lambda.SyntaxTree.GetRoot()).DescendantNodes().OfType<IdentifierNameSyntax>().Any(
                each => each.Identifier.ValueText == symbol.Name && IsWritten(each) && SymbolEqualityComparer.Default.Equals(model.GetSymbolInfo(each).Symbol, symbol));
        }

        private static bool IsWritten(SimpleNameSyntax name) => name.Parent switch
        {
            AssignmentExpressionSyntax assignment => assignment.Left == name,
            PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PreIncrementExpression or (int)SyntaxKind.PreDecrementExpression or (int)SyntaxKind.AddressOfExpression } => true,
            PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression or (int)SyntaxKind.PostDecrementExpression } => true,
            ArgumentSyntax { RefKindKeyword.RawKind: not 0 } or RefExpressionSyntax => true,
            ArgumentSyntax { Parent: TupleExpressionSyntax { Parent: AssignmentExpressionSyntax tuple } written } => tuple.Left == written,
            _ => false,
        };
    }

    private sealed class Rewriter(Plan plan, string parameter) : CSharpSyntaxRewriter
    {
        public override SyntaxNode? VisitIdentifierName(IdentifierNameSyntax node)
        {
            string name = node.Identifier.ValueText;
            return !IsUnqualified(node) ? node
                : plan.Members.Contains(name) ? Access(From(plan.This!), node).WithTriviaFrom(node)
                : plan.Captured.Contains(name) || name == plan.Parameter ? From(name).WithTriviaFrom(node)
                : node;
        }

        public override SyntaxNode? VisitThisExpression(ThisExpressionSyntax node) => From(plan.This!).WithTriviaFrom(node);

        private ExpressionSyntax From(string name)
            => plan.Parts.Count == 1 ? SyntaxFactory.IdentifierName(parameter) : Access(SyntaxFactory.IdentifierName(parameter), SyntaxFactory.IdentifierName(name));

        private static MemberAccessExpressionSyntax Access(ExpressionSyntax owner, IdentifierNameSyntax name)
            => SyntaxFactory.MemberAccessExpression(SyntaxKind.SimpleMemberAccessExpression, owner, name.WithoutTrivia());
    }
}
