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
    }

    /// <summary>Makes the next call of <see cref="Require"/> look again; for tests.</summary>
    internal static void CheckAgain() => Volatile.Write(ref _checked, false);

    private static string? Probe()
    {
        // Elsewhere than on x86, the runtime's fallback for a missing membarrier (changing the protection of a page) interrupts no other
        // core, because invalidating a TLB is broadcast in hardware there: it would be no barrier at all.
        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.Arm64)
        {
            const long QueryNumber = 283;
            const int PrivateExpedited = 1 << 3;
            try
            {
                long commands = SystemCall(QueryNumber, 0, 0, 0);
                if (commands < 0 || (commands & PrivateExpedited) == 0)
                {
                    return $"membarrier(QUERY) returned {commands}";
                }
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                return "membarrier cannot be asked for: " + e.Message;
            }
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

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long SystemCall(long number, long command, long flags, long cpu);
}
