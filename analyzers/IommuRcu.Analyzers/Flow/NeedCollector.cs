// Collects what an unannotated helper leaves to its callers.
using System.Collections.Generic;
using System.Linq;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Hears the needs that only a caller can answer.</summary>
internal sealed class NeedCollector : FlowListener
{
    private readonly List<InferredNeed> _needs = new();

    /// <summary>Gets the needs, one for each domain.</summary>
    public IReadOnlyList<InferredNeed> Needs => _needs;

    /// <inheritdoc/>
    public override void Need(FlowPoint point, IReadOnlyList<Seen<Need>> seen)
    {
        foreach (Seen<Need> one in seen)
        {
            if (Sections.Answer(one.State, one.Value) == Answer.AskCaller && !_needs.Any(n => n.Domain.Equals(one.Value.Domain)))
            {
                _needs.Add(new InferredNeed(one.Value.Domain, one.Value.Name, point.Operation));
            }
        }
    }
}
