// What one statement or condition of a control-flow graph names, writes and calls, as far as it decides whether the proof has to follow it.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>One operation of a block, or the value that the block branches on.</summary>
internal sealed class Tree
{
    private static readonly List<int> _none = new();
    private static readonly List<FunctionGraph> _noFunctions = new();

    // Most trees have nothing in most of these.
    private List<int>? _names;
    private List<int>? _writes;
    private List<int>? _holders;
    private List<int>? _given;
    private List<FunctionGraph>? _functions;

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

    /// <summary>Gets the variables and members that it names. Not to be changed by a reader, as the lists below.</summary>
    public List<int> Names => _names ?? _none;

    /// <summary>Gets those among them that it writes.</summary>
    public List<int> Writes => _writes ?? _none;

    /// <summary>Gets those whose object something is put into.</summary>
    public List<int> Holders => _holders ?? _none;

    /// <summary>Gets those among them that are given to something with a contract for what it is given.</summary>
    public List<int> Given => _given ?? _none;

    /// <summary>Gets the nested functions that it makes or calls.</summary>
    public List<FunctionGraph> Functions => _functions ?? _noFunctions;

    public void AddName(int name) => (_names ??= new List<int>()).Add(name);

    public void AddWrite(int name) => (_writes ??= new List<int>()).Add(name);

    public void AddFunction(FunctionGraph function) => (_functions ??= new List<FunctionGraph>()).Add(function);

    /// <summary>Notes that something is put into the object behind names.</summary>
    /// <param name="first">The position of the first of these names; they are the last ones read.</param>
    public void HoldFrom(int first) => AddFrom(first, ref _holders);

    /// <summary>Notes that names are given to something that has a contract for them.</summary>
    /// <param name="first">The position of the first of these names; they are the last ones read.</param>
    public void GiveFrom(int first) => AddFrom(first, ref _given);

    /// <summary>Notes names whose object something is put into.</summary>
    /// <param name="names">The names.</param>
    public void Hold(List<int> names) => (_holders ??= new List<int>()).AddRange(names);

    /// <summary>Tells whether all that is named is marked.</summary>
    /// <param name="marks">The marks, by name.</param>
    /// <returns>Whether it is.</returns>
    public bool NamesOnly(List<bool> marks) => Names.TrueForAll(n => marks[n]);

    private void AddFrom(int first, ref List<int>? list)
    {
        for (int i = first; i < Names.Count; i++)
        {
            (list ??= new List<int>()).Add(Names[i]);
        }
    }
}
