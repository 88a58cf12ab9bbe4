// Listeners that throw, block or call back harm nobody but themselves.
#if NET10_0_OR_GREATER
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;

namespace IommuRcu.Tests.Synchronization;

/// <summary>In processes of their own: instruments are published once.</summary>
public sealed class ListenerTests
{
    [Theory]
    [InlineData("throw")]
    [InlineData("block")]
    [InlineData("call back")]
    public void ListenerThatMisbehaves_HarmsNobody(string how) =>
        Assert.Contains("all is well", ChildProgram.Run(typeof(Misbehaving), ("IOMMURCU_LISTENER", how)), StringComparison.Ordinal);

    internal static class Misbehaving
    {
        private static readonly string _how = Environment.GetEnvironmentVariable("IOMMURCU_LISTENER")!;
        private static int _called;

        public static void Run()
        {
            using var meter = new MeterListener
            {
                InstrumentPublished = static (instrument, listener) =>
                {
                    if (instrument.Meter.Name == "IommuRcu")
                    {
                        listener.EnableMeasurementEvents(instrument);
                        if (_how != "block")
                        {
                            Misbehave(); // blocking here would block the caller's own first call, as in any library
                        }
                    }
                },
            };
            meter.SetMeasurementEventCallback<double>(static (_, _, _, _) => Misbehave());
            meter.Start();
            var events = new Listener();

            using (Rcu.ReadLock())
            {
            }

            Rcu.Synchronize();
            Rcu.Call(0, static _ => throw new FormatException());
            Rcu.Barrier();
            var dies = new Thread(static () => { RcuReadScope never = Rcu.ReadLock(); });
            dies.Start();
            dies.Join();
            Rcu.Synchronize();
            Rcu.StartGracePeriod();
            ReaderRegistry.CountLiving();
            Poll.Until(static () => Volatile.Read(ref _called) >= (_how == "block" ? 1 : 2), "the listeners");
            for (int i = 0; i < 2 * Listeners.Capacity; i++)
            {
                Rcu.Synchronize();
            }

            Rcu.Barrier();
            var other = new Thread(static () =>
            {
                using (Rcu.ReadLock())
                {
                }
            });
            other.Start();
            other.Join();
            if (_how == "block")
            {
                Assert.True(Listeners.Dropped > 0);
            }

            Console.WriteLine("all is well");
            Environment.Exit(0); // a blocked listener must not keep its Dispose waiting
            GC.KeepAlive(events);
        }

        private static void Misbehave()
        {
            Interlocked.Increment(ref _called);
            switch (_how)
            {
                case "throw":
                    throw new FormatException("a listener's failure");
                case "block":
                    Thread.Sleep(Timeout.Infinite);
                    break;
                default:
                    if (Volatile.Read(ref _called) < 1000)
                    {
                        using (Rcu.ReadLock())
                        {
                        }

                        Rcu.Synchronize();
                        Rcu.Call(0, static _ => { });
                        Rcu.Barrier();
                        ReaderRegistry.CountLiving();
                    }

                    break;
            }
        }

        private sealed class Listener : EventListener
        {
            protected override void OnEventSourceCreated(EventSource eventSource)
            {
                if (eventSource.Name == "IommuRcu")
                {
                    EnableEvents(eventSource, EventLevel.Verbose);
                }
            }

            protected override void OnEventWritten(EventWrittenEventArgs eventData) => Misbehave();
        }
    }
}
#endif
