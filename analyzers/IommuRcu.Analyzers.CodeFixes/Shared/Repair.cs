// One way to repair one kind of finding: what the IDE offers, when it can be offered, and the edit itself.
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A finding as it was in the document before any repair: its node, and what is known of it.</summary>
internal sealed class Finding(Diagnostic diagnostic, SyntaxNode node, SemanticModel model)
{
    /// <summary>Gets the diagnostic.</summary>
    public Diagnostic Diagnostic { get; } = diagnostic;

    /// <summary>Gets the innermost node at the diagnostic's place, in the tree of <see cref="Model"/>.</summary>
    public SyntaxNode Node { get; } = node;

    /// <summary>Gets the model of the document before any repair.</summary>
    public SemanticModel Model { get; } = model;

    /// <summary>Reads a property that the rule left for its fix.</summary>
    public string? Property(string name) =>
        Diagnostic.Properties.TryGetValue(name, out string? value) && !string.IsNullOrEmpty(value) ? value : null;

    /// <summary>Gets the type whose metadata name is given, where the document can see exactly one.</summary>
    public INamedTypeSymbol? Type(string metadataName) => Model.Compilation.GetTypeByMetadataName(metadataName);
}

/// <summary>A repair. It works on one tree after another, so that FixAll can make any number of them in one document.</summary>
internal abstract class Repair
{
    /// <summary>Gets what the IDE shows, for this finding.</summary>
    public abstract string Title(Finding finding);

    /// <summary>Gets the key by which FixAll knows the repair again.</summary>
    public abstract string Key { get; }

    /// <summary>Says whether the repair can be made; called before any edit.</summary>
    public abstract bool Applies(Finding finding);

    /// <summary>Makes the repair.</summary>
    /// <param name="root">The document's root by now, other repairs included.</param>
    /// <param name="node">The finding's node in <paramref name="root"/>.</param>
    /// <param name="finding">The finding as it was in the beginning.</param>
    /// <returns>The new root; nodes that are kept keep their annotations.</returns>
    public abstract SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding);
}
