// The writer locks of one run: which are held, and how often.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <remarks>To take or give a lock is not taken to throw.</remarks>
internal sealed partial class Interpreter
{
    private int[] _held = [];

    private Exit Run(Locked s)
    {
        Inside(s.Id, wrongWhenOpen: true, "IRCU022");
        _held[s.Gate]++;
        Exit exit = Run(s.Body);
        if (s.Form != LockForm.ByHand || exit == Exit.Normal)
        {
            Give(s.Gate);
        }

        return exit;
    }

    private Exit Run(IfTryLock s)
    {
        if (!ChooseOpaquely())
        {
            return Run(s.Else);
        }

        _held[s.Gate]++;
        Exit exit = Run(s.Then);
        Give(s.Gate);
        return exit;
    }

    private Exit Run(TryLock s)
    {
        _flags[s.Flag] = ChooseOpaquely();
        _held[s.Gate] += _flags[s.Flag] ? 1 : 0;
        return Exit.Normal;
    }

    private Exit OnLock(Do s)
    {
        switch (s.Operation)
        {
            case Operation.Update when _held[s.First] == 0:
                At(s.Id).Wrong(_path, "IRCU070");
                break;
            case Operation.Update:
            case Operation.Scan when _held[0] > 0:
                At(s.Id).Right(_path);
                break;
            case Operation.Scan:
                Inside(s.Id, wrongWhenOpen: false, "IRCU001", "IRCU006", "IRCU008");
                break;
            case Operation.TakeLock:
                Inside(s.Id, wrongWhenOpen: true, "IRCU022");
                _held[s.First]++;
                return Exit.Normal;
            default:
                Give(s.First);
                return Exit.Normal;
        }

        return Throws() ? Exit.CallThrew : Exit.Normal;
    }

    /// <summary>Gives a lock back. A program that gives what it does not hold ends with an exception of its own, and is none to judge.</summary>
    private void Give(int gate)
    {
        if (_held[gate]-- == 0)
        {
            throw new InvalidOperationException("a lock is given back that is not held");
        }
    }
}
