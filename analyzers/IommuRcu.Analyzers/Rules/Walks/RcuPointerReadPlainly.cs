// IRCU002: a protected field read with a plain load.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Rcl = IommuRcu.Analyzers.Flow.Reclaim;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports plain loads of protected fields, tests for null and comparisons aside.</summary>
internal sealed class RcuPointerReadPlainly : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.RcuPointerReadPlainly);

    /// <inheritdoc/>
    public override void ReadProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<Need>> seen)
    {
        if (member is not IFieldSymbol || contract.PlainAllowed || IsTest(point.Operation) || PlainAccess.IsPrivate(point, seen))
        {
            return;
        }

        Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Accessor, AccessorFor(point.Body, seen)), member.Name);
    }

    // Rcu's own asks for a section of Rcu.
    private static string AccessorFor(Body body, IReadOnlyList<Seen<Need>> seen)
        => body.Map.Compilation.GetTypeByMetadataName("IommuRcu.Rcu") is { } rcu
            && seen.All(s => Sections.Answer(s.State, s.Value with { Domain = Domain.Of(rcu), Lock = 0 }) is Answer.Open or Answer.AskCaller)
                ? "global::IommuRcu.Rcu.Dereference"
                : "global::System.Threading.Volatile.Read";

    private static bool IsTest(IOperation read)
    {
        IOperation? parent = read.Parent;
        while (parent is IConversionOperation { OperatorMethod: null } or IParenthesizedOperation)
        {
            parent = parent.Parent;
        }

        return parent is IIsNullOperation
            or IBinaryOperation { OperatorKind: BinaryOperatorKind.Equals or BinaryOperatorKind.NotEquals }
            or IArgumentOperation { Parent: IInvocationOperation { TargetMethod: { Name: "ReferenceEquals", ContainingType.SpecialType: SpecialType.System_Object } } }
            || (parent is IIsPatternOperation test && IsNullTest(test.Pattern));
    }

    private static bool IsNullTest(IPatternOperation pattern) => pattern switch
    {
        IConstantPatternOperation => true,
        INegatedPatternOperation negated => IsNullTest(negated.Pattern),
        IRecursivePatternOperation { DeclaredSymbol: null, PropertySubpatterns.IsEmpty: true, DeconstructionSubpatterns.IsEmpty: true } => true,
        _ => false,
    };
}

/// <summary>Tells where plain accesses of protected members are right.</summary>
internal static class PlainAccess
{
    /// <summary>Tells whether nobody else can reach the object, or the writer lock keeps writers out.</summary>
    /// <param name="point">The access.</param>
    /// <param name="seen">The object and the lock.</param>
    /// <returns>Whether it is right in every state.</returns>
    public static bool IsPrivate(FlowPoint point, IReadOnlyList<Seen<Need>> seen)
        => IsConstruction(point) || point.Body.IsCallback || seen.All(static s => IsLocked(s) || IsFresh(s.State, s.Value.Owner));

    /// <summary>Tells whether the access is part of making the object.</summary>
    /// <param name="point">The access.</param>
    /// <returns>Whether it stands in a constructor or initializer, on the object itself.</returns>
    public static bool IsConstruction(FlowPoint point)
    {
        bool making = point.Body.Owner is IFieldSymbol or IPropertySymbol or IMethodSymbol { MethodKind: MethodKind.Constructor or MethodKind.StaticConstructor };
        IOperation? target = point.Operation is IAssignmentOperation assignment ? assignment.Target : point.Operation;
        return making && target is not IMemberReferenceOperation { Instance: not (null or IInstanceReferenceOperation) };
    }

    /// <summary>Tells whether an object is not published yet.</summary>
    /// <param name="state">The state.</param>
    /// <param name="owner">The object.</param>
    /// <returns>Whether it is known to be fresh.</returns>
    public static bool IsFresh(State state, int owner)
    {
        for (int depth = 0; depth < 6 && owner != 0; depth++)
        {
            if (state.FactsOf(owner).Reclaim is Rcl.Fresh or Rcl.Trusted)
            {
                return true;
            }

            ValueInfo info = state.Table.Info(owner);
            owner = info.Kind == ValueKind.Initial && state.Table.SlotInfo(info.A) is { Symbol: not null, Index: > 0 } slot ? slot.Index : 0;
        }

        return false;
    }

    private static bool IsLocked(Seen<Need> seen)
        => seen.Value.Lock != 0 ? Locks.IsHeld(seen.State, seen.Value.Lock) : seen.Value.Contract?.Lock is null && seen.State.Locks.Count > 0;
}
