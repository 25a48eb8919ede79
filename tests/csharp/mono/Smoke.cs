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
        using (var client = new ZoomUserStatusClient(options)) Check("token provider and log", client.Activate("ada@example.com").Attempts == 2 && lines > 0);
        for (int i = 0; i < 200; i++) new ZoomUserStatusClient(Options()).Activate("ada@example.com"); // forgotten
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Check("forgotten clients", true);

        AppDomain other = AppDomain.CreateDomain("other");
        UserStatusResult? crossed = Caught<ZoomUserStatusException>(() => In(other, nameof(ThrowElsewhere)))?.Result;
        Check("an exception crosses AppDomains", crossed?.Code == UserStatusCode.UserNotFound && crossed.Headers["DATE"] == "today" && crossed.RetryAfter == TimeSpan.FromSeconds(1) && crossed.GetBodyBytes().Length == 1);
        Check("a cancelled batch crosses AppDomains", Caught<UserStatusBatchCanceledException>(() => In(other, nameof(CancelElsewhere)))?.Batch.NotSent.Single() == "grace@example.com");
        Console.WriteLine(s_failed == 0 ? "all good" : s_failed + " failed");
        return s_failed;
    }
}
