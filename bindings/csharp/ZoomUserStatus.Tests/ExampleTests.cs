using System.Diagnostics;
using System.Text.RegularExpressions;
using ZoomUserStatus;

/// <summary>examples/csharp, as a person runs them.</summary>
public class ExampleTests
{
    private static Task<Programs.Ended> Run(string example, string[] arguments, string? token = "sandbox-token", string input = "") =>
        Programs.Run(Programs.Dotnet, [Programs.Example(example), .. arguments], Programs.Variables(Sandbox.Shared, token), input: input);

    [Theory]
    [InlineData(0, "^HTTP 204$", "ada@example.com", "deactivate")]
    [InlineData(1, "^ZUS_ERR_USER_NOT_FOUND: ", "nobody@example.com", "deactivate")]
    [InlineData(1, "^Zoom's code: 1001$", "nobody@example.com", "deactivate")]
    [InlineData(1, "^tracking ID: v=2.0;", "nobody@example.com", "deactivate")]
    [InlineData(2, "^usage: ", "nobody@example.com", "remove")]
    [InlineData(2, "^ZUS_ERR_ARGUMENT", " ada@example.com", "deactivate")]
    public async Task UpdateStatus_updates(int status, string pattern, params string[] arguments)
    {
        Programs.Ended ended = await Run("UpdateStatus", arguments);
        Assert.Equal(status, ended.Status);
        Assert.Matches(new Regex(pattern, RegexOptions.Multiline), ended.All);
    }

    [Fact]
    public async Task UpdateStatus_without_credentials()
    {
        Programs.Ended ended = await Run("UpdateStatus", ["ada@example.com", "deactivate"], token: null);
        Assert.Equal(2, ended.Status);
        Assert.Contains("ZOOM_ACCESS_TOKEN", ended.Error);
    }

    [Fact]
    public async Task Offboard_reads_a_file_or_standard_input()
    {
        using var scratch = new Scratch();
        string leavers = scratch.File("leavers.txt");
        await File.WriteAllTextAsync(leavers, "ada@example.com\n  nobody@example.com \r\n\nlinus@example.com\n");
        Programs.Ended ended = await Run("Offboard", [leavers]);
        Assert.Equal(1, ended.Status);
        Assert.Contains("2 done, 1 failed, 0 remaining: Partial", ended.Error);
        Assert.Contains("FAIL nobody@example.com ZUS_ERR_USER_NOT_FOUND 404/1001 ", ended.Output);
        ended = await Run("Offboard", [], input: "ada@example.com\n");
        Assert.Equal((0, "DONE ada@example.com\n"), (ended.Status, ended.Output));
        ended = await Run("Offboard", [scratch.File("no-such-file")]);
        Assert.Equal(2, ended.Status);
        Assert.Contains("no-such-file", ended.Error);
        ended = await Run("Offboard", [leavers], token: "expired");
        Assert.Equal(3, ended.Status);
        Assert.Matches(new Regex("^REMAINS ", RegexOptions.Multiline), ended.Output);
    }

    [Fact]
    public async Task Offboard_stopped_by_Ctrl_C_accounts_for_everybody()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("needs coreutils' env, for a child that hears Ctrl-C whatever this process does");
        using var zoom = new Sandbox("--users 300 --delay 20");
        using var scratch = new Scratch();
        await File.WriteAllLinesAsync(scratch.File("leavers.txt"), Enumerable.Range(1, 300).Select(i => $"user{i:D5}@example.com"));
        Process process = Programs.Start("env", ["--default-signal=INT", Programs.Dotnet, Programs.Example("Offboard"), scratch.File("leavers.txt")], Programs.Variables(zoom));
        var lines = new List<string>();
        for (int i = 0; i < 10; i++) lines.Add((await process.StandardOutput.ReadLineAsync())!);
        Programs.Interrupt(process);
        Programs.Ended ended = await Programs.End(process);
        lines.AddRange(ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(130, ended.Status);
        Assert.Contains(lines, l => l.StartsWith("REMAINS ", StringComparison.Ordinal));
        Assert.Equal(300, lines.Select(l => l.Split(' ')[1]).Distinct().Count());
        Assert.Contains("stopped", ended.Error);
    }
}
