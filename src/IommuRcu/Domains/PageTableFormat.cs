// The formats that the library ships, as values to choose from at run time.
namespace IommuRcu;

/// <summary>
/// Names a page-table format. A format that is not here is used through <see cref="IommuDomain.Create{TFormat}(IommuDomainOptions)"/>, and works the same.
/// </summary>
public sealed class PageTableFormat
{
    // By log2 of the granule; the first is the default.
    private readonly (int GranuleLog2, Func<IommuDomainOptions, IommuDomain> Create)[] _granules;

    private PageTableFormat(string name, params (int GranuleLog2, Func<IommuDomainOptions, IommuDomain> Create)[] granules)
    {
        Name = name;
        _granules = granules;
    }

    /// <summary>Gets the second stage of Intel VT-d (4K, 2M and 1G pages; 39, 48 or 57 bits in 3, 4 or 5 levels).</summary>
    public static PageTableFormat VtdSecondStage { get; } = new("VT-d second stage", Of<VtdSecondStageFormat>());

    /// <summary>Gets AMD's host tables, version 1 (every power of two from 4K; 3 to 6 levels, and a root that grows while mapped).</summary>
    public static PageTableFormat AmdV1 { get; } = new("AMD v1", Of<AmdV1Format>());

    /// <summary>Gets the x86-64 first stage (4K, 2M and 1G pages; 48 or 57 bits, sign-extended), which VT-d and AMD share with the processor.</summary>
    public static PageTableFormat X86FirstStage { get; } = new("x86-64 first stage", Of<X86FirstStageFormat>());

    /// <summary>Gets stage 1 of Arm VMSAv8-64, with granules of 4K, 16K or 64K.</summary>
    public static PageTableFormat ArmStage1 { get; } = new(
        "Arm stage 1",
        Of<ArmStage1Format<ArmGranule4K>>(),
        Of<ArmStage1Format<ArmGranule16K>>(),
        Of<ArmStage1Format<ArmGranule64K>>());

    /// <summary>Gets stage 2 of Arm VMSAv8-64, with granules of 4K, 16K or 64K and roots of up to 16 tables side by side.</summary>
    public static PageTableFormat ArmStage2 { get; } = new(
        "Arm stage 2",
        Of<ArmStage2Format<ArmGranule4K>>(),
        Of<ArmStage2Format<ArmGranule16K>>(),
        Of<ArmStage2Format<ArmGranule64K>>());

    /// <summary>Gets the RISC-V first stage: Sv39, Sv48 and Sv57.</summary>
    public static PageTableFormat RiscVFirstStage { get; } = new("RISC-V first stage", Of<RiscVFirstStageFormat>());

    /// <summary>Gets the RISC-V second stage: Sv39x4, Sv48x4 and Sv57x4, with a root of 16 KiB.</summary>
    public static PageTableFormat RiscVSecondStage { get; } = new("RISC-V second stage", Of<RiscVSecondStageFormat>());

    /// <summary>Gets the format's name.</summary>
    public string Name { get; }

    /// <summary>Returns the format's name.</summary>
    public override string ToString() => Name;

    /// <summary>Builds a domain of this format.</summary>
    /// <exception cref="ArgumentException">The format has no such granule, or the options do not fit it.</exception>
    internal IommuDomain CreateDomain(IommuDomainOptions options)
    {
        foreach ((int granuleLog2, Func<IommuDomainOptions, IommuDomain> create) in _granules)
        {
            if (options.GranuleLog2 == 0 || options.GranuleLog2 == granuleLog2)
            {
                return create(options);
            }
        }

        throw new ArgumentException($"{Name} has no granule of 2^{options.GranuleLog2} bytes.", nameof(options));
    }

    private static (int GranuleLog2, Func<IommuDomainOptions, IommuDomain> Create) Of<TFormat>()
        where TFormat : struct, IPageTableFormat => (TFormat.GranuleLog2, IommuDomain.Create<TFormat>);
}
