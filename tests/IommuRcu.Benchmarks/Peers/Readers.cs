// Threads that open and close sections all the while, so that something else is measured under readers.
namespace IommuRcu.Benchmarks.Peers;

/// <summary>Readers in the background until disposed.</summary>
internal sealed class Readers : IDisposable
{
    private readonly Thread[] _threads;
    private volatile bool _stop;

    public Readers(int count, Action<long> read)
    {
        using var ready = new CountdownEvent(Math.Max(count, 1));
        _threads = [.. Enumerable.Range(0, count).Select(_ => new Thread(() =>
        {
            read(1);
            ready.Signal();
            while (!_stop)
            {
                read(100);
            }
        }))];
        Array.ForEach(_threads, thread => thread.Start());
        if (count > 0)
        {
            ready.Wait();
        }
    }

    public void Dispose()
    {
        _stop = true;
        Array.ForEach(_threads, thread => thread.Join());
    }
}
