// The number that readers announce, alone on its cache lines.
namespace IommuRcu;

/// <summary>The current grace-period number of <see cref="Rcu"/>: advanced once a grace period, read at every section.</summary>
/// <remarks>
/// 64 bits: at one grace period each nanosecond it wraps after 584 years, so one phase is enough and two numbers can always be compared.
/// A plain static of a class without initialisers: reading it is one load, with no class-constructor check. It becomes 1 before the first
/// slot is given out; 0 means "no section" in a slot. The fields around it keep everything that is written often off its lines.
/// </remarks>
internal static class GracePeriodNumber
{
#pragma warning disable CS0169, CS0649, IDE0051, CA1823 // padding
    private static ulong _b0, _b1, _b2, _b3, _b4, _b5, _b6, _b7, _b8, _b9, _b10, _b11, _b12, _b13, _b14, _b15;
    internal static ulong Current;
    private static ulong _a0, _a1, _a2, _a3, _a4, _a5, _a6, _a7, _a8, _a9, _a10, _a11, _a12, _a13, _a14, _a15;
#pragma warning restore CS0169, CS0649, IDE0051, CA1823
}
