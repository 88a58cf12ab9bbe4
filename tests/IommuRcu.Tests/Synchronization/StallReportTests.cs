// Sections that stay open too long are reported, with the stack that opened them in proving mode.
using System.Diagnostics.Tracing;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class StallReportTests : IDisposable
{
    private readonly List<RcuStallEventArgs> _reports = [];
    private readonly TimeSpan _limit = Rcu.StallLimit;

    public StallReportTests()
    {
        Rcu.StallLimit = TimeSpan.FromMilliseconds(10);
        Rcu.StallDetected += Collect;
    }

    public void Dispose()
    {
        Rcu.StallDetected -= Collect;
        Rcu.StallLimit = _limit;
        Rcu.ProvingMode = false;
    }

    [Fact]
    public void SectionOpenTooLong_IsReportedWithItsThread()
    {
        using var reader = new ReaderThread("slow reader");
        reader.Open();
        long stalls = StallReports.Stalls;
        RcuStallEventArgs report = AwaitReport("slow reader");
        reader.Close();
        Assert.Equal(reader.ManagedThreadId, report.ManagedThreadId);
        Assert.Equal("Rcu", report.Domain);
        Assert.False(report.ThreadEnded);
        Assert.True(report.OpenFor >= Rcu.StallLimit);
        Assert.Null(report.OpenerStack);
        Assert.True(StallReports.Stalls > stalls);
    }

    [Fact]
    public void SectionOpenTooLongInProvingMode_IsReportedWithItsOpener()
    {
        Rcu.ProvingMode = true;
        using var reader = new ReaderThread("proved reader");
        reader.Open();
        RcuStallEventArgs report = AwaitReport("proved reader");
        reader.Close();
        Assert.Contains(nameof(ReaderThread), report.OpenerStack, StringComparison.Ordinal);
        Assert.True(Rcu.Synchronize(Poll.Long));
    }

    [Fact]
    public void ProvingModeSwitchedOnLater_ReachesThreadsThatReadBefore()
    {
        using var reader = new ReaderThread("late proved reader");
        reader.Open();
        reader.Close();
        Rcu.ProvingMode = true;
        reader.Open();
        Assert.NotNull(AwaitReport("late proved reader").OpenerStack);
        reader.Close();
        Rcu.ProvingMode = false;
        Rcu.Synchronize();
    }

    [Fact]
    public void ProvingModeSwitchedOff_RecordsNoMore()
    {
        using var reader = new ReaderThread("no longer proved reader");
        reader.Open();
        reader.Close();
        Rcu.ProvingMode = true;
        Rcu.ProvingMode = false;
        reader.Open();
        Assert.Null(AwaitReport("no longer proved reader").OpenerStack);
        reader.Close();
    }

    [Fact]
    public void SectionsInProvingMode_NestAndCloseAsEver()
    {
        Rcu.ProvingMode = true;
        var thread = new Thread(() =>
        {
            RcuReadScope outer = Rcu.ReadLock();
            RcuReadScope inner = Rcu.ReadLock();
            outer.Dispose();
            Assert.True(Rcu.IsReadLockHeld);
            Assert.Throws<InvalidOperationException>(Rcu.Synchronize);
            inner.Dispose();
            Assert.False(Rcu.IsReadLockHeld);
            inner.Dispose();
            Assert.False(Rcu.IsReadLockHeld);
            Rcu.Synchronize();
            Rcu.ProvingMode = false;
            using (Rcu.ReadLock())
            {
                Assert.True(Rcu.IsReadLockHeld);
            }

            using (Rcu.ReadLock())
            {
                Assert.True(Rcu.IsReadLockHeld);
            }

            Assert.False(Rcu.IsReadLockHeld);
        });
        thread.Start();
        thread.Join();
    }

    [Fact]
    public void SleepableSectionOpenTooLong_IsReportedWithItsDomain()
    {
        using var rcu = new SleepableRcu("stalled domain");
        SleepableReadScope scope = rcu.ReadLock();
        RcuCookie cookie = rcu.StartGracePeriod();
        Poll.Until(() => Find(r => r.Domain == "stalled domain") != null, "the report of the sleepable section");
        scope.Dispose();
        rcu.WaitFor(cookie);
    }

    [Fact]
    public void Events_AreSeenByAListener()
    {
        using var listener = new Listener();
        using var reader = new ReaderThread("listened reader");
        reader.Open();
        AwaitReport("listened reader");
        reader.Close();
        Poll.Until(() => listener.Saw("Stall", "listened reader"), "the stall event");
        Rcu.Call(0, static _ => throw new FormatException("listened callback"));
        Rcu.Barrier();
        Poll.Until(() => listener.Saw("CallbackFailed", "listened callback"), "the event of the callback that failed");
        Poll.Until(() => listener.Saw("GracePeriodEnded", "Rcu"), "the event of the grace period");
        using var sleepable = new SleepableRcu("listened domain");
        sleepable.Synchronize();
        Poll.Until(() => listener.Saw("GracePeriodEnded", "listened domain"), "the event of the sleepable domain's grace period");
        sleepable.Call(0, static _ => throw new UnspeakableException());
        sleepable.Barrier();
        Poll.Until(() => listener.Saw("CallbackFailed", typeof(UnspeakableException).FullName!), "the event of the failure without a message");
    }

    [Fact]
    public void NegativeLimit_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => Rcu.StallLimit = TimeSpan.FromSeconds(-1));

    private RcuStallEventArgs AwaitReport(string threadName)
    {
        Rcu.StartGracePeriod(); // nobody need wait for it
        RcuStallEventArgs? found = null;
        Poll.Until(() => (found = Find(r => r.ThreadName == threadName)) != null, "the report of " + threadName);
        return found!;
    }

    private RcuStallEventArgs? Find(Predicate<RcuStallEventArgs> predicate)
    {
        lock (_reports)
        {
            return _reports.Find(predicate);
        }
    }

    private void Collect(object? sender, RcuStallEventArgs report)
    {
        lock (_reports)
        {
            _reports.Add(report);
        }
    }

    private sealed class Listener : EventListener
    {
        private readonly List<EventWrittenEventArgs> _events = [];

        internal bool Saw(string name, string payload)
        {
            lock (_events)
            {
                return _events.Exists(e => e.EventName == name && e.Payload!.Contains(payload));
            }
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "IommuRcu")
            {
                EnableEvents(eventSource, EventLevel.Verbose);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            // The base constructor may deliver before this class's fields exist.
            if (_events is { } events)
            {
                lock (events)
                {
                    events.Add(eventData);
                }
            }
        }
    }
}
