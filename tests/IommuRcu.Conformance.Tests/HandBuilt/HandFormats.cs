// The formats, from the vendors' documents, as plain entry constructors.
namespace IommuRcu.Conformance.Tests.HandBuilt;

internal static class HandFormats
{
    // R 0, W 1, page size 7.
    public static HandFormat VtdSecondStage(int levels) => new(
        $"VT-d second stage, {levels} levels", 12, levels, 9,
        (address, _) => address | 3,
        (address, level, read, write) => address | (read ? 1UL : 0) | (write ? 2UL : 0) | (level > 0 ? 1UL << 7 : 0));

    // P 0, RW 1, U 2, A 5, D 6, page size 7. It has no page without reading.
    public static HandFormat X86FirstStage(int levels) => new(
        $"x86-64 first stage, {levels} levels", 12, levels, 9,
        (address, _) => address | 0b111,
        (address, level, read, write) =>
            address | (read || write ? 0b100101UL : 0) | (write ? 0b1000010UL : 0) | (level > 0 ? 1UL << 7 : 0));

    // PR 0, next level 11:9, IR 61, IW 62. A leaf of a level's own size says next level 0.
    public static HandFormat AmdV1(int levels) => new(
        $"AMD v1, {levels} levels", 12, levels, 9,
        (address, level) => address | 1 | ((ulong)(uint)level << 9) | (3UL << 61),
        (address, _, read, write) => address | 1 | (read ? 1UL << 61 : 0) | (write ? 1UL << 62 : 0));

    // Valid 0, table 1 (and page at level 0), AttrIndx 0, AP 7:6 (01 unprivileged, bit 7 read-only), SH 9:8 inner, AF 10, nG 11.
    public static HandFormat ArmStage1(int granuleLog2, int levels) => new(
        $"Arm stage 1, granule 2^{granuleLog2}", granuleLog2, levels, granuleLog2 - 3,
        (address, _) => address | 3,
        (address, level, _, write) => address | 1 | (level == 0 ? 2UL : 0) | (1UL << 6) | (write ? 0 : 1UL << 7) | (3UL << 8) | (1UL << 10));

    // Valid 0, table 1, MemAttr 5:2 = 1111, S2AP 7:6, SH 9:8, AF 10.
    public static HandFormat ArmStage2(int granuleLog2, int levels, int rootIndexBits) => new(
        $"Arm stage 2, granule 2^{granuleLog2}", granuleLog2, levels, rootIndexBits,
        (address, _) => address | 3,
        (address, level, read, write) =>
            address | 1 | (level == 0 ? 2UL : 0) | (0xfUL << 2) | (read ? 1UL << 6 : 0) | (write ? 1UL << 7 : 0) | (3UL << 8) | (1UL << 10));

    // V 0, R 1, W 2, U 4, A 6, D 7, PPN 53:10.
    public static HandFormat RiscV(int levels, bool secondStage) => new(
        $"RISC-V Sv{12 + (9 * levels)}{(secondStage ? "x4" : "")}", 12, levels, secondStage ? 11 : 9,
        (address, _) => (address >> 2) | 1,
        (address, _, read, write) => (address >> 2) | 1 | (read ? 2UL : 0) | (write ? 4UL : 0) | (1UL << 4) | (1UL << 6) | (1UL << 7));
}
