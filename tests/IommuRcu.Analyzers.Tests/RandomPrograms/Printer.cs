// Prints a random program as a C# method, a statement a line, and remembers the line of each.
using System.Text;

namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <summary>Turns programs into one source file.</summary>
internal sealed partial class Printer
{
    private readonly StringBuilder _text = new();
    private readonly Dictionary<int, int> _statementOf = [];
    private readonly Stack<int> _gathers = new();
    private int _line;
    private int _indent;

    /// <summary>The statement (see <see cref="Statement.Id"/>; negated: the surplus Dispose of a guard) that stands on a line, counted from 0.</summary>
    internal IReadOnlyDictionary<int, int> StatementOf => _statementOf;

    /// <summary>Prints one method for each program, in one class.</summary>
    internal string Print(IEnumerable<RandomProgram> programs)
    {
        Line("#nullable enable");
        Line("#pragma warning disable CS0162, CS0164, CS0219, CS1998");
        Line("public static class Programs");
        Open();
        int number = 0;
        foreach (RandomProgram program in programs)
        {
            _kind = program.Kind;
            _byPointer = program.ByPointer;
            Line($"public static {Result} Program{number++}{Parameters}{PageType} p0)");
            Open();
            Line($"{PageType} p1 = {Table}.Allocate();");
            Line($"{PageType} p2 = {Table}.Allocate();");
            Line($"{ValueType} v0 = null;");
            Line($"{ValueType} v1 = null;");
            Line("bool f0 = false;");
            Line("bool f1 = false;");
            Line("bool f2 = false;");
            foreach (Statement statement in program.Body.Body)
            {
                Print(statement);
            }

            if (program.Kind == BodyKind.Iterator)
            {
                Line("yield break;");   // makes it one, whatever else it does
            }

            Close();
        }

        Close();
        return _text.ToString();
    }

    private void Line(string text, int statement = 0)
    {
        if (statement != 0)
        {
            _statementOf.Add(_line, statement);
        }

        _text.Append(' ', 4 * _indent).Append(text).Append('\n');
        _line++;
    }

    private void Open(string brace = "{")
    {
        Line(brace);
        _indent++;
    }

    private void Close(string brace = "}")
    {
        _indent--;
        Line(brace);
    }

    private void Body(Block block, string? first = null)
    {
        Open();
        if (first is not null)
        {
            Line(first);
        }

        foreach (Statement statement in block.Body)
        {
            Print(statement);
        }

        Close();
    }

    private string Text(Condition condition) => condition switch
    {
        Condition.Parameter p => Asked($"a{p.Index}", p.Negated, p.ByPattern),
        Condition.Flag f => Asked(Flag(f.Index), f.Negated, f.ByPattern),
        Condition.Number n => n.Negated ? $"n is not ({Text(n.Pattern)})" : $"n is {Text(n.Pattern)}",
        Condition.Pair p => $"(a{p.First}, a{p.Second}) is {(p.Negated ? "not " : "")}({Text(p.IsFirst)}, {Text(p.IsSecond)})",
        _ => "Epoch.Ask()",
    };

    private void Print(Statement statement)
    {
        switch (statement)
        {
            case Do s:
                Line(Text(s), s.Id);
                break;
            case Block s:
                Body(s);
                break;
            case Using s:
                Line(s.Named ? $"using ({GuardType} g{s.Id} = {EnterCall})" : $"using ({EnterCall})", s.Id);
                Body(s.Body);
                break;
            case UsingDeclaration s:
                Open();
                Line($"using var g{s.Id} = {EnterCall};", s.Id);
                foreach (Statement inner in s.Rest.Body)
                {
                    Print(inner);
                }

                Close();
                break;
            case GuardWithFinally s:
                Line($"var g{s.Id} = {EnterCall};", s.Id);
                Line("try");
                Body(s.Body);
                Line("finally");
                Open();
                Line($"g{s.Id}.Dispose();");
                Close();
                break;
            case GuardByHand s:
                Line($"var g{s.Id} = {EnterCall};", s.Id);
                Body(s.Body);
                for (int i = 0; i < s.Disposals; i++)
                {
                    Line($"g{s.Id}.Dispose();", i == 0 ? 0 : -s.Id);
                }

                break;
            case TryBegin s:
                Line($"{Flag(s.Flag)} = Epoch.TryBegin();", s.Id);
                break;
            case IfTryBegin s:
                Line("if (Epoch.TryBegin())", s.Id);
                Body(s.Then);
                Line("else");
                Body(s.Else);
                break;
            case IfTryLink s:
                Line($"if ({Table}.TryLink({Page(s.Page)}))", s.Id);
                Body(s.Then);
                Line("else");
                Body(s.Else);
                break;
            case SetFlag s:
                Line($"{Flag(s.Flag)} = {(s.Value ? "true" : "false")};");
                break;
            case If s:
                Line($"if ({Text(s.Condition)})");
                Body(s.Then);
                if (s.Else.Body.Count > 0)
                {
                    Line("else");
                    Body(s.Else);
                }

                break;
            case While s:
                Line("while (Epoch.Ask())");
                Body(s.Body);
                break;
            case Switch s:
                Line("switch (Epoch.Number())");
                Open();
                for (int i = 0; i < s.Arms.Count; i++)
                {
                    Line(i == s.Arms.Count - 1 ? "default:" : $"case {i}:");
                    Body(s.Arms[i]);
                    Line("break;");
                }

                Close();
                break;
            case Try s:
                Line("try");
                Body(s.Body);
                if (s.Handler is not null)
                {
                    Line("catch");
                    Body(s.Handler);
                }

                if (s.Finally is not null)
                {
                    Line("finally");
                    Body(s.Finally);
                }

                break;
            case RunNow s:
                Lambda("Epoch.RunNow", s.Body);
                break;
            case RunLater s:
                Lambda("Epoch.RunLater", s.Body);
                break;
            case Gather s:
                Open();
                Line($"{(s.WithUsing ? "using " : "")}var t{s.Id} = new Gather();", s.Id);
                _gathers.Push(s.Id);
                foreach (Statement inner in s.Body.Body)
                {
                    Print(inner);
                }

                _gathers.Pop();
                if (s.Synced && !s.WithUsing)
                {
                    Line($"t{s.Id}.Sync();");
                }

                Close();
                break;
            case GatherAdd s:
                Line($"t{_gathers.Peek()}.Add({Page(s.Page)});", s.Id);
                break;
            case Return:
                Line(_kind == BodyKind.Iterator ? "yield break;" : "return;");
                break;
            case Throw:
                Line("throw new System.InvalidOperationException();");
                break;
            case Break:
                Line("break;");
                break;
            case Continue:
                Line("continue;");
                break;
            default:
                PrintForm(statement);
                break;
        }
    }

    private void Lambda(string call, Block body)
    {
        BodyKind kind = _kind;
        _kind = kind == BodyKind.Iterator ? BodyKind.Async : kind;   // what leaves a lambda is a plain return
        Line($"{call}(() =>");
        Open();
        foreach (Statement inner in body.Body)
        {
            Print(inner);
        }

        Close("});");
        _kind = kind;
    }

    private string Text(Do s) => s.Operation switch
    {
        Operation.Walk => "Epoch.Walk();",
        Operation.Wait => "Epoch.Wait();",
        Operation.Block => "System.Threading.Thread.Sleep(1);",
        Operation.Begin => "Epoch.Begin();",
        Operation.End => "Epoch.End();",
        Operation.Other => "Epoch.Other();",
        Operation.ReadValue => $"{Value(s.First)} = Epoch.Read{(_byPointer ? "Block" : string.Empty)}();",
        Operation.UseValue => $"Epoch.Use({Value(s.First)});",
        Operation.FollowValue => Follow(Value(s.First) + (_byPointer ? string.Empty : "!"), s.Id),
        Operation.CopyValue => $"{Value(s.First)} = {Value(s.Second)};",
        Operation.Allocate => $"{Page(s.First)} = {Table}.Allocate();",
        Operation.AliasPage => $"{Page(s.First)} = {Page(s.Second)};",
        Operation.Link => $"{Table}.Link({Page(s.First)});",
        Operation.Unlink => $"{Table}.Unlink({Page(s.First)});",
        Operation.UsePage => $"{Table}.Touch({Page(s.First)});",
        Operation.FollowPage => Follow(Page(s.First), s.Id),
        Operation.Free => $"{Table}.Free({Page(s.First)});",
        Operation.Retire => $"{Table}.Retire({Page(s.First)});",
        Operation.Update => $"Store.Update{s.First}();",
        Operation.Scan => "Store.Scan();",
        Operation.TakeLock => TakeLock(s.First),
        Operation.GiveLock => GiveLock(s.First),
        Operation.Suspend => _kind == BodyKind.Iterator ? "yield return 0;" : "await Epoch.Idle();",
        Operation.WaitAsync => "await Epoch.WaitAsync();",
        _ => throw new InvalidOperationException($"{s.Operation} has no text"),
    };
}
