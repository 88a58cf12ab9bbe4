// Waiting for a condition that another thread brings about, with a bound.
using System.Diagnostics;

namespace IommuRcu.Tests.Synchronization;

/// <summary>Bounded waiting.</summary>
internal static class Poll
{
    internal static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Yields until the condition holds; fails after half a minute.</summary>
    internal static void Until(Func<bool> condition, string what)
    {
        long began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Long, "Never happened: " + what);
            Thread.Yield();
        }
    }

    /// <summary>Waits for a task, half a minute at most.</summary>
    internal static void For(Task task) => Assert.True(task.Wait(Long), "The task never ended.");

    /// <summary>Waits for a task, half a minute at most.</summary>
    internal static void For(ValueTask task) => For(task.AsTask());
}
