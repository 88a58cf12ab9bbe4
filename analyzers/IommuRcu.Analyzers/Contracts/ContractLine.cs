// Parses one line of a contract file: word, symbol, target, keys.
using System;
using System.Collections.Generic;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>A parsed line.</summary>
/// <param name="Contract">What it says.</param>
/// <param name="Id">The documentation-comment id of the symbol.</param>
/// <param name="Target"><c>this</c>, <c>return</c> or a parameter; none for the member itself.</param>
/// <param name="DomainType">The full name of the domain's type.</param>
internal sealed record ContractLine(Contract Contract, string Id, string? Target, string? DomainType)
{
    /// <summary>Parses a line.</summary>
    /// <param name="content">The line, without comment.</param>
    /// <param name="problem">What is wrong with it.</param>
    /// <returns>What it says, or none.</returns>
    public static ContractLine? Parse(string content, out string? problem)
    {
        problem = null;
        List<string>? parts = Split(content);
        if (parts is null)
        {
            problem = "has a reason that is not closed by a quote";
            return null;
        }

        if (!ContractWords.ByFileSpelling.TryGetValue(parts[0], out ContractWord word))
        {
            problem = "begins with an unknown word: '" + parts[0] + "'";
            return null;
        }

        if (parts.Count < 2 || parts[1].Length < 3 || parts[1][1] != ':' || "TMPFE".IndexOf(parts[1][0]) < 0)
        {
            problem = "names no symbol by its documentation-comment id after '" + parts[0] + "'";
            return null;
        }

        return ParseRest(word, parts, out problem);
    }

    private static ContractLine? ParseRest(ContractWord word, List<string> parts, out string? problem)
    {
        problem = null;
        var contract = new Contract(word) { PlainAllowed = word == ContractWord.RcuProtected };
        string? target = null;
        string? domainType = null;
        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 2; i < parts.Count; i++)
        {
            string part = parts[i];
            int equals = part.IndexOf('=');
            if (part[0] == '"')
            {
                contract = contract with { Reason = part.Trim('"') };
            }
            else if (equals < 0 && target is null && i == 2)
            {
                target = part;
            }
            else if (equals > 0 && !keys.Add(part.Substring(0, equals)))
            {
                problem = "has the key '" + part.Substring(0, equals) + "' twice";
                return null;
            }
            else if (equals <= 0 || !Key(ref contract, ref domainType, part.Substring(0, equals), part.Substring(equals + 1)))
            {
                problem = "has a key that '" + parts[0] + "' does not know: '" + part + "'";
                return null;
            }
        }

        if (word == ContractWord.RcuUnsafe && string.IsNullOrWhiteSpace(contract.Reason))
        {
            problem = "gives no reason: rcu-unsafe needs one, in quotes";
            return null;
        }

        return new ContractLine(contract, parts[1], target, domainType);
    }

    private static bool Key(ref Contract contract, ref string? domainType, string key, string value)
    {
        bool isTrue = value == "true";
        bool isBool = isTrue || value == "false";
        switch (key)
        {
            case "when":
                int colon = value.LastIndexOf(':');
                string holds = colon < 0 ? value : value.Substring(colon + 1);
                contract = contract with { When = holds == "true", WhenParameter = colon < 0 ? null : value.Substring(0, colon) };
                return holds is "true" or "false";
            case "else" when value == "held":
            case "else-held" when isBool:
                contract = contract with { ElseHeld = key == "else" || isTrue };
                return true;
            case "sleepable" when isBool:
                contract = contract with { Sleepable = isTrue };
                return true;
            case "default-is-inert" when isBool:
                contract = contract with { DefaultIsInert = isTrue };
                return true;
            case "domain" when value.StartsWith("T:", StringComparison.Ordinal):
                domainType = value.Substring(2);
                return true;
            case "domain" when value.Length > 0:
                contract = contract with { Domain = value };
                return true;
            case "lock" or "or" when value.Length > 0:
                contract = contract with { Lock = value };
                return true;
            case "plain" when value == "report" && contract.Word == ContractWord.RcuProtected:
                contract = contract with { PlainAllowed = false };
                return true;
            default:
                return false;
        }
    }

    // Splits at white space; what is in quotes stays together.
    private static List<string>? Split(string content)
    {
        var parts = new List<string>();
        for (int i = 0; i < content.Length;)
        {
            if (char.IsWhiteSpace(content[i]))
            {
                i++;
                continue;
            }

            int end = i;
            if (content[i] == '"')
            {
                end = content.IndexOf('"', i + 1);
                if (end < 0)
                {
                    return null;
                }

                end++;
            }
            else
            {
                while (end < content.Length && !char.IsWhiteSpace(content[end]))
                {
                    end++;
                }
            }

            parts.Add(content.Substring(i, end - i));
            i = end;
        }

        return parts;
    }
}
