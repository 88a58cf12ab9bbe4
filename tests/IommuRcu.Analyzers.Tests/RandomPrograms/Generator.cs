// Makes random method bodies from a seed. What the compiler would reject is never made; what the discipline forbids often is.
using System.Collections.Immutable;

namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <summary>Draws programs from the grammar.</summary>
internal sealed partial class Generator(int seed)
{
    private readonly Random _random = new(seed);

    /// <param name="Depth">How deep in blocks.</param>
    /// <param name="InLoop">Whether there is a loop to break or continue.</param>
    /// <param name="InLambda">Whether this is the body of a lambda.</param>
    /// <param name="InFinally">Whether a finally is not to be left.</param>
    /// <param name="InGather">Whether there is a gather to add to.</param>
    /// <param name="Kind">What the body is to the compiler.</param>
    /// <param name="Stays">Whether the compiler, or what is tied together around it, forbids to suspend the method here.</param>
    /// <param name="TiesLock">Whether the flag for locks is taken.</param>
    /// <param name="Labels">The labels that may be jumped to, the last ones last.</param>
    private readonly record struct Scope(
        int Depth, bool InLoop, bool InLambda, bool InFinally, bool InGather, BodyKind Kind, bool Stays, bool TiesLock, ImmutableArray<int> Labels)
    {
        internal Scope Deeper => this with { Depth = Depth + 1 };

        internal Scope Lambda => this with { InLambda = true, InLoop = false, InGather = false, InFinally = false, Stays = true, Labels = [] };

        internal Scope Labelled(int label) => this with { Labels = Labels.Add(label) };
    }

    /// <summary>Returns the next program.</summary>
    internal RandomProgram Next()
    {
        BodyKind kind = _random.Next(6) switch { 0 => BodyKind.Async, 1 => BodyKind.Iterator, _ => BodyKind.Plain };
        return new(Body(new Scope { Kind = kind, Stays = kind == BodyKind.Plain, Labels = [] }, 3 + _random.Next(6)), kind, kind == BodyKind.Plain && _random.Next(3) == 0);
    }

    private Block Body(Scope scope, int length)
    {
        var statements = new List<Statement>();
        for (int i = 0; i < length; i++)
        {
            Statement statement = Any(scope);
            statements.Add(statement);
            if (statement.LeavesBlock)
            {
                break;
            }
        }

        return new Block(statements);
    }

    private Block Small(Scope scope) => Body(scope.Deeper, 1 + _random.Next(3));

    /// <summary>A few statements that others can follow.</summary>
    private Statement[] Middle(Scope scope) => [.. Small(scope).Body.TakeWhile(static s => !s.LeavesBlock)];

    private Statement Any(Scope scope)
    {
        if (scope.Depth >= 4 || _random.Next(100) < 55)
        {
            return Simple(scope);
        }

        switch (_random.Next(30))
        {
            case 0:
            case 1:
                return new Using(_random.Next(2) == 0, Small(scope));
            case 2:
                return new UsingDeclaration(Small(scope));
            case 3:
                return new GuardWithFinally(Small(scope));
            case 4:
                return new GuardByHand(Small(scope), scope.InLambda ? 1 : _random.Next(8) switch { 0 => 0, 1 => 2, _ => 1 });
            case 5 when !scope.InLambda:
                return new IfTryBegin(
                    _random.Next(3) > 0 ? new Block([.. Middle(scope), new Do(Operation.End)]) : Small(scope),
                    Small(scope));
            case 6 when !scope.InLambda:
                return new IfTryLink(AnyPage(), Small(scope), _random.Next(2) == 0 ? new Block([new Do(Operation.Free, AnyPage())]) : Small(scope));
            case 7 when !scope.InLambda:
                return Correlated(scope);
            case 8:
            case 9:
                return new If(AnyCondition(scope), Small(scope), _random.Next(2) == 0 ? Small(scope) : new Block([]));
            case 10:
                return new While(Small(scope with { InLoop = true }));
            case 11:
                return new Switch([Small(scope), Small(scope), Small(scope)]);
            case 12:
            case 13:
                return AnyTry(scope);
            case 14:
                return _random.Next(2) == 0 ? new RunNow(Small(scope.Lambda)) : new RunLater(Small(scope.Lambda));
            case 15 when !scope.InLambda:
                return new Gather(_random.Next(2) == 0, Small(scope with { InGather = true }), _random.Next(4) > 0);
            case 16 or 17 or 18:
                return AnyLocked(scope);
            case 19 when !scope.TiesLock && !scope.InLambda:
                return TiedLock(scope);
            case 20 or 21 when !scope.InLambda:
                return Take(scope);
            case 22:
                return AnySwitch(scope);
            case 23 when !scope.InLambda:
                return EnteredBySwitch(scope);
            case 24 or 25 or 26:
                return AnyLabel(scope);
            case 27 when !scope.InLambda && scope.Kind == BodyKind.Plain:
                return new Reference((VariableKind)_random.Next(3), _random.Next(2), Small(scope));
            default:
                return PageLife(scope);
        }
    }

    private Try AnyTry(Scope scope)
    {
        int form = _random.Next(3);

        // The compiler does not let an iterator yield where a handler is near, nor in a finally.
        Scope near = scope.Kind == BodyKind.Iterator ? scope with { Stays = true } : scope;
        return new Try(
            Small(form != 0 ? near : scope),
            form != 0 ? Small(near) : null,
            form != 1 ? Small(near with { InFinally = true, InLoop = false, Labels = [] }) : null);
    }

    /// <summary>Enter and exit tied by a flag or by a parameter asked twice.</summary>
    private Block Correlated(Scope scope)
    {
        int flag = _random.Next(RandomProgram.Flags);
        Statement[] middle = Middle(scope);
        switch (_random.Next(3))
        {
            case 0:
                return new Block([new TryBegin(flag), .. middle, new If(new Condition.Flag(flag, Negated: false), new Block([new Do(Operation.End)]), new Block([]))]);
            case 1:
                int parameter = _random.Next(RandomProgram.Parameters);
                return new Block(
                [
                    new If(new Condition.Parameter(parameter, false), new Block([new Do(Operation.Begin)]), new Block([])),
                    .. middle,
                    new If(new Condition.Parameter(parameter, _random.Next(8) == 0), new Block([new Do(Operation.End)]), new Block([])),
                ]);
            default:
                return new Block(
                [
                    new SetFlag(flag, false),
                    new If(AnyCondition(scope), new Block([new Do(Operation.Begin), new SetFlag(flag, true)]), new Block([])),
                    .. middle,
                    new If(new Condition.Flag(flag, false), new Block([new Do(Operation.End)]), new Block([])),
                ]);
        }
    }

    /// <summary>A page's life in the right order, with now and then a step left out.</summary>
    private Block PageLife(Scope scope)
    {
        if (scope.InLambda)
        {
            return new Block([Simple(scope)]);
        }

        int page = AnyPage();
        Statement[] life = _random.Next(3) switch
        {
            0 => [new Do(Operation.Link, page), new Do(Operation.Unlink, page), new Do(Operation.Wait), new Do(Operation.Free, page)],
            1 => [new Do(Operation.Link, page), new Do(Operation.Unlink, page), new Do(Operation.Retire, page)],
            _ => [new Do(Operation.Link, page), new Do(Operation.Unlink, page), scope.InGather ? new GatherAdd(page) : new Gather(true, new Block([new GatherAdd(page)]), false)],
        };
        return new Block([.. life.Where(_ => _random.Next(10) > 0)]);
    }

    private Condition AnyCondition(Scope scope) => _random.Next(12) switch
    {
        0 or 1 or 2 or 3 => AnyParameter(),
        4 => new Condition.Number(AnyNumber(), _random.Next(3) == 0),
        5 => AnyPair(),
        6 or 7 or 8 when !scope.InLambda => new Condition.Flag(_random.Next(RandomProgram.Flags), _random.Next(2) == 0, _random.Next(4) == 0),
        _ => new Condition.Opaque(),
    };

    private int AnyPage() => _random.Next(RandomProgram.Pages);

    private Statement Simple(Scope scope)
    {
        if (scope.InLambda)
        {
            return _random.Next(8) switch
            {
                0 or 1 => new Do(Operation.Wait),
                2 => new Do(Operation.Block),
                3 => new Do(Operation.Update, _random.Next(RandomProgram.Gates)),
                4 => AnyJump(scope) ?? (Statement)new Do(Operation.Scan),
                _ => new Do(Operation.Walk),
            };
        }

        if (!scope.Stays && _random.Next(6) == 0)
        {
            return new Do(scope.Kind == BodyKind.Async && _random.Next(3) == 0 ? Operation.WaitAsync : Operation.Suspend);
        }

        switch (_random.Next(32))
        {
            case 0 or 1 or 2 or 3 or 4:
                return new Do(Operation.Walk);
            case 5:
                return new Do(Operation.Wait);
            case 6:
                return new Do(Operation.Block);
            case 7 or 8:
                return new Block([new Do(Operation.Begin), .. Body(scope with { Depth = 9 }, 2).Body.TakeWhile(static s => !s.LeavesBlock), new Do(Operation.End)]);
            case 9:
                return new Do(_random.Next(2) == 0 ? Operation.Begin : Operation.End);
            case 10 or 11:
                return new Do(Operation.Other);
            case 12 or 13:
                return new Do(Operation.ReadValue, _random.Next(RandomProgram.Values));
            case 14 or 15:
                return new Do(_random.Next(3) == 0 ? Operation.FollowValue : Operation.UseValue, _random.Next(RandomProgram.Values));
            case 16:
                return new Do(Operation.CopyValue, 0, 1);
            case 17:
                return new Do(Operation.Allocate, AnyPage());
            case 18:
                return new Do(Operation.AliasPage, AnyPage(), AnyPage());
            case 19:
                return new Do(_random.Next(2) == 0 ? Operation.Link : Operation.Unlink, AnyPage());
            case 20:
                return new Do(_random.Next(3) == 0 ? Operation.FollowPage : Operation.UsePage, AnyPage());
            case 21:
                return new Do(_random.Next(3) == 0 ? Operation.Retire : Operation.Free, AnyPage());
            case 22 when scope.InGather:
                return new GatherAdd(AnyPage());
            case 23 when !scope.InFinally && scope.Depth > 0:
                return _random.Next(3) == 0 ? new Throw() : new Return();
            case 24 when scope.InLoop && !scope.InFinally:
                return _random.Next(2) == 0 ? new Break() : new Continue();
            case 25 or 26:
                return new Do(Operation.Update, _random.Next(RandomProgram.Gates));
            case 27:
                return new Do(Operation.Scan);
            case 28:
                return new Selected(_random.Next(3) switch { 0 => Operation.Free, 1 => Operation.Retire, _ => Operation.UsePage }, AnyPage(), AnyPage(), AnyPage());
            case 29 or 30 when AnyJump(scope) is { } jump:
                return jump;
            default:
                return new SetFlag(_random.Next(RandomProgram.Flags), _random.Next(2) == 0);
        }
    }
}
