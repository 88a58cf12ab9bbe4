// What one statement or condition of a control-flow graph names, writes and calls, as far as it decides whether the proof has to follow it.
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>One operation of a block, or the value that the block branches on.</summary>
internal sealed class Tree
{
    // Fields, so that what is added is added to them and not to copies.
    private ShortList<int> _names;
    private ShortList<int> _writes;
    private ShortList<int> _holders;
    private ShortList<int> _given;
    private ShortList<FunctionGraph> _functions;

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

    /// <summary>Gets or sets whether the proof follows it.</summary>
    public bool IsKept { get; set; }

    /// <summary>Gets the variables and members that it names.</summary>
    public ref ShortList<int> Names => ref _names;

    /// <summary>Gets those among them that it writes.</summary>
    public ref ShortList<int> Writes => ref _writes;

    /// <summary>Gets those whose object something is put into.</summary>
    public ref ShortList<int> Holders => ref _holders;

    /// <summary>Gets those among them that are given to something with a contract for what it is given.</summary>
    public ref ShortList<int> Given => ref _given;

    /// <summary>Gets the nested functions that it makes or calls.</summary>
    public ref ShortList<FunctionGraph> Functions => ref _functions;
}
