// A running QEMU: started with bounded waits, and ended with its parent whatever happens.
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace IommuRcu.Qemu;

/// <summary>
/// A QEMU process whose qtest server is connected. It is killed by <see cref="Dispose"/>, and also when this process dies in any way:
/// a small shell between the two kills it as soon as the pipe from this process closes.
/// </summary>
public sealed class QemuProcess : IDisposable
{
    // $@ is QEMU. The reader of descriptor 3 (the pipe from this process) returns only when that pipe closes, and then kills QEMU.
    private const string Guardian =
        """
        exec 3<&0
        "$@" </dev/null 3<&- & qemu=$!
        ( read -r _ <&3; kill -9 $qemu 2>/dev/null ) & reader=$!
        exec 3<&-
        wait $qemu; status=$?
        kill -9 $reader 2>/dev/null
        exit $status
        """;

    private static readonly TimeSpan _endTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _lastWordsTimeout = TimeSpan.FromSeconds(2);
    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly string _folder;
    private bool _disposed;

    private QemuProcess(Process process, string folder, string name)
    {
        _process = process;
        _folder = folder;
        Name = name;
        Qtest = null!;
    }

    /// <summary>The program's version and path, for messages.</summary>
    public string Name { get; }

    /// <summary>The qtest connection.</summary>
    public QtestConnection Qtest { get; private set; }

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What QEMU wrote to its standard error, so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    /// <summary>Starts QEMU and waits until its qtest server is connected.</summary>
    /// <param name="installation">The program.</param>
    /// <param name="arguments">Its arguments, without those for qtest.</param>
    /// <param name="startTimeout">How long QEMU may take to start.</param>
    /// <param name="answerTimeout">How long QEMU may take to answer one qtest command.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="QemuException">QEMU ended, or did not connect in time; its error output is in the message.</exception>
    public static QemuProcess Start(
        QemuInstallation installation, IEnumerable<string> arguments, TimeSpan startTimeout, TimeSpan answerTimeout)
    {
        ArgumentNullException.ThrowIfNull(installation);
        ArgumentNullException.ThrowIfNull(arguments);
        string folder = Directory.CreateTempSubdirectory("iommurcu-qemu-").FullName;
        string socketPath = Path.Combine(folder, "qtest");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        listener.Listen(1);

        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (string argument in new[] { "-c", Guardian, "sh", installation.ProgramPath, "-qtest", $"unix:{socketPath}", "-qtest-log", "none" })
        {
            start.ArgumentList.Add(argument);
        }
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var qemu = new QemuProcess(Process.Start(start)!, folder, installation.ToString());
        try
        {
            qemu._process.ErrorDataReceived += qemu.Keep;
            qemu._process.OutputDataReceived += qemu.Keep;
            qemu._process.BeginErrorReadLine();
            qemu._process.BeginOutputReadLine();

            long deadline = Environment.TickCount64 + (long)startTimeout.TotalMilliseconds;
            while (!listener.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectRead))
            {
                if (qemu.HasExited)
                {
                    throw new QemuException($"QEMU ended at its start. {qemu.State()}");
                }
                if (Environment.TickCount64 > deadline)
                {
                    throw new QemuException($"Waited {startTimeout.TotalSeconds:0} s for QEMU to connect its qtest server. {qemu.State()}");
                }
            }
            qemu.Qtest = new QtestConnection(listener.Accept(), answerTimeout, qemu.State);
            // Connected: the socket's name is of no more use, and nothing is left behind if this process is killed.
            qemu.RemoveFolder();
            return qemu;
        }
        catch
        {
            qemu.Dispose();
            throw;
        }
    }

    private void RemoveFolder()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private void Keep(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is not null)
        {
            lock (_errors)
            {
                _errors.AppendLine(e.Data);
            }
        }
    }

    // Asked for when something failed: a process that is about to end gets a moment, so that its last words are there.
    private string State()
    {
        using (var moment = new CancellationTokenSource(_lastWordsTimeout))
        {
            try
            {
                _process.WaitForExitAsync(moment.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                // It runs: that is what the text says.
            }
        }
        string errors = Errors;
        string state = _process.HasExited ? $"ended with code {_process.ExitCode}" : "runs";
        return $"{Name} {state}{(errors.Length == 0 ? "." : $"; it wrote: {errors.TrimEnd()}")}";
    }

    /// <summary>Kills QEMU, waits for its end, and removes its files. A second call does nothing.</summary>
    /// <exception cref="QemuException">The process did not end in time.</exception>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        Qtest?.Dispose();
        _process.StandardInput.Close();
        bool ended = _process.WaitForExit(_endTimeout);
        if (!ended)
        {
            _process.Kill(entireProcessTree: true);
            ended = _process.WaitForExit(_endTimeout);
        }
        _process.Dispose();
        RemoveFolder();
        if (!ended)
        {
            throw new QemuException($"Waited {2 * _endTimeout.TotalSeconds:0} s for {Name} to end after it was killed.");
        }
    }
}
