// Waits until the just-in-time compiler is done with methods: each has been compiled at the last tier, and so its listing is written.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace IommuRcu.Tests.MachineCode;

/// <summary>Hears of every method that the runtime has compiled.</summary>
internal sealed class LastTier : EventListener
{
    // The JIT keyword of the .NET runtime's events, and its tiers, which are bits 7 to 9 of a method's flags.
    private const EventKeywords Jit = (EventKeywords)0x10;
    private const int OptimizedAtOnce = 2;
    private const int Tier1 = 4;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(90);
    private readonly ConcurrentDictionary<string, bool> _compiled = new();

    /// <summary>Does something over and over until the methods that it calls are compiled at the last tier.</summary>
    /// <param name="methods">The names of the methods.</param>
    /// <param name="action">What calls them, often enough.</param>
    /// <exception cref="TimeoutException">Some were not compiled so within a minute and a half.</exception>
    public static void Await(string[] methods, Action action)
    {
        using var listener = new LastTier();
        long start = Stopwatch.GetTimestamp();
        while (methods.Any(method => !listener._compiled.ContainsKey(method)))
        {
            action();
            if (Stopwatch.GetElapsedTime(start) > _limit)
            {
                throw new TimeoutException("Not compiled at the last tier: " + string.Join(", ", methods.Where(method => !listener._compiled.ContainsKey(method))));
            }
        }
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
        {
            EnableEvents(eventSource, EventLevel.Verbose, Jit);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("MethodLoadVerbose", StringComparison.Ordinal) != true)
        {
            return;
        }

        int tier = (int)(((uint)Value(eventData, "MethodFlags") >> 7) & 7);
        if (tier is Tier1 or OptimizedAtOnce)
        {
            _compiled[(string)Value(eventData, "MethodName")] = true;
        }
    }

    private static object Value(EventWrittenEventArgs eventData, string name) => eventData.Payload![eventData.PayloadNames!.IndexOf(name)]!;
}
