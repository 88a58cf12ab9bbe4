// Which place an expression names: a variable, or a member of a value, seen through captures and ref locals.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    // The place that a ref local was made for: what is done through it is done there.
    private Dictionary<ILocalSymbol, IOperation>? _references;

    // What a capture of a place stands for.
    private IOperation? Resolve(IOperation target)
    {
        IOperation? place = Names.Unwrap(target);
        while (place is IFlowCaptureReferenceOperation reference && _captured.TryGetValue(reference.Id.GetHashCode(), out IOperation? captured))
        {
            place = Names.Unwrap(captured);
        }

        return place is IDeclarationExpressionOperation declaration ? declaration.Expression : place;
    }

    // As above, and what a ref local stands for.
    private IOperation? Refer(IOperation target)
    {
        IOperation? place = Resolve(target);
        return place is ILocalReferenceOperation { Local: { RefKind: not RefKind.None } local } && _references is not null && _references.TryGetValue(local, out IOperation? referred) ? referred : place;
    }

    /// <summary>Finds the place that an expression names, from the values of what it is reached through.</summary>
    private int PlaceOf(IOperation? operation, State state)
    {
        switch (operation is null ? null : Resolve(operation))
        {
            case ILocalReferenceOperation local:
                return Direct(_table.Slot(local.Local), state);
            case IParameterReferenceOperation parameter:
                return Direct(_table.Slot(parameter.Parameter.OriginalDefinition), state);
            case IFieldReferenceOperation { Field: { IsStatic: true } field }:
                return _table.Slot(field.OriginalDefinition);
            case IFieldReferenceOperation { Instance: { } instance } reference:
                return MemberPlace(reference.Field, instance, state);
            case IPropertyReferenceOperation { Property: { IsStatic: true, Parameters.IsEmpty: true } property }:
                return _table.Slot(Canonical(property));
            case IPropertyReferenceOperation { Instance: { } instance, Property.Parameters.IsEmpty: true } reference:
                return MemberPlace(reference.Property, instance, state);
            default:
                return 0;
        }
    }

    // Reading through a ref local reads the member that it stands for, of an object that must still be alive.
    private void ReadReference(ILocalReferenceOperation local, List<State> states)
    {
        if (Refer(local) is IMemberReferenceOperation { Member: { } member })
        {
            ReadValue(local, member, _body.Map.Of(member), states);
        }

        if (_observer is not null && states.Any(s => s.FactsOf(OwnerOf(s)).HasProtocol))
        {
            Tell(states, OwnerOf, (listener, seen) => listener.Use(Point(local), local, seen));
        }

        int OwnerOf(State state) => state.Aliases.TryGetValue(_table.Slot(local.Local), out int place) && _table.SlotInfo(place) is { Symbol: not null, Index: var owner } ? owner : ValueTable.Unknown;
    }

    private static int Direct(int slot, State state) => state.Aliases.TryGetValue(slot, out int target) ? target : slot;

    // An element of a tuple is the same place under its own name and as ItemN.
    internal static ISymbol Canonical(ISymbol member) => BackingField.Of(((member as IFieldSymbol)?.CorrespondingTupleField ?? member).OriginalDefinition);

    private int MemberPlace(ISymbol member, IOperation instance, State state)
    {
        int owner = ValueOf(instance, state);
        return owner == ValueTable.Unknown || !_table.HasMembers(owner) ? 0 : _table.Slot(Canonical(member), owner);
    }
}
