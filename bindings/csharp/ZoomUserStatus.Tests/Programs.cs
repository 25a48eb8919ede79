using System.Diagnostics;
using System.Runtime.InteropServices;

/// <summary>Other programs, as a person runs them.</summary>
internal static class Programs
{
    public sealed record Ended(int Status, string Output, string Error)
    {
        public string All => Output + Error;
    }

    /// <summary>Runs a program. A variable that is null is removed from its environment. It starts with Ctrl-C heard, whatever this process does.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "",
        };
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("ZOOM_", StringComparison.Ordinal) || k is "LD_LIBRARY_PATH" or "ZUS_LIBRARY").ToArray())
            start.Environment.Remove(name);
        foreach ((string name, string? value) in variables ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static async Task<Ended> End(Process process, string input = "")
    {
        using (process)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            try { await process.WaitForExitAsync(limit.Token); }
            catch (OperationCanceledException) { process.Kill(entireProcessTree: true); throw new TimeoutException(process.StartInfo.FileName + " doesn't end"); }
            return new Ended(process.ExitCode, await output, await error);
        }
    }

    public static Task<Ended> Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null, string? folder = null, string input = "") =>
        End(Start(program, arguments, variables, folder), input);

    /// <summary>The dotnet that runs these tests.</summary>
    public static string Dotnet => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    /// <summary>The path of an example, which the build puts beside these tests.</summary>
    public static string Example(string name) => Path.Combine(AppContext.BaseDirectory, name + ".dll");

    /// <summary>A sandbox's variables, as an example reads them.</summary>
    public static Dictionary<string, string?> Variables(Sandbox zoom, string? token = "sandbox-token") => new Dictionary<string, string?>
    {
        ["ZOOM_API_URL"] = zoom.ApiUrl.OriginalString, ["ZOOM_OAUTH_URL"] = zoom.OAuthUrl.OriginalString, ["ZOOM_ACCESS_TOKEN"] = token,
    };

    public static bool Exists(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);

    public static void Interrupt(Process process) => Assert.Equal(0, Kill(process.Id, 2));
}

/// <summary>A folder that goes when the test ends.</summary>
internal sealed class Scratch : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("zus-").FullName;
    public string File(string name) => System.IO.Path.Combine(Path, name);
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
