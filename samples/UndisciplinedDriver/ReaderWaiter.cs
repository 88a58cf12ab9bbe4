// IRCU037: opens a section with nothing in it, in the belief that it waits for something.
using IommuRcu;

namespace UndisciplinedDriver.ReaderWaiters;

class Waiter
{
    public void Wait()
    {
        using (Rcu.ReadLock())
        {
        }
    }
}
