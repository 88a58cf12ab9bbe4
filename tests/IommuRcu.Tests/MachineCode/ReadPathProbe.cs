// Methods whose machine code is looked at, and the program that makes the just-in-time compiler optimize them.
using System.Runtime.CompilerServices;

namespace IommuRcu.Tests.MachineCode;

internal static unsafe class ReadPathProbe
{
    private static readonly object _gate = new();
    private static long _word = 1;
    private static object? _reference = "published";
    private static long* _pointer;

    /// <summary>Run in a child process with <c>DOTNET_JitDisasm</c> set.</summary>
    public static void Run()
    {
        long word = 1;
        long* pointer = &word;
        _pointer = pointer;
        long sum = 0;
        string[] listed =
        [
            nameof(Section), nameof(PointerSection), nameof(ReferenceSection), nameof(NestedSection), nameof(Locked), nameof(Fenced), nameof(Exchanged), nameof(Calling),
            nameof(ReaderSlot.EnterSlow), nameof(ReaderSlot.ExitSlow),
        ];
        LastTier.Await(listed, () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                sum += Section() + PointerSection() + ReferenceSection() + NestedSection();
                sum += Locked() + Fenced() + Exchanged() + Calling();
            }
        });
        Console.WriteLine(sum);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Section()
    {
        using (Rcu.ReadLock())
        {
            return Volatile.Read(ref _word);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long PointerSection()
    {
        using (Rcu.ReadLock())
        {
            return *Rcu.Dereference(ref _pointer);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReferenceSection()
    {
        using (Rcu.ReadLock())
        {
            return Rcu.Dereference(ref _reference) is null ? 1 : 0;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long NestedSection()
    {
        using (Rcu.ReadLock())
        {
            using (Rcu.ReadLock())
            {
                return Volatile.Read(ref _word);
            }
        }
    }

    // What the look must find.

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Locked() => Interlocked.Add(ref _word, 2);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Fenced()
    {
        Interlocked.MemoryBarrier();
        return _word;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Exchanged() => Interlocked.Exchange(ref _word, 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Calling()
    {
        lock (_gate)
        {
            return _word;
        }
    }
}
