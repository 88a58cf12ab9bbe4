// Asks the system for huge pages behind a block: tables that lie close together then share one entry of the processor's TLB.
using System.Runtime.InteropServices;

namespace IommuRcu.Memory;

/// <summary>Best-effort advice to the system. Nothing depends on its being taken.</summary>
internal static unsafe partial class HugePages
{
    private const int AdviseHugePage = 14; // MADV_HUGEPAGE of Linux

    internal static void Advise(byte* pointer, ulong size)
    {
        const ulong HugePageSize = 2UL << 20;
        ulong first = ((ulong)pointer + (HugePageSize - 1)) & ~(HugePageSize - 1);
        ulong end = ((ulong)pointer + size) & ~(HugePageSize - 1);
        if (!OperatingSystem.IsLinux() || first >= end)
        {
            return;
        }

        try
        {
            _ = MemoryAdvise((void*)first, (nuint)(end - first), AdviseHugePage);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A C library without the call: pages stay small.
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(void* address, nuint length, int advice);
}
