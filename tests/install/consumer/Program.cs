// A caller in C# with the NuGet package, as a new console project.
using ZoomUserStatus;

using var zoom = ZoomUserStatusClient.FromEnvironment();
var done = zoom.Deactivate("ada@example.com");
var refused = zoom.TryUpdate("nobody@example.com", UserStatusAction.Deactivate);
var good = done.HttpStatus == 204 && refused.Code == UserStatusCode.UserNotFound;
Console.WriteLine(good ? "call: passed" : $"call: failed: {done}; {refused}");
return good ? 0 : 1;
