// The statements that must go into a new block together: what was asked for, and everything that needs a local declared among it.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A run of statements in one list.</summary>
internal readonly struct StatementRange(SyntaxNode owner, int first, int last)
{
    /// <summary>Gets the block, switch section or compilation unit that holds the list.</summary>
    public SyntaxNode Owner { get; } = owner;

    /// <summary>Gets the index of the first statement.</summary>
    public int First { get; } = first;

    /// <summary>Gets the index of the last statement, inclusive.</summary>
    public int Last { get; } = last;

    /// <summary>Gets the statements of the run.</summary>
    public IEnumerable<StatementSyntax> Statements => ListOf(Owner).Skip(First).Take(Last - First + 1);

    /// <summary>Gets the statements of a block, a switch section, or the top level.</summary>
    public static IReadOnlyList<StatementSyntax> ListOf(SyntaxNode owner) => owner switch
    {
        BlockSyntax block => block.Statements,
        SwitchSectionSyntax section => section.Statements,
        CompilationUnitSyntax unit => [.. unit.Members.OfType<GlobalStatementSyntax>().Select(member => member.Statement)],
        _ => [],
    };

    /// <summary>Gets the node that holds a statement in a list; null for an embedded statement (<c>if (x) Walk();</c>).</summary>
    public static SyntaxNode? OwnerOf(StatementSyntax statement) => statement.Parent switch
    {
        BlockSyntax block => block,
        SwitchSectionSyntax section => section,
        GlobalStatementSyntax global => global.Parent,
        _ => null,
    };

    /// <summary>Takes one statement alone.</summary>
    public static StatementRange At(SyntaxNode owner, StatementSyntax statement)
    {
        int index = ListOf(owner).ToList().IndexOf(statement);
        return new StatementRange(owner, index, index);
    }

    /// <summary>Takes a statement and all that follows until none needs a local of the run from outside it.</summary>
    public static StatementRange From(SyntaxNode owner, StatementSyntax first) => From(owner, first, first);

    /// <summary>Takes the statements from one to another, and on until none outside needs a local of the run.</summary>
    public static StatementRange From(SyntaxNode owner, StatementSyntax first, StatementSyntax last)
    {
        List<StatementSyntax> list = [.. ListOf(owner)];
        int start = list.IndexOf(first);
        int end = list.IndexOf(last);
        for (int i = start; i <= end; i++)
        {
            // A using declaration lasts to the end of the list, whoever names it.
            if (list[i] is LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 })
            {
                end = list.Count - 1;
                break;
            }

            HashSet<string> names = [.. DeclaredNames(list[i])];
            for (int j = list.Count - 1; j > end && names.Count != 0; j--)
            {
                if (Mentions(list[j], names))
                {
                    end = j;
                }
            }
        }

        return new StatementRange(owner, start, end);
    }

    /// <summary>Says whether code suspends: a thread-bound section may not last across it.</summary>
    public static bool Suspends(SyntaxNode node) =>
        node.DescendantNodesAndSelf(child => child == node || !IsNestedFunction(child)).Any(child => child switch
    {
        AwaitExpressionSyntax or YieldStatementSyntax => true,
        CommonForEachStatementSyntax loop => loop.AwaitKeyword.IsKind(SyntaxKind.AwaitKeyword),
        UsingStatementSyntax { AwaitKeyword.RawKind: not 0 } => true,
        LocalDeclarationStatementSyntax { AwaitKeyword.RawKind: not 0 } => true,
        _ => false,
    });

    /// <summary>Says whether a node is a lambda, anonymous method or local function: other code than what surrounds it.</summary>
    public static bool IsNestedFunction(SyntaxNode node) => node is AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax;

    /// <summary>Says whether code names one of the given identifiers.</summary>
    public static bool Mentions(SyntaxNode node, ICollection<string> names) =>
        node.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>().Any(name => names.Contains(name.Identifier.ValueText));

    /// <summary>Gets the one variable that a plain declaration gives a value; null where it declares more, or is a using.</summary>
    public static VariableDeclaratorSyntax? OnlyVariable(StatementSyntax? statement) =>
        statement is LocalDeclarationStatementSyntax { UsingKeyword.RawKind: 0, Declaration.Variables: { Count: 1 } variables }
        && variables[0].Initializer is not null ? variables[0] : null;

    /// <summary>Gets the names that later statements could use, and perhaps some of an inner scope.</summary>
    public static IEnumerable<string> DeclaredNames(StatementSyntax statement)
    {
        if (statement is LocalFunctionStatementSyntax function)
        {
            return [function.Identifier.ValueText];
        }

        IEnumerable<string> variables = statement is LocalDeclarationStatementSyntax declaration
            ? declaration.Declaration.Variables.Select(variable => variable.Identifier.ValueText)
            : [];
        return variables.Concat(statement.DescendantNodes(child => !IsNestedFunction(child) && child is not BlockSyntax)
            .OfType<SingleVariableDesignationSyntax>()
            .Select(designation => designation.Identifier.ValueText));
    }
}
