// A thread that stops at questions of given numbers, so that a test decides what happens meanwhile.
namespace IommuRcu.Tests.Domains;

/// <summary>Runs an action on a thread of its own, and stops it where the engine asks a <see cref="HookedFormat{TInner}"/> the questions of given numbers.</summary>
internal sealed class SteppedThread
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private readonly SemaphoreSlim _go = new(0);
    private readonly SemaphoreSlim _stopped = new(0);
    private readonly Thread _thread;
    private Exception? _failure;

    public SteppedThread(Action action, params int[] stops)
    {
        _thread = new Thread(() =>
        {
            int count = 0;
            _failure = Record.Exception(() =>
            {
                Wait(_go);
                using (FormatHook.Set((_, _, _) =>
                    {
                        if (stops.Contains(count++))
                        {
                            Stops++;
                            _stopped.Release();
                            Wait(_go);
                        }
                    }))
                {
                    action();
                }
            });
            _stopped.Release();
        });
        _thread.Start();
    }

    /// <summary>Gets how many of its stops the thread came to.</summary>
    public int Stops { get; private set; }

    /// <summary>Lets the thread run until it stops or ends.</summary>
    public void RunToNextStop()
    {
        _go.Release();
        Wait(_stopped);
    }

    /// <summary>Lets the thread run to its end, and throws what it threw.</summary>
    public void RunToEnd()
    {
        // However many stops are left.
        _go.Release(100);
        Assert.True(_thread.Join(_limit));
        Assert.Null(_failure);
    }

    private static void Wait(SemaphoreSlim semaphore) => Assert.True(semaphore.Wait(_limit));
}
