// The barrier that makes readers free: one side pays for both.
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>A full memory barrier in every thread of the process, at some point of its program order.</summary>
/// <remarks>
/// What a thread did before its point is visible to the caller when <see cref="Pass"/> returns; what it does after its point sees all
/// that the caller did before. That is what lets readers do without a fence. On Linux it is <c>membarrier(PRIVATE_EXPEDITED)</c>.
/// </remarks>
internal static partial class ProcessWideBarrier
{
    // Architecture.RiscV64, which .NET 8 has no name for.
    private const Architecture RiscV64 = (Architecture)9;

    private static ulong _passed;
    private static bool _checked;

    /// <summary>Barriers passed since the process began.</summary>
    internal static ulong Passed => Volatile.Read(ref _passed);

    /// <summary>Passes the barrier.</summary>
    internal static void Pass()
    {
        // A statistic: an increment lost to a race does no harm, and a locked one would cost as much as the rest of the bookkeeping.
        Volatile.Write(ref _passed, _passed + 1);
        if (TestHooks.SkipsBarrier)
        {
            return;
        }

        Interlocked.MemoryBarrierProcessWide();
    }

    /// <summary>Throws where the system has no such barrier; called before the first reader is registered.</summary>
    /// <exception cref="PlatformNotSupportedException">The system refuses the barrier.</exception>
    internal static void Require()
    {
        if (Volatile.Read(ref _checked))
        {
            return;
        }

        string? refusal = TestHooks.BarrierRefusal ?? Probe();
        if (refusal != null)
        {
            throw new PlatformNotSupportedException(
                $"IommuRcu needs a process-wide memory barrier, and this system refuses it: {refusal}. "
                + "Readers would be unprotected, so no read-side section can be opened. Allow the membarrier system call "
                + "(Linux 4.14 or later; seccomp and container profiles may block it).");
        }

        Volatile.Write(ref _checked, true);

        // Here, with no lock held: whoever uses Rcu first tells listeners what there is, so that they see a process that only reads, too.
        RcuMetrics.Publish();
    }

    /// <summary>Makes the next call of <see cref="Require"/> look again; for tests.</summary>
    internal static void CheckAgain() => Volatile.Write(ref _checked, false);

    /// <summary>The number of the membarrier system call on Linux; 0 where it is not known.</summary>
    internal static int SystemCallNumber(Architecture architecture) => architecture switch
    {
        Architecture.X64 => 324,
        Architecture.X86 => 375,
        Architecture.Arm64 or Architecture.LoongArch64 or RiscV64 => 283,
        Architecture.Arm or Architecture.Armv6 => 389,
        Architecture.S390x => 356,
        Architecture.Ppc64le => 365,
        _ => 0,
    };

    private static string? Probe()
    {
        if (OperatingSystem.IsLinux() && Refusal() is { } refusal)
        {
            return refusal;
        }

        try
        {
            Interlocked.MemoryBarrierProcessWide();
            return null;
        }
        catch (Exception e) when (e is PlatformNotSupportedException or NotImplementedException or NotSupportedException)
        {
            return e.Message;
        }
    }

    // Where membarrier is missing the .NET runtime changes the protection of a page instead. That interrupts no other core where invalidating
    // a TLB is broadcast in hardware (ARM64, and x64 processors with INVLPGB): it would be no barrier at all. So it is asked for.
    private static string? Refusal()
    {
        const int PrivateExpedited = 1 << 3;
        int number = SystemCallNumber(RuntimeInformation.ProcessArchitecture);
        if (number == 0)
        {
            return null; // a new architecture: the runtime's word is all there is
        }

        try
        {
            nint commands = SystemCall(number, 0, 0, 0);
            return commands >= 0 && (commands & PrivateExpedited) != 0
                ? null
                : $"membarrier(MEMBARRIER_CMD_QUERY) returned {commands}"
                    + (commands < 0 ? $", error {Marshal.GetLastPInvokeError()}" : ", without MEMBARRIER_CMD_PRIVATE_EXPEDITED");
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return "membarrier cannot be asked for: " + e.Message;
        }
    }

    // In 32-bit processes the arguments are 32 bits wide.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SystemCall(nint number, nint command, nint flags, nint cpu);
}
