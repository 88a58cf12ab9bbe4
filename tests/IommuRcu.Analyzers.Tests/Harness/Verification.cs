// How a test reports that something is not as expected: a verifier with a stack of contexts.
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Microsoft.CodeAnalysis.Testing;

public interface IVerifier
{
    void Empty<T>(string collectionName, IEnumerable<T> collection);

    void Equal<T>(T expected, T actual, string? message = null);

    void True([DoesNotReturnIf(false)] bool assert, string? message = null);

    void False([DoesNotReturnIf(true)] bool assert, string? message = null);

    [DoesNotReturn]
    void Fail(string? message = null);

    void LanguageIsSupported(string language);

    void NotEmpty<T>(string collectionName, IEnumerable<T> collection);

    void SequenceEqual<T>(
        IEnumerable<T> expected, IEnumerable<T> actual, IEqualityComparer<T>? equalityComparer = null, string? message = null);

    IVerifier PushContext(string context);
}

public class DefaultVerifier : IVerifier
{
    public DefaultVerifier()
        : this([])
    {
    }

    protected DefaultVerifier(ImmutableStack<string> context)
    {
        Context = context;
    }

    protected ImmutableStack<string> Context { get; }

    public virtual void Empty<T>(string collectionName, IEnumerable<T> collection)
    {
        int count = collection.Count();
        if (count != 0)
        {
            Fail($"'{collectionName}' is not empty: it has {count} elements.");
        }
    }

    public virtual void Equal<T>(T expected, T actual, string? message = null)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            Fail($"{message}{Environment.NewLine}Expected: {expected}{Environment.NewLine}Actual:   {actual}");
        }
    }

    public virtual void True([DoesNotReturnIf(false)] bool assert, string? message = null)
    {
        if (!assert)
        {
            Fail(message ?? "Expected true.");
        }
    }

    public virtual void False([DoesNotReturnIf(true)] bool assert, string? message = null)
    {
        if (assert)
        {
            Fail(message ?? "Expected false.");
        }
    }

    [DoesNotReturn]
    public virtual void Fail(string? message = null)
    {
        throw new InvalidOperationException(CreateMessage(message ?? "The test failed."));
    }

    public virtual void LanguageIsSupported(string language)
    {
        True(language == LanguageNames.CSharp, $"Unsupported language: '{language}'.");
    }

    public virtual void NotEmpty<T>(string collectionName, IEnumerable<T> collection)
    {
        True(collection.Any(), $"'{collectionName}' is empty.");
    }

    public virtual void SequenceEqual<T>(
        IEnumerable<T> expected, IEnumerable<T> actual, IEqualityComparer<T>? equalityComparer = null, string? message = null)
    {
        True(expected.SequenceEqual(actual, equalityComparer), message ?? "The sequences differ.");
    }

    public virtual IVerifier PushContext(string context) => new DefaultVerifier(Context.Push(context));

    protected virtual string CreateMessage(string message)
    {
        foreach (string frame in Context)
        {
            message = $"Context: {frame}{Environment.NewLine}{message}";
        }

        return message;
    }
}
