// The netstandard2.0 assembly on Mono, against the sandbox that the environment names: each line is a check. Exit status: the failures.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;
using ZoomUserStatus;

internal static class Smoke
{
    private static int s_failed;

    private static void Check(string what, bool good)
    {
        Console.WriteLine((good ? "ok   " : "FAIL ") + what);
        if (!good) s_failed++;
    }

    private static T? Caught<T>(Action action) where T : Exception
    {
        try { action(); }
        catch (T e) { return e; }
        return null;
    }

    private static ZoomUserStatusOptions Options()
    {
        ZoomUserStatusOptions options = ZoomUserStatusOptions.FromEnvironment();
        options.RateLimit = 0;
        return options;
    }

    private static void ThrowElsewhere() => throw new ZoomUserStatusException(new UserStatusResult("ada@example.com", UserStatusCode.UserNotFound, retryAfter: TimeSpan.FromSeconds(1),
        body: new byte[] { 1 }, headers: new Dictionary<string, string> { ["Date"] = "today" }));

    private static void CancelElsewhere() =>
        throw new UserStatusBatchCanceledException(new UserStatusBatch(UserStatusCode.Cancelled, new UserStatusResult[0], new[] { "grace@example.com" }), CancellationToken.None);

    private static void StartThere()
    {
        ZoomUserStatusOptions options = Options();
        options.LogLevel = UserStatusLogLevel.Debug;
        options.Log = (level, line) => Thread.Sleep(1);
        var client = new ZoomUserStatusClient(options);
        for (int i = 0; i < 200; i++) client.ActivateAsync(i < 8 ? "answer-never@example.com" : "ada@example.com");
    }

    /// <summary>AppDomain.DoCallBack, which netstandard2.0 doesn't have.</summary>
    private static void In(AppDomain domain, string method)
    {
        MethodInfo call = typeof(AppDomain).GetMethod("DoCallBack")!;
        Delegate callback = Delegate.CreateDelegate(call.GetParameters()[0].ParameterType, typeof(Smoke).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!);
        try { call.Invoke(domain, new object[] { callback }); }
        catch (TargetInvocationException e) { ExceptionDispatchInfo.Capture(e.InnerException!).Throw(); }
    }

    public static int Main()
    {
        Console.WriteLine("# " + Type.GetType("Mono.Runtime")?.FullName + ", ZoomUserStatus with libzus " + ZoomUserStatusClient.LibraryVersion);
        using (var client = new ZoomUserStatusClient(Options()))
        {
            Check("update", client.Deactivate("ada@example.com").HttpStatus == 204);
            Check("update, async", client.ActivateAsync("ada@example.com").Result.IsSuccess);
            Check("read", client.GetStatus("ada@example.com").UserStatus == UserStatus.Active && client.GetStatusAsync("admin@example.com").Result.User is { RoleId: "1", Type: 2, Email: "admin@example.com" });
            Check("many at once", Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.TryUpdateAsync("ada@example.com", UserStatusAction.Activate))).Result.All(r => r.IsSuccess));
            Check("failure", Caught<ZoomUserStatusException>(() => client.Deactivate("nobody@example.com"))?.Result.ZoomCode == 1001);

            var seen = new HashSet<int>();
            int thread = Thread.CurrentThread.ManagedThreadId;
            UserStatusBatch batch = client.UpdateMany(Enumerable.Repeat("ada@example.com", 50), UserStatusAction.Deactivate, result =>
            {
                if (Thread.CurrentThread.ManagedThreadId == thread) seen.Add(result.Index);
            });
            Check("batch with callback", batch.IsSuccess && batch.Results.Count == 50 && seen.Count == 50);
            var thrown = new FormatException();
            Check("exception of a callback", Caught<FormatException>(() => client.UpdateMany(new[] { "ada@example.com" }, UserStatusAction.Activate, result => { if (result.Index == 0) throw thrown; })) == thrown);

            Check("batch, async", client.UpdateManyAsync(Enumerable.Repeat("ada@example.com", 50), UserStatusAction.Deactivate, async result => { await Task.Yield(); seen.Remove(result.Index); }).Result.IsSuccess && seen.Count == 0);
            Check("reads, async", client.GetStatusManyAsync(new[] { "ada@example.com", "nobody@example.com" }).Result.Results.Select(r => r.UserStatus).SequenceEqual(new[] { UserStatus.Inactive, UserStatus.Unknown }));

            using (var cancel = new CancellationTokenSource(200))
                Check("cancel, async", Caught<OperationCanceledException>(() => client.DeactivateAsync("answer-never@example.com", cancel.Token).GetAwaiter().GetResult()) != null);
            using (var cancel = new CancellationTokenSource(200))
                Check("cancel", Caught<OperationCanceledException>(() => client.Deactivate("answer-never@example.com", cancel.Token)) != null);
            using (var cancel = new CancellationTokenSource(200))
            {
                Task<UserStatusBatch> task = client.UpdateManyAsync(new[] { "ada@example.com", "answer-never@example.com" }, UserStatusAction.Activate, cancel.Token);
                Check("cancel of a batch", Caught<UserStatusBatchCanceledException>(() => task.GetAwaiter().GetResult())?.Batch.Results.Count(r => r.IsSuccess) == 1);
            }
        }
        ZoomUserStatusOptions options = Options();
        options.AccessToken = null;
        options.TokenProvider = rejected => rejected ? "sandbox-token" : "expired";
        int lines = 0;
        options.Log = (level, line) => lines++;
        using (var client = new ZoomUserStatusClient(options)) Check("token provider", client.Activate("ada@example.com").Attempts == 2);
        Thread.Sleep(300); // they come a moment later
        Check("log", lines > 0);
        options = Options();
        options.LogLevel = UserStatusLogLevel.Debug;
        options.Log = (level, line) => Interlocked.Add(ref lines, line.Length > 0 ? 1 : 0);
        using (var client = new ZoomUserStatusClient(options))
        {
            lines = 0;
            for (int round = 0; round < 3; round++)
            {
                Task<UserStatusResult[]> all = Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.TryUpdateAsync("ada@example.com", UserStatusAction.Activate)));
                for (int i = 0; i < 130; i++) { GC.Collect(); Thread.Sleep(10); } // longer than the library's threads live
                Check("asynchronous calls with a log while the collector runs", all.Result.All(r => r.IsSuccess) && lines >= 200 * (round + 1));
            }
        }
        for (int i = 0; i < 200; i++) new ZoomUserStatusClient(Options()).Activate("ada@example.com"); // forgotten
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Check("forgotten clients", true);

        AppDomain other = AppDomain.CreateDomain("other");
        UserStatusResult? crossed = Caught<ZoomUserStatusException>(() => In(other, nameof(ThrowElsewhere)))?.Result;
        Check("an exception crosses AppDomains", crossed?.Code == UserStatusCode.UserNotFound && crossed.Headers["DATE"] == "today" && crossed.RetryAfter == TimeSpan.FromSeconds(1) && crossed.GetBodyBytes().Length == 1);
        Check("a cancelled batch crosses AppDomains", Caught<UserStatusBatchCanceledException>(() => In(other, nameof(CancelElsewhere)))?.Batch.NotSent.Single() == "grace@example.com");
        In(other, nameof(StartThere));
        AppDomain.Unload(other);
        Check("an AppDomain is unloaded while calls run", true);
        Console.WriteLine(s_failed == 0 ? "all good" : s_failed + " failed");
        return s_failed;
    }
}
