// The names of the diagnostic properties through which a rule tells its code fix what it found.
namespace IommuRcu.Analyzers;

/// <summary>Names the properties that diagnostics carry for code fixes. Every one is optional: a fix does without what is absent.</summary>
public static class DiagnosticProperties
{
    /// <summary>The expression that opens the section that is missing, ready to be inserted (<c>Rcu.ReadLock()</c>, <c>this._epoch.Enter()</c>); types in it are fully qualified with <c>global::</c>.</summary>
    public const string AcquireExpression = nameof(AcquireExpression);

    /// <summary>The expression that closes the section, where the opener returns no guard (<c>this._epoch.Exit()</c>).</summary>
    public const string ReleaseExpression = nameof(ReleaseExpression);

    /// <summary>The arguments of the RequiresReadLock attribute to add to the enclosing member (<c>DomainType = typeof(global::IommuRcu.Rcu)</c>); empty for none.</summary>
    public const string RequiresArguments = nameof(RequiresArguments);

    /// <summary>The full name of the RequiresReadLock attribute that binds in this compilation.</summary>
    public const string RequiresAttribute = nameof(RequiresAttribute);

    /// <summary>The name of the variable the diagnostic speaks of: a guard, a gather, a page, a bound.</summary>
    public const string Variable = nameof(Variable);

    /// <summary>The expression of the page that is freed, where nothing shows that it is still linked.</summary>
    public const string Page = nameof(Page);

    /// <summary>Present where what is reported is wrong on every path that leads to it, so that it may be removed.</summary>
    public const string OnEveryPath = nameof(OnEveryPath);

    /// <summary>The method that closes the section or syncs the gather (<c>Dispose</c>, <c>Exit</c>, <c>Sync</c>).</summary>
    public const string CloseMethod = nameof(CloseMethod);

    /// <summary>The expression of the writer lock that is not held (<c>this._lock</c>).</summary>
    public const string Lock = nameof(Lock);

    /// <summary>The fully qualified method to use instead of a plain access (<c>global::IommuRcu.Rcu.Dereference</c>; <c>Volatile</c>'s where the domain is another).</summary>
    public const string Accessor = nameof(Accessor);

    /// <summary>The call that waits for the queued callbacks (<c>global::IommuRcu.Rcu.Barrier()</c>).</summary>
    public const string WaitExpression = nameof(WaitExpression);

    /// <summary>What is to be passed instead of a copy: <c>in</c> or <c>ref</c>.</summary>
    public const string PassBy = nameof(PassBy);

    /// <summary>The text of the attribute to copy onto the member.</summary>
    public const string Attribute = nameof(Attribute);

    /// <summary>Present where the statement may stand behind its loop as it is.</summary>
    public const string Movable = nameof(Movable);
}
