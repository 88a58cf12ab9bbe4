// A thread that opens and closes sections when it is told to.
namespace IommuRcu.Tests.Synchronization;

/// <summary>Holds one section open on a thread of its own.</summary>
internal sealed class ReaderThread : IDisposable
{
    private readonly Thread _thread;
    private readonly SemaphoreSlim _order = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private volatile bool _ends;

    internal ReaderThread(string? name = null)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name ?? "test reader" };
        _thread.Start();
    }

    internal int ManagedThreadId => _thread.ManagedThreadId;

    public void Dispose()
    {
        _ends = true;
        _order.Release(2);
        _thread.Join();
        _order.Dispose();
        _done.Dispose();
    }

    /// <summary>Returns when the section is open.</summary>
    internal void Open() => Do();

    /// <summary>Returns when the section is closed.</summary>
    internal void Close() => Do();

    private void Do()
    {
        _order.Release();
        _done.Wait();
    }

    private void Run()
    {
        while (true)
        {
            _order.Wait();
            if (_ends)
            {
                return;
            }

            using (Rcu.ReadLock())
            {
                _done.Release();
                _order.Wait();
            }

            if (_ends)
            {
                return;
            }

            _done.Release();
        }
    }
}
