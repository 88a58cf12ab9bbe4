// What must not run inside a section: suspensions, waits for a grace period, and whatever may block.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Looks for waits in code that a repair would put into a section.</summary>
internal static class Waits
{
    private const ContractWord Words = ContractWord.MayBlock | ContractWord.WaitsForGracePeriod;

    /// <summary>Says whether any of the nodes, which are of the finding's own tree, waits or suspends.</summary>
    public static bool In(Finding finding, IEnumerable<SyntaxNode> nodes) => nodes.Any(each => In(finding, each));

    /// <summary>Says whether a node of the finding's own tree waits or suspends.</summary>
    public static bool In(Finding finding, SyntaxNode node) =>
        StatementRange.Suspends(node)
        || node.DescendantNodesAndSelf(each => each == node || !StatementRange.IsNestedFunction(each)).Any(each => Waiting(finding, each));

    private static bool Waiting(Finding finding, SyntaxNode node)
    {
        switch (node)
        {
            case LockStatementSyntax:
                return true;
            case UsingStatementSyntax { Expression: ExpressionSyntax resource }:
                return DisposalWaits(finding, finding.Model.GetTypeInfo(resource).Type);
            case VariableDeclarationSyntax
            {
                Parent: UsingStatementSyntax or LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 },
            } variables:
                return DisposalWaits(finding, finding.Model.GetTypeInfo(variables.Type).Type);
            case InvocationExpressionSyntax or BaseObjectCreationExpressionSyntax or MemberAccessExpressionSyntax or ElementAccessExpressionSyntax:
                break;
            default:
                return false;
        }

        return finding.Model.GetOperation(node) switch
        {
            IInvocationOperation call => (finding.WordsOf(call.TargetMethod) & Words) != 0
                || BlockingMembers.Of(call.TargetMethod, call.Instance, call.Arguments) is not null,
            IPropertyReferenceOperation { Property: { GetMethod: IMethodSymbol getter } property } read =>
                (finding.WordsOf(property) & Words) != 0 || BlockingMembers.Of(getter, read.Instance, read.Arguments) is not null,
            IObjectCreationOperation { Constructor: IMethodSymbol constructor } => (finding.WordsOf(constructor) & Words) != 0,
            _ => false,
        };
    }

    private static bool DisposalWaits(Finding finding, ITypeSymbol? type) =>
        type?.GetMembers("Dispose").Any(each => (finding.WordsOf(each) & Words) != 0) == true;
}
