// Runs a random method body along every path to a bound, and so knows the truth about each statement.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <summary>Thrown when a program has more paths than it is worth exploring.</summary>
internal sealed class TooManyPathsException : Exception;

/// <summary>Explores a program: all values of its parameters, and for each every sequence of opaque choices.</summary>
internal sealed partial class Interpreter
{
    /// <summary>How often a loop is run at the most, where nothing else is said.</summary>
    internal const int LoopBound = 2;

    private const int ChoicesForABound = 7;
    private const int PathsForABound = 10_000;

    private readonly int _loopBound;
    private readonly Dictionary<int, Verdict> _verdicts = [];
    private readonly List<bool> _script = [];
    private int _choice;
    private Path _path = new();
    private Sections _sections = new();
    private bool[] _parameters = [];
    private bool[] _flags = [];
    private Page?[] _pages = [];
    private ProtectedValue?[] _values = [];
    private readonly Stack<GatherState> _gathers = new();
    private int _protectedDepth;
    private bool _inLambda;
    private BodyKind _kind;

    private Interpreter(int loopBound) => _loopBound = loopBound;

    private enum Exit
    {
        Normal,
        Break,
        Continue,
        Return,
        ExplicitThrow,
        CallThrew,
        Goto,

        /// <summary>Whoever asked an iterator for its items asks for no more: only finally blocks still run.</summary>
        Abandoned,
    }

    private sealed record ProtectedValue(int Section);

    /// <summary>Returns the verdict on each statement that some path reaches, by statement id.</summary>
    /// <param name="program">The program.</param>
    /// <param name="loopBound">How often a loop is run at the most.</param>
    /// <exception cref="TooManyPathsException">There are more paths than the bound is worth.</exception>
    internal static IReadOnlyDictionary<int, Verdict> Run(RandomProgram program, int loopBound = LoopBound)
    {
        var interpreter = new Interpreter(loopBound);
        int paths = 0;
        foreach (int number in RandomProgram.Numbers)
        {
            for (int parameters = 0; parameters < 1 << RandomProgram.Parameters; parameters++)
            {
                interpreter._script.Clear();
                do
                {
                    if (++paths > PathsForABound * loopBound)
                    {
                        throw new TooManyPathsException();
                    }

                    interpreter.RunOnce(program, parameters, number);
                }
                while (interpreter.NextScript());
            }

            if (!interpreter._askedNumber)
            {
                break;   // what nothing depends on needs one value
            }
        }

        return interpreter._verdicts;
    }

    private void RunOnce(RandomProgram program, int parameters, int number)
    {
        _choice = 0;
        _number = number;
        _kind = program.Kind;
        _path = new Path();
        _sections = new Sections();
        _parameters = [.. Enumerable.Range(0, RandomProgram.Parameters).Select(i => (parameters >> i & 1) != 0)];
        _flags = new bool[RandomProgram.Flags + 1];
        _pages = [new Page(PageState.Unknown), .. Enumerable.Range(1, RandomProgram.Pages - 1).Select(_ => new Page(PageState.Fresh))];
        _values = new ProtectedValue?[RandomProgram.Values];
        _gathers.Clear();
        _held = new int[RandomProgram.Gates];
        _protectedDepth = 0;
        _inLambda = false;

        Exit exit;
        try
        {
            exit = Run(program.Body);
        }
        catch (BeyondBoundException)
        {
            return;   // what has been seen of the path is true; how it ends is not looked at
        }

        foreach ((int opener, bool certain) in _sections.StillOpen())
        {
            if (exit is Exit.CallThrew or Exit.Abandoned || !certain)
            {
                At(opener).Unsettled();
            }
            else
            {
                At(opener).Wrong(_path, "IRCU033", "IRCU030");
            }
        }

        foreach (int opener in _sections.ClosedOpeners)
        {
            if (_sections.Tainted)
            {
                At(opener).Unsettled();
            }
            else
            {
                At(opener).Right(_path);
            }
        }
    }

    /// <summary>Advances to the next sequence of choices, like an odometer; false when all were run.</summary>
    private bool NextScript()
    {
        while (_script.Count > 0 && _script[^1])
        {
            _script.RemoveAt(_script.Count - 1);
        }

        if (_script.Count == 0)
        {
            return false;
        }

        _script[^1] = true;
        return true;
    }

    private bool Choose()
    {
        if (_choice == _script.Count)
        {
            if (_script.Count == ChoicesForABound * _loopBound)
            {
                throw new TooManyPathsException();
            }

            _script.Add(false);
        }

        return _script[_choice++];
    }

    private bool ChooseOpaquely()
    {
        _path.ChoseOpaquely = true;
        return Choose();
    }

    /// <summary>Asks a condition; null when the asking call threw.</summary>
    private bool? Ask(Condition condition) => condition switch
    {
        Condition.Parameter p => _parameters[p.Index] != p.Negated,
        Condition.Flag f => _flags[f.Index] != f.Negated,
        Condition.Number n => Matches(n.Pattern) != n.Negated,
        Condition.Pair p => (_parameters[p.First] == p.IsFirst && _parameters[p.Second] == p.IsSecond) != p.Negated,
        _ => Throws() ? null : ChooseOpaquely(),
    };

    private Verdict At(int statement)
    {
        if (!_verdicts.TryGetValue(statement, out Verdict? verdict))
        {
            _verdicts.Add(statement, verdict = new Verdict());
        }

        return verdict;
    }

    private Exit Run(Block block)
    {
        foreach (Statement statement in block.Body)
        {
            Exit exit = Run(statement);
            if (exit != Exit.Normal)
            {
                return exit;
            }
        }

        return Exit.Normal;
    }

    private Exit Run(Statement statement)
    {
        switch (statement)
        {
            case Do s:
                return Run(s);
            case Block s:
                return Run(s);
            case Using s:
                return InGuard(s.Id, s.Body, disposals: 1, always: true);
            case UsingDeclaration s:
                return InGuard(s.Id, s.Rest, disposals: 1, always: true);
            case GuardWithFinally s:
                return InGuard(s.Id, s.Body, disposals: 1, always: true);
            case GuardByHand s:
                return InGuard(s.Id, s.Body, s.Disposals, always: false);
            case TryBegin s:
                _flags[s.Flag] = Enter(s.Id);
                return Exit.Normal;
            case IfTryBegin s:
                return Run(Enter(s.Id) ? s.Then : s.Else);
            case IfTryLink s:
                return Throws(_pages[s.Page]) ? Exit.CallThrew : Run(TryLink(s) ? s.Then : s.Else);
            case SetFlag s:
                _flags[s.Flag] = s.Value;
                return Exit.Normal;
            case If s:
                return Ask(s.Condition) is not { } answer ? Exit.CallThrew : Run(answer ? s.Then : s.Else);
            case While s:
                return Loop(s);
            case Switch s:
                return Run(s);
            case SwitchNumber s:
                return Run(s);
            case IfSwitchBegin s:
                return Run(Matches(s.Enters) && Enter(s.Id) ? s.Then : s.Else);
            case Selected s:
                return OnPage(s.Id, s.Operation, _pages[Select(s)]);
            case IfTaken s:
                return Run(s);
            case Locked s:
                return Run(s);
            case IfTryLock s:
                return Run(s);
            case TryLock s:
                return Run(s);
            case Labelled s:
                return Run(s);
            case Again s:
                return Run(s);
            case Reference s:
                return Run(s.Body);
            case Try s:
                return Run(s);
            case RunNow s:
                return Throws() ? Exit.CallThrew : Nested(s.Body, later: false);
            case RunLater s:
                return Throws() ? Exit.CallThrew : Nested(s.Body, later: true);
            case Gather s:
                return Run(s);
            case GatherAdd s:
                return Run(s);
            case Return:
                return Exit.Return;
            case Throw:
                return Exit.ExplicitThrow;
            case Break:
                return Exit.Break;
            case Continue:
                return Exit.Continue;
            case Goto s:
                _target = s.Label;
                return Exit.Goto;
            default:
                throw new InvalidOperationException($"unknown statement {statement}");
        }
    }

    private Exit Run(Switch s)
    {
        if (Throws())
        {
            return Exit.CallThrew;
        }

        Exit exit = Run(s.Arms[ChooseArm(s.Arms.Count)]);
        return exit == Exit.Break ? Exit.Normal : exit;
    }

    private int ChooseArm(int count)
    {
        int arm = 0;
        while (arm < count - 1 && ChooseOpaquely())
        {
            arm++;
        }

        return arm;
    }

    private bool Enter(int opener)
    {
        if (!ChooseOpaquely())
        {
            return false;
        }

        _sections.Open(opener, raw: true);
        return true;
    }

    private Exit InGuard(int opener, Block body, int disposals, bool always)
    {
        int section = _sections.Open(opener, raw: false);
        Exit exit = Run(body);
        if (!always && exit != Exit.Normal)
        {
            return exit;
        }

        for (int i = 0; i < disposals; i++)
        {
            // The printed text has one line for each Dispose; the surplus one carries its own id, the negated opener's.
            if (i == 0)
            {
                _sections.CloseGuard(section);
            }
            else if (_sections.Tainted)
            {
                At(-opener).Unsettled();
            }
            else
            {
                At(-opener).Wrong(_path, "IRCU032");
                _sections.Tainted = true;
            }
        }

        return exit;
    }

    private Exit Loop(While s)
    {
        for (int i = 0; i < _loopBound; i++)
        {
            if (Throws())
            {
                return Exit.CallThrew;
            }

            if (!ChooseOpaquely())
            {
                break;
            }

            Exit exit = Run(s.Body);
            if (exit == Exit.Break)
            {
                break;
            }

            if (exit is not (Exit.Normal or Exit.Continue))
            {
                return exit;
            }
        }

        return Exit.Normal;
    }

    private Exit Run(Try s)
    {
        _protectedDepth++;
        Exit exit = Run(s.Body);
        _protectedDepth--;
        if (s.Handler is not null && (exit is Exit.CallThrew or Exit.ExplicitThrow))
        {
            exit = InFinallyScope(s.Handler, s.Finally is not null);
        }

        if (s.Finally is not null)
        {
            int target = _target;
            Exit last = Run(s.Finally);
            if (last != Exit.Normal)
            {
                return last;
            }

            _target = target;
        }

        return exit;
    }

    /// <summary>A handler is itself protected by its statement's finally.</summary>
    private Exit InFinallyScope(Block block, bool hasFinally)
    {
        if (hasFinally)
        {
            _protectedDepth++;
        }

        Exit exit = Run(block);
        if (hasFinally)
        {
            _protectedDepth--;
        }

        return exit;
    }

    private Exit Nested(Block body, bool later)
    {
        Sections outer = _sections;
        int protectedDepth = _protectedDepth;
        bool inLambda = _inLambda;
        Path path = _path;
        int[] held = _held;
        int target = _target;
        BodyKind kind = _kind;
        _protectedDepth = 0;
        _kind = BodyKind.Plain;
        _inLambda = true;
        if (later)
        {
            // Some other time, on some other stack: what this path has chosen so far has no bearing on it.
            _sections = new Sections();
            _held = new int[RandomProgram.Gates];
            _path = new Path { ChoseOpaquely = path.ChoseOpaquely, Question = path.Question, Threw = path.Threw };
        }

        Run(body);
        _sections = outer;
        _held = held;
        _target = target;
        _kind = kind;
        _path = path;
        _protectedDepth = protectedDepth;
        _inLambda = inLambda;
        return Exit.Normal;
    }

    /// <summary>Whether a call that may throw does so now. Asked only where something in the body would run because of it.</summary>
    private bool Throws(Page? touched = null)
    {
        if (_protectedDepth == 0 || !Choose())
        {
            return false;
        }

        _path.Threw = true;
        if (touched is not null)
        {
            touched.State = PageState.Tainted;   // whether the call took effect nobody knows
        }

        return true;
    }

    private Exit Run(Do s)
    {
        switch (s.Operation)
        {
            case Operation.Walk:
                Inside(s.Id, wrongWhenOpen: false, "IRCU001", "IRCU006", "IRCU008");
                return Throws() ? Exit.CallThrew : Exit.Normal;
            case Operation.Wait:
                Inside(s.Id, wrongWhenOpen: true, "IRCU020");
                Waited();
                return Throws() ? Exit.CallThrew : Exit.Normal;
            case Operation.Block:
                Inside(s.Id, wrongWhenOpen: true, "IRCU022");
                return Throws() ? Exit.CallThrew : Exit.Normal;
            case Operation.Update or Operation.Scan or Operation.TakeLock or Operation.GiveLock:
                return OnLock(s);
            case Operation.Suspend or Operation.WaitAsync:
                return Suspend(s);
            case Operation.Begin:
                _sections.Open(s.Id, raw: true);
                return Exit.Normal;
            case Operation.End:
                End(s.Id);
                return Exit.Normal;
            case Operation.Other:
                return Throws() ? Exit.CallThrew : Exit.Normal;
            case Operation.ReadValue:
                Inside(s.Id, wrongWhenOpen: false, "IRCU001", "IRCU006", "IRCU008");
                if (Throws())
                {
                    return Exit.CallThrew;
                }

                _values[s.First] = new ProtectedValue(_sections.Tainted || _sections.Depth == 0 ? -1 : _sections.Current);
                return Exit.Normal;
            case Operation.UseValue:
                UseValue(s);
                return Throws() ? Exit.CallThrew : Exit.Normal;
            case Operation.FollowValue:
                UseValue(s);
                return Exit.Normal;
            case Operation.CopyValue:
                _values[s.First] = _values[s.Second];
                return Exit.Normal;
            case Operation.Allocate:
                if (Throws())
                {
                    return Exit.CallThrew;
                }

                _pages[s.First] = new Page(PageState.Fresh);
                return Exit.Normal;
            case Operation.AliasPage:
                _pages[s.First] = _pages[s.Second];
                return Exit.Normal;
            default:
                return OnPage(s.Id, s.Operation, _pages[s.First]);
        }
    }

    private void Inside(int statement, bool wrongWhenOpen, params ReadOnlySpan<string> ids)
    {
        if (_sections.Tainted)
        {
            At(statement).Unsettled();
        }
        else if (_sections.Depth > 0 == wrongWhenOpen)
        {
            At(statement).Wrong(_path, ids);
        }
        else
        {
            At(statement).Right(_path);
        }
    }

    private void End(int statement)
    {
        if (_sections.Tainted)
        {
            At(statement).Unsettled();
        }
        else if (_sections.Depth == 0)
        {
            At(statement).Wrong(_path, "IRCU032");
            _sections.Tainted = true;
        }
        else if (!_sections.CloseRaw())
        {
            At(statement).Unsettled();
            _sections.Tainted = true;
        }
        else
        {
            At(statement).Right(_path);
        }
    }

    private void UseValue(Do s)
    {
        ProtectedValue? value = _values[s.First];
        if (value is null)
        {
            At(s.Id).Right(_path);
        }
        else if (value.Section < 0 || _sections.Tainted)
        {
            At(s.Id).Unsettled();
        }
        else if (value.Section == _sections.Current && _sections.Depth > 0)
        {
            At(s.Id).Right(_path);
        }
        else
        {
            At(s.Id).Wrong(_path, "IRCU005");
        }
    }
}
