// What patterns tell apart: the kinds of numbers, and a page from none.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

internal sealed partial class Interpreter
{
    private int _number;
    private bool _askedNumber;

    // A second question about one number depends on the first: what hangs on both is not owed.
    private void AskNumber(params IEnumerable<NumberPattern> question)
    {
        _askedNumber = true;
        string asked = string.Join(' ', question);
        _path.ChoseOpaquely |= _path.Question is { } before && before != asked;
        _path.Question ??= asked;
    }

    private bool Matches(NumberPattern pattern)
    {
        AskNumber(pattern);
        return Fits(pattern);
    }

    private bool Fits(NumberPattern pattern) => pattern switch
    {
        NumberPattern.Zero => _number == 0,
        NumberPattern.One => _number == 1,
        NumberPattern.Negative => _number < 0,
        NumberPattern.Many => _number > 1,
        NumberPattern.NotZero => _number != 0,
        _ => _number is 0 or 1,
    };

    private int Select(Selected s)
    {
        AskNumber(NumberPattern.Zero, NumberPattern.One);
        return _number switch { 0 => s.Zero, 1 => s.One, _ => s.Rest };
    }

    private Exit Run(SwitchNumber s)
    {
        AskNumber(s.Arms.Select(static a => a.Pattern));
        Block body = s.Arms.FirstOrDefault(a => Fits(a.Pattern) && (a.When is not { } when || _parameters[when.Index] != when.Negated))?.Body ?? s.Default;
        Exit exit = Run(body);
        return exit == Exit.Break ? Exit.Normal : exit;
    }

    private Exit Run(IfTaken s)
    {
        if (Throws())
        {
            return Exit.CallThrew;
        }

        bool taken = ChooseOpaquely();
        if (taken || s.Form == TakeForm.Assigned)
        {
            _pages[s.Page] = taken ? new Page(PageState.Unlinked) : null;
        }

        Exit exit = Run(taken ? s.Then : s.Else);
        return exit == Exit.Break && s.IsSwitch ? Exit.Normal : exit;
    }
}
