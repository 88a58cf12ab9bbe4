// Result rows as a JSON array in a file, for machines.
using System.Text.Json;

namespace IommuRcu.Benchmarks.Reporting;

internal static class JsonRows
{
    private static readonly JsonSerializerOptions _options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
    };

    /// <summary>Writes the rows where a file was asked for.</summary>
    public static void Write<T>(FileInfo? file, IEnumerable<T> rows)
    {
        if (file is not null)
        {
            File.WriteAllText(file.FullName, JsonSerializer.Serialize(rows, _options) + "\n");
        }
    }
}
