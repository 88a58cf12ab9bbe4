// A section as the asynchronous flow that opened it knows it.
namespace IommuRcu;

/// <summary>Says whether a piece of code runs inside a section that may have moved between threads.</summary>
internal sealed class SleepableSection(SleepableSection? outer)
{
    private readonly int _openerThread = Environment.CurrentManagedThreadId;
    private readonly int? _openerTask = Task.CurrentId;
    private volatile bool _isOpen = true;
    private volatile bool _hasLeft;

    internal bool IsOpen { get => _isOpen; set => _isOpen = value; }

    /// <summary>The innermost section of the chain that is open, or null.</summary>
    internal static SleepableSection? InnermostOpen(SleepableSection? section)
    {
        while (section is { IsOpen: false })
        {
            section = section.Outer;
        }

        return section;
    }

    /// <summary>Notes that a flow was suspended, and so is no longer below its section on the stack of the thread that opened it.</summary>
    internal static void NoteContextChange(AsyncLocalValueChangedArgs<SleepableSection?> change)
    {
        if (change.ThreadContextChanged && change.PreviousValue is { } left)
        {
            int thread = Environment.CurrentManagedThreadId;
            for (SleepableSection? section = left; section != null; section = section.Outer)
            {
                section._hasLeft |= section._openerThread == thread; // elsewhere it is something that the section started
            }
        }
    }

    /// <summary>Whether a wait here would wait for one of these open sections, and that section for the wait.</summary>
    internal static bool IsBelowAny(SleepableSection? section)
    {
        for (; section != null; section = section.Outer)
        {
            if (section.IsOpen && section.IsBelow())
            {
                return true;
            }
        }

        return false;
    }

    // Whether the caller runs in this section.
    // The execution context is inherited by whatever a section starts, and that may well wait for the section's end. So a flow counts as inside
    // where it has never left its opener's thread; after that, on pool threads only, and not in a task other than the opener's. What Task.Run or
    // a new thread does is outside. What an async method called inside does after its first suspension counts as inside.
    private bool IsBelow()
    {
        if (!_hasLeft)
        {
            return Environment.CurrentManagedThreadId == _openerThread;
        }

        return Thread.CurrentThread.IsThreadPoolThread && (Task.CurrentId is not { } task || task == _openerTask);
    }

    private SleepableSection? Outer { get; } = outer;
}
