// A format that runs an action whenever the engine asks it something: what another thread may do just then, done for certain.
namespace IommuRcu.Tests.Domains;

/// <summary>What the engine asked.</summary>
internal enum Asked
{
    IsTable,
    IsLeaf,
    TableAddress,
    LeafAddress,
    LeafSize,
    Access,
    TableIdentityMask,
    ReclaimMark,
    WithoutDirty,
}

/// <summary>The hook of this thread. It does not see what it does itself.</summary>
internal sealed class FormatHook : IDisposable
{
    [ThreadStatic]
    private static FormatHook? _current;

    private readonly Action<Asked, ulong, int> _action;
    private bool _isRunning;

    private FormatHook(Action<Asked, ulong, int> action) => _action = action;

    /// <summary>Gets how many questions were seen.</summary>
    public int Count { get; private set; }

    /// <summary>Runs an action at every question: what was asked, of which entry, at which level.</summary>
    public static FormatHook Set(Action<Asked, ulong, int> action) => _current = new FormatHook(action);

    /// <summary>Runs an action once, at the question of a number.</summary>
    public static FormatHook SetAt(int number, Action action)
    {
        FormatHook? hook = null;
        return hook = Set((_, _, _) =>
        {
            if (hook!.Count - 1 == number)
            {
                action();
            }
        });
    }

    public void Dispose() => _current = null;

    public static void Run(Asked asked, ulong entry, int level)
    {
        if (_current is { _isRunning: false } hook)
        {
            hook._isRunning = true;
            hook.Count++;
            try
            {
                hook._action(asked, entry, level);
            }
            finally
            {
                hook._isRunning = false;
            }
        }
    }
}

/// <summary>Another format, whose answers come after the hook's action: the engine has read the entry that it asks about, and decides by it afterwards.</summary>
internal readonly struct HookedFormat<TInner> : IPageTableFormat
    where TInner : struct, IPageTableFormat
{
    public static string Name => "hooked " + TInner.Name;

    public static int GranuleLog2 => TInner.GranuleLog2;

    public static int DefaultAddressBits => TInner.DefaultAddressBits;

    public static int PhysicalAddressBits => TInner.PhysicalAddressBits;

    public static ulong PageSizes => TInner.PageSizes;

    public static bool SignExtended => TInner.SignExtended;

    public static int GrowsFromLevels => TInner.GrowsFromLevels;

    public static bool RunsAreIdentical => TInner.RunsAreIdentical;

    public static bool NeedsBreakBeforeMake => TInner.NeedsBreakBeforeMake;

    public static ulong DirtyMask => TInner.DirtyMask;

    public static ulong DirtyValue => TInner.DirtyValue;

    public static ulong AccessedMask => TInner.AccessedMask;

    public static ulong TableAccessedMask => TInner.TableAccessedMask;

    public static ulong TableIdentityMask
    {
        get
        {
            FormatHook.Run(Asked.TableIdentityMask, 0, 0);
            return TInner.TableIdentityMask;
        }
    }

    public static ulong ReclaimMark
    {
        get
        {
            FormatHook.Run(Asked.ReclaimMark, 0, 0);
            return TInner.ReclaimMark;
        }
    }

    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry) => TInner.TryGetGeometry(addressBits, out geometry);

    public static bool Supports(IommuAccess access) => TInner.Supports(access);

    public static bool IsTable(ulong entry, int level)
    {
        FormatHook.Run(Asked.IsTable, entry, level);
        return TInner.IsTable(entry, level);
    }

    public static bool IsLeaf(ulong entry, int level)
    {
        FormatHook.Run(Asked.IsLeaf, entry, level);
        return TInner.IsLeaf(entry, level);
    }

    public static ulong TableAddress(ulong entry)
    {
        FormatHook.Run(Asked.TableAddress, entry, 0);
        return TInner.TableAddress(entry);
    }

    public static ulong LeafAddress(ulong entry)
    {
        FormatHook.Run(Asked.LeafAddress, entry, 0);
        return TInner.LeafAddress(entry);
    }

    public static int LeafSizeLog2(ulong entry, int level)
    {
        FormatHook.Run(Asked.LeafSize, entry, level);
        return TInner.LeafSizeLog2(entry, level);
    }

    public static IommuAccess Access(ulong entry, int level)
    {
        FormatHook.Run(Asked.Access, entry, level);
        return TInner.Access(entry, level);
    }

    public static ulong TableEntry(ulong address, int level) => TInner.TableEntry(address, level);

    public static ulong AddressField(ulong address) => TInner.AddressField(address);

    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) => TInner.LeafAttributes(level, sizeLog2, access);

    public static ulong WithDirty(ulong entry) => TInner.WithDirty(entry);

    public static ulong WithoutDirty(ulong entry)
    {
        FormatHook.Run(Asked.WithoutDirty, entry, 0);
        return TInner.WithoutDirty(entry);
    }
}
