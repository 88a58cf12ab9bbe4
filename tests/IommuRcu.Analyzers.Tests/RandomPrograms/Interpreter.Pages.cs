// The pages and gathers of one run: each page's place in the order of a free, and what a step out of order is called.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

internal sealed partial class Interpreter
{
    private enum PageState
    {
        Unknown,
        Fresh,
        Published,
        Unlinked,
        Quiescent,
        Gathered,
        Retired,
        Freed,
        Tainted,
    }

    private sealed class Page(PageState state)
    {
        internal PageState State { get; set; } = state;
    }

    private sealed class GatherState
    {
        internal List<Page> Pages { get; } = [];
    }

    private bool TryLink(IfTryLink s)
    {
        bool linked = ChooseOpaquely();
        Page? page = _pages[s.Page];
        if (page is null)
        {
            At(s.Id).Unsettled();
            return linked;
        }

        if (page.State is PageState.Gathered or PageState.Retired or PageState.Freed)
        {
            Judge(s.Id, page, wrong: true, "IRCU044");
            return linked;
        }

        if (page.State is PageState.Tainted)
        {
            At(s.Id).Unsettled();
            return linked;
        }

        // A link that is right on this path counts, or one that is wrong on some would pass for wrong on all.
        At(s.Id).Right(_path);
        if (linked)
        {
            page.State = PageState.Published;
        }

        return linked;
    }

    private Exit Run(Gather s)
    {
        if (Throws())
        {
            return Exit.CallThrew;
        }

        var gather = new GatherState();
        _gathers.Push(gather);
        Exit exit = Run(s.Body);
        _gathers.Pop();
        if (s.Synced && !s.WithUsing && exit == Exit.Normal && Throws())
        {
            exit = Exit.CallThrew;
            gather.Pages.ForEach(p => p.State = PageState.Tainted);
        }

        bool synced = s.WithUsing || (s.Synced && exit == Exit.Normal);
        if (synced)
        {
            foreach (Page page in gather.Pages.Where(p => p.State == PageState.Gathered))
            {
                page.State = PageState.Retired;
            }

            At(s.Id).Right(_path);
        }
        else if (gather.Pages.Count == 0 || exit is Exit.CallThrew or Exit.Abandoned)
        {
            At(s.Id).Unsettled();
        }
        else
        {
            At(s.Id).Wrong(_path, "IRCU045");
        }

        return exit;
    }

    private Exit Run(GatherAdd s)
    {
        Page? page = _pages[s.Page];
        if (page is null)
        {
            At(s.Id).Unsettled();
            return Throws() ? Exit.CallThrew : Exit.Normal;
        }

        switch (page.State)
        {
            case PageState.Published:
                Judge(s.Id, page, wrong: true, "IRCU042");
                break;
            case PageState.Retired or PageState.Freed or PageState.Gathered:
                Judge(s.Id, page, wrong: true, "IRCU043", "IRCU044");
                break;
            case PageState.Tainted:
                At(s.Id).Unsettled();
                break;
            default:
                page.State = PageState.Gathered;
                _gathers.Peek().Pages.Add(page);
                At(s.Id).Right(_path);
                break;
        }

        return Throws(page) ? Exit.CallThrew : Exit.Normal;
    }

    private void Judge(int statement, Page page, bool wrong, params ReadOnlySpan<string> ids)
    {
        if (wrong)
        {
            At(statement).Wrong(_path, ids);
            page.State = PageState.Tainted;
        }
        else
        {
            At(statement).Right(_path);
        }
    }

    /// <summary>
    /// A grace period has passed: what was unlinked before it is quiescent, if it was waited for outside any section. A page that came in from outside
    /// and that this run never saw published may have been unlinked before it came.
    /// </summary>
    private void Waited()
    {
        bool sound = _sections.Depth == 0 && !_sections.Tainted && !_inLambda;
        foreach (Page page in _pages.OfType<Page>().Where(p => p.State is PageState.Unlinked or PageState.Unknown))
        {
            page.State = sound ? PageState.Quiescent : PageState.Tainted;
        }
    }

    private Exit OnPage(int statement, Operation operation, Page? page)
    {
        if (page is null)
        {
            At(statement).Unsettled();   // what becomes of no page is not judged
            return operation != Operation.FollowPage && Throws() ? Exit.CallThrew : Exit.Normal;
        }

        bool gone = page.State is PageState.Gathered or PageState.Retired or PageState.Freed;
        if (page.State == PageState.Tainted)
        {
            At(statement).Unsettled();
        }
        else if (gone && _sections.Depth > 0 && operation is Operation.UsePage or Operation.FollowPage)
        {
            At(statement).Unsettled();   // fine when the section is older than the retirement
        }
        else
        {
            Settled(statement, operation, page, gone);
        }

        return operation != Operation.FollowPage && Throws(operation == Operation.UsePage ? null : page) ? Exit.CallThrew : Exit.Normal;
    }

    private void Settled(int statement, Operation operation, Page page, bool gone)
    {
        PageState before = page.State;
        switch (operation)
        {
            case Operation.UsePage or Operation.FollowPage:
                Judge(statement, page, gone, "IRCU044");
                break;
            case Operation.Link:
                Judge(statement, page, gone, "IRCU044");
                page.State = gone ? PageState.Tainted : PageState.Published;
                break;
            case Operation.Unlink:
                if (gone || before == PageState.Fresh)
                {
                    At(statement).Unsettled();
                    page.State = PageState.Tainted;
                }
                else
                {
                    At(statement).Right(_path);
                    page.State = PageState.Unlinked;
                }

                break;
            case Operation.Free:
                if (gone)
                {
                    Judge(statement, page, true, before == PageState.Gathered ? ["IRCU041", "IRCU040"] : ["IRCU043", "IRCU044", "IRCU040"]);
                }
                else
                {
                    Judge(statement, page, before is PageState.Unknown or PageState.Published or PageState.Unlinked, "IRCU040");
                    page.State = page.State == PageState.Tainted ? PageState.Tainted : PageState.Freed;
                }

                break;
            case Operation.Retire:
                if (gone)
                {
                    Judge(statement, page, true, before == PageState.Gathered ? ["IRCU041"] : ["IRCU043", "IRCU044"]);
                }
                else
                {
                    Judge(statement, page, before is PageState.Published, "IRCU042");
                    page.State = page.State == PageState.Tainted ? PageState.Tainted : PageState.Retired;
                }

                break;
        }
    }
}
