// Looking one address up.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    [MayHoldReadLock]
    public override bool TryTranslate(Iova iova, out Translation translation)
    {
        if (TFormat.SignExtended ? !IsCanonical(iova) : iova.Value > _lastLinear)
        {
            ThrowIfDisposed();
            translation = default;
            return false;
        }

        // Nothing in the section can throw, and on the usual way nothing is called: so it needs no finally, and everything stays in registers.
        ulong linear = ToLinear(iova);
        ulong entry = 0;
#pragma warning disable IRCU031 // nothing in the section throws, and a finally would keep it out of registers
        RcuReadScope section = Rcu.ReadLock();
#pragma warning restore IRCU031
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        bool walked = level >= 0 && Reaches(level, linear);
        if (walked)
        {
            // Every read of an entry is an acquire: what is read through it was written before it was published.
            int shift = Shift(level);
            entry = Volatile.Read(ref TopTable(top)[linear >> shift]);
            while (level > 0 && TFormat.IsTable(entry, level))
            {
                ulong offset = TFormat.TableAddress(entry) - _windowFirst;
                if (offset >= _windowSize)
                {
                    walked = false;
                    break;
                }

                level--;
                shift -= IndexBits;
                entry = Volatile.Read(ref *(ulong*)(_window + offset + (((linear >> shift) & (ulong)(EntriesPerTable - 1)) << 3)));
            }
        }

        section.Dispose();

        // Twice the same: at level 0 most of it is constant.
        return !walked ? TryTranslateSlowly(linear, out translation)
            : level == 0 ? Explain(entry, 0, linear, out translation)
            : Explain(entry, level, linear, out translation);
    }

    /// <summary>Says what an entry means for an address. A copy of an entry: this needs no section.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Explain(ulong entry, int level, ulong linear, out Translation translation)
    {
        if (!TFormat.IsLeaf(entry, level))
        {
            translation = default;
            return false;
        }

        ulong page = (1UL << TFormat.LeafSizeLog2(entry, level)) - 1;
        translation = new Translation
        {
            Address = new PhysicalAddress((TFormat.LeafAddress(entry) & ~page) | (linear & page)),
            Access = TFormat.Access(entry, level),
            PageSize = page + 1,
            Level = level,
            IsDirty = IsDirty(entry),
            IsAccessed = (entry & TFormat.AccessedMask) != 0,
            RawEntry = entry,
        };
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsDirty(ulong entry) => TFormat.DirtyMask != 0 && (entry & TFormat.DirtyMask) == TFormat.DirtyValue;

    // Whichever windows the tables lie in. A method of its own, which keeps the usual way's variables out of memory.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryTranslateSlowly(ulong linear, out Translation translation)
    {
        ulong entry;
        int level;
        using (Rcu.ReadLock())
        {
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            level = TopLevel(top);
            if (!Reaches(level, linear))
            {
                translation = default;
                return false;
            }

            ulong* slot = RootSlot(TopTable(top), level, linear);
            while (true)
            {
                entry = Volatile.Read(ref *slot);
                if (level == 0 || !TFormat.IsTable(entry, level))
                {
                    break;
                }

                level--;
                slot = Slot(TableOf(entry), level, linear);
            }
        }

        return Explain(entry, level, linear, out translation);
    }
}
