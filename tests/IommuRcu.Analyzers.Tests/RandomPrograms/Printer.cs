// Prints a random program as a C# method, a statement a line, and remembers the line of each.
using System.Text;

namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <summary>Turns programs into one source file.</summary>
internal sealed class Printer
{
    private readonly StringBuilder _text = new();
    private readonly Dictionary<int, int> _statementOf = [];
    private readonly Stack<int> _gathers = new();
    private int _line;
    private int _indent;

    /// <summary>The statement (see <see cref="Statement.Id"/>; negated: the surplus Dispose of a guard) that stands on a line, counted from 0.</summary>
    internal IReadOnlyDictionary<int, int> StatementOf => _statementOf;

    /// <summary>The contracts that the programs use, declared in the program's own assembly.</summary>
    internal const string Library = """
        using System;
        using IommuRcu.Annotations;

        [ReadLockScope]
        public readonly ref struct Guard
        {
            [ReleasesReadLock(DomainType = typeof(Epoch))]
            public void Dispose() { }
        }

        public sealed class Node { }

        public sealed class Page { }

        public static class Epoch
        {
            [AcquiresReadLock] public static Guard Enter() => default;
            [AcquiresReadLock] public static void Begin() { }
            [ReleasesReadLock] public static void End() { }
            [AcquiresReadLock(When = true)] public static bool TryBegin() => true;
            [RequiresReadLock] public static void Walk() { }
            [RequiresReadLock] [return: RcuProtected] public static Node Read() => new Node();
            [WaitsForGracePeriod] public static void Wait() { }
            public static void Use(Node? node) { }
            public static void Other() { }
            public static bool Ask() => true;
            public static int Number() => 0;
            public static void RunNow([RunsSynchronously] Action action) => action();
            public static void RunLater(Action action) { }
        }

        [TableGather]
        public sealed class Gather : IDisposable
        {
            public void Add([Gathers] Page page) { }
            [FlushesIotlb] [Retires] public void Sync() { }
            [FlushesIotlb] [Retires] public void Dispose() { }
        }

        public static class Table
        {
            [return: Unpublished] public static Page Allocate() => new Page();
            public static void Link([Publishes] Page page) { }
            public static bool TryLink([Publishes(When = true)] Page page) => true;
            public static void Unlink([Unlinks] Page page) { }
            public static void Touch(Page page) { }
            public static void Retire([Retires] Page page) { }
            public static void Free([Frees] Page page) { }
        }
        """;

    /// <summary>Prints one method for each program, in one class.</summary>
    internal string Print(IEnumerable<RandomProgram> programs)
    {
        Line("#nullable enable");
        Line("#pragma warning disable CS0162, CS0219, CS1998");
        Line("public static class Programs");
        Open();
        int number = 0;
        foreach (RandomProgram program in programs)
        {
            Line($"public static void Program{number++}(bool a0, bool a1, bool a2, Page p0)");
            Open();
            Line("Page p1 = Table.Allocate();");
            Line("Page p2 = Table.Allocate();");
            Line("Node? v0 = null;");
            Line("Node? v1 = null;");
            Line("bool f0 = false;");
            Line("bool f1 = false;");
            foreach (Statement statement in program.Body.Body)
            {
                Print(statement);
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

    private void Body(Block block)
    {
        Open();
        foreach (Statement statement in block.Body)
        {
            Print(statement);
        }

        Close();
    }

    private static string Text(Condition condition) => condition switch
    {
        Condition.Parameter p => $"{(p.Negated ? "!" : "")}a{p.Index}",
        Condition.Flag f => $"{(f.Negated ? "!" : "")}f{f.Index}",
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
                Line(s.Named ? $"using (Guard g{s.Id} = Epoch.Enter())" : "using (Epoch.Enter())", s.Id);
                Body(s.Body);
                break;
            case UsingDeclaration s:
                Open();
                Line($"using var g{s.Id} = Epoch.Enter();", s.Id);
                foreach (Statement inner in s.Rest.Body)
                {
                    Print(inner);
                }

                Close();
                break;
            case GuardWithFinally s:
                Line($"var g{s.Id} = Epoch.Enter();", s.Id);
                Line("try");
                Body(s.Body);
                Line("finally");
                Open();
                Line($"g{s.Id}.Dispose();");
                Close();
                break;
            case GuardByHand s:
                Line($"var g{s.Id} = Epoch.Enter();", s.Id);
                Body(s.Body);
                for (int i = 0; i < s.Disposals; i++)
                {
                    Line($"g{s.Id}.Dispose();", i == 0 ? 0 : -s.Id);
                }

                break;
            case TryBegin s:
                Line($"f{s.Flag} = Epoch.TryBegin();", s.Id);
                break;
            case IfTryBegin s:
                Line("if (Epoch.TryBegin())", s.Id);
                Body(s.Then);
                Line("else");
                Body(s.Else);
                break;
            case IfTryLink s:
                Line($"if (Table.TryLink(p{s.Page}))", s.Id);
                Body(s.Then);
                Line("else");
                Body(s.Else);
                break;
            case SetFlag s:
                Line($"f{s.Flag} = {(s.Value ? "true" : "false")};");
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
                Line($"t{_gathers.Peek()}.Add(p{s.Page});", s.Id);
                break;
            case Return:
                Line("return;");
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
        }
    }

    private void Lambda(string call, Block body)
    {
        Line($"{call}(() =>");
        Open();
        foreach (Statement inner in body.Body)
        {
            Print(inner);
        }

        Close("});");
    }

    private static string Text(Do s) => s.Operation switch
    {
        Operation.Walk => "Epoch.Walk();",
        Operation.Wait => "Epoch.Wait();",
        Operation.Block => "System.Threading.Thread.Sleep(1);",
        Operation.Begin => "Epoch.Begin();",
        Operation.End => "Epoch.End();",
        Operation.Other => "Epoch.Other();",
        Operation.ReadValue => $"v{s.First} = Epoch.Read();",
        Operation.UseValue => $"Epoch.Use(v{s.First});",
        Operation.CopyValue => $"v{s.First} = v{s.Second};",
        Operation.Allocate => $"p{s.First} = Table.Allocate();",
        Operation.AliasPage => $"p{s.First} = p{s.Second};",
        Operation.Link => $"Table.Link(p{s.First});",
        Operation.Unlink => $"Table.Unlink(p{s.First});",
        Operation.UsePage => $"Table.Touch(p{s.First});",
        Operation.Free => $"Table.Free(p{s.First});",
        Operation.Retire => $"Table.Retire(p{s.First});",
        _ => throw new InvalidOperationException($"{s.Operation} has no text"),
    };
}
