// What a run of the migration is asked to do.
namespace DirtyTracking.Migration;

/// <summary>The size and the length of a run.</summary>
public sealed record MigrationOptions
{
    /// <summary>The guest's memory in bytes: a multiple of 2 MiB, at least 8 MiB for each device.</summary>
    public ulong Size { get; init; } = 256UL << 20;

    /// <summary>How many devices do DMA, each in a thread of its own.</summary>
    public int Devices { get; init; } = 2;

    /// <summary>For how long devices run at most.</summary>
    public double Seconds { get; init; } = 12;

    /// <summary>Where all random choices come from.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Table pages are freed at once instead of after a grace period: the mistake that this sample is about.</summary>
    public bool UnsafeFree { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    public void Validate()
    {
        if (Devices is < 1 or > 64)
        {
            throw new ArgumentException($"1 to 64 devices, not {Devices}.");
        }

        if (Size % Guest.ChunkSize != 0 || Size < (ulong)Devices * Guest.MinChunks * Guest.ChunkSize)
        {
            throw new ArgumentException(
                $"The memory is a multiple of 2 MiB, and at least {Guest.MinChunks * 2} MiB for each device: {Size >> 20} MiB is not, with {Devices}.");
        }

        // Source, destination, and the page tables beside them.
        ulong needed = (2 * Size) + (Size / 128) + (128UL << 20);
        var available = (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (Size > 64UL << 30 || needed > available)
        {
            throw new ArgumentException(
                $"{Size >> 20} MiB are too much: the memory is at most 64 GiB, and takes {needed >> 20} MiB of the {available >> 20} MiB that this machine has.");
        }

        if (!(Seconds is > 0 and <= 3600))
        {
            throw new ArgumentException("The devices run for more than 0 and at most 3600 seconds.");
        }
    }
}
