// The scanner: reads and clears dirty state while devices run on, and copies what was dirty.
using IommuRcu;

namespace DirtyTracking.Migration;

/// <summary>Pre-copy: every round copies what was written since the round before.</summary>
internal sealed unsafe class PreCopy(Guest guest, Findings findings, byte* destination)
{
    private readonly DirtyBitmap _bitmap = new(Guest.IovaBase, guest.Size);

    /// <summary>What the last round copied.</summary>
    internal DirtyBitmap LastRound => _bitmap;

    /// <summary>Copies everything, whatever its dirty state: the first round.</summary>
    /// <returns>The number of pages copied.</returns>
    internal long CopyAll()
    {
        // Cleared first: what is written during the copy is found dirty in the next round.
        Read();
        _bitmap.Set(Guest.IovaBase, guest.Size);
        return Copy();
    }

    /// <summary>Copies what was written since the last round.</summary>
    /// <returns>The number of pages copied.</returns>
    internal long CopyDirty()
    {
        Read();
        return Copy();
    }

    private void Read()
    {
        _bitmap.Clear();
        try
        {
            // Clears, flushes and drains, in this order, before it returns; only then is copied.
            guest.Domain.ReadDirty(Guest.IovaBase, guest.Size, _bitmap, DirtyReadMode.ReadAndClear);
        }
        catch (ArgumentOutOfRangeException)
        {
            // The scan followed an entry to where no memory is: it stood on a table that was freed.
            findings.LateRead();
        }

        _bitmap.TakeFrom(guest.Harvested);
    }

    private long Copy()
    {
        byte* source = guest.Bytes;
        long pages = 0;
        foreach (IovaRange run in _bitmap)
        {
            ulong offset = run.First.Value - Guest.IovaBase.Value;
            Buffer.MemoryCopy(source + offset, destination + offset, run.Size, run.Size);
            pages += (long)(run.Size / Guest.PageSize);
        }

        return pages;
    }
}
