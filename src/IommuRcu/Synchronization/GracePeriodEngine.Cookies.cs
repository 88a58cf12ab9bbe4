// Cookies of a domain.
namespace IommuRcu;

internal abstract partial class GracePeriodEngine
{
    internal bool HasElapsed(RcuCookie cookie)
    {
        Check(cookie);
        if (Completed < cookie.Number)
        {
            return false;
        }

        Interlocked.MemoryBarrier(); // what the caller frees next comes after the grace period that it saw the end of
        return true;
    }

    /// <exception cref="ArgumentException">The cookie is another domain's.</exception>
    internal void Check(RcuCookie cookie)
    {
        if (cookie.Domain != null && cookie.Domain != this)
        {
            throw new ArgumentException($"The cookie belongs to {cookie.Domain.Name}, not to {Name}.", nameof(cookie));
        }
    }
}
