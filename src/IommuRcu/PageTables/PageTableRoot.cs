// Where a device starts to walk.
namespace IommuRcu;

/// <summary>The root of a domain's page tables, as hardware is told of it.</summary>
/// <param name="Address">The physical address of the root table.</param>
/// <param name="Levels">The number of levels, the root's included.</param>
public readonly record struct PageTableRoot(PhysicalAddress Address, int Levels);
