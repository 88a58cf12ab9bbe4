// Several qtest commands in one round trip.
using System.Globalization;
using System.Text;

namespace IommuRcu.Qemu;

/// <summary>Collects qtest commands, and sends them together. Not safe for use by several threads at once.</summary>
public sealed class QtestBatch
{
    private readonly QtestConnection _connection;
    private readonly StringBuilder _lines = new();

    internal QtestBatch(QtestConnection connection) => _connection = connection;

    /// <summary>Commands collected so far.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a 32-bit read; its value is the answer at the returned index.</summary>
    public int Read32(ulong address) => Add($"readl 0x{address:x}\n");

    /// <summary>Adds a 64-bit read; its value is the answer at the returned index.</summary>
    public int Read64(ulong address) => Add($"readq 0x{address:x}\n");

    /// <summary>Adds a 32-bit write.</summary>
    public int Write32(ulong address, uint value) => Add($"writel 0x{address:x} 0x{value:x}\n");

    /// <summary>Adds a 64-bit write.</summary>
    public int Write64(ulong address, ulong value) => Add($"writeq 0x{address:x} 0x{value:x}\n");

    /// <summary>Adds a 32-bit read of an x86 port; its value is the answer at the returned index.</summary>
    public int In32(ushort port) => Add($"inl 0x{port:x}\n");

    /// <summary>Adds a 32-bit write to an x86 port.</summary>
    public int Out32(ushort port, uint value) => Add($"outl 0x{port:x} 0x{value:x}\n");

    /// <summary>Sends what was collected, waits for all answers, and empties the batch.</summary>
    /// <returns>One answer a command, 0 for writes.</returns>
    /// <exception cref="QemuException">QEMU refused a command, ended, or did not answer in time.</exception>
    public ulong[] Run()
    {
        if (Count == 0)
        {
            return [];
        }
        var answers = new ulong[Count];
        _connection.Exchange(_lines.ToString(), answers);
        _lines.Clear();
        Count = 0;
        return answers;
    }

    private int Add(FormattableString line)
    {
        _lines.Append(line.ToString(CultureInfo.InvariantCulture));
        return Count++;
    }
}
