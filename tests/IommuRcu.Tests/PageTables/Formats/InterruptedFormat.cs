// VT-d second stage with a hook between the read of a dirty entry and its cleaning: what another thread might do just then, done for certain.
namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>Forwards to <see cref="VtdSecondStageFormat"/>, and runs an action of this thread before it cleans an entry.</summary>
internal readonly struct InterruptedFormat : IPageTableFormat
{
    [ThreadStatic]
    private static Action? _beforeClean;

    public static string Name => "interrupted VT-d";

    public static int GranuleLog2 => VtdSecondStageFormat.GranuleLog2;

    public static int DefaultAddressBits => VtdSecondStageFormat.DefaultAddressBits;

    public static int PhysicalAddressBits => VtdSecondStageFormat.PhysicalAddressBits;

    public static ulong PageSizes => VtdSecondStageFormat.PageSizes;

    public static ulong DirtyMask => VtdSecondStageFormat.DirtyMask;

    public static ulong DirtyValue => VtdSecondStageFormat.DirtyValue;

    public static ulong AccessedMask => VtdSecondStageFormat.AccessedMask;

    public static ulong TableIdentityMask => VtdSecondStageFormat.TableIdentityMask;

    public static ulong ReclaimMark => VtdSecondStageFormat.ReclaimMark;

    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry) =>
        VtdSecondStageFormat.TryGetGeometry(addressBits, out geometry);

    public static bool Supports(IommuAccess access) => VtdSecondStageFormat.Supports(access);

    public static bool IsTable(ulong entry, int level) => VtdSecondStageFormat.IsTable(entry, level);

    public static bool IsLeaf(ulong entry, int level) => VtdSecondStageFormat.IsLeaf(entry, level);

    public static ulong TableAddress(ulong entry) => VtdSecondStageFormat.TableAddress(entry);

    public static ulong LeafAddress(ulong entry) => VtdSecondStageFormat.LeafAddress(entry);

    public static int LeafSizeLog2(ulong entry, int level) => VtdSecondStageFormat.LeafSizeLog2(entry, level);

    public static IommuAccess Access(ulong entry, int level) => VtdSecondStageFormat.Access(entry, level);

    public static ulong TableEntry(ulong address, int level) => VtdSecondStageFormat.TableEntry(address, level);

    public static ulong AddressField(ulong address) => VtdSecondStageFormat.AddressField(address);

    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) =>
        VtdSecondStageFormat.LeafAttributes(level, sizeLog2, access);

    public static ulong WithDirty(ulong entry) => VtdSecondStageFormat.WithDirty(entry);

    public static ulong WithoutDirty(ulong entry)
    {
        Action? action = _beforeClean;
        _beforeClean = null;
        action?.Invoke();
        return VtdSecondStageFormat.WithoutDirty(entry);
    }

    /// <summary>Arms the hook for the next entry that this thread cleans, once.</summary>
    internal static IDisposable BeforeNextClean(Action action)
    {
        _beforeClean = action;
        return new Disarm();
    }

    private sealed class Disarm : IDisposable
    {
        public void Dispose() => _beforeClean = null;
    }
}
