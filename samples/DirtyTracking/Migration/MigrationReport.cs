// What a run found: the object that --json prints.
using System.Text.Json.Serialization;

namespace DirtyTracking.Migration;

/// <summary>The outcome of a migration and of all its checks.</summary>
public sealed record MigrationReport
{
    /// <summary>Whether source and destination are the same, byte for byte.</summary>
    public required bool MemoryIdentical { get; init; }

    /// <summary>Answers of walkers, and places of DMA, that were wrong: an address led to a page that was never mapped there.</summary>
    public required long WrongTranslations { get; init; }

    /// <summary>How often the memory of a freed table was read, or written.</summary>
    public required long LateReads { get; init; }

    /// <summary>Table pages that never came back.</summary>
    public required long LeakedPages { get; init; }

    /// <summary>Pages whose last write did not reach the destination.</summary>
    public required long LostWrites { get; init; }

    /// <summary>Accesses of devices that the IOMMU refused, although their buffer was mapped.</summary>
    public required long DeviceFaults { get; init; }

    /// <summary>What else went wrong.</summary>
    public required IReadOnlyList<string> Errors { get; init; }

    /// <summary>Rounds of copying, the first and the last one included.</summary>
    public required int Rounds { get; init; }

    /// <summary>The pages that each round copied.</summary>
    public required IReadOnlyList<long> PagesPerRound { get; init; }

    /// <summary>Whether a round was small enough to stop the devices for the rest.</summary>
    public required bool Converged { get; init; }

    /// <summary>How long the devices stood still for the last pass, in milliseconds.</summary>
    public required double DowntimeMilliseconds { get; init; }

    /// <summary>How long the devices ran, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Table pages that left the tables and were freed after a grace period.</summary>
    public required long TablePagesRetired { get; init; }

    /// <summary>Table pages that left the tables and were freed at once.</summary>
    public required long TablePagesFreedAtOnce { get; init; }

    /// <summary>Grace periods that ended during the run.</summary>
    public required long GracePeriods { get; init; }

    /// <summary>Reclaim callbacks that ran.</summary>
    public required long Callbacks { get; init; }

    /// <summary>Buffers that were mapped, used and unmapped.</summary>
    public required long Buffers { get; init; }

    /// <summary>DMA transfers.</summary>
    public required long DmaTransfers { get; init; }

    /// <summary>IOTLB invalidations.</summary>
    public required long Invalidations { get; init; }

    /// <summary>Answers of walkers that were checked.</summary>
    public required long CheckedTranslations { get; init; }

    /// <summary>The guest's memory in bytes.</summary>
    public required ulong Size { get; init; }

    /// <summary>The number of devices.</summary>
    public required int Devices { get; init; }

    /// <summary>The seed of all random choices.</summary>
    public required int Seed { get; init; }

    /// <summary>Whether table pages were freed at once.</summary>
    public required bool UnsafeFree { get; init; }

    /// <summary>Whether every check passed.</summary>
    public bool Succeeded => MemoryIdentical && WrongTranslations == 0 && LateReads == 0 && LeakedPages == 0 && LostWrites == 0
        && DeviceFaults == 0 && Errors.Count == 0;
}

/// <summary>Writes the report without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(MigrationReport))]
public sealed partial class MigrationReportJson : JsonSerializerContext
{
}
