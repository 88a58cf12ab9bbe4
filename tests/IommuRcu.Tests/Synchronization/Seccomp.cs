// Runs a child whose kernel refuses membarrier: a small C program sets a seccomp filter and becomes the child.
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

/// <summary>A test that needs <c>gcc</c> and Linux on x64; without them it is skipped and says so, unless <c>IOMMURCU_REQUIRE_TOOLS</c> is set.</summary>
public sealed class SeccompFactAttribute : FactAttribute
{
    public SeccompFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Skip = "the filter is for Linux on x64";
        }
        else if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_REQUIRE_TOOLS")) && !Seccomp.HasCompiler)
        {
            Skip = "gcc is not installed";
        }
    }
}

internal static class Seccomp
{
    private const string Launcher = """
        #include <errno.h>
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <sys/prctl.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(int count, char **arguments)
        {
            struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            };
            struct sock_fprog filter = { sizeof code / sizeof *code, code };
            if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
                perror("seccomp");
                return 3;
            }
            execvp(arguments[1], arguments + 1);
            perror(arguments[1]);
            return 4;
        }
        """;

    internal static bool HasCompiler =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(static folder => File.Exists(Path.Combine(folder, "gcc")));

    /// <summary>Runs a class as <see cref="ChildProgram"/> does, under the filter.</summary>
    internal static string RunWithoutMembarrier(Type program)
    {
        string folder = Directory.CreateTempSubdirectory("iommurcu-seccomp-").FullName;
        try
        {
            string source = Path.Combine(folder, "launcher.c");
            string launcher = Path.Combine(folder, "launcher");
            File.WriteAllText(source, Launcher);
            Run("gcc", "-O1", "-o", launcher, source);
            return Run(launcher, "dotnet", "exec", typeof(Seccomp).Assembly.Location, program.FullName!);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Run(string tool, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(tool + " did not end within two minutes.");
        }

        string text = output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{tool} ended with {process.ExitCode}:\n{text}");
    }
}
