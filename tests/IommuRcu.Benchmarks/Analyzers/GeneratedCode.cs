// A generated code base of a stated number of lines: everyday code, a stated share of whose methods use contracts.
using System.Globalization;
using System.Text;

namespace IommuRcu.Benchmarks.Analyzers;

/// <summary>Generates source files, the same ones for the same arguments.</summary>
internal static class GeneratedCode
{
    private const string World = """
        using System;
        using IommuRcu;
        using IommuRcu.Annotations;

        namespace World;

        public sealed class Page
        {
            public int Order;
        }

        public sealed class Pool
        {
            [return: Unpublished] public Page Allocate() => new();
            public void Free([Frees] Page page) { }
            public void Retire([Retires] Page page) { }
        }

        public sealed class Table
        {
            [RequiresReadLock(DomainType = typeof(Rcu))] public int Walk(int index) => index;
            [RequiresReadLock(DomainType = typeof(Rcu))] public int Depth => 1;
            public bool TryLink(int index, [Publishes(When = true)] Page page) => true;
            [return: Unlinks] public Page? Unlink(int index) => null;
        }

        public sealed class Epoch
        {
            [AcquiresReadLock] public void Enter() { }
            [ReleasesReadLock] public void Exit() { }
            [RequiresReadLock] public int Touch() => 1;
        }
        """;

    private static readonly string[] _plain =
    [
        """
                int a# = x + #;
                for (int i = 0; i < a#; i++)
                {
                    if (i % 3 == 0 && list.Count > i)
                    {
                        list[i] = a# - i;
                    }
                    else
                    {
                        Other(i, list.Count);
                    }
                }
        """,
        """
                string text# = x switch { 0 => "none", 1 => "one", < 10 => "few", _ => list.Count.ToString() };
                foreach (char c in text#)
                {
                    x = c == '-' ? -x : (x * 10) + (c - '0');
                }
        """,
        """
                try
                {
                    x = int.Parse(names[x % names.Length]);
                }
                catch (FormatException) when (list.Count > #)
                {
                    x = -1;
                }
                finally
                {
                    list.Add(x);
                }
        """,
        """
                var odd# = list.Where(v => v % 2 != 0).Select(v => v + #).ToList();
                while (odd#.Count > # && x > 0)
                {
                    x -= odd#[odd#.Count - 1];
                    odd#.RemoveAt(odd#.Count - 1);
                }
        """,
    ];

    private static readonly string[] _disciplined =
    [
        """
                using (Rcu.ReadLock())
                {
                    x += _table.Walk(#);
                    if (x > 3)
                    {
                        x += _table.Depth;
                    }
                }
        """,
        """
                _epoch.Enter();
                try
                {
                    for (int i = 0; i < x; i++)
                    {
                        x += _epoch.Touch();
                    }
                }
                finally
                {
                    _epoch.Exit();
                }
        """,
        """
                Page page# = _pool.Allocate();
                if (!_table.TryLink(#, page#))
                {
                    _pool.Free(page#);
                }
                else
                {
                    x++;
                }
        """,
        """
                if (_table.Unlink(#) is { } old#)
                {
                    Rcu.Synchronize();
                    _pool.Free(old#);
                }
        """,
    ];

    /// <summary>Makes the files of a code base.</summary>
    /// <param name="lines">About how many lines in all.</param>
    /// <param name="disciplined">How many methods in a hundred use contracts.</param>
    /// <returns>The files' texts.</returns>
    public static IReadOnlyList<string> Files(int lines, int disciplined)
    {
        var random = new Random(7);
        var files = new List<string>();
        if (disciplined > 0)
        {
            files.Add(World);
        }

        for (int written = 0; written < lines;)
        {
            string file = Type(files.Count, disciplined, random);
            written += file.Count(static c => c == '\n');
            files.Add(file);
        }

        return files;
    }

    private static string Type(int number, int disciplined, Random random)
    {
        var text = new StringBuilder();
        text.AppendLine("using System;\nusing System.Collections.Generic;\nusing System.Linq;");
        if (disciplined > 0)
        {
            text.AppendLine("using IommuRcu;\nusing World;");
        }

        text.AppendLine("\nnamespace Generated;\n").Append("public sealed class Type").Append(number).AppendLine("(string[] names)\n{");
        if (disciplined > 0)
        {
            text.AppendLine("    private readonly Table _table = new();\n    private readonly Epoch _epoch = new();\n    private readonly Pool _pool = new();\n");
        }

        text.AppendLine("    private static void Other(int a, int b)\n    {\n        if (a > b)\n        {\n            Console.WriteLine(a);\n        }\n    }");
        for (int method = 0; method < 12; method++)
        {
            text.Append("\n    public int Method").Append(method).AppendLine("(int x, List<int> list)\n    {");
            bool isDisciplined = random.Next(100) < disciplined;
            for (int part = 0; part < 4; part++)
            {
                string[] parts = isDisciplined && part % 2 == 0 ? _disciplined : _plain;
                text.AppendLine(parts[random.Next(parts.Length)].Replace("#", part.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
            }

            text.AppendLine("        return x;\n    }");
        }

        return text.AppendLine("}").ToString();
    }
}
