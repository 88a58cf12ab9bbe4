// Whether reading dirty state also cleans it.
namespace IommuRcu;

/// <summary>Says what reading dirty state leaves behind.</summary>
public enum DirtyReadMode
{
    /// <summary>What was dirty is clean afterwards, flushed and drained: the page may be copied, and a later write makes it dirty again.</summary>
    ReadAndClear,

    /// <summary>Nothing changes.</summary>
    Peek,
}
