// The words of the contract vocabulary, and how attributes and contract files spell them.
using System;
using System.Collections.Generic;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>A word of the vocabulary.</summary>
[Flags]
internal enum ContractWord
{
    None = 0,
    RequiresReadLock = 1 << 0,
    AcquiresReadLock = 1 << 1,
    ReleasesReadLock = 1 << 2,
    ReadLockScope = 1 << 3,
    MustDispose = 1 << 4,
    RefreshesReadLock = 1 << 5,
    AssertsReadLock = 1 << 6,
    MayHoldReadLock = 1 << 7,
    WaitsForGracePeriod = 1 << 8,
    MayBlock = 1 << 9,
    RcuProtected = 1 << 10,
    RcuBound = 1 << 11,
    RunsSynchronously = 1 << 12,
    RunsAfterGracePeriod = 1 << 13,
    Unpublished = 1 << 14,
    Publishes = 1 << 15,
    Unlinks = 1 << 16,
    TableGather = 1 << 17,
    Gathers = 1 << 18,
    FlushesIotlb = 1 << 19,
    Retires = 1 << 20,
    Frees = 1 << 21,
    RequiresWriterLock = 1 << 22,
    RcuUnsafe = 1 << 23,
}

/// <summary>The spellings of the words.</summary>
internal static class ContractWords
{
    /// <summary>The namespace that the attributes are matched in.</summary>
    public const string AttributeNamespace = "IommuRcu.Annotations";

    /// <summary>Gets the words by the name of their attribute class, and by their spelling in contract files.</summary>
    public static Dictionary<string, ContractWord> ByAttributeName { get; } = Build(static name => name + "Attribute");

    /// <summary>Gets the words by their spelling in contract files.</summary>
    public static Dictionary<string, ContractWord> ByFileSpelling { get; } = Build(Hyphenate);

    /// <summary>Spells a word as contract files do.</summary>
    /// <param name="name">The word's name.</param>
    /// <returns>The spelling, lower case with hyphens.</returns>
    public static string Hyphenate(string name)
    {
        var text = new System.Text.StringBuilder(name.Length + 4);
        foreach (char c in name)
        {
            if (char.IsUpper(c) && text.Length > 0)
            {
                text.Append('-');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private static Dictionary<string, ContractWord> Build(Func<string, string> spell)
    {
        var words = new Dictionary<string, ContractWord>(StringComparer.Ordinal);
        foreach (ContractWord word in Enum.GetValues(typeof(ContractWord)))
        {
            if (word != ContractWord.None)
            {
                words.Add(spell(word.ToString()), word);
            }
        }

        return words;
    }
}
