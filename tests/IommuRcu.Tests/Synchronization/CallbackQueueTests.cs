// The hand-over of a thread's queue to the callback thread: nothing is lost or out of order, and a hand-over that comes too early is caught.
#if NET10_0_OR_GREATER
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Synchronization;

/// <summary>In processes of their own: a queue that loses callbacks leaves every later barrier waiting.</summary>
[Collection(GlobalRcuCollection.Name)]
public sealed class CallbackQueueTests(ITestOutputHelper output)
{
    [Fact]
    public void QueueHandedOver_LosesNothing()
    {
        string result = ChildProgram.Run(typeof(QueueTorture), ("IOMMURCU_QUEUE_SECONDS", "2"));
        output.WriteLine(result);
        Assert.Contains("all in order", result, StringComparison.Ordinal);
    }

    [Fact]
    public void QueueHandedOverTooEarly_IsCaught()
    {
        string result;
        try
        {
            result = ChildProgram.Run(typeof(QueueTorture), ("IOMMURCU_QUEUE_SECONDS", "40"), ("IOMMURCU_QUEUE_BROKEN", "1"));
        }
        catch (InvalidOperationException crash)
        {
            result = "caught: " + crash.Message; // a torn list may also bring the process down
        }

        output.WriteLine(result);
        Assert.Contains("caught", result, StringComparison.Ordinal);
    }

    internal static unsafe class QueueTorture
    {
        private const int Producers = 2;
        private const int Each = 50_000;
        private static readonly long[] _last = new long[Producers * 16];
        private static string? _fault;

        public static void Run()
        {
            TestHooks.ClosesQueuesEarly = Environment.GetEnvironmentVariable("IOMMURCU_QUEUE_BROKEN") == "1";
            double seconds = double.Parse(Environment.GetEnvironmentVariable("IOMMURCU_QUEUE_SECONDS")!, CultureInfo.InvariantCulture);
            var items = (Item*)NativeMemory.AllocZeroed(Producers * Each, (nuint)sizeof(Item));
            long began = Stopwatch.GetTimestamp();
            long rounds = 0;
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds && _fault == null)
            {
                Array.Clear(_last);
                Thread[] threads = [.. Enumerable.Range(0, Producers).Select(p => new Thread(() => Push(items + (p * Each), p)) { IsBackground = true })];
                Array.ForEach(threads, static t => t.Start());
                Array.ForEach(threads, static t => t.Join());
                if (!Rcu.BarrierAsync().AsTask().Wait(TimeSpan.FromSeconds(TestHooks.ClosesQueuesEarly ? 3 : 60)))
                {
                    _fault ??= "callbacks were lost";
                }
                else if (!Enumerable.Range(0, Producers).All(static p => _last[p * 16] == Each))
                {
                    _fault ??= "callbacks were lost, and the barrier did not wait for them";
                }

                rounds++;
            }

            Console.WriteLine(_fault == null ? $"{rounds} rounds of {Producers * Each} callbacks, all in order" : $"caught in round {rounds}: {_fault}");
        }

        private static void Push(Item* items, int producer)
        {
            for (int i = 0; i < Each; i++)
            {
                items[i].Producer = producer;
                items[i].Number = i + 1;
                Rcu.Call(&items[i].Head, &Count);
            }
        }

        private static void Count(RcuHead* head)
        {
            var item = (Item*)head;
            ref long last = ref _last[item->Producer * 16];
            if (item->Number != last + 1)
            {
                _fault ??= $"number {item->Number} after {last}";
            }

            last = item->Number;
        }

        private struct Item
        {
            internal RcuHead Head;
            internal long Number;
            internal int Producer;
        }
    }
}
#endif
