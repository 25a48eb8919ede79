// offboard [FILE]
//
// Deactivates every user in FILE (or on standard input), an id or e-mail address a line, and prints a line each as it
// ends. Ctrl-C stops within moments. What was not done is printed at the end as LEFT lines, so that
//   offboard leavers.txt | sed -n 's/^LEFT //p' > again.txt
// keeps what to run again. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 stopped by Ctrl-C.
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
    e.Cancel = true; // not the end of the process: of the list
    stop.Cancel();
};

try
{
    // The library sends a user ID as it is: leading and trailing whitespace, and empty lines, are dropped here.
    string[] users = (args.Length == 1 ? File.ReadLines(args[0]) : StandardInput()).Select(line => line.Trim()).Where(id => id.Length != 0).ToArray();
    var left = new SortedSet<int>(Enumerable.Range(0, users.Length));
    int done = 0, failed = 0;

    // Called on this thread, as each user ends.
    void OnResult(UserStatusResult result)
    {
        if (result.Code == UserStatusCode.Cancelled) return; // it may or may not have reached Zoom: it stays to be done
        left.Remove(result.Index);
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
    foreach (int i in left) Console.WriteLine($"LEFT {users[i]}");
    Console.Error.WriteLine($"\r{done} done, {failed} failed, {left.Count} left: {end}");
    return status;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException or DllNotFoundException or ZoomUserStatusException)
{
    Console.Error.WriteLine(e.Message); // no such file, no credentials, a setting that is refused, no native library
    return 2;
}

static IEnumerable<string> StandardInput()
{
    while (Console.In.ReadLine() is string line) yield return line;
}
