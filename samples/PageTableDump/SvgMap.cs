// A map of the address space as SVG: what is mapped, by page size, with dirty pages marked. Holes are drawn short, or nothing would be seen.
using System.Globalization;
using System.Text;

namespace IommuRcu.Samples.PageTableDump;

internal static class SvgMap
{
    private const int Width = 960;
    private const int Left = 170;
    private const int RowHeight = 22;

    public static string Draw(IommuDomain domain, string name)
    {
        List<PageTableRun> runs = [.. IommuRcu.PageTableDump.Runs(domain)];
        ulong largest = runs.Count == 0 ? 1 : runs.Max(r => r.Size);
        int height = 60 + (runs.Count * RowHeight);
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" font-family="monospace" font-size="12">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="white"/>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="10" y="22" font-size="15">{name}: {runs.Count} runs, {domain.Root.Levels} levels</text>""");
        int y = 40;
        ulong? expected = null;
        foreach (PageTableRun run in runs)
        {
            // A logarithmic width: a page of 4 KiB and one of 1 GiB in one picture.
            double share = Math.Log2(run.Size >> 10) / Math.Log2(Math.Max(2, largest >> 10));
            int width = Math.Max(4, (int)((Width - Left - 260) * share));
            if (expected is { } hole && hole != run.First.Value)
            {
                svg.AppendLine(CultureInfo.InvariantCulture, $"""<line x1="{Left}" y1="{y - 2}" x2="{Width - 10}" y2="{y - 2}" stroke="#bbb" stroke-dasharray="3,3"/>""");
            }

            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="10" y="{y + 14}">0x{run.First.Value:x14}</text>""");
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect x="{Left}" y="{y}" width="{width}" height="{RowHeight - 5}" fill="{Colour(run.PageSize)}" stroke="black"/>""");
            if (run.DirtyPages != 0)
            {
                int dirty = Math.Max(2, (int)(width * (double)run.DirtyPages / run.Pages));
                svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect x="{Left}" y="{y + 11}" width="{dirty}" height="5" fill="#c0392b"/>""");
            }

            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Left + width + 8}" y="{y + 14}">{run.Pages} x {run.PageSize >> 10}K {run.Access}</text>""");
            y += RowHeight;
            expected = run.Last.Value + 1;
        }

        return svg.AppendLine("</svg>").ToString();
    }

    private static string Colour(ulong pageSize) => pageSize switch
    {
        <= 1UL << 12 => "#aed6f1",
        <= 1UL << 16 => "#5dade2",
        <= 1UL << 21 => "#58d68d",
        <= 1UL << 25 => "#f7dc6f",
        <= 1UL << 30 => "#eb984e",
        _ => "#af7ac5",
    };
}
