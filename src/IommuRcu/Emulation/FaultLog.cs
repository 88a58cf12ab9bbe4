// The faults that nobody has taken yet: a ring that drops the oldest, and counts all.
namespace IommuRcu.Emulation;

/// <summary>A bounded log of faults. Any thread may record and take.</summary>
internal sealed class FaultLog(int capacity)
{
    private readonly object _lock = new();
    private readonly IommuFault[] _ring = new IommuFault[capacity];
    private int _first;
    private int _count;
    private long _total;

    internal long Total => Volatile.Read(ref _total);

    internal void Record(in IommuFault fault)
    {
        lock (_lock)
        {
            _ring[(_first + _count) % _ring.Length] = fault;
            if (_count == _ring.Length)
            {
                _first = (_first + 1) % _ring.Length;
            }
            else
            {
                _count++;
            }

            Volatile.Write(ref _total, _total + 1);
        }
    }

    internal IommuFault[] Take()
    {
        lock (_lock)
        {
            var taken = new IommuFault[_count];
            for (int i = 0; i < taken.Length; i++)
            {
                taken[i] = _ring[(_first + i) % _ring.Length];
            }

            _first = 0;
            _count = 0;
            return taken;
        }
    }
}
