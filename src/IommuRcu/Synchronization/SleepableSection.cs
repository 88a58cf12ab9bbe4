// A section as the asynchronous flow that opened it knows it.
namespace IommuRcu;

/// <summary>Says whether a piece of code runs inside a section that may have moved between threads.</summary>
internal sealed class SleepableSection(SleepableSection? outer)
{
    private const int LongestUnwindingMilliseconds = 100;

    private readonly int _openerThread = Environment.CurrentManagedThreadId;
    private readonly int? _openerTask = Task.CurrentId;
    private readonly bool _openedUnderContext = SynchronizationContext.Current != null;
    private volatile SleepableSection? _outer = outer;
    private volatile bool _isOpen = true;
    private volatile bool _hasLeft;

    internal bool IsOpen { get => _isOpen; set => _isOpen = value; }

    /// <summary>The innermost section of the chain that is open, or null. Takes closed sections out of the chain above it.</summary>
    /// <remarks>
    /// So a chain is never longer than the sections open when it was last looked at, in whatever order they close. Flows that share a chain may do
    /// this at once: a closed section never opens again, so each link they write leads to the same open ones.
    /// </remarks>
    internal static SleepableSection? InnermostOpen(SleepableSection? section)
    {
        SleepableSection? innermost = SkipClosed(section);
        for (SleepableSection? at = innermost; at != null; at = at._outer)
        {
            if (at._outer is { IsOpen: false } closed)
            {
                at._outer = SkipClosed(closed);
            }
        }

        return innermost;
    }

    /// <summary>How many sections the chain holds, closed ones counted.</summary>
    internal static int Length(SleepableSection? section)
    {
        int length = 0;
        for (; section != null; section = section._outer)
        {
            length++;
        }

        return length;
    }

    /// <summary>Notes that the thread that opened a section has turned to another context: the flow was suspended, or something else runs in between.</summary>
    internal static void NoteContextChange(AsyncLocalValueChangedArgs<SleepableSection?> change)
    {
        if (change.ThreadContextChanged && change.PreviousValue is { } left)
        {
            int thread = Environment.CurrentManagedThreadId;
            for (SleepableSection? section = left; section != null; section = section._outer)
            {
                section._hasLeft |= section._openerThread == thread; // elsewhere it is something that the section started
            }
        }
    }

    /// <summary>Whether a wait here would wait for one of these open sections, and that section for the wait.</summary>
    internal static bool IsBelowAny(SleepableSection? section)
    {
        for (; section != null; section = section._outer)
        {
            if (section.IsOpen && section.IsBelow())
            {
                return true;
            }
        }

        return false;
    }

    private static SleepableSection? SkipClosed(SleepableSection? section)
    {
        while (section is { IsOpen: false })
        {
            section = section._outer;
        }

        return section;
    }

    // Whether the caller runs in this section.
    // The execution context is inherited by whatever a section starts, and that may well wait for the section's end: what Task.Run or a new thread
    // does is outside. What an async method called inside does after a suspension is inside.
    private bool IsBelow()
    {
        bool onOpener = Environment.CurrentManagedThreadId == _openerThread;
        if (onOpener && !_hasLeft)
        {
            return true;
        }

        return MayBeContinuation(onOpener) && (_hasLeft || LeavesSoon());
    }

    // Contexts do not tell a continuation from something new, so:
    // - code that a synchronization context runs is a continuation, for a new task or thread begins without one;
    // - on a pool thread, or on its opener's, the runtime runs continuations in no task, so code in a task other than the opener's is a new one;
    // - a synchronization context may have threads of its own and not show on them: where the section was opened under one, code that such a
    //   thread runs as a task is a continuation.
    private bool MayBeContinuation(bool onOpener)
    {
        if (SynchronizationContext.Current != null)
        {
            return true;
        }

        int? task = Task.CurrentId;
        return onOpener || Thread.CurrentThread.IsThreadPoolThread ? task == null || task == _openerTask : _openedUnderContext && task != null;
    }

    // A continuation may run before the thread that suspended the flow has unwound its stack, which takes it microseconds: then it is a
    // continuation. Where that thread stays in its section, this is a work item or a timer that the section started.
    private bool LeavesSoon()
    {
        long giveUp = Environment.TickCount64 + LongestUnwindingMilliseconds;
        var wait = default(SpinWait);
        try
        {
            while (_isOpen && Environment.TickCount64 < giveUp)
            {
                if (_hasLeft)
                {
                    return true;
                }

                wait.SpinOnce();
            }
        }
        catch (ThreadInterruptedException)
        {
            Thread.CurrentThread.Interrupt(); // strikes at the wait that this is asked for
        }

        return false;
    }
}
