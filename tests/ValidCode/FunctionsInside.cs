// Lambdas and local functions that only ever run inside a section.
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class FunctionsInside(Table table)
{
    public int LocalFunction()
    {
        using (table.Epoch.Open())
        {
            return At(0) + At(1);
        }

        int At(int index) => table.Walk(index);
    }

    public int DirectlyCalledLambda()
    {
        using (table.Epoch.Open())
        {
#pragma warning disable IRCU025 // a lambda that captures is what is shown here
            Func<int, int> at = index => table.Walk(index);
#pragma warning restore IRCU025
            return at(0) + at(1);
        }
    }

    public int SynchronousCallback()
    {
        int sum = 0;
        using (table.Epoch.Open())
        {
#pragma warning disable IRCU025 // a lambda that captures is what is shown here
            ForEach(table.Length, index => sum += table.Walk(index));
#pragma warning restore IRCU025
        }

        return sum;
    }

    public int PrivateHelper()
    {
        using (table.Epoch.Open())
        {
            return Both(0, 1);
        }
    }

    private static void ForEach(int count, [RunsSynchronously] Action<int> action)
    {
        for (int i = 0; i < count; i++)
        {
            action(i);
        }
    }

    private int Both(int first, int second) => table.Walk(first) + table.Walk(second);
}
