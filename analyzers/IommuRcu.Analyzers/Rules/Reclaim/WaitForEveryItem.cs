// IRCU051: a wait for a grace period for every item of a loop, where one wait behind the loop serves all of them.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports waits that the items of a loop could share.</summary>
internal sealed class WaitForEveryItem : Rule
{
    private const ContractWord Freeing = ContractWord.Frees | ContractWord.RunsAfterGracePeriod;
    private const ContractWord Removing = ContractWord.Frees | ContractWord.Unlinks;
    private const ContractWord Queuing = ContractWord.Retires | ContractWord.RunsAfterGracePeriod;

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.WaitForEveryItem);

    /// <inheritdoc/>
    public override void Wait(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        if (!IsPlainWait(method, point.Body.Map) || StatementOf(point.Operation.Syntax) is not { } statement || point.Body.Member.Model is not { } model
            || ItemLoop.Around(statement, model) is not { } loop || !IsShared(point.Operation.Syntax, loop) || !RemovesItems(loop, method, point.Body.Map))
        {
            return;
        }

        string? movable = IsLastAlone(statement, loop) && FreesNothing(loop, point.Operation.Syntax, point.Body.Map) ? "true" : null;
        Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Movable, movable), method.Name);
    }

    // A wait and nothing besides, of the type whose sections it waits for.
    private static bool IsPlainWait(IMethodSymbol method, ContractMap map)
        => map.Acquires(method.ContainingType) && method.Name is not ("Dispose" or "DisposeAsync" or "Close") && (map.Of(method).SelfWords & ~(ContractWord.WaitsForGracePeriod | ContractWord.MayBlock)) == 0
            && method.Parameters.All(static p => p.Type.Name is "TimeSpan" or "CancellationToken" || p.Type.SpecialType == SpecialType.System_Int32);

    // The statement that does nothing but wait; a task that nobody awaits does not.
    private static ExpressionStatementSyntax? StatementOf(SyntaxNode wait)
    {
        SyntaxNode? outer = wait.Parent;
        if (outer is MemberAccessExpressionSyntax { Name.Identifier.ValueText: "ConfigureAwait", Parent: InvocationExpressionSyntax configured })
        {
            outer = configured.Parent;
        }

        return (outer is AwaitExpressionSyntax ? outer.Parent : wait.Parent) as ExpressionStatementSyntax;
    }

    // What each item has of its own, each item waits for.
    private static bool IsShared(SyntaxNode wait, ItemLoop loop)
    {
        IOperation? call = loop.Parts.FirstOrDefault(o => o is IInvocationOperation && o.Syntax == wait);
        return call is IInvocationOperation { Instance: var receiver } && !loop.IsOfItem(call)
            && (receiver is null || (!receiver.DescendantsAndSelf().Any(static o => o is IInvocationOperation) && !IsWritten(receiver, loop)));
    }

    private static bool IsWritten(IOperation receiver, ItemLoop loop)
    {
        string text = receiver.Syntax.ToString();
        return loop.Parts.Any(o => o is IAssignmentOperation assignment && assignment.Target.Syntax.ToString() == text);
    }

    // Something of the item goes, and nothing takes its place: a place that each turn fills anew shows each version for a while.
    private static bool RemovesItems(ItemLoop loop, IMethodSymbol wait, ContractMap map)
    {
        // What is queued is freed by its callback: only a barrier waits for that.
        ContractWord awaited = KnownMembers.IsBarrier(wait) ? Removing | Queuing : Removing;
        bool removes = false;
        foreach (IOperation part in loop.Parts)
        {
            if (part is IInvocationOperation { TargetMethod: { } method } call)
            {
                MemberContracts contracts = map.Of(method);
                if (contracts.ParameterWords.HasFlag(ContractWord.Unpublished) || contracts.ResultWords.HasFlag(ContractWord.Unpublished) || (contracts.ParameterWords.HasFlag(ContractWord.Publishes) && PlaceWrittenBy(part) is null))
                {
                    return false;
                }

                removes |= ((contracts.SelfWords | contracts.ResultWords | contracts.ParameterWords) & awaited) != 0 && loop.IsOfItem(call);
            }

            if (PlaceWrittenBy(part) is { } place && Flow.Names.Unwrap(place) is IMemberReferenceOperation { Member: { } member } && (map.Of(member).ResultWords & ContractWord.RcuProtected) != 0)
            {
                if (!loop.IsOfItem(place))
                {
                    return false;
                }

                removes = true;
            }
        }

        return removes;
    }

    private static IOperation? PlaceWrittenBy(IOperation part) => part switch
    {
        IInvocationOperation { TargetMethod.Name: "Exchange" or "CompareExchange" or "Assign" or "Write" } call => call.Arguments.FirstOrDefault(static a => a.Parameter?.Ordinal == 0)?.Value,
        ISimpleAssignmentOperation assignment => assignment.Target,
        _ => null,
    };

    private static bool IsLastAlone(ExpressionStatementSyntax wait, ItemLoop loop)
        => loop.Body.Syntax is BlockSyntax { Statements: { Count: > 1 } statements } && statements[statements.Count - 1] == wait
            && loop.Statement.Parent is BlockSyntax or SwitchSectionSyntax or GlobalStatementSyntax;

    // Behind the loop the wait serves those who come after it; whoever frees in the loop counts on the wait of an item before.
    private static bool FreesNothing(ItemLoop loop, SyntaxNode wait, ContractMap map)
        => loop.Parts.OfType<IInvocationOperation>().All(c => c.Syntax == wait || KnownMembers.IsSystem(c.TargetMethod.ContainingType)
            || (map.Of(c.TargetMethod) is { IsEmpty: false } contracts && ((contracts.SelfWords | contracts.ParameterWords) & (Freeing | ContractWord.WaitsForGracePeriod)) == 0))
            && !loop.Parts.Any(static o => o is IDynamicInvocationOperation or IFunctionPointerInvocationOperation or IUsingOperation or IUsingDeclarationOperation);
}
