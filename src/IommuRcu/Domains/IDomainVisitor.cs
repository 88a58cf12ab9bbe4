// How code that is generic in the format meets a domain whose format is known only at run time.
namespace IommuRcu;

/// <summary>Visits a domain with its format as a type argument, so that what it does there is specialised for the format.</summary>
internal interface IDomainVisitor<TResult>
{
    /// <summary>Runs with the domain's format.</summary>
    TResult Visit<TFormat>(IommuDomain domain)
        where TFormat : struct, IPageTableFormat;
}
