// One way to repair one kind of finding: what the IDE offers, when it can be offered, and the edit itself.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A repair. It works on one tree after another, so that FixAll can make any number of them in one document.</summary>
internal abstract class Repair
{
    /// <summary>Gets what the IDE shows, for this finding.</summary>
    public abstract string Title(Finding finding);

    /// <summary>Gets the key by which FixAll knows the repair again.</summary>
    public abstract string Key { get; }

    /// <summary>Says whether the repair can be made; called before any edit.</summary>
    public abstract bool Applies(Finding finding);

    /// <summary>Gets the nodes besides the finding's own that <see cref="Apply"/> looks for in the root by now.</summary>
    public virtual IEnumerable<SyntaxNode> Touches(Finding finding) => [];

    /// <summary>Gets what the repair makes wrong elsewhere in the document, and how that is mended; FixAll does it in the same go.</summary>
    public virtual IEnumerable<(Finding Finding, Repair Repair)> FollowUps(Finding finding) => [];

    /// <summary>Makes the repair.</summary>
    /// <param name="root">The document's root by now, other repairs included.</param>
    /// <param name="node">The finding's node in <paramref name="root"/>.</param>
    /// <param name="finding">The finding as it was in the beginning.</param>
    /// <returns>The new root; nodes that are kept keep their annotations. The same root where an earlier repair left nothing to do.</returns>
    public abstract SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding);
}
