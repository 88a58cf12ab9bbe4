// An epoch that may be null, where null means that the caller is protected already.
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal static class NullMeansProtected
{
    public static int Scan(Epoch? epoch, int[] items)
    {
        int sum = 0;
        epoch?.Enter();
        try
        {
            foreach (int item in items)
            {
                sum += item;
            }
        }
        finally
        {
            epoch?.Exit();
        }

        return sum;
    }

    [MayHoldReadLock(DomainType = typeof(Epoch))]
    public static int Walk(Epoch? epoch, Table table)
    {
        epoch?.Enter();
        try
        {
            return table.Length;
        }
        finally
        {
            epoch?.Exit();
        }
    }

    public static void Pause(Epoch? epoch)
    {
        bool left = epoch?.TryExit() ?? false;
        try
        {
            Thread.Sleep(1);
        }
        finally
        {
            if (left)
            {
                epoch!.Enter();
            }
        }
    }
}
