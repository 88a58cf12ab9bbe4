// What the just-in-time compiler printed of one method: basic blocks of instructions, and the ways through them.
using System.Text.RegularExpressions;

namespace IommuRcu.Tests.MachineCode;

/// <summary>One instruction: its mnemonic with prefixes, and its operands.</summary>
internal readonly record struct Instruction(string Mnemonic, string Operands)
{
    public override string ToString() => Mnemonic + " " + Operands;
}

/// <summary>One method's listing (x64 or ARM64).</summary>
internal sealed partial class CodeListing
{
    private readonly List<(string Label, List<Instruction> Code)> _blocks = [];

    private Func<Instruction, Instruction, bool> _isHarmless = (_, _) => false;

    private CodeListing(string header, string text)
    {
        Header = header;
        Text = text;
    }

    /// <summary>Gets the first line: the method's signature and, in parentheses, how it was compiled.</summary>
    public string Header { get; }

    public string Text { get; }

    public bool IsOptimized => Header.Contains("Tier1", StringComparison.Ordinal) || Header.Contains("FullOpts", StringComparison.Ordinal);

    public IEnumerable<Instruction> Instructions => _blocks.SelectMany(block => block.Code);

    /// <summary>The listings in what <c>DOTNET_JitStdOutFile</c> received.</summary>
    public static List<CodeListing> Parse(string text)
    {
        var listings = new List<CodeListing>();
        foreach (string part in text.Split("; Assembly listing for method ")[1..])
        {
            // A process may end while a listing is being written.
            if (!part.Contains("; Total bytes of code ", StringComparison.Ordinal))
            {
                continue;
            }

            var listing = new CodeListing(part.Split('\n')[0].Trim(), part);
            foreach (string line in part.Split('\n')[1..])
            {
                if (Label.Match(line) is { Success: true } label)
                {
                    listing._blocks.Add((label.Groups[1].Value, []));
                }
                else if (Code.Match(line) is { Success: true } code && listing._blocks.Count != 0)
                {
                    string mnemonic = code.Groups[1].Value;
                    string operands = code.Groups[2].Value;
                    if (mnemonic is "lock" or "rep" or "repne")
                    {
                        mnemonic += " " + operands.Split(' ')[0]; // a prefix is part of its instruction
                    }

                    listing._blocks[^1].Code.Add(new Instruction(mnemonic, operands));
                }
            }

            listings.Add(listing);
        }

        return listings;
    }

    /// <summary>
    /// Every way from the entry to a return on which nothing is called, each block taken once at most: the fast paths are among them.
    /// </summary>
    /// <param name="isHarmless">Whether a call (second argument), given the instruction before it, does not count.</param>
    public IEnumerable<List<Instruction>> WaysWithoutCall(Func<Instruction, Instruction, bool> isHarmless)
    {
        _isHarmless = isHarmless;
        return Ways(0, [], []);
    }

    private IEnumerable<List<Instruction>> Ways(int index, List<Instruction> before, HashSet<int> visited)
    {
        if (index >= _blocks.Count || !visited.Add(index))
        {
            yield break;
        }

        var way = new List<Instruction>(before);
        foreach (Instruction instruction in _blocks[index].Code)
        {
            if (IsCall(instruction) && !(way.Count != 0 && _isHarmless(way[^1], instruction)))
            {
                yield break;
            }

            way.Add(instruction);
            if (instruction.Mnemonic == "ret")
            {
                yield return way;
                yield break;
            }

            if (Target(instruction) is { } target)
            {
                foreach (List<Instruction> other in Ways(_blocks.FindIndex(block => block.Label == target), way, [.. visited]))
                {
                    yield return other;
                }

                if (instruction.Mnemonic is "jmp" or "b")
                {
                    yield break;
                }
            }
        }

        foreach (List<Instruction> other in Ways(index + 1, way, [.. visited]))
        {
            yield return other;
        }
    }

    // A jump that leaves the method is a tail call.
    private static bool IsCall(Instruction instruction) =>
        instruction.Mnemonic is "call" or "bl" or "blr" or "br" || instruction.Mnemonic.Contains("tail", StringComparison.Ordinal)
        || (instruction.Mnemonic == "jmp" && Target(instruction) is null);

    private static string? Target(Instruction instruction) =>
        BlockName.Match(instruction.Operands) is { Success: true } name ? name.Value : null;

    [GeneratedRegex(@"^(G_M\d+_IG\d+):")]
    private static partial Regex Label { get; }

    [GeneratedRegex(@"G_M\d+_IG\d+")]
    private static partial Regex BlockName { get; }

    [GeneratedRegex(@"^ +([a-z][\w.]*(?: [a-z]+\b(?=\s+\S))?)\s*(.*?)\s*(?:;.*)?$")]
    private static partial Regex Code { get; }
}
