// The event source `IommuRcu`: stalls, failures, floods and grace periods, for dotnet-trace and in-process listeners.
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;

namespace IommuRcu;

/// <summary>Events of the runtime. Every method returns at once where nobody listens.</summary>
[EventSource(Name = "IommuRcu")]
internal sealed class RcuEventSource : EventSource
{
    internal static readonly RcuEventSource Log = new();

    private RcuEventSource()
    {
    }

    [Event(1, Level = EventLevel.Verbose, Message = "Grace period {1} of {0} took {2} us")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Primitive arguments only.")]
    internal void GracePeriodEnded(string domain, long number, double microseconds)
    {
        if (IsEnabled(EventLevel.Verbose, EventKeywords.None))
        {
            WriteEvent(1, domain, number, microseconds);
        }
    }

    [Event(2, Level = EventLevel.Warning, Message = "A section of {0} on thread {1} ({2}) has been open for {3} ms; thread ended: {4}")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Primitive arguments only.")]
    internal void Stall(string domain, int threadId, string threadName, long milliseconds, bool threadEnded)
    {
        if (IsEnabled(EventLevel.Warning, EventKeywords.None))
        {
            WriteEvent(2, domain, threadId, threadName, milliseconds, threadEnded);
        }
    }

    [Event(3, Level = EventLevel.Error, Message = "A callback threw {0}: {1}")]
    internal void CallbackFailed(string exceptionType, string message)
    {
        if (IsEnabled(EventLevel.Error, EventKeywords.None))
        {
            WriteEvent(3, exceptionType, message);
        }
    }
}
