// The ways in which a value leaves the body that holds it.
namespace IommuRcu.Analyzers.Flow;

/// <summary>A kind of way out of a body.</summary>
internal enum WayOutKind : byte
{
    Returned,
    Yielded,
    Stored,
    Collected,
    GivenOut,
    Captured,
    HandedToThread,
}

/// <summary>A way out of a body.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Where">Where the value goes, as a message says it; empty where the kind says all.</param>
internal readonly record struct WayOut(WayOutKind Kind, string Where)
{
    public static readonly WayOut Returned = new(WayOutKind.Returned, string.Empty);
    public static readonly WayOut Yielded = new(WayOutKind.Yielded, string.Empty);
    public static readonly WayOut Captured = new(WayOutKind.Captured, string.Empty);

    public static WayOut StoredIn(string place) => new(WayOutKind.Stored, place);

    public static WayOut PutInto(string collection) => new(WayOutKind.Collected, collection);

    public static WayOut GivenOutThrough(string parameter) => new(WayOutKind.GivenOut, parameter);

    public static WayOut HandedToThreadBy(string starter) => new(WayOutKind.HandedToThread, starter);

    /// <summary>Gets whether a closure takes the value along.</summary>
    public bool IsCapture => Kind is WayOutKind.Captured or WayOutKind.HandedToThread;

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        WayOutKind.Returned => "returned",
        WayOutKind.Yielded => "yielded",
        WayOutKind.Stored => "stored in " + Where,
        WayOutKind.Collected => "put into " + Where,
        WayOutKind.GivenOut => "given out through " + Where,
        WayOutKind.Captured => "captured by a delegate",
        _ => "handed to another thread by " + Where,
    };
}
