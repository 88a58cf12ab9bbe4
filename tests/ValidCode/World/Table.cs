// A table that is walked in a section of its epoch and changed under its lock.
using IommuRcu.Annotations;

namespace ValidCode.World;

internal sealed class Table(Epoch epoch)
{
    private readonly Lock _writers = new();
    private readonly Page?[] _pages = new Page?[16];

    public Epoch Epoch { get; } = epoch;

    public Lock Writers => _writers;

    public int Length => _pages.Length;

    [RequiresReadLock(DomainType = typeof(Epoch))]
    public int Walk(int index) => _pages[index]?.Value ?? 0;

    [RequiresReadLock(DomainType = typeof(Epoch))]
    [return: RcuProtected(DomainType = typeof(Epoch))]
    public Page? Find(int index) => Volatile.Read(ref _pages[index]);

    public void Link(int index, [Publishes] Page page) => Volatile.Write(ref _pages[index], page);

    public bool TryLink(int index, [Publishes(When = true)] Page page) => Interlocked.CompareExchange(ref _pages[index], page, null) == null;

    [return: Unlinks]
    public Page? Unlink(int index) => Interlocked.Exchange(ref _pages[index], null);
}
