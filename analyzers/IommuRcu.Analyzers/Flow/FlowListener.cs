// What the analysis tells the rules: each point of a body once, with all the states that reach it.
using System.Collections.Generic;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Something seen in one of the states at a point.</summary>
/// <typeparam name="T">What is seen.</typeparam>
/// <param name="State">The state.</param>
/// <param name="Value">What is seen in it.</param>
internal readonly record struct Seen<T>(State State, T Value);

/// <summary>A section's end.</summary>
/// <param name="Section">The section that is closed; none if none is open.</param>
/// <param name="Domain">The domain of the call.</param>
/// <param name="Guard">The guard value; 0 where a call closes.</param>
/// <param name="GuardState">What the guard had been through before.</param>
internal sealed record Closing(Section? Section, Domain Domain, int Guard, Holder GuardState);

/// <summary>A page, and the pool that it is given to.</summary>
/// <param name="Page">The page, or what a callback is queued for.</param>
/// <param name="Pool">The receiver of the call.</param>
internal readonly record struct Giving(int Page, int Pool);

/// <summary>A point in a body.</summary>
/// <param name="Body">The body.</param>
/// <param name="Operation">The operation.</param>
internal readonly record struct FlowPoint(Body Body, IOperation Operation);

/// <summary>Listens to the analysis. Nothing is called before the fixpoint is reached.</summary>
internal abstract class FlowListener
{
    /// <summary>A call or read that needs an open section.</summary>
    public virtual void Need(FlowPoint point, IReadOnlyList<Seen<Need>> seen)
    {
    }

    /// <summary>A call that waits for a grace period.</summary>
    public virtual void Wait(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
    }

    /// <summary>A call that may block, by itself or in a helper that it calls.</summary>
    public virtual void Block(FlowPoint point, string name, IMethodSymbol? helper, IReadOnlyList<Seen<Domain>> seen)
    {
    }

    /// <summary>A call that waits until it has a lock; seen is the lock, before it has it.</summary>
    public virtual void Lock(FlowPoint point, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>An await or yield.</summary>
    public virtual void Suspend(FlowPoint point, IReadOnlyList<State> states)
    {
    }

    /// <summary>A section opens; seen before it does.</summary>
    public virtual void Open(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
    }

    /// <summary>A section closes; seen before it does.</summary>
    public virtual void Close(FlowPoint point, IReadOnlyList<Seen<Closing>> seen)
    {
    }

    /// <summary>An assertion that a section is open.</summary>
    public virtual void Assert(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
    }

    /// <summary>A value takes a step in the order of a free; seen before it does.</summary>
    public virtual void Reclaim(FlowPoint point, ContractWord word, IOperation? value, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>A pool is given a page to free or retire, or a callback to run after a grace period; seen before it takes it.</summary>
    public virtual void Give(FlowPoint point, ContractWord word, IOperation value, IOperation pool, IReadOnlyList<Seen<Giving>> seen)
    {
    }

    /// <summary>A reclaim callback is called directly, with a value to be freed.</summary>
    public virtual void ReclaimAtOnce(FlowPoint point, CallSite call, IOperation? value, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>A value is read through, passed or called.</summary>
    public virtual void Use(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>A value leaves the body: returned, stored, or given out.</summary>
    public virtual void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>A protected field or property is read.</summary>
    public virtual void ReadProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<Need>> seen)
    {
    }

    /// <summary>A protected field or property is written with a plain store.</summary>
    public virtual void WriteProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<int>> owners)
    {
    }

    /// <summary>A member that needs a writer lock is used; seen is the lock's value.</summary>
    public virtual void NeedLock(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>Any call, before its effects.</summary>
    public virtual void Call(FlowPoint point, CallSite call, IReadOnlyList<State> states)
    {
    }

    /// <summary>A delegate is invoked; seen is the delegate.</summary>
    public virtual void Invoke(FlowPoint point, CallSite call, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>Memory is allocated on the managed heap. Told only where a rule asks for it.</summary>
    public virtual void Allocate(FlowPoint point, string what, IReadOnlyList<State> states)
    {
    }

    /// <summary>Something is disposed.</summary>
    public virtual void Dispose(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen)
    {
    }

    /// <summary>A method becomes a delegate or a function pointer.</summary>
    public virtual void MakeDelegate(FlowPoint point, IMethodSymbol method, IMethodSymbol? invoke, BodyRole role)
    {
    }

    /// <summary>A guard that no opener returned: default, new, or a cast.</summary>
    public virtual void Forge(FlowPoint point, ITypeSymbol type, string how)
    {
    }

    /// <summary>A guard or gather is copied by value.</summary>
    public virtual void Copy(FlowPoint point, IOperation value, string how)
    {
    }

    /// <summary>A protected entry is read, changed and written back in separate steps; seen is the object that it is a member of.</summary>
    public virtual void Update(FlowPoint point, IOperation target, Contract? contract, IReadOnlyList<Seen<Need>> seen)
    {
    }

    /// <summary>All paths that leave the body.</summary>
    public virtual void Leave(Body body, IReadOnlyList<Exit> exits)
    {
    }
}
