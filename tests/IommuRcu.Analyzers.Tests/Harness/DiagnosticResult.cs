// An expected diagnostic: id, severity, places, message; built up by With... calls, each of which gives a changed copy.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis.Text;

namespace Microsoft.CodeAnalysis.Testing;

public readonly struct DiagnosticResult
{
    private readonly ImmutableArray<DiagnosticLocation> _spans;
    private readonly string? _message;
    private readonly bool _messageIsIgnored;

    public DiagnosticResult(string id, DiagnosticSeverity severity)
        : this([], false, null, DiagnosticOptions.None, severity, id, null, null, null)
    {
    }

    public DiagnosticResult(DiagnosticDescriptor descriptor)
        : this([], false, null, DiagnosticOptions.None, descriptor.DefaultSeverity, descriptor.Id, descriptor.MessageFormat, null, null)
    {
    }

    private DiagnosticResult(
        ImmutableArray<DiagnosticLocation> spans,
        bool messageIsIgnored,
        string? message,
        DiagnosticOptions options,
        DiagnosticSeverity severity,
        string id,
        LocalizableString? messageFormat,
        object?[]? messageArguments,
        bool? isSuppressed)
    {
        _spans = spans;
        _messageIsIgnored = messageIsIgnored;
        _message = message;
        Options = options;
        Severity = severity;
        Id = id;
        MessageFormat = messageFormat;
        MessageArguments = messageArguments;
        IsSuppressed = isSuppressed;
    }

    public ImmutableArray<DiagnosticLocation> Spans => _spans.IsDefault ? [] : _spans;

    public DiagnosticSeverity Severity { get; }

    public DiagnosticOptions Options { get; }

    public string Id { get; }

    public LocalizableString? MessageFormat { get; }

    public object?[]? MessageArguments { get; }

    public bool? IsSuppressed { get; }

    public bool HasLocation => !Spans.IsEmpty;

    /// <summary>Gets the whole message that is expected; null if the message does not matter.</summary>
    public string? Message
    {
        get
        {
            if (_messageIsIgnored)
            {
                return null;
            }

            if (_message is not null || MessageFormat is null)
            {
                return _message;
            }

            string format = MessageFormat.ToString();
            try
            {
                return string.Format(System.Globalization.CultureInfo.InvariantCulture, format, MessageArguments ?? []);
            }
            catch (FormatException)
            {
                return format;
            }
        }
    }

    public static DiagnosticResult CompilerError(string identifier) => new(identifier, DiagnosticSeverity.Error);

    public static DiagnosticResult CompilerWarning(string identifier) => new(identifier, DiagnosticSeverity.Warning);

    public DiagnosticResult WithSeverity(DiagnosticSeverity severity) =>
        new(Spans, _messageIsIgnored, _message, Options, severity, Id, MessageFormat, MessageArguments, IsSuppressed);

    public DiagnosticResult WithArguments(params object[] arguments) =>
        new(Spans, _messageIsIgnored, _message, Options, Severity, Id, MessageFormat, arguments, IsSuppressed);

    public DiagnosticResult WithMessage(string? message) =>
        new(Spans, message is null, message, Options, Severity, Id, MessageFormat, MessageArguments, IsSuppressed);

    public DiagnosticResult WithMessageFormat(LocalizableString messageFormat) =>
        new(Spans, _messageIsIgnored, _message, Options, Severity, Id, messageFormat, MessageArguments, IsSuppressed);

    public DiagnosticResult WithIsSuppressed(bool? isSuppressed) =>
        new(Spans, _messageIsIgnored, _message, Options, Severity, Id, MessageFormat, MessageArguments, isSuppressed);

    public DiagnosticResult WithOptions(DiagnosticOptions options) =>
        new(Spans, _messageIsIgnored, _message, options, Severity, Id, MessageFormat, MessageArguments, IsSuppressed);

    public DiagnosticResult WithNoLocation() => WithSpans([]);

    public DiagnosticResult WithLocation(int line, int column) => WithLocation(string.Empty, new LinePosition(line - 1, column - 1));

    public DiagnosticResult WithLocation(LinePosition location) => WithLocation(string.Empty, location);

    public DiagnosticResult WithLocation(string path, int line, int column) => WithLocation(path, new LinePosition(line - 1, column - 1));

    public DiagnosticResult WithLocation(string path, LinePosition location) =>
        WithLocation(path, location, DiagnosticLocationOptions.None);

    public DiagnosticResult WithLocation(string path, LinePosition location, DiagnosticLocationOptions options) =>
        WithSpan(new FileLinePositionSpan(path, location, location), options | DiagnosticLocationOptions.IgnoreLength);

    public DiagnosticResult WithLocation(int markupKey) => WithLocation(markupKey, DiagnosticLocationOptions.None);

    public DiagnosticResult WithLocation(int markupKey, DiagnosticLocationOptions options) =>
        WithSpan(
            new FileLinePositionSpan(string.Empty, new LinePosition(markupKey, 0), new LinePosition(markupKey, 0)),
            options | DiagnosticLocationOptions.InterpretAsMarkupKey);

    public DiagnosticResult WithSpan(int startLine, int startColumn, int endLine, int endColumn) =>
        WithSpan(string.Empty, startLine, startColumn, endLine, endColumn);

    public DiagnosticResult WithSpan(string path, int startLine, int startColumn, int endLine, int endColumn) =>
        WithSpan(new FileLinePositionSpan(
            path, new LinePosition(startLine - 1, startColumn - 1), new LinePosition(endLine - 1, endColumn - 1)));

    public DiagnosticResult WithSpan(FileLinePositionSpan span) => WithSpan(span, DiagnosticLocationOptions.None);

    public DiagnosticResult WithSpan(FileLinePositionSpan span, DiagnosticLocationOptions options) =>
        WithSpans(Spans.Add(new DiagnosticLocation(span, options)));

    public DiagnosticResult WithDefaultPath(string path) =>
        WithSpans(Spans.Select(location => location.Span.Path.Length == 0
            ? new DiagnosticLocation(new FileLinePositionSpan(path, location.Span.Span), location.Options)
            : location).ToImmutableArray());

    public DiagnosticResult WithLineOffset(int offset)
    {
        return WithSpans(Spans.Select(location => new DiagnosticLocation(
            new FileLinePositionSpan(location.Span.Path, Shift(location.Span.StartLinePosition), Shift(location.Span.EndLinePosition)),
            location.Options)).ToImmutableArray());

        LinePosition Shift(LinePosition position) => new(position.Line + offset, position.Character);
    }

    public override string ToString()
    {
        string place = HasLocation ? $"{Spans[0].Span} " : string.Empty;
        return $"{place}{Severity.ToString().ToLowerInvariant()} {Id}: {Message}";
    }

    private DiagnosticResult WithSpans(ImmutableArray<DiagnosticLocation> spans) =>
        new(spans, _messageIsIgnored, _message, Options, Severity, Id, MessageFormat, MessageArguments, IsSuppressed);

    internal DiagnosticResult ResolveMarkupKeys(ImmutableDictionary<string, FileLinePositionSpan> keyed) =>
        WithSpans(Spans.Select(location =>
        {
            if (!location.Options.HasFlag(DiagnosticLocationOptions.InterpretAsMarkupKey))
            {
                return location;
            }

            string key = "#" + location.Span.StartLinePosition.Line;
            return keyed.TryGetValue(key, out FileLinePositionSpan span)
                ? new DiagnosticLocation(span, location.Options & ~DiagnosticLocationOptions.InterpretAsMarkupKey)
                : throw new InvalidOperationException($"The markup has no location '{key}'.");
        }).ToImmutableArray());
}
