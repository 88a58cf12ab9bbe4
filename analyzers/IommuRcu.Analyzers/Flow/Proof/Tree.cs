// What one statement or condition of a control-flow graph names, writes and calls, as far as it decides whether the proof has to follow it.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>One operation of a block, or the value that the block branches on.</summary>
internal sealed class Tree
{
    public Tree(IOperation root) => Root = root;

    /// <summary>Gets the operation.</summary>
    public IOperation Root { get; }

    /// <summary>Gets or sets whether something in it has a contract, or is known to the analysis.</summary>
    public bool Touches { get; set; }

    /// <summary>Gets or sets whether a value comes of it, or is given to it, that the analysis knows more of than its name.</summary>
    public bool Gives { get; set; }

    /// <summary>Gets or sets whether it makes a variable stand for another place.</summary>
    public bool Refers { get; set; }

    /// <summary>Gets or sets whether a call in it may throw.</summary>
    public bool MayThrow { get; set; }

    /// <summary>Gets the variables and members that it names.</summary>
    public List<int> Names { get; } = new();

    /// <summary>Gets those among them that it writes.</summary>
    public List<int> Writes { get; } = new();

    /// <summary>Gets those whose object something is put into.</summary>
    public List<int> Holders { get; } = new();

    /// <summary>Gets those among them that are given to something with a contract for what it is given.</summary>
    public List<int> Given { get; } = new();

    /// <summary>Gets the nested functions that it makes or calls.</summary>
    public List<FunctionGraph> Functions { get; } = new();

    /// <summary>Gets or sets whether the proof follows it.</summary>
    public bool IsKept { get; set; }
}
