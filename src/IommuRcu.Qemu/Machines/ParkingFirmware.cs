// The code that the emulated processor runs: it halts, so that virtual time jumps from timer to timer.
namespace IommuRcu.Qemu.Machines;

/// <summary>Firmware that stops the processor at its first instruction and never lets it go on.</summary>
internal static class ParkingFirmware
{
    /// <summary>A 64 KiB x86 firmware image: at the reset vector, 16 bytes below the end: cli; hlt; jmp to the hlt.</summary>
    public static byte[] X64Image()
    {
        byte[] image = new byte[64 << 10];
        ReadOnlySpan<byte> code = [0xfa, 0xf4, 0xeb, 0xfd];
        code.CopyTo(image.AsSpan(image.Length - 16));
        return image;
    }

    /// <summary>Arm: wfi; b to the wfi (little-endian, first instruction low).</summary>
    public const ulong Arm64Words = 0x17ffffff_d503207f;

    /// <summary>RISC-V: wfi; j to the wfi (little-endian, first instruction low).</summary>
    public const ulong RiscV64Words = 0xffdff06f_10500073;
}
