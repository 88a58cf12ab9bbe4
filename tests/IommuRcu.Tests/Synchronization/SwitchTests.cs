// Each hidden switch breaks the protocol in a scripted round of its own: not a matter of luck, and shown to hold with the switch off.
namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed unsafe class SwitchTests : IDisposable
{
    /// <summary>Rounds in each of which a broken protocol must show, and the real one must not.</summary>
    private const int Rounds = 20;

    public void Dispose() => TestHooks.Reset();

    /// <summary>The process-wide barrier's switch has no such round: whether a store is late is the processor's affair. See LitmusTests.</summary>
    public static TheoryData<string, bool> Switches()
    {
        var rows = new TheoryData<string, bool>();
        foreach (string name in (string[])["scan skips", "callback early", "slot reused"])
        {
            rows.Add(name, false);
            rows.Add(name, true);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Switches))]
    public void RcuBroken_ShowsInEveryRound(string name, bool broken)
    {
        using var reader = new ReaderThread();
        int slot = SlotOf(reader);
        for (int round = 0; round < Rounds; round++)
        {
            reader.Open();
            Break(name, broken, slot, cell: -1);
            int freed = 0;
            switch (name)
            {
                case "scan skips":
                    freed = Rcu.Synchronize(TimeSpan.Zero) ? 1 : 0;
                    break;
                case "slot reused":
                    var thread = new Thread(static () => Rcu.ReadLock().Dispose());
                    thread.Start();
                    thread.Join();
                    freed = Rcu.Synchronize(TimeSpan.Zero) ? 1 : 0;
                    break;
                default:
                    using (var ran = new SemaphoreSlim(0))
                    {
                        Rcu.Call(ran, static ran => ran.Release());
                        freed = ran.Wait(broken ? Poll.Long : TimeSpan.FromMilliseconds(5)) ? 1 : 0;
                        TestHooks.Reset();
                        reader.Close();
                        Rcu.Barrier();
                        reader.Open();
                    }

                    break;
            }

            TestHooks.Reset();
            reader.Close();
            Assert.True((freed != 0) == broken, $"round {round}: {(broken ? "not noticed" : "freed under a reader")}");
        }

        Rcu.Barrier();
    }

    [Theory]
    [MemberData(nameof(Switches))]
    public void SleepableRcuBroken_ShowsInEveryRound(string name, bool broken)
    {
        for (int round = 0; round < Rounds; round++)
        {
            using var rcu = new SleepableRcu("broken", tracksSections: false);
            SleepableReadScope scope = rcu.ReadLock(); // in the first cell
            Break(name, broken, slot: -1, cell: 0);
            bool freed;
            switch (name)
            {
                case "scan skips":
                    freed = rcu.Synchronize(TimeSpan.Zero);
                    break;
                case "slot reused":
                    rcu.ReadLock().Dispose(); // closes the other's, where they share a cell
                    freed = rcu.Synchronize(TimeSpan.Zero);
                    break;
                default:
                    using (var ran = new SemaphoreSlim(0))
                    {
                        rcu.Call(ran, static ran => ran.Release());
                        freed = ran.Wait(broken ? Poll.Long : TimeSpan.FromMilliseconds(5));
                        TestHooks.Reset();
                        if (!freed)
                        {
                            scope.Dispose();
                            scope = default;
                            rcu.Barrier();
                        }
                    }

                    break;
            }

            TestHooks.Reset();
            Assert.True(freed == broken, $"round {round}: {(broken ? "not noticed" : "freed under a reader")}");
            if (name != "slot reused" || !broken)
            {
                scope.Dispose();
            }
        }
    }

    private static void Break(string name, bool broken, int slot, int cell)
    {
        if (broken)
        {
            TestHooks.SkippedSlot = name == "scan skips" ? slot : -1;
            TestHooks.SkippedCell = name == "scan skips" ? cell : -1;
            TestHooks.ReusedSlot = name == "slot reused" ? slot : -1;
            TestHooks.ReusedCell = name == "slot reused" ? cell : -1;
            TestHooks.RunsCallbacksEarly = name == "callback early";
        }
    }

    private static int SlotOf(ReaderThread reader)
    {
        reader.Open();
        int slot = 0;
        while (ReaderRegistry.OwnerOf(slot)?.Thread.ManagedThreadId != reader.ManagedThreadId || !ReaderRegistry.OwnerOf(slot)!.Thread.IsAlive)
        {
            slot++;
        }

        reader.Close();
        return slot;
    }
}
