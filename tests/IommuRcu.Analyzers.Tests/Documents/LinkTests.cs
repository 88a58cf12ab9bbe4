// Links between pages lead somewhere, and pages that are read outside the repository have none that need it.
namespace IommuRcu.Analyzers.Tests.Documents;

public class LinkTests
{
    public static TheoryData<string> Pages => [.. Page.WithRules.Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_LeadToFilesAndHeadings(string name)
    {
        Page page = Page.Read(name);
        foreach (string link in page.Links.Where(IsRelative))
        {
            string[] parts = link.Split('#');
            string target = parts[0].Length == 0
                ? page.Name
                : Path.GetRelativePath(RulePage.Repository, Path.Combine(RulePage.Repository, Path.GetDirectoryName(page.Name)!, parts[0])).Replace('\\', '/');
            string path = Path.Combine(RulePage.Repository, target);
            Assert.True(File.Exists(path) || Directory.Exists(path), $"{name} links to {link}, which is not there.");
            if (parts.Length == 2)
            {
                Assert.True(Page.Read(target).Anchors.Contains(parts[1]), $"{name} links to {link}; there is no such heading.");
            }
        }
    }

    [Theory]
    [InlineData("src/IommuRcu/README.md")]
    [InlineData("analyzers/package/README.md")]
    public void PagesOfPackages_HaveNoRelativeLinksAndNoComments(string name)
    {
        // A package gallery neither has the files of the repository nor hides comments.
        Assert.DoesNotContain(Page.Read(name).Links, IsRelative);
        Assert.DoesNotContain("\n<!--", Page.Read(name).Text, StringComparison.Ordinal);
    }

    private static bool IsRelative(string link) => !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith("mailto:", StringComparison.Ordinal);
}
