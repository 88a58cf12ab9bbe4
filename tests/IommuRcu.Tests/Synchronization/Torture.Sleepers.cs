// Torture readers of the sleepable domain: sections that move between threads.
namespace IommuRcu.Tests.Synchronization;

internal sealed partial class Torture
{
    private async Task SleepReadAsync(int seed, int sleeper)
    {
        var random = new Random(seed);
        while (!_stops)
        {
            using (_sleepable.ReadLock())
            {
                (nint element, ulong stamp) = First(random.Next(_sleepablePool.CellCount));
                for (int i = random.Next(4); i > 0; i--)
                {
                    await Task.Yield();
                    LookAgain(element, stamp);
                }

                if (random.Next(8) == 0)
                {
                    await Task.Run(() => LookAgain(element, stamp));
                }

                Linger(random);
                LookAgain(element, stamp);
            }

            _sections[sleeper * Spread]++;
        }
    }

    private unsafe (nint Element, ulong Stamp) First(int cell)
    {
        TortureElement* element = _sleepablePool.Read(cell);
        return ((nint)element, Volatile.Read(ref element->Stamp));
    }

    private unsafe void LookAgain(nint element, ulong stamp) => Look((TortureElement*)element, stamp);
}
