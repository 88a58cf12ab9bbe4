// IRCU002: reads an RCU pointer with a plain load, which may be repeated or moved.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.SettingsReaders;

class Config { public int Size = 16; }

class Settings
{
    [RcuProtected] private Config? _current = new();

    public int Size()
    {
        using (Rcu.ReadLock())
        {
            return _current!.Size;
        }
    }
}
