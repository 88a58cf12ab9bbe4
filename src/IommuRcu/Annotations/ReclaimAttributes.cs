// Contracts of reclamation: unpublished, published, unlinked, gathered, flushed, retired, freed. On a method a word means its receiver.
namespace IommuRcu.Annotations;

/// <summary>No reader can reach the value (yet).</summary>
[AttributeUsage(AttributeTargets.ReturnValue | AttributeTargets.Parameter, Inherited = false, AllowMultiple = false)]
public sealed class UnpublishedAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}

/// <summary>From here on readers can reach the value.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class PublishesAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}

/// <summary>From here on no new reader reaches the value; readers that are already on it stay.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class UnlinksAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}

/// <summary>A gather: it collects unlinked pages until the IOTLB is flushed and they can be retired.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false, AllowMultiple = false)]
public sealed class TableGatherAttribute : Attribute
{
}

/// <summary>The value goes on a gather's list of pages to retire after the flush.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class GathersAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}

/// <summary>When the call returns no device walks what was gathered: on a gather's method, what that gather holds; elsewhere, all gathered on that receiver.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class FlushesIotlbAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}

/// <summary>The value is freed after a grace period. With <see cref="FlushesIotlbAttribute"/> on the same method: first flushed, then retired.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class RetiresAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}

/// <summary>The value is freed now.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class FreesAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }
}
