// A hardware half that records what it is asked for, and can fail.
namespace IommuRcu.Tests.Domains;

internal sealed class RecordingInvalidator : IIommuInvalidator
{
    public List<(IovaRange Range, bool TablesFreed)> Calls { get; } = [];

    public List<PageTableRoot> Roots { get; } = [];

    public int FailuresLeft { get; set; }

    public Action? OnInvalidate { get; set; }

    public void Invalidate(IovaRange range, bool tablesFreed)
    {
        lock (Calls)
        {
            if (FailuresLeft > 0)
            {
                FailuresLeft--;
                throw new IOException("The invalidation queue does not answer.");
            }

            Calls.Add((range, tablesFreed));
        }

        OnInvalidate?.Invoke();
    }

    public void RootChanged(PageTableRoot root)
    {
        lock (Roots)
        {
            Roots.Add(root);
        }
    }
}
