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

    private Interpreter(int loopBound) => _loopBound = loopBound;

    private enum Exit
    {
        Normal,
        Break,
        Continue,
        Return,
        ExplicitThrow,
        CallThrew,
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
        for (int parameters = 0; parameters < 1 << RandomProgram.Parameters; parameters++)
        {
            interpreter._script.Clear();
            do
            {
                if (++paths > PathsForABound * loopBound)
                {
                    throw new TooManyPathsException();
                }

                interpreter.RunOnce(program, parameters);
            }
            while (interpreter.NextScript());
        }

        return interpreter._verdicts;
    }

    private void RunOnce(RandomProgram program, int parameters)
    {
        _choice = 0;
        _path = new Path();
        _sections = new Sections();
        _parameters = [.. Enumerable.Range(0, RandomProgram.Parameters).Select(i => (parameters >> i & 1) != 0)];
        _flags = new bool[RandomProgram.Flags];
        _pages = [new Page(PageState.Unknown), .. Enumerable.Range(1, RandomProgram.Pages - 1).Select(_ => new Page(PageState.Fresh))];
        _values = new ProtectedValue?[RandomProgram.Values];
        _gathers.Clear();
        _protectedDepth = 0;
        _inLambda = false;

        Exit exit = Run(program.Body);
        foreach ((int opener, bool certain) in _sections.StillOpen())
        {
            if (exit == Exit.CallThrew || !certain)
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
            Exit last = Run(s.Finally);
            if (last != Exit.Normal)
            {
                return last;
            }
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
        _protectedDepth = 0;
        _inLambda = true;
        if (later)
        {
            // Some other time, on some other stack: what this path has chosen so far has no bearing on it.
            _sections = new Sections();
            _path = new Path { ChoseOpaquely = path.ChoseOpaquely, Threw = path.Threw };
        }

        Run(body);
        _sections = outer;
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
                return OnPage(s);
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
