// Entering only where no section is open, and leaving only what one entered.
using ValidCode.World;

namespace ValidCode;

internal sealed class EnterIfNotHeld(Table table)
{
    private readonly Epoch _epoch = table.Epoch;

    public int ByQuery(int index)
    {
        bool held = _epoch.IsHeld;
        if (!held)
        {
            _epoch.Enter();
        }

        try
        {
            return table.Walk(index);
        }
        finally
        {
            if (!held)
            {
                _epoch.Exit();
            }
        }
    }

    public int ByResult(int index)
    {
        bool mine = _epoch.EnterIfNotHeld();
        try
        {
            return table.Walk(index);
        }
        finally
        {
            if (mine)
            {
                _epoch.Exit();
            }
        }
    }

    public int WithoutFinally(int index)
    {
        bool mine = _epoch.EnterIfNotHeld();
        int value = table.Walk(index);
        if (mine)
        {
            _epoch.Exit();
        }

        return value;
    }
}
