// Jumps to labels, and where a body is left for a while.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <summary>Thrown where a path jumps back more often than is looked at: nothing more is known of it.</summary>
internal sealed class BeyondBoundException : Exception;

internal sealed partial class Interpreter
{
    // The label that the goto under way leads to.
    private int _target;

    private Exit Run(Labelled s)
    {
        Exit exit = Run(s.Body);
        return IsJumpTo(s.Label, exit) ? Exit.Normal : exit;
    }

    private Exit Run(Again s)
    {
        for (int round = 1; ; round++)
        {
            Exit exit = Run(s.Body);
            if (IsJumpTo(s.Label, exit))
            {
                if (round == _loopBound)
                {
                    throw new BeyondBoundException();
                }
            }
            else if (exit != Exit.Normal || round == _loopBound)
            {
                return exit;
            }
            else if (Throws())
            {
                return Exit.CallThrew;
            }
            else if (!ChooseOpaquely())
            {
                return Exit.Normal;
            }
        }
    }

    private bool IsJumpTo(int label, Exit exit) => exit == Exit.Goto && _target == label;

    /// <summary>An await or a yield: the thread goes its own way, and may be another one behind it.</summary>
    private Exit Suspend(Do s)
    {
        if (s.Operation == Operation.WaitAsync)
        {
            Inside(s.Id, wrongWhenOpen: true, "IRCU020", "IRCU023");
            Waited();
        }
        else
        {
            Inside(s.Id, wrongWhenOpen: true, "IRCU023");
        }

        return !Throws() ? Exit.Normal : _kind == BodyKind.Iterator ? Exit.Abandoned : Exit.CallThrew;
    }
}
