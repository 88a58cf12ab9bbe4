// The software walkers whose answers are checked: every leaf, and addresses at random, against where they must lead.
using System.Diagnostics;
using IommuRcu;
using IommuRcu.Memory;

namespace DirtyTracking.Migration;

/// <summary>Walks the tables while devices map and unmap, as a dump or a debugger would.</summary>
internal sealed class Auditor(Guest guest, Findings findings, int seed)
{
    private const ulong WalkAtOnce = 32UL << 20;
    private const ulong DirtyBit = 1UL << 9;
    private ulong _random = Mixing.Hash((ulong)(uint)seed ^ 0xA0D1);

    /// <summary>Leaves and translations that were checked.</summary>
    internal long Checked { get; private set; }

    /// <summary>Looks at everything that is mapped, and at addresses at random, again and again.</summary>
    internal void RunFor(TimeSpan time)
    {
        // Also so many times: on a busy machine the time may be over before there was any to walk in.
        const int AtLeast = 300;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < AtLeast || Stopwatch.GetElapsedTime(began) < time; i++)
        {
            Walk();
            Translate(100);
        }
    }

    /// <summary>One look at everything that is mapped.</summary>
    internal void Walk()
    {
        // A section at a time, so that no grace period waits for the whole walk.
        for (ulong at = 0; at < guest.Size; at += WalkAtOnce)
        {
            try
            {
                using (Rcu.ReadLock())
                {
                    foreach (PageTableLeaf leaf in guest.Domain.Walk(Guest.IovaBase + at, Math.Min(WalkAtOnce, guest.Size - at)))
                    {
                        Check(leaf.Iova, leaf.Address, leaf.RawEntry);
                    }
                }
            }
            catch (ArgumentOutOfRangeException)
            {
                // An entry led to where no memory is: the walk stood on a table that was freed.
                findings.LateRead();
            }
        }
    }

    /// <summary>Translations of addresses at random. Most lead nowhere: that is right.</summary>
    internal void Translate(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Iova iova = Guest.IovaBase + (Mixing.Next(ref _random) % guest.Size);
            try
            {
                if (guest.Domain.TryTranslate(iova, out Translation translation))
                {
                    Check(iova, translation.Address, translation.RawEntry);
                }
            }
            catch (ArgumentOutOfRangeException)
            {
                findings.LateRead();
            }
        }
    }

    private void Check(Iova iova, PhysicalAddress address, ulong entry)
    {
        Checked++;

        // The pattern of freed pages; a scan that came too late as well may have cleared a dirty bit in it.
        if ((entry | DirtyBit) == (PageAllocator.Poison | DirtyBit))
        {
            findings.LateRead();
        }
        else if (address != guest.Expected(iova))
        {
            findings.WrongTranslation();
        }
    }
}
