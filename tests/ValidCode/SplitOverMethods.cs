// Entering in one annotated method, leaving in another.
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class SplitOverMethods(Table table)
{
    [AcquiresReadLock(DomainType = typeof(Epoch))]
    public void Begin() => table.Epoch.Enter();

    [ReleasesReadLock(DomainType = typeof(Epoch))]
    public void End() => table.Epoch.Exit();

    public int Sum()
    {
        Begin();
        try
        {
            int sum = 0;
            for (int i = 0; i < table.Length; i++)
            {
                sum += table.Walk(i);
            }

            return sum;
        }
        finally
        {
            End();
        }
    }
}
