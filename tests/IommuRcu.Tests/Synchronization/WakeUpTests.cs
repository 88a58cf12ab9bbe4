// A callback that is queued is run, whoever else uses the callback thread, and without another call that would wake it.
#if NET10_0_OR_GREATER
namespace IommuRcu.Tests.Synchronization;

public sealed class WakeUpTests
{
    /// <summary>In a process of its own, where nothing has used <see cref="Rcu"/> before.</summary>
    [Fact]
    public void FirstCallWhileASleepableDomainKeepsTheThreadAwake_IsRun() =>
        Assert.Contains("it ran", ChildProgram.Run(typeof(SleepableFirst)), StringComparison.Ordinal);

    /// <summary>Single calls at moments spread over the thread's falling asleep.</summary>
    [Fact]
    public void CallsWhileTheThreadFallsAsleep_AreAllRun() =>
        Assert.Contains("all ran", ChildProgram.Run(typeof(FallingAsleep), ("IOMMURCU_SEED", $"{TestSeed.Value}")), StringComparison.Ordinal);

    internal static class SleepableFirst
    {
        public static void Run()
        {
            var sleepable = new SleepableRcu();
            while (Volatile.Read(ref CallbackSignal.Awake) == 0)
            {
                sleepable.StartGracePeriod();
            }

            using var ran = new ManualResetEventSlim();
            Rcu.Call(ran, static ran => ran.Set());
            Console.WriteLine(ran.Wait(Poll.Long) ? "it ran" : "it sat in its queue");
        }
    }

    internal static class FallingAsleep
    {
        private const int Rounds = 300;

        public static void Run()
        {
            var random = new Random(TestSeed.Value);
            var sleepable = new SleepableRcu();
            using var ran = new SemaphoreSlim(0);
            for (int i = 0; i < Rounds; i++)
            {
                // The thread goes to sleep after some 32 idle milliseconds. Most calls come when it is about to, or just has.
                for (int spins = random.Next(200); spins > 0 && Volatile.Read(ref CallbackSignal.Awake) != 0; spins--)
                {
                    Thread.Sleep(random.Next(2));
                }

                if (random.Next(2) == 0)
                {
                    Rcu.Call(ran, static ran => ran.Release());
                }
                else
                {
                    sleepable.Call(ran, static ran => ran.Release());
                }

                if (!ran.Wait(Poll.Long))
                {
                    Console.WriteLine($"seed {TestSeed.Value}: callback {i} sat in its queue");
                    return;
                }
            }

            Console.WriteLine("all ran");
        }
    }
}
#endif
