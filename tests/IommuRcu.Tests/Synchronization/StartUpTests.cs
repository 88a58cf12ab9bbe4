// A system without the process-wide barrier is told so; a process that ends is not held up.
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class StartUpTests : IDisposable
{
    public void Dispose() => TestHooks.Reset();

    [Fact]
    public void BarrierRefused_FirstSectionSaysWhy()
    {
        TestHooks.BarrierRefusal = "seccomp says no";
        ProcessWideBarrier.CheckAgain();
        Exception? reading = null;
        var thread = new Thread(() => reading = Record.Exception(static () => Rcu.ReadLock().Dispose()));
        thread.Start();
        thread.Join();
        Exception? waiting = Record.Exception(Rcu.Synchronize);
        Exception? sleeping = Record.Exception(() => { _ = new SleepableRcu(); });
        TestHooks.Reset();
        Rcu.Synchronize();

        foreach (Exception? exception in new[] { reading, waiting, sleeping })
        {
            Assert.Contains("seccomp says no", Assert.IsType<PlatformNotSupportedException>(exception).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>From the tables of the Linux kernel.</summary>
    [Theory]
    [InlineData("X64", 324)]
    [InlineData("X86", 375)]
    [InlineData("Arm64", 283)]
    [InlineData("LoongArch64", 283)]
    [InlineData("9", 283)] // RiscV64, which .NET 8 has no name for
    [InlineData("Arm", 389)]
    [InlineData("Armv6", 389)]
    [InlineData("S390x", 356)]
    [InlineData("Ppc64le", 365)]
    [InlineData("Wasm", 0)]
    public void SystemCallNumber_IsThatOfTheArchitecture(string architecture, int number) =>
        Assert.Equal(number, ProcessWideBarrier.SystemCallNumber(Enum.Parse<Architecture>(architecture)));

#if NET10_0_OR_GREATER
    /// <summary>A seccomp filter, as a container may have one, refuses membarrier to the child.</summary>
    [SeccompFact]
    public void MembarrierRefusedBySeccomp_FirstSectionSaysSo()
    {
        string output = Seccomp.RunWithoutMembarrier(typeof(Refused));
        Assert.Contains("refused: ", output, StringComparison.Ordinal);
        Assert.Contains("MEMBARRIER_CMD_QUERY", output, StringComparison.Ordinal);
        Assert.Contains("seccomp", output, StringComparison.Ordinal);
    }

    internal static class Refused
    {
        public static void Run()
        {
            try
            {
                Rcu.ReadLock().Dispose();
                Console.WriteLine("a section was opened");
            }
            catch (PlatformNotSupportedException e)
            {
                Console.WriteLine("refused: " + e.Message);
            }
        }
    }

    /// <summary>The child ends with callbacks queued, a grace period under way and a background thread inside a section.</summary>
    [Fact]
    public void ProcessThatEnds_IsNotHeldUp()
    {
        string output = ChildProgram.Run(typeof(EndsInTheMiddle));
        Assert.Contains("at the end: thread not started at first, callbacks not run", output, StringComparison.Ordinal);
    }

    internal static class EndsInTheMiddle
    {
        public static void Run()
        {
            using (Rcu.ReadLock())
            {
            }

            Rcu.Synchronize();
            string started = CallbackThread.IsStarted ? "started" : "not started";
            using var inside = new ManualResetEventSlim();
            var reader = new Thread(() =>
            {
                using (Rcu.ReadLock())
                {
                    inside.Set();
                    Thread.Sleep(Timeout.Infinite);
                }
            }) { IsBackground = true };
            reader.Start();
            inside.Wait();
            bool ran = false;
            Rcu.Call(0, _ => ran = true);
            Rcu.StartGracePeriod();
            Rcu.Synchronize(TimeSpan.FromMilliseconds(20));
            Console.WriteLine($"at the end: thread {started} at first, callbacks {(ran ? "run" : "not run")}");
        }
    }
#endif
}
