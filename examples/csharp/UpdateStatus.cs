// update_status USER_ID deactivate|activate|clock_in|clock_out
//
// Updates one user and prints the result. Exit status: 0 done, 1 failed, 2 usage error. The credentials come from the
// environment, never from the command line, where everybody on the machine can read them.
//
//   dotnet run --project examples/csharp/UpdateStatus.csproj -- ada@example.com deactivate
using System;
using ZoomUserStatus;

UserStatusAction? action = args.Length != 2 ? null : args[1] switch
{
    "activate" => UserStatusAction.Activate,
    "deactivate" => UserStatusAction.Deactivate,
    "clock_in" => UserStatusAction.ClockIn,
    "clock_out" => UserStatusAction.ClockOut,
    _ => null,
};
if (action is null)
{
    Console.Error.WriteLine("usage: update_status USER_ID deactivate|activate|clock_in|clock_out");
    return 2;
}

try
{
    using ZoomUserStatusClient client = ZoomUserStatusClient.FromEnvironment();
    UserStatusResult result = client.Update(args[0], action.Value);
    Console.WriteLine($"HTTP {result.HttpStatus}");
    return 0;
}
catch (ZoomUserStatusException e)
{
    UserStatusResult result = e.Result;
    if (result.HttpStatus != 0) Console.WriteLine($"HTTP {result.HttpStatus}");
    Console.WriteLine($"{result.CodeName}: {result.Message}");
    if (result.ZoomCode != 0) Console.WriteLine($"Zoom's code: {result.ZoomCode}");
    if (result.TrackingId.Length != 0) Console.WriteLine($"tracking ID: {result.TrackingId}");
    return (int)e.Code < 20 ? 2 : 1;
}
catch (Exception e) when (e is InvalidOperationException or ArgumentException or DllNotFoundException)
{
    Console.Error.WriteLine(e.Message); // no credentials, an invalid setting, no native library
    return 2;
}
