// A ticket for a grace period: taken now, asked about later.
namespace IommuRcu;

/// <summary>Names a grace period that began no earlier than the cookie was taken; poll it with <c>HasElapsed</c> or wait with <c>WaitFor</c>.</summary>
/// <remarks>A value; any thread may use it, as often as it likes. The default value counts as elapsed. It belongs to the domain that gave it.</remarks>
public readonly record struct RcuCookie
{
    internal RcuCookie(GracePeriodEngine domain, ulong number)
    {
        Domain = domain;
        Number = number;
    }

    internal GracePeriodEngine? Domain { get; }

    internal ulong Number { get; }
}
