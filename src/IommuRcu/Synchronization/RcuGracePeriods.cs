// The grace periods of the thread-bound domain: readers are the slots of the registry.
namespace IommuRcu;

/// <summary>Grace periods of <see cref="Rcu"/>.</summary>
internal sealed unsafe class RcuGracePeriods : GracePeriodEngine
{
    internal static readonly RcuGracePeriods Instance = new();

    private readonly StallWatch _stall = new();

    internal override string Name => "Rcu";

    protected override void Advance(ulong number) => Volatile.Write(ref GracePeriodNumber.Current, number);

    protected override bool ReadersGone(ulong number, ref int cursor)
    {
        // Read after the barrier: every slot whose section the barrier cannot exclude is below the count (see ReaderRegistry).
        int used = ReaderRegistry.Used;
        int skipped = TestHooks.SkippedSlot;
        bool arms = ReaderRegistry.RecordsOpeners;
        for (; cursor < used; cursor++)
        {
            ReaderSlot* slot = ReaderRegistry.SlotAt(cursor);

            // Acquire: pairs with the release of the section's exit, so the reader's last reads come before what is done once it is gone.
            ulong announced = Volatile.Read(ref slot->Announced);
            if (announced - 1 < number && cursor != skipped) // announced in 1..number; 0 and ProvingIdle wrap or exceed
            {
                return false;
            }

            if (arms && announced == 0)
            {
                ReaderRegistry.Arm(slot);
            }
        }

        return true;
    }

    protected override void Inspect(int cursor, TimeSpan waited)
    {
        if (cursor >= ReaderRegistry.Used || ReaderRegistry.TryReap(cursor))
        {
            return;
        }

        if (ReaderRegistry.OwnerOf(cursor) is { } owner)
        {
            ulong announced = Volatile.Read(ref ReaderRegistry.SlotAt(cursor)->Announced);
            if (announced is not (0 or ReaderSlot.ProvingIdle) && _stall.IsDue(cursor, announced, waited))
            {
                StallReports.ReportOpen(Name, owner.Thread.ManagedThreadId, owner.Thread.Name, waited, owner.Opener);
            }
        }
    }
}
