// liburcu as a peer: our small C program, compiled here, that runs a round for each line it is sent.
using System.Diagnostics;
using System.Globalization;
using IommuRcu.Benchmarks.Measuring;

namespace IommuRcu.Benchmarks.Peers;

/// <summary>The child process that measures liburcu. Absent where gcc or liburcu is.</summary>
internal sealed class Liburcu : IDisposable
{
    private static readonly TimeSpan _timeLimit = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly string _folder;

    private Liburcu(Process process, string folder)
    {
        _process = process;
        _folder = folder;
    }

    /// <summary>Compiles and starts it.</summary>
    /// <param name="reason">Why there is none.</param>
    /// <returns>Null where it cannot be had.</returns>
    public static Liburcu? TryStart(out string reason)
    {
        string folder = Directory.CreateTempSubdirectory("iommurcu-liburcu-").FullName;
        string program = Path.Combine(folder, "peer");
        try
        {
            string source = Path.Combine(AppContext.BaseDirectory, "Peers", "liburcu_peer.c");
            using Process? gcc = Process.Start(new ProcessStartInfo(
                "gcc", ["-O2", "-D_LGPL_SOURCE", "-pthread", "-o", program, source, "-lurcu-memb", "-lurcu-bp"]) { RedirectStandardError = true });
            string error = gcc!.StandardError.ReadToEnd();
            if (!gcc.WaitForExit(_timeLimit) || gcc.ExitCode != 0)
            {
                reason = "gcc could not compile against liburcu (is liburcu-dev installed?): " + error.Split('\n')[0];
                Directory.Delete(folder, recursive: true);
                return null;
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            reason = "gcc is not installed";
            Directory.Delete(folder, recursive: true);
            return null;
        }

        reason = "";
        var process = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        return new Liburcu(process, folder);
    }

    /// <summary>A contender of which each round is one line to the child.</summary>
    public Contender Contender(string name, string command) => new Remote(this, name, command);

    public void Dispose()
    {
        _process.StandardInput.Close(); // it ends at the end of its input
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            _process.Kill();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private double Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        Task<string?> answer = _process.StandardOutput.ReadLineAsync();
        if (!answer.Wait(_timeLimit) || answer.Result is null)
        {
            throw new InvalidOperationException("The liburcu program gave no answer to: " + command);
        }

        return double.Parse(answer.Result, CultureInfo.InvariantCulture);
    }

    private sealed class Remote(Liburcu liburcu, string name, string command) : Contender(name)
    {
        public override void Round(Span<double> ns) => ns[0] = liburcu.Ask(command);
    }
}
