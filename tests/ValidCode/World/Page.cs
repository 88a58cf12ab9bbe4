// A page of a table.
namespace ValidCode.World;

internal sealed class Page
{
    public int Value { get; set; }

    public Page? Child { get; set; }
}
