// What patterns tell apart: the kinds of numbers, and a page from none.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

internal sealed partial class Interpreter
{
    private int _number;
    private bool _askedNumber;

    private bool Matches(NumberPattern pattern)
    {
        _askedNumber = true;
        return pattern switch
        {
            NumberPattern.Zero => _number == 0,
            NumberPattern.One => _number == 1,
            NumberPattern.Negative => _number < 0,
            NumberPattern.Many => _number > 1,
            NumberPattern.NotZero => _number != 0,
            _ => _number is 0 or 1,
        };
    }

    private Exit Run(SwitchNumber s)
    {
        Block body = s.Arms.FirstOrDefault(a => Matches(a.Pattern) && (a.When is not { } when || _parameters[when.Index] != when.Negated))?.Body ?? s.Default;
        Exit exit = Run(body);
        return exit == Exit.Break ? Exit.Normal : exit;
    }

    private Exit Run(SwitchBegin s)
    {
        _flags[s.Flag] = Matches(s.Enters) ? Enter(s.Id) : s.Otherwise is { } parameter && _parameters[parameter];
        return Exit.Normal;
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
