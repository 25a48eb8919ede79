using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using ZoomUserStatus;

/// <summary>Calls that hold no thread while they wait.</summary>
public class AsyncTests
{
    private const string Never = "answer-never@example.com";
    private static string[] Users(int count) => Enumerable.Range(1, count).Select(i => $"user{i:D5}@example.com").ToArray();

    private static ZoomUserStatusClient Client(Sandbox zoom, int concurrency, Action<ZoomUserStatusOptions>? set = null)
    {
        ZoomUserStatusOptions options = zoom.Options();
        options.Concurrency = concurrency;
        set?.Invoke(options);
        return new ZoomUserStatusClient(options);
    }

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 500 && !condition(); i++) await Task.Delay(20);
        Assert.True(condition());
    }

    private static int BusyPoolThreads()
    {
        ThreadPool.GetMaxThreads(out int most, out _);
        ThreadPool.GetAvailableThreads(out int free, out _);
        return most - free;
    }

    [Fact]
    public async Task A_hundred_calls_in_flight_hold_no_thread_of_the_pool()
    {
        using var zoom = new Sandbox("--users 100 --delay 1500");
        using ZoomUserStatusClient client = Client(zoom, 100);
        int before = BusyPoolThreads();
        Task<UserStatusResult>[] calls = Users(100).Select(user => client.DeactivateAsync(user)).ToArray();
        await Until(() => zoom.Requests == 100);
        Assert.DoesNotContain(calls, c => c.IsCompleted); // all of them are in flight now
        Assert.InRange(BusyPoolThreads(), 0, before + 3);
        Assert.All(await Task.WhenAll(calls), r => Assert.True(r.IsSuccess));
    }

    [Fact]
    public async Task One_thread_takes_the_results_of_all_clients()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("only Linux names the threads of a process");
        for (int i = 0; i < 5; i++)
        {
            using ZoomUserStatusClient client = Sandbox.Shared.Client();
            await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => client.ActivateAsync("ada@example.com")));
        }
        Assert.Single(Directory.GetDirectories("/proc/self/task"), task => File.ReadAllText(Path.Combine(task, "comm")) == "ZoomUserStatus\n");
    }

    [Fact]
    public async Task Nothing_of_a_program_runs_on_the_thread_that_takes_the_results()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        using var release = new ManualResetEventSlim();
        async Task Block()
        {
            await client.ActivateAsync("ada@example.com").ConfigureAwait(false);
            Assert.NotEqual("ZoomUserStatus", Thread.CurrentThread.Name);
            release.Wait();
        }
        Task blocked = Block();
        for (int i = 0; i < 5; i++) await client.ActivateAsync("ada@example.com");
        release.Set();
        await blocked;
    }

    [Fact]
    public async Task A_call_in_flight_and_calls_that_wait_for_their_turn_are_cancelled()
    {
        using var zoom = new Sandbox();
        using ZoomUserStatusClient client = Client(zoom, 1);
        using var others = new CancellationTokenSource();
        using var cancel = new CancellationTokenSource();
        Task<UserStatusResult> first = client.ActivateAsync(Never, others.Token);
        await Until(() => zoom.Received(Never) == 1);
        Task<UserStatusResult> waits = client.ActivateAsync("ada@example.com", cancel.Token), read = client.GetStatusAsync("ada@example.com", cancel.Token);
        var watch = Stopwatch.StartNew();
        cancel.Cancel();
        Assert.Equal(cancel.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits)).CancellationToken);
        Assert.True(waits.IsCanceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.False(first.IsCompleted);
        others.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2000); // 100 ms each, on a machine that isn't busy
        Assert.Equal(0, zoom.Received("ada@example.com"));
        Assert.True((await client.ActivateAsync("ada@example.com")).IsSuccess);
    }

    /// <summary>A program's thread with a queue of its own, e.g. of a window.</summary>
    private sealed class OneThread : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) { } // it is blocked: nothing that is posted runs
        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException();
    }

    [Fact]
    public void A_caller_that_blocks_gets_its_result()
    {
        using var zoom = new Sandbox("--users 40");
        using ZoomUserStatusClient client = Client(zoom, 4);
        using ZoomUserStatusClient asked = Client(zoom, 4, o => { o.AccessToken = null; o.AsyncTokenProvider = async (_, _) => { await Task.Delay(10); return "sandbox-token"; }; });
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(new OneThread());
        try
        {
            foreach (ZoomUserStatusClient c in new[] { client, asked })
            {
#pragma warning disable xUnit1031 // it is the point
                Assert.True(c.ActivateAsync("ada@example.com").Result.IsSuccess);
                Assert.True(c.GetStatusAsync("ada@example.com").Result.IsSuccess);
                Assert.True(c.CheckCredentialsAsync().Result.IsSuccess);
                Assert.True(c.UpdateManyAsync(Users(40), UserStatusAction.Activate).Result.IsSuccess);
                Assert.True(c.UpdateManyAsync(Users(40), UserStatusAction.Activate, async _ => await Task.Delay(1).ConfigureAwait(false)).Result.IsSuccess);
                Assert.Equal(40, c.UpdateEachAsync(Users(40), UserStatusAction.Activate).ToBlockingEnumerable().Count());
#pragma warning restore xUnit1031
            }
        }
        finally { SynchronizationContext.SetSynchronizationContext(before); }
    }

    [Fact]
    public async Task DisposeAsync_waits_for_the_calls_that_run()
    {
        const string slow = "answer-slow-1000@example.com";
        ZoomUserStatusClient client = Sandbox.Shared.Client();
        int before = Sandbox.Shared.Received(slow);
        Task<UserStatusResult> call = client.ActivateAsync(slow);
        await Until(() => Sandbox.Shared.Received(slow) > before);
        Assert.False(call.IsCompleted, "the call was to be under way");
        await client.DisposeAsync();
        Assert.Equal(204, (await call.WaitAsync(TimeSpan.FromSeconds(1))).HttpStatus); // its continuation may be a moment behind
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ActivateAsync(slow));
        await client.DisposeAsync();
        await using ZoomUserStatusClient unused = Sandbox.Shared.Client();
    }

    [Fact]
    public async Task A_batch_goes_on_when_its_client_is_disposed()
    {
        using var zoom = new Sandbox("--users 100 --delay 10");
        ZoomUserStatusClient client = Client(zoom, 4);
        Task<UserStatusBatch> batch = client.UpdateManyAsync(Users(100), UserStatusAction.Deactivate);
        await client.DisposeAsync();
        Assert.True((await batch.WaitAsync(TimeSpan.FromSeconds(1))).IsSuccess);
    }

    [Fact]
    public async Task A_break_lets_the_users_in_flight_finish()
    {
        using var zoom = new Sandbox("--users 100 --delay 200");
        using ZoomUserStatusClient client = Client(zoom, 4);
        UserStatusUpdates updates = client.UpdateEachAsync(Users(100), UserStatusAction.Deactivate);
        await foreach (UserStatusResult _ in updates) break;
        Assert.Equal(UserStatusCode.Cancelled, updates.Rest.Code);
        Assert.InRange(updates.Rest.Results.Count, 1, 8);
        Assert.All(updates.Rest.Results, r => Assert.Equal(UserStatusCode.Ok, r.Code));
        Assert.Equal(100, 1 + updates.Rest.Results.Count + updates.Rest.NotSent.Count);
    }

    [Fact]
    public async Task A_stream_runs_ahead_of_a_slow_reader_by_twice_the_concurrency()
    {
        using var zoom = new Sandbox("--users 100");
        using ZoomUserStatusClient client = Client(zoom, 4);
        int seen = 0;
        await foreach (UserStatusResult _ in client.UpdateEachAsync(Users(100), UserStatusAction.Deactivate))
        {
            seen++;
            if (seen > 3) continue;
            await Until(() => zoom.Users == seen + 7); // eight, of which one was taken, and those that were taken before
            await Task.Delay(100);
            Assert.Equal(seen + 7, zoom.Users);
        }
        Assert.Equal(100, seen);
    }

    [Theory]
    [InlineData("no-scope", 0, "ada", UserStatusCode.Forbidden, 1)]
    [InlineData("expired", 0, "ada", UserStatusCode.Unauthorized, 1)]
    [InlineData("no-read", 1000, "ada", UserStatusCode.Forbidden, 1)] // the first user is read before anybody is updated
    [InlineData(null, 0, "ada", UserStatusCode.Token, 1)] // the token provider throws
    [InlineData(null, 1000, "ada", UserStatusCode.Token, 1)]
    [InlineData("sandbox-token", 0, "answer-429-daily", UserStatusCode.DailyLimit, 1)]
    [InlineData("sandbox-token", 0, "answer-4711", UserStatusCode.Forbidden, 1)]
    [InlineData("sandbox-token", 0, "answer-403", UserStatusCode.Forbidden, 5)] // so many in a row lack a permission
    public async Task What_is_fatal_for_a_batch_ends_each_kind_of_batch_alike(string? token, int verify, string user, UserStatusCode code, int count)
    {
        using var zoom = new Sandbox();
        string[] users = Enumerable.Repeat(user + "@example.com", 100).ToArray();
        ZoomUserStatusClient Waiting()
        {
            ZoomUserStatusOptions options = zoom.Options();
            options.AccessToken = token;
            if (token is null) options.TokenProvider = _ => throw new TimeZoneNotFoundException();
            if (token is null) options.Concurrency = 1; // others would ask the provider, too
            options.Verify = TimeSpan.FromMilliseconds(verify);
            options.RateLimit = 10; // users wait for their first slot
            return new ZoomUserStatusClient(options);
        }
        using (ZoomUserStatusClient client = Waiting()) Check(client.UpdateMany(users, UserStatusAction.Deactivate), 1);
        using (ZoomUserStatusClient client = Waiting()) Check(await client.UpdateManyAsync(users, UserStatusAction.Deactivate), 2);
        using (ZoomUserStatusClient client = Waiting())
        {
            var seen = new List<UserStatusResult>();
            UserStatusUpdates updates = client.UpdateEachAsync(users, UserStatusAction.Deactivate);
            Exception? error = await Record.ExceptionAsync(async () =>
            {
                await foreach (UserStatusResult result in updates) seen.Add(result);
            });
            if (token is null) Assert.IsType<TimeZoneNotFoundException>(error);
            else Assert.Equal(code, Assert.IsType<ZoomUserStatusException>(error).Code);
            Check(new UserStatusBatch(updates.Rest.Code, seen, updates.Rest.NotSent, updates.Rest.Error), 3);
        }

        void Check(UserStatusBatch batch, int time)
        {
            Assert.Equal((code, count, 100 - count), (batch.Code, batch.Results.Count, batch.NotSent.Count));
            Assert.All(batch.Results, r => Assert.Equal((code, r == batch.Results[count - 1]), (r.Code, r.IsFatal)));
            bool sends = token != null && verify == 0;
            Assert.Equal(sends ? UserStatusDelivery.Responded : UserStatusDelivery.NotSent, batch.Results[0].Delivery);
            Assert.Equal(sends ? time * count : 0, zoom.Requests);
            Assert.Equal(token is null, batch.Error is TimeZoneNotFoundException);
        }
    }

    [Fact]
    public async Task A_permission_that_only_some_users_lack_ends_no_batch()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        Assert.True((await client.ActivateAsync("ada@example.com")).IsSuccess);
        IEnumerable<string> users = Enumerable.Repeat("answer-403@example.com", 10);
        Assert.Equal(UserStatusCode.Partial, (await client.UpdateManyAsync(users, UserStatusAction.Deactivate)).Code);
    }

    [Fact]
    public async Task A_call_leaves_nothing_behind_in_its_callers_context()
    {
        using var listener = new ActivityListener { ShouldListenTo = s => s.Name == "ZoomUserStatus", Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        using Activity mine = new Activity("mine").Start();
        Task<UserStatusResult> call = client.ActivateAsync("ada@example.com");
        Assert.Same(mine, Activity.Current);
        await call;
        Assert.Same(mine, Activity.Current);
    }
}
