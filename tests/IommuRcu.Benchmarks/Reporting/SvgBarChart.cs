// A bar chart as SVG: groups of horizontal bars on one logarithmic scale.
using System.Globalization;
using System.Net;
using System.Text;

namespace IommuRcu.Benchmarks.Reporting;

/// <summary>One bar; ours is drawn in another colour than its peers.</summary>
internal sealed record Bar(string Label, double Value, bool Ours);

internal sealed record BarGroup(string Title, IReadOnlyList<Bar> Bars);

internal static class SvgBarChart
{
    private const int Width = 760;
    private const int LabelWidth = 210;
    private const int BarHeight = 18;
    private const int Gap = 6;
    private const int TitleHeight = 30;

    /// <summary>Draws the groups below each other, shortest bar first. Every value is positive.</summary>
    public static string Draw(string title, string unit, IReadOnlyList<BarGroup> groups)
    {
        int height = 50 + groups.Sum(group => TitleHeight + (group.Bars.Count * (BarHeight + Gap)) + 12);
        var svg = new StringBuilder();
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" font-family="sans-serif">""");
        Add($"""<rect width="{Width}" height="{height}" fill="#ffffff"/>""");
        Add($"""<text x="16" y="28" font-size="17" font-weight="bold" fill="#222222">{Text(title)}</text>""");
        int y = 50;
        foreach (BarGroup group in groups)
        {
            y += TitleHeight;
            Add($"""<text x="16" y="{y - 8}" font-size="14" font-weight="bold" fill="#444444">{Text(group.Title)}</text>""");
            // Each group has its own logarithmic scale, from a third of its shortest bar to its longest.
            double low = Math.Log(group.Bars.Min(bar => bar.Value) / 3);
            double high = Math.Log(group.Bars.Max(bar => bar.Value));
            foreach (Bar bar in group.Bars.OrderBy(bar => bar.Value))
            {
                double width = (Math.Log(bar.Value) - low) / Math.Max(high - low, 1e-9) * (Width - LabelWidth - 110);
                string colour = bar.Ours ? "#1b7f5c" : "#9aa7b5";
                Add($"""<text x="{LabelWidth - 8}" y="{y + 13}" font-size="12" text-anchor="end" fill="#222222">{Text(bar.Label)}</text>""");
                Add($"""<rect x="{LabelWidth}" y="{y}" width="{Number(width, "F1")}" height="{BarHeight}" rx="2" fill="{colour}"/>""");
                string value = Number(bar.Value, bar.Value < 10 ? "F2" : "F0") + " " + unit;
                Add($"""<text x="{Number(LabelWidth + width + 6, "F1")}" y="{y + 13}" font-size="12" fill="#222222">{value}</text>""");
                y += BarHeight + Gap;
            }

            y += 12;
        }

        Add("</svg>");
        return svg.ToString();

        void Add(string line) => svg.Append(line).Append('\n');
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
