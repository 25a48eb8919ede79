// offboard [FILE]
//
// Deactivates every user in FILE (or on standard input), one user ID or e-mail address per line, and prints a line for each
// user when that user's update has ended: DONE or FAIL. Ctrl-C cancels the batch. At the end, a REMAINS line names each user
// who was not sent, or whose outcome is unknown, so that
//   dotnet run --project examples/csharp/Offboard.csproj -- leavers.txt | sed -n 's/^REMAINS //p' > again.txt
// keeps the users for the next run. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 Ctrl-C.
//
//   dotnet run --project examples/csharp/Offboard.csproj -- leavers.txt
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using ZoomUserStatus;

if (args.Length > 1)
{
    Console.Error.WriteLine("usage: offboard [FILE]");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true; // the batch ends, not the process
    stop.Cancel();
};

try
{
    // The library sends a user ID as it is, so leading and trailing whitespace and empty lines are removed here.
    string[] users = (args.Length == 1 ? File.ReadLines(args[0]) : StandardInput()).Select(line => line.Trim()).Where(id => id.Length != 0).ToArray();
    var remaining = new SortedSet<int>(Enumerable.Range(0, users.Length));
    int done = 0, failed = 0;

    // Runs on this thread, once for each user whose update has ended.
    void OnResult(UserStatusResult result)
    {
        if (result.Code == UserStatusCode.Cancelled) return; // the update may have been applied: the user remains
        remaining.Remove(result.Index);
        if (result.IsSuccess) done++; else failed++;
        Console.WriteLine(result.IsSuccess
            ? $"DONE {result.UserId}"
            : $"FAIL {result.UserId} {result.CodeName} {result.HttpStatus}/{result.ZoomCode} {result.Message} [{result.TrackingId}]");
        if (!Console.IsErrorRedirected) Console.Error.Write($"\r{done + failed} of {users.Length}, {failed} failed ");
    }

    string end;
    int status;
    using ZoomUserStatusClient client = ZoomUserStatusClient.FromEnvironment();
    try
    {
        UserStatusCode code = client.UpdateMany(users, UserStatusAction.Deactivate, OnResult, stop.Token).Code;
        status = code switch { UserStatusCode.Ok => 0, UserStatusCode.Partial => 1, _ => 3 };
        end = code.ToString();
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        status = 130;
        end = "stopped";
    }
    foreach (int i in remaining) Console.WriteLine($"REMAINS {users[i]}");
    Console.Error.WriteLine($"\r{done} done, {failed} failed, {remaining.Count} remaining: {end}");
    return status;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException or DllNotFoundException or ZoomUserStatusException)
{
    Console.Error.WriteLine(e.Message); // no such file, no credentials, an invalid setting, no native library
    return 2;
}

static IEnumerable<string> StandardInput()
{
    while (Console.In.ReadLine() is string line) yield return line;
}
