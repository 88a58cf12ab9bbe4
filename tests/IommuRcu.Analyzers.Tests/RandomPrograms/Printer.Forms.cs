// Prints what has more than one form in C#: locks, patterns, labels, and variables with two names.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

internal sealed partial class Printer
{
    /// <summary>The first parameters of every program. No other line has them.</summary>
    internal const string Parameters = "(bool a0, bool a1, bool a2, int n, ";

    private readonly List<string> _referred = [];
    private BodyKind _kind;
    private bool _byPointer;
    private int _names;

    private string Result => _kind switch
    {
        BodyKind.Async => "async System.Threading.Tasks.Task",
        BodyKind.Iterator => "System.Collections.Generic.IEnumerable<int>",
        _ => _byPointer ? "unsafe void" : "void",
    };

    private string PageType => _byPointer ? "Block*" : "Page";

    private string ValueType => _byPointer ? "Block*" : "Node?";

    private string Table => _byPointer ? "Memory" : "Table";

    private string GuardType => _kind == BodyKind.Plain ? "Guard" : "Held";

    private string EnterCall => _kind == BodyKind.Plain ? "Epoch.Enter()" : "Epoch.Hold()";

    private string Page(int index) => Name($"p{index}");

    private string Value(int index) => Name($"v{index}");

    private string Flag(int index) => Name($"f{index}");

    /// <summary>A variable that a ref local stands for goes by either name, in turn.</summary>
    private string Name(string variable) => _referred.Contains(variable) && _names++ % 2 == 0 ? $"r{_referred.IndexOf(variable)}{variable}" : variable;

    /// <summary>Reads or writes what a variable leads to. Unlike a call it throws nothing.</summary>
    private string Follow(string variable, int form) => _byPointer
        ? (form % 5) switch
        {
            0 => $"_ = {variable}->Size;",
            1 => $"_ = (*{variable}).Size;",
            2 => $"_ = {variable}[0].Size;",
            3 => $"{variable}->Size = 1;",
            _ => $"_ = *(int*){variable};",
        }
        : form % 2 == 0 ? $"_ = {variable}.Size;" : $"{variable}.Size++;";

    private static string Text(bool value) => value ? "true" : "false";

    private static string Asked(string name, bool negated, bool byPattern) => byPattern ? $"{name} is {(negated ? "not true" : "true")}" : (negated ? "!" : "") + name;

    private static string Text(NumberPattern pattern) => pattern switch
    {
        NumberPattern.Zero => "0",
        NumberPattern.One => "1",
        NumberPattern.Negative => "< 0",
        NumberPattern.Many => "> 1",
        NumberPattern.ZeroOrOne => "0 or 1",
        NumberPattern.NotZero => "not 0",
        _ => ">= 0 and <= 1",
    };

    private static string TakeLock(int gate) => gate == 0 ? "System.Threading.Monitor.Enter(Store.Gate0);" : "Store.Gate1.Enter();";

    private static string GiveLock(int gate) => gate == 0 ? "System.Threading.Monitor.Exit(Store.Gate0);" : "Store.Gate1.Exit();";

    private static string TryLock(int gate) => gate == 0 ? "System.Threading.Monitor.TryEnter(Store.Gate0)" : "Store.Gate1.TryEnter()";

    private void PrintForm(Statement statement)
    {
        switch (statement)
        {
            case SwitchNumber s:
                Print(s);
                break;
            case IfSwitchBegin s:
                Line("if (n switch");
                Open();
                Line($"{Text(s.Enters)} => Epoch.TryBegin(),", s.Id);
                Line("_ => false,");
                Close("})");
                Body(s.Then);
                Line("else");
                Body(s.Else);
                break;
            case Selected s:
                Line($"{Table}.{(s.Operation == Operation.UsePage ? "Touch" : s.Operation)}(n switch {{ 0 => {Page(s.Zero)}, 1 => {Page(s.One)}, _ => {Page(s.Rest)} }});", s.Id);
                break;
            case IfTaken s:
                Print(s);
                break;
            case Locked s:
                Print(s);
                break;
            case IfTryLock s:
                Line($"if ({TryLock(s.Gate)})");
                Open();
                GiveAfter(s.Gate, s.Then);
                Close();
                Line("else");
                Body(s.Else);
                break;
            case TryLock s:
                Line($"f{s.Flag} = {TryLock(s.Gate)};");
                break;
            case Labelled s:
                Body(s.Body);
                Line($"l{s.Label}:;");
                break;
            case Again s:
                Line($"l{s.Label}:");
                Body(s.Body);
                Line("if (Epoch.Ask())");
                Open();
                Line($"goto l{s.Label};");
                Close();
                break;
            case Goto s:
                Line($"goto l{s.Label};");
                break;
            case Reference s:
                Print(s);
                break;
            default:
                throw new InvalidOperationException($"{statement} has no text");
        }
    }

    private void Print(SwitchNumber s)
    {
        Line("switch (n)");
        Open();
        foreach (NumberArm arm in s.Arms)
        {
            Line($"case {Text(arm.Pattern)}{(arm.When is { } when ? $" when {Text(when)}" : "")}:");
            Arm(arm.Body);
        }

        Line("default:");
        Arm(s.Default);
        Close();
    }

    private void Arm(Block block, string? first = null)
    {
        Body(block, first);
        Line("break;");
    }

    private void Print(IfTaken s)
    {
        string taken = $"q{s.Id}";
        string? kept = s.Form == TakeForm.Assigned ? null : $"p{s.Page} = {taken};";
        if (_byPointer)
        {
            PrintPointer(s, taken, kept);
            return;
        }

        switch (s.Form)
        {
            case TakeForm.Case:
                Line("switch (Table.Take())");
                Open();
                Line($"case {{ }} {taken}:");
                Arm(s.Then, kept);
                Line("default:");
                Arm(s.Else);
                Close();
                return;
            case TakeForm.CaseNull:
                Line("switch (Table.Take())");
                Open();
                Line("case null:");
                Arm(s.Else);
                Line($"case var {taken}:");
                Arm(s.Then, kept);
                Close();
                return;
            case TakeForm.Null or TakeForm.NotNull:
                Line($"var {taken} = Table.Take();");
                break;
        }

        Line(s.Form switch
        {
            TakeForm.Recursive => $"if (Table.Take() is {{ }} {taken})",
            TakeForm.Type => $"if (Table.Take() is Page {taken})",
            TakeForm.NotNull => $"if ({taken} is not null)",
            TakeForm.Null => $"if ({taken} is null)",
            _ => $"if ((p{s.Page} = Table.Take()!) is not null)",
        });
        PrintArms(s, kept, isNullFirst: s.Form == TakeForm.Null);
    }

    private void PrintArms(IfTaken s, string? kept, bool isNullFirst)
    {
        Body(isNullFirst ? s.Else : s.Then, isNullFirst ? null : kept);
        Line("else");
        Body(isNullFirst ? s.Then : s.Else, isNullFirst ? kept : null);
    }

    // Of a pointer a pattern can ask no more than whether it is null.
    private void PrintPointer(IfTaken s, string taken, string? kept)
    {
        if (kept is not null)
        {
            Line($"Block* {taken} = Memory.Take();");
        }

        Line(s.Form switch
        {
            TakeForm.Null => $"if ({taken} is null)",
            TakeForm.CaseNull => $"if ({taken} == null)",
            TakeForm.NotNull => $"if ({taken} is not null)",
            TakeForm.Assigned => $"if ((p{s.Page} = Memory.Take()) != null)",
            _ => $"if ({taken} != null)",
        });
        PrintArms(s, kept, isNullFirst: s.Form is TakeForm.Null or TakeForm.CaseNull);
    }

    private void Print(Locked s)
    {
        switch (s.Form)
        {
            case LockForm.Statement:
                Line($"lock (Store.Gate{s.Gate})", s.Id);
                Body(s.Body);
                break;
            case LockForm.Aliased:
                Line($"var k{s.Id} = Store.Gate{s.Gate};");
                Line($"lock (k{s.Id})", s.Id);
                Body(s.Body);
                break;
            case LockForm.Scope:
                Line($"using (Store.Gate{s.Gate}.EnterScope())", s.Id);
                Body(s.Body);
                break;
            case LockForm.WithFinally:
                Line(TakeLock(s.Gate), s.Id);
                GiveAfter(s.Gate, s.Body);
                break;
            case LockForm.Taken:
                Line($"bool t{s.Id} = false;");
                Line("try");
                Open();
                Line($"System.Threading.Monitor.Enter(Store.Gate{s.Gate}, ref t{s.Id});", s.Id);
                Body(s.Body);
                Close();
                Line("finally");
                Open();
                Line($"if (t{s.Id})");
                Open();
                Line(GiveLock(s.Gate));
                Close();
                Close();
                break;
            default:
                Line(TakeLock(s.Gate), s.Id);
                Body(s.Body);
                Line(GiveLock(s.Gate));
                break;
        }
    }

    private void GiveAfter(int gate, Block body)
    {
        Line("try");
        Body(body);
        Line("finally");
        Open();
        Line(GiveLock(gate));
        Close();
    }

    private void Print(Reference s)
    {
        (string type, string variable) = s.Kind switch
        {
            VariableKind.Page => (PageType, $"p{s.Index}"),
            VariableKind.Value => (ValueType, $"v{s.Index}"),
            _ => ("bool", $"f{s.Index}"),
        };
        Open();
        _referred.Add(variable);
        Line($"ref {type} r{_referred.Count - 1}{variable} = ref {variable};");
        foreach (Statement inner in s.Body.Body)
        {
            Print(inner);
        }

        _referred.RemoveAt(_referred.Count - 1);
        Close();
    }
}
