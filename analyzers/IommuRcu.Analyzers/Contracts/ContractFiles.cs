// Reads the contract files of a compilation: which line says what of which symbol, and which lines mean nothing.
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>A line that says nothing, and why.</summary>
/// <param name="Path">The file.</param>
/// <param name="Location">The line.</param>
/// <param name="Problem">What is wrong with it.</param>
internal sealed record ContractLineProblem(string Path, Location Location, string Problem);

/// <summary>The contracts of all <c>*.rcucontracts</c> files.</summary>
internal sealed class ContractFiles
{
    /// <summary>The ending of a contract file's name.</summary>
    public const string Extension = ".rcucontracts";

    private readonly Compilation _compilation;
    private readonly Dictionary<ISymbol, Pending> _pending = new(SymbolEqualityComparer.Default);

    // The same references with all that is in them; made where a line names what is not seen.
    private CSharpCompilation? _unveiled;

    private ContractFiles(Compilation compilation) => _compilation = compilation;

    /// <summary>Gets the contracts by symbol.</summary>
    public Dictionary<ISymbol, MemberContracts> Contracts { get; } = new(SymbolEqualityComparer.Default);

    /// <summary>Gets the lines that say nothing.</summary>
    public List<ContractLineProblem> Problems { get; } = new();

    /// <summary>Reads the files.</summary>
    /// <param name="compilation">The compilation that they speak of.</param>
    /// <param name="files">All additional files.</param>
    /// <param name="cancellation">Cancels the reading.</param>
    /// <returns>What they say.</returns>
    public static ContractFiles Read(Compilation compilation, ImmutableArray<AdditionalText> files, CancellationToken cancellation)
    {
        var result = new ContractFiles(compilation);
        foreach (AdditionalText file in files)
        {
            if (file.Path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) && file.GetText(cancellation) is { } text)
            {
                result.Read(file.Path, text);
            }
        }

        foreach (KeyValuePair<ISymbol, Pending> pending in result._pending)
        {
            result.Contracts[pending.Key] = pending.Value.ToContracts();
        }

        return result;
    }

    private void Read(string path, SourceText text)
    {
        bool applies = true;
        bool isReferred = false;
        foreach (TextLine line in text.Lines)
        {
            string content = WithoutComment(line.ToString()).Trim();
            if (content.Length == 0)
            {
                continue;
            }

            if (content[0] == '[')
            {
                applies = ReadHeader(path, text, line, content, out isReferred);
                continue;
            }

            if (ContractLine.Parse(content, out string? problem) is not { } parsed)
            {
                AddProblem(path, text, line, problem!);
            }
            else if (applies && Apply(parsed) is { } unbound && !(isReferred && IsHidden(parsed.Id)))
            {
                AddProblem(path, text, line, unbound);
            }
        }
    }

    // A '#' begins a comment, but not inside a reason or inside a symbol's id (as in '#ctor').
    private static string WithoutComment(string line)
    {
        bool quoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            quoted ^= line[i] == '"';
            if (line[i] == '#' && !quoted && (i == 0 || char.IsWhiteSpace(line[i - 1])))
            {
                return line.Substring(0, i);
            }
        }

        return line;
    }

    private bool ReadHeader(string path, SourceText text, TextLine line, string content, out bool isReferred)
    {
        isReferred = false;
        const string Opening = "[assembly ";
        if (!content.StartsWith(Opening, StringComparison.Ordinal) || !content.EndsWith("]", StringComparison.Ordinal) || content.Length <= Opening.Length + 1)
        {
            AddProblem(path, text, line, "is no header: expected '[assembly Name]'");
            return true;
        }

        string name = content.Substring(Opening.Length, content.Length - Opening.Length - 1).Trim();
        isReferred = _compilation.ReferencedAssemblyNames.Any(a => string.Equals(a.Name, name, StringComparison.OrdinalIgnoreCase));
        return isReferred || string.Equals(_compilation.AssemblyName, name, StringComparison.OrdinalIgnoreCase);
    }

    // What an assembly keeps to itself those who refer to it do not see: one file serves both.
    private bool IsHidden(string id)
    {
        _unveiled ??= CSharpCompilation.Create(
            "Unveiled", references: _compilation.References, options: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, metadataImportOptions: MetadataImportOptions.All));
        return Bind(id, _compilation).IsEmpty && !Bind(id, _unveiled).IsEmpty;
    }

    private void AddProblem(string path, SourceText text, TextLine line, string problem)
        => Problems.Add(new ContractLineProblem(path, Location.Create(path, line.Span, text.Lines.GetLinePositionSpan(line.Span)), problem));

    private string? Apply(ContractLine line)
    {
        ImmutableArray<ISymbol> symbols = Bind(line.Id, _compilation);
        if (symbols.IsEmpty)
        {
            return "names no symbol: '" + line.Id + "'";
        }

        Contract contract = line.Contract;
        if (line.DomainType is { } typeName)
        {
            if (_compilation.GetTypeByMetadataName(typeName) is not { } type)
            {
                return "names no type: '" + typeName + "'";
            }

            contract = contract with { DomainType = type };
        }

        foreach (ISymbol symbol in symbols)
        {
            if (Target(symbol, line.Target, out int ordinal) is { } problem)
            {
                return problem;
            }

            if (!_pending.TryGetValue(symbol, out Pending? pending))
            {
                _pending.Add(symbol, pending = new Pending());
            }

            pending.Add(ordinal, contract, symbol);
            IParameterSymbol? parameter = ordinal >= 0 ? Parameters(symbol)[ordinal] : null;
            if (ContractValidity.Problem(symbol, contract, pending.ToContracts(), parameter, ordinal == Pending.Result) is { } wrong)
            {
                pending.RemoveLast();
                return "means nothing on '" + line.Id + "': " + wrong;
            }
        }

        return null;
    }

    private static ImmutableArray<ISymbol> Bind(string id, Compilation compilation)
    {
        ImmutableArray<ISymbol> found = DocumentationCommentId.GetSymbolsForDeclarationId(id, compilation);
        int tilde = id.LastIndexOf('~');
        return found.IsEmpty && tilde > 0 ? DocumentationCommentId.GetSymbolsForDeclarationId(id.Substring(0, tilde), compilation) : found;
    }

    private static string? Target(ISymbol symbol, string? target, out int ordinal)
    {
        ordinal = Pending.Self;
        if (target is null or "this")
        {
            return null;
        }

        if (target == "return")
        {
            ordinal = Pending.Result;
            return symbol is IMethodSymbol { ReturnsVoid: true } ? "speaks of the result of a method that has none" : null;
        }

        if (Parameters(symbol).FirstOrDefault(p => p.Name == target) is not { } parameter)
        {
            return "names no parameter: '" + target + "'";
        }

        ordinal = parameter.Ordinal;
        return null;
    }

    private static ImmutableArray<IParameterSymbol> Parameters(ISymbol symbol) => symbol switch
    {
        IMethodSymbol method => method.Parameters,
        IPropertySymbol property => property.Parameters,
        _ => ImmutableArray<IParameterSymbol>.Empty,
    };

    private sealed class Pending
    {
        public const int Self = -1;
        public const int Result = -2;
        private readonly List<(int Ordinal, Contract Contract)> _all = new();

        public void Add(int ordinal, Contract contract, ISymbol symbol)
        {
            _all.Add((ordinal, contract));
            if (ordinal == Self && symbol is IFieldSymbol or IPropertySymbol && contract.Word is ContractWord.RcuProtected or ContractWord.RcuBound)
            {
                _all.Add((Result, contract));
            }
        }

        public void RemoveLast()
        {
            Contract last = _all[_all.Count - 1].Contract;
            _all.RemoveAll(c => ReferenceEquals(c.Contract, last));
        }

        public MemberContracts ToContracts()
        {
            int count = _all.Count == 0 ? 0 : _all.Max(static c => c.Ordinal) + 1;
            return new MemberContracts(Of(Self), Of(Result), Enumerable.Range(0, Math.Max(0, count)).Select(Of).ToImmutableArray());
        }

        private ImmutableArray<Contract> Of(int ordinal) => _all.Where(c => c.Ordinal == ordinal).Select(static c => c.Contract).ToImmutableArray();
    }
}
