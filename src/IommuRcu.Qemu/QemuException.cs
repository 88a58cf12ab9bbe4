// What is thrown when QEMU or one of its devices does not do what it is asked for.
namespace IommuRcu.Qemu;

/// <summary>QEMU ended, did not answer in time, or an emulated device refused what it was asked for.</summary>
public sealed class QemuException : Exception
{
    /// <summary>Creates the exception with no message.</summary>
    public QemuException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Who was waited for, or what was refused.</param>
    public QemuException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Who was waited for, or what was refused.</param>
    /// <param name="innerException">The cause.</param>
    public QemuException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
