// One flag that decides whether a section is entered, used and left.
using ValidCode.World;

namespace ValidCode;

internal sealed class FlagCorrelation(Table table)
{
    public int ByParameter(bool careful)
    {
        int value = 0;
        if (careful)
        {
            table.Epoch.Enter();
        }

        if (careful)
        {
            value = table.Walk(0);
        }

        if (careful)
        {
            table.Epoch.Exit();
        }

        return value;
    }

    public int ByLocal(bool enter)
    {
        bool entered = false;
        try
        {
            if (enter)
            {
                table.Epoch.Enter();
                entered = true;
            }

            return entered ? table.Walk(0) : -1;
        }
        finally
        {
            if (entered)
            {
                table.Epoch.Exit();
            }
        }
    }
}
