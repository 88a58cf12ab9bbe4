// Mapping over a mapping.
namespace IommuRcu;

/// <summary>The exception that is thrown when a range to be mapped holds a mapping already. Nothing was changed.</summary>
public class IovaInUseException : InvalidOperationException
{
    /// <summary>Creates the exception with a general message.</summary>
    public IovaInUseException()
        : base("The range holds a mapping already.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was to be mapped, and what is there.</param>
    public IovaInUseException(string? message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was to be mapped, and what is there.</param>
    /// <param name="innerException">The exception that led to this one.</param>
    public IovaInUseException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the exception for an address.</summary>
    /// <param name="iova">The first address of the range that is mapped already.</param>
    public IovaInUseException(Iova iova)
        : base($"IOVA {iova} is mapped already.") => Iova = iova;

    /// <summary>Gets the first address of the range that is mapped already.</summary>
    public Iova Iova { get; }
}
