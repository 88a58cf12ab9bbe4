// A pool of pages, which are freed at once or after a grace period.
using IommuRcu;
using IommuRcu.Annotations;

namespace ValidCode.World;

internal sealed class Pool : IDisposable
{
    private readonly Stack<Page> _pages = new();

    [return: Unpublished]
    public Page Allocate() => _pages.TryPop(out Page? page) ? page : new Page();

    public bool TryAllocate([Unpublished(When = true)] out Page? page) => _pages.TryPop(out page);

    public void Free([Frees] Page? page)
    {
        if (page != null)
        {
            _pages.Push(page);
        }
    }

    public void Retire([Retires] Page page) => Rcu.Call((pool: this, page), static state => state.pool.Free(state.page));

    public void Dispose() => _pages.Clear();
}
