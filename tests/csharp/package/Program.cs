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
bool good = first.HttpStatus == 204 && second.Code == UserStatusCode.UserNotFound;
Console.WriteLine(good ? "call: passed" : $"call: failed: {first}; {second}");
return good ? 0 : 1;
