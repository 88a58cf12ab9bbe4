// The entry point of the test assembly run as a program of its own: a test that needs a fresh process starts one with the name of a class.
using System.Diagnostics;

namespace IommuRcu.Tests;

/// <summary>Runs <c>static void Run()</c> of the class named by the first argument, or starts a process that does.</summary>
internal static class ChildProgram
{
    private static readonly TimeSpan _timeLimit = TimeSpan.FromMinutes(2);

    /// <summary>Runs a class in a child process and waits for it.</summary>
    /// <param name="program">A class of this assembly with a <c>static void Run()</c>.</param>
    /// <param name="environment">Set for the child on top of what this process has.</param>
    /// <returns>What it printed on both streams.</returns>
    /// <exception cref="InvalidOperationException">It ended with another exit code than 0.</exception>
    /// <exception cref="TimeoutException">It did not end within two minutes.</exception>
    public static string Run(Type program, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ChildProgram).Assembly.Location);
        start.ArgumentList.Add(program.FullName!);
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(_timeLimit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program.FullName} did not end within {_timeLimit}.");
        }

        string text = output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{program.FullName} ended with {process.ExitCode}:\n{text}");
    }

    private static int Main(string[] arguments)
    {
        if (arguments.Length == 1 && Type.GetType(arguments[0])?.GetMethod("Run", []) is { } run)
        {
            run.CreateDelegate<Action>()();
            return 0;
        }

        Console.Error.WriteLine("Run the tests with 'dotnet test'.");
        return 2;
    }
}
