// Proving mode: every outermost section records the stack that opened it.
using System.Diagnostics;

namespace IommuRcu;

internal static unsafe partial class ReaderRegistry
{
    private static volatile bool _recordsOpeners = AppContext.TryGetSwitch("IommuRcu.ProvingMode", out bool on) && on;

    /// <summary>Whether sections record their openers.</summary>
    internal static bool RecordsOpeners
    {
        get => _recordsOpeners;
        set
        {
            _recordsOpeners = value;
            if (value)
            {
                ArmIdleSlots();
            }
        }
    }

    /// <summary>Sends the next outermost section of every idle thread through its slow path.</summary>
    /// <remarks>
    /// Only 0 is ever replaced, by compare-exchange, so an announcement is never lost: one that is still in its owner's store buffer lands
    /// over the mark. A slot whose owner overwrites the mark in this way is armed at the next scan that sees it idle.
    /// </remarks>
    internal static void ArmIdleSlots()
    {
        int used = Used;
        for (int i = 0; i < used; i++)
        {
            Arm(SlotAt(i));
        }
    }

    internal static void Arm(ReaderSlot* slot) => Interlocked.CompareExchange(ref slot->Announced, ReaderSlot.ProvingIdle, 0);

    internal static void RecordOpener(int index)
    {
        if (OwnerOf(index) is { } owner)
        {
            owner.Opener = new StackTrace(2, fNeedFileInfo: false);
        }
    }

    internal static void ForgetOpener(int index)
    {
        if (OwnerOf(index) is { } owner)
        {
            owner.Opener = null;
        }
    }
}
