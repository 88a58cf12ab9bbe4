// The guard of a section that may await.
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>An open section of a <see cref="SleepableRcu"/>; disposing it closes the section.</summary>
/// <remarks>Not bound to a thread: it may live across <c>await</c>, be stored, and be closed by another thread. Close it exactly once.</remarks>
[ReadLockScope]
public readonly struct SleepableReadScope : IDisposable, IEquatable<SleepableReadScope>
{
    private readonly SleepableRcu? _owner;
    private readonly int _cell;
    private readonly ulong _generation;

    internal SleepableReadScope(SleepableRcu owner, int cell, ulong generation)
    {
        _owner = owner;
        _cell = cell;
        _generation = generation;
    }

    /// <summary>Tells whether two scopes are the same opening of the same section.</summary>
    /// <param name="left">One scope.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they are the same.</returns>
    public static bool operator ==(SleepableReadScope left, SleepableReadScope right) => left.Equals(right);

    /// <summary>Tells whether two scopes are different openings.</summary>
    /// <param name="left">One scope.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they differ.</returns>
    public static bool operator !=(SleepableReadScope left, SleepableReadScope right) => !left.Equals(right);

    /// <summary>Closes the section. On a <c>default</c> scope it does nothing.</summary>
    /// <exception cref="InvalidOperationException">It was closed before, by this or a copy.</exception>
    [ReleasesReadLock(Sleepable = true)]
    public void Dispose() => _owner?.Close(_cell, _generation);

    /// <inheritdoc/>
    public bool Equals(SleepableReadScope other) => _owner == other._owner && _cell == other._cell && _generation == other._generation;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SleepableReadScope other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_owner, _cell, _generation);
}
