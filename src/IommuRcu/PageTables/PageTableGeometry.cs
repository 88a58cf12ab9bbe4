// The shape of a table tree: how deep it is, and how wide its root.
namespace IommuRcu;

/// <summary>The shape of a tree of page tables for one width of IOVA.</summary>
/// <param name="Levels">The number of levels, the root's included: 1 to 7.</param>
/// <param name="RootIndexBits">
/// log2 of the number of entries in the root: less than in other tables where the root is partial (it may still fill a granule), more where it is
/// several tables side by side, naturally aligned together.
/// </param>
public readonly record struct PageTableGeometry(int Levels, int RootIndexBits);
