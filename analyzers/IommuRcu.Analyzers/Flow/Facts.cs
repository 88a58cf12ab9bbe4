// What is known of one value on one path: its range, the section it was read in, its place in the order of a free.
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A page's place in the order unlink, gather, flush, retire, grace period, free.</summary>
internal enum Reclaim : byte
{
    /// <summary>Not seen: counts as published for a free.</summary>
    None,

    /// <summary>No reader can reach it.</summary>
    Fresh,

    /// <summary>Published in this body.</summary>
    Published,

    /// <summary>No new reader reaches it.</summary>
    Unlinked,

    /// <summary>Unlinked, and a grace period has passed.</summary>
    Quiescent,

    /// <summary>On a gather's list.</summary>
    Gathered,

    /// <summary>Gathered, and the IOTLB flushed.</summary>
    Flushed,

    /// <summary>Will be freed after a grace period.</summary>
    Retired,

    /// <summary>Freed.</summary>
    Freed,

    /// <summary>The contract of this body's own parameter answers for it.</summary>
    Trusted,

    /// <summary>Differs among values that the analysis no longer tells apart.</summary>
    Mixed,
}

/// <summary>Where a protected value stands to the section it was read in.</summary>
internal enum OriginKind : byte
{
    /// <summary>Not a protected value.</summary>
    None,

    /// <summary>Read in a section that is still open.</summary>
    Open,

    /// <summary>Its section is closed.</summary>
    Closed,

    /// <summary>Read outside any section.</summary>
    Outside,
}

/// <summary>What a guard, gather or pin has been through.</summary>
internal enum Holder : byte
{
    /// <summary>Not such a value.</summary>
    None,

    /// <summary>A guard whose section is open.</summary>
    GuardOpen,

    /// <summary>A guard that was disposed.</summary>
    GuardClosed,

    /// <summary>A guard that never opened anything.</summary>
    GuardInert,

    /// <summary>A gather with nothing on its list.</summary>
    GatherEmpty,

    /// <summary>A gather with something on its list.</summary>
    GatherFilled,

    /// <summary>A gather that was synced.</summary>
    GatherSynced,

    /// <summary>A gather that was disposed.</summary>
    GatherDisposed,

    /// <summary>A pin that was not disposed yet.</summary>
    PinHeld,

    /// <summary>A pin that was disposed or handed on.</summary>
    PinReleased,

    /// <summary>A lock's scope.</summary>
    LockScope,
}

/// <summary>An interval with holes: null is 0, false 0, true 1.</summary>
internal readonly struct Range : IEquatable<Range>
{
    public static readonly Range Full = new(long.MinValue, long.MaxValue, null);

    private static readonly long[] _zero = { 0 };
    private readonly long[]? _holes;

    public Range(long low, long high, long[]? holes)
    {
        Low = low;
        High = high;
        _holes = holes;
    }

    /// <summary>Gets the least value.</summary>
    public long Low { get; }

    /// <summary>Gets the greatest value.</summary>
    public long High { get; }

    /// <summary>Gets whether nothing is known.</summary>
    public bool IsFull => Low == long.MinValue && High == long.MaxValue && _holes is null;

    /// <summary>Gets the only value, if there is just one.</summary>
    public long? Single => Low == High ? Low : null;

    /// <summary>Gets whether a value is possible.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether it is in the range.</returns>
    public bool Contains(long value) => value >= Low && value <= High && (_holes is null || Array.IndexOf(_holes, value) < 0);

    /// <summary>Narrows the range to an interval.</summary>
    /// <param name="low">The least value.</param>
    /// <param name="high">The greatest value.</param>
    /// <returns>The narrowed range, or none if nothing is left.</returns>
    public Range? Within(long low, long high) => Normalize(Math.Max(Low, low), Math.Min(High, high), _holes);

    /// <summary>Narrows the range to what is less than a number.</summary>
    /// <param name="limit">The number.</param>
    /// <returns>The narrowed range, or none if nothing is left.</returns>
    public Range? Below(long limit) => limit == long.MinValue ? null : Within(long.MinValue, limit - 1);

    /// <summary>Narrows the range to what is greater than a number.</summary>
    /// <param name="limit">The number.</param>
    /// <returns>The narrowed range, or none if nothing is left.</returns>
    public Range? Above(long limit) => limit == long.MaxValue ? null : Within(limit + 1, long.MaxValue);

    /// <summary>Joins the range with another that it meets.</summary>
    /// <param name="other">The other.</param>
    /// <returns>The range of exactly both, or none if that is not one interval.</returns>
    public Range? Union(Range other)
    {
        long later = Math.Max(Low, other.Low);
        return _holes is null && other._holes is null && (later == long.MinValue || later - 1 <= Math.Min(High, other.High))
            ? new Range(Math.Min(Low, other.Low), Math.Max(High, other.High), null)
            : null;
    }

    /// <summary>Takes a value out.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The narrowed range, or none if nothing is left.</returns>
    public Range? Without(long value)
    {
        if (!Contains(value))
        {
            return this;
        }

        // Beyond a few holes the rest is forgotten: a wider range is always right.
        long[] holes = _holes is null ? new[] { value } : _holes.Length >= 12 ? _holes : _holes.Append(value).OrderBy(static h => h).ToArray();
        return Normalize(Low, High, holes);
    }

    /// <summary>Widens the range to cover another.</summary>
    /// <param name="other">The other.</param>
    /// <returns>A range that contains both.</returns>
    public Range Hull(Range other)
    {
        if (Equals(other))
        {
            return this;
        }

        // Beyond a few values intervals grow to infinity at once, so that loops come to rest.
        long least = Math.Min(Low, other.Low);
        long most = Math.Max(High, other.High);
        bool narrow = least > -1000 && most < 1000 && most - least <= 16;
        long low = Low == other.Low || narrow || IsSmall(least) ? least : long.MinValue;
        long high = High == other.High || narrow || IsSmall(most) ? most : long.MaxValue;
        if (_holes is null && other._holes is null && High >= other.Low && other.High >= Low)
        {
            bool skipsZero = low < 0 && high > 0 && !Contains(0) && !other.Contains(0);
            return new Range(low, high, skipsZero ? _zero : null);
        }

        return new Range(low, high, HolesOfBoth(other, low, high));
    }

    // The few numbers between two ranges that do not meet.
    private IEnumerable<long> Gap(Range other)
    {
        long low = Math.Min(High, other.High);
        long high = Math.Max(Low, other.Low);
        return low < high && low > -1000 && high < 1000 && high - low <= 12 ? Enumerable.Range((int)low + 1, (int)(high - low) - 1).Select(static h => (long)h) : Array.Empty<long>();
    }

    private static bool IsSmall(long bound) => bound is >= -16 and <= 16;

    private long[]? HolesOfBoth(Range other, long low, long high)
    {
        Range own = this;
        long[] holes = (_holes ?? Array.Empty<long>()).Concat(other._holes ?? Array.Empty<long>()).Append(0).Concat(Gap(other))
            .Where(h => !own.Contains(h) && !other.Contains(h) && h > low && h < high).Distinct().OrderBy(static h => h).Take(12).ToArray();
        return holes.Length == 0 ? null : holes;
    }

    /// <inheritdoc/>
    public bool Equals(Range other)
        => Low == other.Low && High == other.High
            && (ReferenceEquals(_holes, other._holes) || (_holes is not null && other._holes is not null && _holes.SequenceEqual(other._holes)));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Range other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)((Low * 31) + High));

    private static Range? Normalize(long low, long high, long[]? holes)
        => holes is not null ? NormalizeHoles(low, high, holes) : low > high ? null : new Range(low, high, null);

    private static Range? NormalizeHoles(long low, long high, long[] holes)
    {
        while (low <= high && Array.IndexOf(holes, low) >= 0 && low < long.MaxValue)
        {
            low++;
        }

        while (low <= high && Array.IndexOf(holes, high) >= 0 && high > long.MinValue)
        {
            high--;
        }

        if (low > high)
        {
            return null;
        }

        long[] kept = holes.Where(h => h > low && h < high).ToArray();
        return new Range(low, high, kept.Length == 0 ? null : kept);
    }
}

/// <summary>All that is known of a value. Sites are for messages and never tell states apart.</summary>
internal sealed record Facts
{
    public static readonly Facts Nothing = new();

    public Range Range { get; init; } = Range.Full;

    public Reclaim Reclaim { get; init; }

    public IOperation? ReclaimSite { get; init; }

    /// <summary>Gets the gather that holds the value.</summary>
    public int Gather { get; init; }

    /// <summary>Gets the value that this one hangs under, or was computed from.</summary>
    public int Parent { get; init; }

    /// <summary>Gets the allocator that the value came from.</summary>
    public int Allocator { get; init; }

    public OriginKind Origin { get; init; }

    /// <summary>Gets the section that the value was read in, or that the guard stands for.</summary>
    public int Section { get; init; }

    public IOperation? OriginSite { get; init; }

    /// <summary>Gets the section of a protected value that was put into this object, array or collection.</summary>
    public int Carries { get; init; }

    /// <summary>Gets the place of a protected entry that the value was read from.</summary>
    public int ReadFrom { get; init; }

    public IOperation? CloseSite { get; init; }

    public Holder Holder { get; init; }

    /// <summary>Gets whether the value is a pool that was shut down.</summary>
    public bool IsShut { get; init; }

    /// <summary>Gets whether the value is a bound of protected memory.</summary>
    public bool IsBound { get; init; }

    /// <summary>Gets the call whose task this is, where what the call does is done only when the task has been waited for.</summary>
    public IOperation? Pending { get; init; }

    /// <summary>Gets whether the value is protected where it is used, not where it was computed.</summary>
    public bool IsDefault => Range.IsFull && !HasProtocol;

    /// <summary>Gets whether the facts tell states apart.</summary>
    public bool HasProtocol => Reclaim != Reclaim.None || Origin != OriginKind.None || Holder != Holder.None || IsBound || Parent != 0 || ReadFrom != 0 || Carries != 0 || Pending is not null || IsShut;

    /// <summary>Tells whether two values are at the same point of every protocol.</summary>
    /// <param name="other">The other value's facts.</param>
    /// <returns>Whether the states can be joined.</returns>
    public bool SameProtocol(Facts other)
        => ReferenceEquals(this, other)
            || (Reclaim == other.Reclaim && Origin == other.Origin && Section == other.Section && Holder == other.Holder && IsBound == other.IsBound && IsShut == other.IsShut && ReferenceEquals(Pending, other.Pending));

    /// <summary>Joins with the facts of another path.</summary>
    /// <param name="other">The other facts, at the same point of every protocol.</param>
    /// <returns>What holds on both.</returns>
    public Facts Join(Facts other)
        => ReferenceEquals(this, other) ? this : this with
        {
            Range = Range.Hull(other.Range),
            Gather = Gather == other.Gather ? Gather : 0,
            Parent = Parent == other.Parent ? Parent : 0,
            ReadFrom = ReadFrom == other.ReadFrom ? ReadFrom : 0,
            Carries = Carries != 0 ? Carries : other.Carries,
            Allocator = Allocator == other.Allocator ? Allocator : 0,
            ReclaimSite = ReclaimSite ?? other.ReclaimSite,
            OriginSite = OriginSite ?? other.OriginSite,
            CloseSite = CloseSite ?? other.CloseSite,
        };

    /// <summary>Tells whether two facts say the same, sites aside.</summary>
    /// <param name="other">The other facts.</param>
    /// <returns>Whether they do.</returns>
    public bool SameAs(Facts other)
        => SameProtocol(other) && Range.Equals(other.Range) && Gather == other.Gather && Parent == other.Parent && ReadFrom == other.ReadFrom && Carries == other.Carries && Allocator == other.Allocator;
}
