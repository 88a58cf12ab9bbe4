// Locks against grace periods: which locks readers and callbacks take, and which are held where one waits for them.
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A domain as all bodies of a type can name it.</summary>
/// <param name="Kind">How it is told from others.</param>
/// <param name="Type">The type.</param>
/// <param name="Receiver">The way to the receiver; none where a type is the domain.</param>
internal sealed record DomainName(DomainKind Kind, ITypeSymbol? Type, ValuePath? Receiver)
{
    /// <summary>Names a domain.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="table">The names of the body that it is known in.</param>
    /// <returns>Its name; none where the domain is made in the body.</returns>
    public static DomainName? Of(Domain domain, ValueTable table)
    {
        ValuePath? receiver = domain.Kind == DomainKind.Receiver ? ValuePath.Of(domain.Receiver, table) : null;
        return domain.Kind == DomainKind.Receiver && receiver is null ? null : new DomainName(domain.Kind, domain.Type, receiver);
    }

    /// <summary>Tells whether a wait for one domain waits for the sections of another.</summary>
    /// <param name="other">The other.</param>
    /// <returns>Whether they are one domain.</returns>
    public bool IsSame(DomainName other)
        => Kind == other.Kind && Kind switch
        {
            DomainKind.Type => SymbolEqualityComparer.Default.Equals(Type, other.Type),
            DomainKind.Receiver => Receiver!.Equals(other.Receiver),
            _ => true,
        };
}

/// <summary>Who takes a lock while somebody waits for him.</summary>
/// <param name="Lock">The lock.</param>
/// <param name="Domain">The domain of his section; none for a reclaim callback.</param>
/// <param name="Queue">The type that the reclaim callback was given to, if that is seen.</param>
/// <param name="At">Where he takes it.</param>
/// <param name="Name">The name of the function.</param>
internal sealed record LockTaker(ValuePath Lock, DomainName? Domain, ITypeSymbol? Queue, IOperation At, string Name)
{
    /// <summary>Tells whether somebody waits for him.</summary>
    /// <param name="wait">The wait.</param>
    /// <returns>Whether his section or callback is waited for; not where one object's callbacks cannot be told from another's.</returns>
    public bool IsWaitedForBy(WaitUnderLock wait)
        => Domain is not null ? Domain.IsSame(wait.Domain)
            : wait.ForCallbacks && wait.Domain.Kind == DomainKind.Type && (Queue is null || SymbolEqualityComparer.Default.Equals(Queue, wait.Domain.Type));
}

/// <summary>A wait with a lock held.</summary>
/// <param name="Lock">The lock.</param>
/// <param name="Domain">The domain that is waited for.</param>
/// <param name="ForCallbacks">Whether callbacks are waited for as well.</param>
/// <param name="Report">Reports it.</param>
internal sealed record WaitUnderLock(ValuePath Lock, DomainName Domain, bool ForCallbacks, Action<LockTaker> Report);

/// <summary>The locks of one type. Which of them are taken the wrong way round is known only when all bodies are.</summary>
internal sealed class LockOrder
{
    private readonly List<LockTaker> _takers = new();
    private readonly List<WaitUnderLock> _waits = new();

    /// <summary>Gets whether nothing was noted.</summary>
    public bool IsEmpty => _takers.Count == 0 && _waits.Count == 0;

    /// <summary>Notes that a lock is waited for in a section, or in a reclaim callback.</summary>
    /// <param name="taker">Who does.</param>
    public void Note(LockTaker taker) => _takers.Add(taker);

    /// <summary>Notes that a grace period is waited for with a lock held.</summary>
    /// <param name="wait">The wait.</param>
    public void Note(WaitUnderLock wait) => _waits.Add(wait);

    /// <summary>Reports each wait for somebody who may wait for the lock.</summary>
    public void Complete()
    {
        foreach (WaitUnderLock wait in _waits)
        {
            if (_takers.FirstOrDefault(t => t.Lock.Equals(wait.Lock) && t.IsWaitedForBy(wait)) is { } taker)
            {
                wait.Report(taker);
            }
        }
    }
}
