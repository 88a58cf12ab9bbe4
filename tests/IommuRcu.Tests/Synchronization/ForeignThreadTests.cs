// Threads that the runtime did not start: they enter managed code, read, and end.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed unsafe partial class ForeignThreadTests
{
    private static int _entered;
    private static int _ran;

    /// <summary>POSIX only: elsewhere there is nothing to start such a thread with.</summary>
    [Fact]
    public void ForeignThreads_ReadRetireAndGiveTheirSlotsBack()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const int Count = 300;
        int used = ReaderRegistry.Used;
        _entered = 0;
        _ran = 0;
        for (int i = 0; i < Count; i++)
        {
            StartAndJoin(&ReadAndRetire);
        }

        Rcu.Barrier();
        Assert.Equal(Count, _entered);
        Assert.Equal(Count, _ran);
        Assert.InRange(ReaderRegistry.Used, used, used + 128);
    }

    [Fact]
    public void ForeignThreadThatEndsInsideASection_IsNoLongerWaitedFor()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        ulong died = ReaderRegistry.DiedInSection;
        StartAndJoin(&OpenAndLeave);
        Assert.True(Rcu.Synchronize(Poll.Long));
        Assert.Equal(died + 1, ReaderRegistry.DiedInSection);
    }

    private static void StartAndJoin(delegate* unmanaged<void*, void*> start)
    {
        nint thread;
        Assert.Equal(0, PthreadCreate(&thread, null, start, null));
        Assert.Equal(0, PthreadJoin(thread, null));
    }

    [UnmanagedCallersOnly]
    private static void* ReadAndRetire(void* argument)
    {
        using (Rcu.ReadLock())
        {
            _entered++;
            Rcu.Call(0, static _ => _ran++);
        }

        return null;
    }

    [UnmanagedCallersOnly]
    private static void* OpenAndLeave(void* argument)
    {
        RcuReadScope never = Rcu.ReadLock();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "pthread_create")]
    private static partial int PthreadCreate(nint* thread, void* attributes, delegate* unmanaged<void*, void*> start, void* argument);

    [LibraryImport("libc", EntryPoint = "pthread_join")]
    private static partial int PthreadJoin(nint thread, void** result);
}
