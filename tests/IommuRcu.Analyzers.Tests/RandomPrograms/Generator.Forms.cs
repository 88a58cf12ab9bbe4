// Draws locks, patterns and labels.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

internal sealed partial class Generator
{
    // The patterns of a switch; none may be covered by those before it, or the compiler objects.
    private static readonly NumberPattern[][] _switches =
    [
        [NumberPattern.Zero, NumberPattern.One],
        [NumberPattern.Negative, NumberPattern.ZeroOrOne],
        [NumberPattern.Many],
        [NumberPattern.One, NumberPattern.NotZero],
        [NumberPattern.Negative, NumberPattern.Many, NumberPattern.Zero],
        [NumberPattern.Between],
    ];

    private int _labels;

    private Condition.Parameter AnyParameter() => new(_random.Next(RandomProgram.Parameters), _random.Next(2) == 0, _random.Next(4) == 0);

    private NumberPattern AnyNumber() => (NumberPattern)_random.Next(Enum.GetValues<NumberPattern>().Length);

    private Condition.Pair AnyPair()
    {
        int first = _random.Next(RandomProgram.Parameters);
        int second = (first + 1 + _random.Next(RandomProgram.Parameters - 1)) % RandomProgram.Parameters;
        return new(first, _random.Next(2) == 0, second, _random.Next(2) == 0, _random.Next(3) == 0);
    }

    private Statement AnyLocked(Scope scope)
    {
        int gate = _random.Next(RandomProgram.Gates);
        Scope inside = scope with { Stays = true };
        if (_random.Next(5) == 0)
        {
            return new IfTryLock(gate, WithUpdate(gate, inside), Small(scope));
        }

        LockForm form = _random.Next(6) switch
        {
            0 => LockForm.ByHand,
            1 => LockForm.WithFinally,
            2 => LockForm.Aliased,
            3 when gate == 0 => LockForm.Taken,
            3 when scope.Kind == BodyKind.Plain => LockForm.Scope,
            _ => LockForm.Statement,
        };
        return new Locked(gate, form, WithUpdate(gate, inside));
    }

    /// <summary>A lock is held for something, as a rule.</summary>
    private Block WithUpdate(int gate, Scope scope)
        => _random.Next(3) == 0 ? Small(scope) : new Block([.. Middle(scope), new Do(_random.Next(4) == 0 ? Operation.Scan : Operation.Update, gate)]);

    /// <summary>Take and give tied by a flag or by a parameter asked twice.</summary>
    private Block TiedLock(Scope scope)
    {
        int gate = _random.Next(RandomProgram.Gates);
        Scope inside = scope with { Stays = true, TiesLock = true };
        Condition.Parameter parameter = AnyParameter();
        bool byFlag = _random.Next(2) == 0;
        Condition held = byFlag ? new Condition.Flag(RandomProgram.LockFlag, false) : parameter;
        return new Block(
        [
            byFlag ? new TryLock(gate, RandomProgram.LockFlag) : new If(parameter, new Block([new Do(Operation.TakeLock, gate)]), new Block([])),
            .. Middle(inside),
            .. _random.Next(3) == 0 ? [] : new Statement[] { new If(held, new Block([new Do(Operation.Update, gate)]), new Block([])) },
            .. Middle(inside),
            new If(held, new Block([new Do(Operation.GiveLock, gate)]), new Block([])),
        ]);
    }

    /// <summary>A page comes out of the table; most often it is waited for, and freed.</summary>
    private IfTaken Take(Scope scope)
    {
        int page = AnyPage();
        var form = (TakeForm)_random.Next(Enum.GetValues<TakeForm>().Length);
        Block then = _random.Next(3) switch
        {
            0 => Small(scope),
            1 => new Block([.. Middle(scope), new Do(Operation.Retire, page)]),
            _ => new Block([.. Middle(scope), .. _random.Next(4) == 0 ? [] : new Statement[] { new Do(Operation.Wait) }, new Do(Operation.Free, page)]),
        };
        return new IfTaken(page, form, then, _random.Next(2) == 0 ? Small(scope) : new Block([]));
    }

    private SwitchNumber AnySwitch(Scope scope)
    {
        NumberPattern[] patterns = _switches[_random.Next(_switches.Length)];
        List<NumberArm> arms = [.. patterns.Select(p => new NumberArm(p, null, Small(scope)))];
        if (_random.Next(3) == 0)
        {
            arms.Insert(0, new NumberArm(patterns[0], AnyParameter(), Small(scope)));
        }

        return new SwitchNumber(arms, Small(scope));
    }

    /// <summary>A switch expression decides whether a section is opened. No flag keeps what it has decided.</summary>
    private IfSwitchBegin EnteredBySwitch(Scope scope)
        => new(AnyNumber(), _random.Next(4) > 0 ? new Block([.. Middle(scope), new Do(Operation.End)]) : Small(scope), Small(scope));

    /// <summary>A block with a label behind it, or before it. Whether to go back is nobody's to know, so that every loop may end.</summary>
    private Statement AnyLabel(Scope scope)
    {
        int label = ++_labels;
        bool isBack = !scope.InLambda && _random.Next(3) == 0;
        Scope inside = isBack ? scope : scope.Labelled(label);
        Block body = _random.Next(3) == 0
            ? Small(inside)
            : new Block(
            [
                .. Middle(inside),
                new If(isBack ? new Condition.Opaque() : AnyCondition(inside), new Block([.. Middle(inside.Deeper), new Goto(label)]), new Block([])),
                .. Small(inside).Body,
            ]);
        return isBack ? new Again(label, body) : new Labelled(label, body);
    }

    private Goto? AnyJump(Scope scope) => scope.Labels.IsEmpty ? null : new Goto(scope.Labels[_random.Next(scope.Labels.Length)]);
}
