// Lets records and init accessors compile for netstandard2.0, which lacks the marker type.
namespace System.Runtime.CompilerServices;

internal static class IsExternalInit
{
}
