// The qtest protocol: reads and writes of guest physical memory and ports, as text lines over a socket.
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace IommuRcu.Qemu;

/// <summary>
/// A connection to QEMU's qtest server. Commands can be collected in a <see cref="QtestBatch"/> and sent together: one round trip for
/// any number of them. QEMU runs them in order, each complete before the next. Safe from any thread: batches do not mix.
/// </summary>
public sealed class QtestConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly Func<string> _state;
    private readonly Lock _lock = new();
    private readonly byte[] _received = new byte[1 << 16];
    private int _receivedStart;
    private int _receivedEnd;
    private bool _broken;

    /// <summary>Takes over a connected socket.</summary>
    /// <param name="socket">The socket; closed by <see cref="Dispose"/>.</param>
    /// <param name="timeout">How long one command may take to be answered.</param>
    /// <param name="state">Describes the process at the other end, for error messages.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public QtestConnection(Socket socket, TimeSpan timeout, Func<string> state)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(state);
        _socket = socket;
        _state = state;
        _socket.ReceiveTimeout = (int)timeout.TotalMilliseconds;
        _socket.SendTimeout = (int)timeout.TotalMilliseconds;
    }

    /// <summary>Starts a batch of commands.</summary>
    public QtestBatch Batch() => new(this);

    /// <summary>Reads a byte of guest physical memory.</summary>
    public byte ReadByte(ulong address) => (byte)One($"readb 0x{address:x}");

    /// <summary>Reads 32 bits of guest physical memory or of a device's registers.</summary>
    public uint Read32(ulong address) => (uint)One($"readl 0x{address:x}");

    /// <summary>Reads 64 bits of guest physical memory or of a device's registers.</summary>
    public ulong Read64(ulong address) => One($"readq 0x{address:x}");

    /// <summary>Writes 32 bits to guest physical memory or to a device's registers.</summary>
    public void Write32(ulong address, uint value) => One($"writel 0x{address:x} 0x{value:x}");

    /// <summary>Writes 64 bits to guest physical memory or to a device's registers.</summary>
    public void Write64(ulong address, ulong value) => One($"writeq 0x{address:x} 0x{value:x}");

    /// <summary>Reads 32 bits from an x86 port.</summary>
    public uint In32(ushort port) => (uint)One($"inl 0x{port:x}");

    /// <summary>Writes 32 bits to an x86 port.</summary>
    public void Out32(ushort port, uint value) => One($"outl 0x{port:x} 0x{value:x}");

    private ulong One(FormattableString command)
    {
        Span<ulong> answer = stackalloc ulong[1];
        Exchange(command.ToString(CultureInfo.InvariantCulture) + "\n", answer);
        return answer[0];
    }

    // Sends the lines and reads one answer for each, under the lock, so that answers meet their commands.
    internal void Exchange(string lines, Span<ulong> answers)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(lines);
        lock (_lock)
        {
            if (_broken)
            {
                throw new QemuException($"The qtest connection failed before. {_state()}");
            }
            try
            {
                // QEMU answers while it reads: with both socket buffers full neither side would go on, so large batches go in pieces.
                const int Piece = 8192;
                int sent = 0, asked = 0, answered = 0;
                while (sent < bytes.Length)
                {
                    int end = Math.Min(bytes.Length, sent + Piece);
                    if (end < bytes.Length)
                    {
                        end = Array.LastIndexOf(bytes, (byte)'\n', end - 1, end - sent) + 1;
                    }
                    for (int i = sent; i < end; i++)
                    {
                        asked += bytes[i] == '\n' ? 1 : 0;
                    }
                    while (sent < end)
                    {
                        sent += _socket.Send(bytes, sent, end - sent, SocketFlags.None);
                    }
                    while (answered < asked)
                    {
                        answers[answered++] = ReadAnswer();
                    }
                }
            }
            catch (SocketException e)
            {
                _broken = true;
                throw new QemuException($"Waited for QEMU to answer '{lines.AsSpan(0, lines.IndexOf('\n'))}': {e.Message}. {_state()}", e);
            }
            catch (QemuException)
            {
                _broken = true;
                throw;
            }
        }
    }

    private ulong ReadAnswer()
    {
        while (true)
        {
            ReadOnlySpan<byte> line = ReadLine();
            if (line.StartsWith("IRQ "u8))
            {
                continue;
            }
            if (!line.StartsWith("OK"u8))
            {
                throw new QemuException($"QEMU answered '{Encoding.ASCII.GetString(line)}'. {_state()}");
            }
            line = line[2..].Trim((byte)' ');
            if (line.IsEmpty)
            {
                return 0;
            }
            string text = Encoding.ASCII.GetString(line);
            return text.StartsWith("0x", StringComparison.Ordinal)
                ? ulong.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : 0;
        }
    }

    private ReadOnlySpan<byte> ReadLine()
    {
        while (true)
        {
            ReadOnlySpan<byte> rest = _received.AsSpan(_receivedStart, _receivedEnd - _receivedStart);
            int newline = rest.IndexOf((byte)'\n');
            if (newline >= 0)
            {
                _receivedStart += newline + 1;
                return rest[..newline].TrimEnd((byte)'\r');
            }
            rest.CopyTo(_received);
            (_receivedStart, _receivedEnd) = (0, rest.Length);
            int count = _socket.Receive(_received, _receivedEnd, _received.Length - _receivedEnd, SocketFlags.None);
            if (count == 0)
            {
                throw new QemuException($"QEMU closed the qtest connection. {_state()}");
            }
            _receivedEnd += count;
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _socket.Dispose();
}
