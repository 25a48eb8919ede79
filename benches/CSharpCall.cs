// The same PUT from C#: CSharpCall zus|httpclient API CALLS. Prints what the C programs print. Both send JSON.
using System;
using System.Diagnostics;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using ZoomUserStatus;

string api = args[1];
int calls = int.Parse(args[2]);
Action call;
if (args[0] == "zus")
{
    var client = new ZoomUserStatusClient(new ZoomUserStatusOptions
    {
        AccessToken = "sandbox-token", ApiUrl = new Uri(api), RateLimit = 0, Encoding = UserStatusEncoding.Json,
    });
    call = () => client.Update("user00001@example.com", UserStatusAction.Deactivate);
}
else
{
    var http = new HttpClient();
    http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "sandbox-token");
    call = () =>
    {
        var request = new HttpRequestMessage(HttpMethod.Put, api + "/users/user00001@example.com/status")
        {
            Content = JsonContent.Create(new { action = "deactivate" }),
        };
        using HttpResponseMessage response = http.Send(request);
        response.EnsureSuccessStatusCode();
    };
}
int warm = calls / 4; // the JIT takes its time
var clock = new Stopwatch();
TimeSpan cpu = default;
for (int i = 0; i < calls; i++)
{
    if (i == warm)
    {
        clock.Start();
        cpu = Process.GetCurrentProcess().TotalProcessorTime;
    }
    call();
}
double n = calls - warm;
double used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds / n;
Console.WriteLine(FormattableString.Invariant($"{clock.Elapsed.TotalSeconds / n:F9} {used:F9}"));
