// A bound read inside the section that it decides the walk of, and a handle passed on under a contract.
using IommuRcu;
using IommuRcu.Annotations;

namespace ValidCode;

internal sealed class BoundsInside(int[] items)
{
    [RcuBound] private int _tail = items.Length;

    public int Sum()
    {
        int sum = 0;
        using (Rcu.ReadLock())
        {
            int tail = Volatile.Read(ref _tail);
            for (int i = 0; i < tail; i++)
            {
                sum += At(i);
            }
        }

        return sum;
    }

    public void Cut(int tail) => Volatile.Write(ref _tail, tail);

    [RequiresReadLock]
    private int At(int index) => items[index];
}
