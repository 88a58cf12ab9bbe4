// IRCU012: samples the ring's end before the section opens.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.RingScanners;

class Ring
{
    [RcuBound] private int _tail = 8;
    private readonly int[] _items = new int[16];

    [RequiresReadLock] private int At(int index) => _items[index];

    public int Sum()
    {
        int tail = _tail;
        int sum = 0;
        using (Rcu.ReadLock())
        {
            for (int i = 0; i < tail; i++)
            {
                sum += At(i);
            }
        }

        return sum;
    }
}
