// A new program with the packages: the client from a container, and alone.
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ZoomUserStatus;

Dictionary<string, string?> settings = new()
{
    ["Zoom:AccessToken"] = Environment.GetEnvironmentVariable("ZOOM_ACCESS_TOKEN"),
    ["Zoom:ApiUrl"] = Environment.GetEnvironmentVariable("ZOOM_API_URL"),
    ["Zoom:Timeout"] = "00:00:20",
};
IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
using ServiceProvider services = new ServiceCollection().AddZoomUserStatus(configuration.GetSection("Zoom")).BuildServiceProvider();
UserStatusResult first = await services.GetRequiredService<ZoomUserStatusClient>().DeactivateAsync("ada@example.com");

using ZoomUserStatusClient zoom = ZoomUserStatusClient.FromEnvironment();
UserStatusResult second = zoom.TryUpdate("nobody@example.com", UserStatusAction.Deactivate);

// Reads, and an asynchronous token provider; trimmed and ahead of time, too.
ZoomUserStatusOptions options = ZoomUserStatusOptions.FromEnvironment();
string? token = options.AccessToken;
options.AccessToken = null;
options.AsyncTokenProvider = async (rejected, cancellationToken) => { await Task.Delay(1, cancellationToken); return token; };
using ZoomUserStatusClient asked = new(options);
UserStatusResult third = await asked.GetStatusAsync("admin@example.com");

bool good = first.HttpStatus == 204 && second.Code == UserStatusCode.UserNotFound && third is { UserStatus: UserStatus.Active, User: { RoleId: "1", Type: 2 } };
Console.WriteLine(good ? "call: passed" : $"call: failed: {first}; {second}; {third}");
for (int i = 0; i < 100; i++) _ = zoom.DeactivateAsync("answer-never@example.com"); // they run on for a minute, and don't hold up the exit
return good ? 0 : 1;
