// IRCU003: publishes with a plain store, which readers may see before what it points to.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.SettingsPublishers;

class Config { public int Size = 16; }

class Settings
{
    [RcuProtected] private Config? _current;

    public void Publish(Config next)
    {
        _current = next;
    }
}
