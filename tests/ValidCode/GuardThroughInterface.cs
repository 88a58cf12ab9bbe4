// A guard shared through an interface, by which only the contracts of its members are known.
using IommuRcu.Annotations;

namespace ValidCode;

internal interface IProtection
{
    [AcquiresReadLock]
    void Enter();

    [ReleasesReadLock]
    void Exit();

    [RequiresReadLock]
    int Read(int index);
}

internal sealed class ArrayProtection(int[] items) : IProtection
{
    private int _depth;

    [AcquiresReadLock]
    public void Enter() => _depth++;

    [ReleasesReadLock]
    public void Exit() => _depth--;

    [RequiresReadLock]
    public int Read(int index) => items[index];
}

internal static class GuardThroughInterface
{
    public static int Sum(IProtection protection, int count)
    {
        protection.Enter();
        try
        {
            int sum = 0;
            for (int i = 0; i < count; i++)
            {
                sum += protection.Read(i);
            }

            return sum;
        }
        finally
        {
            protection.Exit();
        }
    }

    public static int First<T>(T protection)
        where T : IProtection
    {
        protection.Enter();
        int first = protection.Read(0);
        protection.Exit();
        return first;
    }
}
