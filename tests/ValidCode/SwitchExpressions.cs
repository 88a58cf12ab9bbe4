// Switch expressions and patterns around and inside sections.
using IommuRcu;
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class SwitchExpressions(Table table)
{
    [RcuProtected] private Page? _head = new();

    public int Inside(int kind)
    {
        using EpochGuard guard = table.Epoch.Open();
        return kind switch
        {
            0 => table.Walk(0),
            1 when table.Find(1) is { Value: > 3 } page => page.Value,
            < 0 => throw new ArgumentOutOfRangeException(nameof(kind)),
            _ => table.Walk(kind % table.Length),
        };
    }

    public string Describe()
    {
        using (Rcu.ReadLock())
        {
            return Rcu.Dereference(ref _head) switch
            {
                null => "none",
                { Child: null } => "leaf",
                { Value: var value } => value == 0 ? "empty" : "page",
            };
        }
    }

    public bool IsEmpty() => Rcu.ReadPointer(ref _head) is null;
}
