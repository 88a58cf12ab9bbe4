// Torture writers: every way there is to wait for a grace period.
namespace IommuRcu.Tests.Synchronization;

internal sealed unsafe partial class Torture
{
    private const int Ways = 8;

    private void Write(int seed, bool sleepable)
    {
        var random = new Random(seed);
        Register();
        TorturePool pool = sleepable ? _sleepablePool : _pool;
        long retired = 0;
        while (!_stops)
        {
            TortureElement* old = pool.Replace(random.Next(pool.CellCount));
            if (old == null)
            {
                if (random.Next(2) == 0)
                {
                    Thread.Yield();
                }
                else if (sleepable)
                {
                    _sleepable.Barrier();
                }
                else
                {
                    Rcu.Barrier();
                }

                continue;
            }

            retired++;
            if (sleepable)
            {
                RetireSleepable(random, pool, old);
            }
            else
            {
                Retire(random, pool, old);
            }
        }

        Interlocked.Add(ref _retired, retired);
    }

    private void Retire(Random random, TorturePool pool, TortureElement* old)
    {
        switch (_options.SynchronizesOnly ? 0 : random.Next(Ways))
        {
            case 0:
                Rcu.Synchronize();
                break;
            case 1:
                Rcu.SynchronizeExpedited();
                break;
            case 2:
                while (!Rcu.Synchronize(TimeSpan.FromMilliseconds(random.Next(2))))
                {
                }

                break;
            case 3:
                RcuCookie cookie = Rcu.StartGracePeriod();
                for (int i = random.Next(50); i > 0 && !Rcu.HasElapsed(cookie); i--)
                {
                    Thread.SpinWait(20);
                }

                Rcu.WaitFor(cookie);
                break;
            case 4:
                Rcu.SynchronizeAsync().AsTask().Wait();
                break;
            case 5:
                Rcu.Call((pool, (nint)old), static s => s.pool.Reclaim((TortureElement*)s.Item2));
                return;
            default:
                Rcu.Call(&old->Head, &TorturePool.ReclaimCallback);
                return;
        }

        pool.Reclaim(old);
    }

    private void RetireSleepable(Random random, TorturePool pool, TortureElement* old)
    {
        switch (random.Next(Ways))
        {
            case 0:
                _sleepable.Synchronize();
                break;
            case 1:
                _sleepable.SynchronizeExpedited();
                break;
            case 2:
                while (!_sleepable.Synchronize(TimeSpan.FromMilliseconds(random.Next(2))))
                {
                }

                break;
            case 3:
                RcuCookie cookie = _sleepable.StartGracePeriod();
                for (int i = random.Next(50); i > 0 && !_sleepable.HasElapsed(cookie); i--)
                {
                    Thread.SpinWait(20);
                }

                _sleepable.WaitFor(cookie);
                break;
            case 4:
                _sleepable.SynchronizeAsync().AsTask().Wait();
                break;
            case 5:
                _sleepable.Call((pool, (nint)old), static s => s.pool.Reclaim((TortureElement*)s.Item2));
                return;
            default:
                _sleepable.Call(&old->Head, &TorturePool.ReclaimCallback);
                return;
        }

        pool.Reclaim(old);
    }
}
