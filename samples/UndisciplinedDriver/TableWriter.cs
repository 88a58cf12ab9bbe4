// IRCU070: updates without the writers' lock.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.TableWriters;

class Table
{
    private readonly object _lock = new();

    [RequiresWriterLock(Lock = "_lock")]
    private void Insert() { }

    public void Add()
    {
        Insert();
    }
}
