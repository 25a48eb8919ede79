// The same PUT from C#: CSharpCall zus|httpclient API CALLS [at-once]. Prints what the C programs print. Both send JSON.
// With at-once the calls are started together: prints the seconds they took, and by how many a 10 ms timer of the pool was late at the most.
using System;
using System.Diagnostics;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Threading;
using System.Threading.Tasks;
using ZoomUserStatus;

string api = args[1];
int calls = int.Parse(args[2]);
const string User = "user00001@example.com";
Action call;
Func<Task> start;
if (args[0] == "zus")
{
    var client = new ZoomUserStatusClient(new ZoomUserStatusOptions
    {
        AccessToken = "sandbox-token", ApiUrl = new Uri(api), RateLimit = 0, Encoding = UserStatusEncoding.Json, Concurrency = 100,
    });
    call = () => client.Update(User, UserStatusAction.Deactivate);
    start = () => client.DeactivateAsync(User);
}
else
{
    var http = new HttpClient();
    http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "sandbox-token");
    HttpRequestMessage Request() => new(HttpMethod.Put, $"{api}/users/{User}/status") { Content = JsonContent.Create(new { action = "deactivate" }) };
    call = () =>
    {
        using HttpResponseMessage response = http.Send(Request());
        response.EnsureSuccessStatusCode();
    };
    start = async () =>
    {
        using HttpResponseMessage response = await http.SendAsync(Request());
        response.EnsureSuccessStatusCode();
    };
}
if (args.Length > 3)
{
    await start(); // the JIT takes its time
    double late = 0;
    using var ended = new CancellationTokenSource();
    Task timer = Task.Run(async () =>
    {
        while (!ended.IsCancellationRequested)
        {
            var since = Stopwatch.StartNew();
            await Task.Delay(10);
            late = Math.Max(late, since.Elapsed.TotalSeconds - 0.01);
        }
    });
    await Task.Delay(50);
    var atOnce = Stopwatch.StartNew();
    await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => start()));
    double took = atOnce.Elapsed.TotalSeconds;
    ended.Cancel();
    await timer;
    Console.WriteLine(FormattableString.Invariant($"{took:F6} {late:F6}"));
    return;
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
