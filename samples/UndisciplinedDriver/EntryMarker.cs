// IRCU072: writes back an entry that the hardware may have changed in between.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.EntryMarkers;

class Entries
{
    [RcuProtected] private ulong _entry;

    public void MarkAccessed()
    {
        _entry |= 0x100;
    }
}
