// What is asked of addresses and sizes before anything is touched.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    private static ulong GranuleMask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (1UL << TFormat.GranuleLog2) - 1;
    }

    /// <summary>Checks a range that must be made of whole granules, and returns its first linear address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong CheckGranules(Iova iova, ulong size)
    {
        if (((iova.Value | size) & GranuleMask) != 0 || !IsInAperture(iova, size))
        {
            ThrowBadRange(iova, size, granules: true);
        }

        return ToLinear(iova);
    }

    /// <summary>Checks a range of any bytes, and returns its first linear address.</summary>
    private ulong CheckBytes(Iova iova, ulong size)
    {
        if (!IsInAperture(iova, size))
        {
            ThrowBadRange(iova, size, granules: false);
        }

        return ToLinear(iova);
    }

    // By the last address, inclusive: a range that ends at 2^64 is valid. A size of 0 fails, whatever the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsInAperture(Iova iova, ulong size)
    {
        if (TFormat.SignExtended)
        {
            ulong half = (_lastLinear >> 1) + 1;
            ulong offset = iova.Value & _lastLinear & (half - 1);
            return IsCanonical(iova) && size != 0 && size - 1 <= half - 1 - offset;
        }

        return iova.Value <= _lastLinear && size != 0 && size - 1 <= _lastLinear - iova.Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsCanonical(Iova iova)
    {
        ulong high = iova.Value & ~(_lastLinear >> 1);
        return high == 0 || high == ~(_lastLinear >> 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CheckMapping(PhysicalAddress address, ulong size, IommuAccess access)
    {
        ulong last = TFormat.PhysicalAddressBits == 64 ? ulong.MaxValue : (1UL << TFormat.PhysicalAddressBits) - 1;
        if ((address.Value & GranuleMask) != 0 || address.Value > last || size - 1 > last - address.Value || access == IommuAccess.None || !TFormat.Supports(access))
        {
            ThrowBadMapping(address, size, access);
        }
    }

    private void ThrowBadRange(Iova iova, ulong size, bool granules)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        if (granules && (iova.Value & GranuleMask) != 0)
        {
            throw new ArgumentException($"IOVA {iova} is not aligned to the granule of {GranuleMask + 1} bytes.", nameof(iova));
        }

        if (granules && (size & GranuleMask) != 0)
        {
            throw new ArgumentException($"A size of 0x{size:x} bytes is not a multiple of the granule of {GranuleMask + 1} bytes.", nameof(size));
        }

        string aperture = TFormat.SignExtended
            ? $"0x0-0x{_lastLinear >> 1:x} and 0x{~(_lastLinear >> 1):x}-0xffffffffffffffff"
            : $"0x0-0x{_lastLinear:x}";
        throw new ArgumentOutOfRangeException(nameof(iova), $"0x{size:x} bytes at IOVA {iova} lie outside the aperture, which is {aperture}.");
    }

    private static void ThrowBadMapping(PhysicalAddress address, ulong size, IommuAccess access)
    {
        if (access == IommuAccess.None || !TFormat.Supports(access))
        {
            throw new ArgumentException($"{TFormat.Name} has no access of {access}.", nameof(access));
        }

        if ((address.Value & GranuleMask) != 0)
        {
            throw new ArgumentException($"Physical address {address} is not aligned to the granule of {GranuleMask + 1} bytes.", nameof(address));
        }

        throw new ArgumentOutOfRangeException(
            nameof(address), $"0x{size:x} bytes at physical address {address} do not fit in {TFormat.PhysicalAddressBits} bits.");
    }
}
