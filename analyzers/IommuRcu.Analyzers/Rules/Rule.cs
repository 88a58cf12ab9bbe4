// The base of every rule: a listener to what the shared analysis finds, made anew for each type.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules;

/// <summary>One rule. A copy listens to one type; it may keep what it has heard there.</summary>
internal abstract class Rule : FlowListener
{
    private Findings? _findings;

    /// <summary>Gets the descriptors that the rule may report.</summary>
    public abstract ImmutableArray<DiagnosticDescriptor> Descriptors { get; }

    /// <summary>Gets whether the rule wants to hear of allocations, which are told only where one does.</summary>
    public virtual bool WatchesAllocations => false;

    /// <summary>Gets where the rule reports to.</summary>
    protected Findings Findings => _findings!;

    /// <summary>Makes a copy for one type.</summary>
    /// <param name="findings">Where it reports to.</param>
    /// <returns>The copy.</returns>
    public Rule ListenTo(Findings findings)
    {
        var copy = (Rule)MemberwiseClone();
        copy._findings = findings;
        copy.Begin();
        return copy;
    }

    /// <summary>Begins a type: makes what the copy keeps.</summary>
    protected virtual void Begin()
    {
    }

    /// <summary>Reports the rule's diagnostic.</summary>
    /// <param name="at">The operation to report at.</param>
    /// <param name="related">Where else it happened.</param>
    /// <param name="properties">What the code fix needs.</param>
    /// <param name="arguments">The message's arguments.</param>
    protected void Report(IOperation at, IOperation? related, ImmutableDictionary<string, string?>? properties, params object?[] arguments)
        => Findings.Report(Descriptors[0], LocationOf(at), new[] { related }, properties, arguments);

    /// <summary>Finds where an operation is reported: the whole expression, without what only surrounds it.</summary>
    /// <param name="operation">The operation.</param>
    /// <returns>Its location.</returns>
    protected static Location LocationOf(IOperation operation) => (Names.Unwrap(operation) ?? operation).Syntax.GetLocation();

    /// <summary>Names a domain for messages.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="table">The names of values.</param>
    /// <returns>The name.</returns>
    protected static string NameOf(Domain domain, ValueTable table) => domain.Kind switch
    {
        DomainKind.Type => domain.Type!.Name,
        DomainKind.Receiver => NameOf(domain.Receiver, table) ?? domain.Type?.Name ?? "its domain",
        _ => "its domain",
    };

    /// <summary>Names a value for messages, and so that it can be written in code.</summary>
    /// <param name="value">The value.</param>
    /// <param name="table">The names of values.</param>
    /// <returns>The name, or none if it has none.</returns>
    protected static string? NameOf(int value, ValueTable table)
    {
        ValueInfo info = table.Info(value);
        switch (info.Kind)
        {
            case ValueKind.This:
                return "this";
            case ValueKind.Initial:
                SlotInfo slot = table.SlotInfo(info.A);
                return slot.Symbol is null ? null : slot.Index <= 0 || table.Info(slot.Index).Kind == ValueKind.This ? slot.Symbol.Name : NameOf(slot.Index, table) is { } owner ? owner + "." + slot.Symbol.Name : slot.Symbol.Name;
            default:
                return null;
        }
    }
}
