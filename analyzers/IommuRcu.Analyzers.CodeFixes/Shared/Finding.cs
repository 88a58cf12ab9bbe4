// A finding as it was before any repair, and what is known of the code around it.
using System;
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A finding as it was in the document before any repair: its node, and what is known of it.</summary>
internal sealed class Finding(Diagnostic diagnostic, SyntaxNode node, SemanticModel model, Lazy<ContractMap?> contracts)
{
    /// <summary>Gets the diagnostic.</summary>
    public Diagnostic Diagnostic { get; } = diagnostic;

    /// <summary>Gets the innermost node at the diagnostic's place, in the tree of <see cref="Model"/>.</summary>
    public SyntaxNode Node { get; } = node;

    /// <summary>Gets the model of the document before any repair.</summary>
    public SemanticModel Model { get; } = model;

    /// <summary>Gets the contracts of the compilation; null where it can have none.</summary>
    public ContractMap? Contracts => contracts.Value;

    /// <summary>Reads a property that the rule left for its fix.</summary>
    public string? Property(string name) =>
        Diagnostic.Properties.TryGetValue(name, out string? value) && !string.IsNullOrEmpty(value) ? value : null;

    /// <summary>Gets the type whose metadata name is given, where the document can see exactly one.</summary>
    public INamedTypeSymbol? Type(string metadataName) => Model.Compilation.GetTypeByMetadataName(metadataName);

    /// <summary>Gets the node of this document that the rule points to besides: what opened the section, retired the page, and so on.</summary>
    public SyntaxNode? Related()
    {
        Location? location = Diagnostic.AdditionalLocations.FirstOrDefault();
        return location?.SourceTree == Model.SyntaxTree
            ? NodeAt(location!)
            : null;
    }

    /// <summary>Gets the same finding at each of the places of this document that the rule points to besides.</summary>
    public IEnumerable<Finding> AtRelated() => Diagnostic.AdditionalLocations
        .Where(location => location.SourceTree == Model.SyntaxTree)
        .Select(location => new Finding(Diagnostic, NodeAt(location), Model, contracts));

    private SyntaxNode NodeAt(Location location) => Model.SyntaxTree.GetRoot().FindNode(location.SourceSpan, getInnermostNodeForTie: true);

    /// <summary>Gets the contract words of a method, property or type.</summary>
    public ContractWord WordsOf(ISymbol? symbol) =>
        symbol is not null && Contracts is ContractMap map ? map.Of(symbol).SelfWords : ContractWord.None;

    /// <summary>Gets the type of an expression that is to be written at a place; null where it would not compile there.</summary>
    public ITypeSymbol? TypeAt(string expression, int position)
    {
        ExpressionSyntax parsed = SyntaxFactory.ParseExpression(expression);
        ExpressionSyntax first = parsed.DescendantNodesAndSelf().OfType<ExpressionSyntax>().Last(each => each.SpanStart == 0);
        if (first is IdentifierNameSyntax name
            && Model.LookupSymbols(position, name: name.Identifier.ValueText).OfType<ILocalSymbol>()
                .Any(local => local.Locations.Any(location => location.SourceSpan.Start >= position)))
        {
            return null;
        }

        SymbolInfo bound = Model.GetSpeculativeSymbolInfo(position, parsed, SpeculativeBindingOption.BindAsExpression);
        ITypeSymbol? type = Model.GetSpeculativeTypeInfo(position, parsed, SpeculativeBindingOption.BindAsExpression).Type;
        return bound.Symbol is null || type is IErrorTypeSymbol ? null : type;
    }
}
