// How large a body may be: everyday ones are analysed to the end, and what is too large is said to be, once.
using System.Text;

namespace IommuRcu.Analyzers.Tests.Flow;

public sealed class BodySizeTests
{
    public static TheoryData<int, int> Grid
    {
        get
        {
            var grid = new TheoryData<int, int>();
            foreach (int usings in new[] { 0, 2, 5, 8, 12 })
            {
                foreach (int loops in new[] { 0, 1, 2, 4, 6 })
                {
                    grid.Add(usings, loops);
                }
            }

            return grid;
        }
    }

    [Theory]
    [MemberData(nameof(Grid))]
    public Task UsingsAndLoops_AreAnalysed(int usings, int loops)
    {
        var body = new StringBuilder("static IDisposable Make() => null; void M(List<int> list, bool flag) {\n");
        for (int i = 0; i < usings; i++)
        {
            body.AppendLine($"using var held{i} = Make(); list.Add({i}); if (flag) {{ list.Clear(); }}");
        }

        for (int i = 0; i < loops; i++)
        {
            body.AppendLine($"foreach (var item{i} in list) {{ if (item{i} > 3) {{ list.Add(item{i}); continue; }} list.Remove(item{i});");
        }

        body.AppendLine("using (Rcu.ReadLock()) { table.Walk(); }");
        body.AppendLine("{|IRCU001:table.Walk()|};");
        return RuleTest.Members(body.Append('}', loops + 1).ToString());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    public Task ManyLambdas_AreAnalysed(int lambdas)
    {
        var body = new StringBuilder("void M(List<int> list) { using var held = new MemoryPool();\n");
        for (int i = 0; i < lambdas; i++)
        {
            body.AppendLine($"Run.Later(() => {{ using (Rcu.ReadLock()) {{ {{|IRCU020:Rcu.Synchronize()|}}; }} foreach (int x in list) {{ {{|IRCU001:table.Walk(x)|}}; }} }});");
        }

        return RuleTest.Members(body.Append("} sealed class MemoryPool : IDisposable { public void Dispose() { } }").ToString());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40)]
    public Task NestedTryBlocks_AreAnalysed(int depth)
    {
        var body = new StringBuilder("void M(List<int> list) {\n");
        for (int i = 0; i < depth; i++)
        {
            body.AppendLine(i % 2 == 0 ? "try { list.Add(1);" : "try { list.Add(2); epoch.Enter(); list.Add(3);");
        }

        body.AppendLine("epoch.Touch();");
        for (int i = depth - 1; i >= 0; i--)
        {
            body.AppendLine(i % 2 == 0 ? "} finally { list.Clear(); }" : "} catch (InvalidOperationException) { list.Add(4); } epoch.Exit();");
        }

        return RuleTest.Members("#pragma warning disable IRCU039, IRCU008, IRCU032, IRCU033\n" + body.Append('}'));
    }

    [Fact]
    public Task TooManyBranches_AreSaidOnce()
    {
        var body = new StringBuilder("void {|IRCU095:M|}(int a) { table.TryFind(a); using (Rcu.ReadLock()) { }\n");
        for (int i = 0; i < 400; i++)
        {
            body.AppendLine($"if (a == {i}) {{ a += {i}; }}");
        }

        return RuleTest.Members(body.Append('}').ToString());
    }
}
