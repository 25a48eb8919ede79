using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using ZoomUserStatus;

public class BatchTests
{
    private static string User(int i) => $"user{i:D5}@example.com";
    private static string[] Users(int count) => Enumerable.Range(1, count).Select(User).ToArray();

    /// <summary>Reports at once, on the thread of the batch; Progress{T} would do it later.</summary>
    private sealed class Direct : IProgress<UserStatusResult>
    {
        private readonly Action<UserStatusResult> _report;
        public Direct(Action<UserStatusResult> report) => _report = report;
        public void Report(UserStatusResult value) => _report(value);
    }

    [Fact]
    public void All_users_once_with_progress_on_this_thread()
    {
        using var zoom = new Sandbox("--users 200 --delay 5");
        using ZoomUserStatusClient client = zoom.Client();
        var seen = new List<UserStatusResult>();
        int thread = Environment.CurrentManagedThreadId;
        UserStatusBatch batch = client.UpdateMany(Users(200), UserStatusAction.Deactivate, new Direct(r =>
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            seen.Add(r);
        }));
        Assert.Equal(UserStatusCode.Ok, batch.Code);
        Assert.True(batch.IsSuccess);
        Assert.Equal(Users(200), batch.Results.Select(r => r.UserId));
        Assert.Equal(Enumerable.Range(0, 200), batch.Results.Select(r => r.Index));
        Assert.Empty(batch.NotSent);
        Assert.Equal(Users(200), seen.OrderBy(r => r.Index).Select(r => r.UserId));
        Assert.Equal(200, zoom.Requests);
        Assert.Equal(200, zoom.Users);
        Assert.Equal("Ok: 200 done, 0 failed, 0 not sent", batch.ToString());
    }

    [Fact]
    public void Users_are_read_with_a_callback_on_this_thread_which_may_stop_it()
    {
        using var zoom = new Sandbox("--users 200 --delay 5");
        using ZoomUserStatusClient client = zoom.Client();
        var seen = new List<UserStatusResult>();
        int thread = Environment.CurrentManagedThreadId;
        UserStatusBatch batch = client.GetStatusMany(Users(20), r =>
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            seen.Add(r);
        });
        Assert.Equal(batch.Results, seen.OrderBy(r => r.Index));
        Assert.All(seen, r => Assert.Equal(UserStatus.Active, r.UserStatus));
        seen.Clear();
        Assert.Throws<TimeZoneNotFoundException>(() => client.GetStatusMany(Users(200), r =>
        {
            seen.Add(r);
            throw new TimeZoneNotFoundException();
        }));
        Assert.InRange(seen.Count, 1, 100);
    }

    [Fact]
    public async Task A_users_failure_is_a_result()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        string?[] users = { "ada@example.com", "nobody@example.com", null, " padded@example.com", "lone\ud800", "nul\0byte", "", "admin@example.com", "ada@example.com" };
        var want = new[]
        {
            UserStatusCode.Ok, UserStatusCode.UserNotFound, UserStatusCode.Null, UserStatusCode.Argument, UserStatusCode.Utf8,
            UserStatusCode.Argument, UserStatusCode.Argument, UserStatusCode.UserProtected, UserStatusCode.Ok,
        };
        UserStatusBatch batch = await client.UpdateManyAsync(users!, UserStatusAction.Deactivate);
        Assert.Equal(UserStatusCode.Partial, batch.Code);
        Assert.Equal(want, batch.Results.Select(r => r.Code));
        Assert.Equal(users.Select(u => u ?? ""), batch.Results.Select(r => r.UserId));
        Assert.Equal(7, batch.Failures.Count());
        Assert.Equal(0, batch.Results[4].Attempts);
        Assert.Equal(1001, batch.Results[1].ZoomCode);
    }

    [Fact]
    public void An_empty_list_is_done()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        UserStatusBatch batch = client.UpdateMany(Enumerable.Empty<string>(), UserStatusAction.Activate);
        Assert.True(batch.IsSuccess);
        Assert.Empty(batch.Results);
    }

    [Fact]
    public void A_refused_token_ends_it_early()
    {
        using var zoom = new Sandbox("--users 200 --delay 5");
        ZoomUserStatusOptions options = zoom.Options();
        options.AccessToken = "expired";
        options.Concurrency = 4;
        using var client = new ZoomUserStatusClient(options);
        UserStatusBatch batch = client.UpdateMany(Users(200), UserStatusAction.Deactivate);
        Assert.Equal(UserStatusCode.Unauthorized, batch.Code);
        Assert.InRange(batch.Results.Count, 1, 50);
        Assert.Equal(200, batch.Results.Count + batch.NotSent.Count);
        Assert.Equal(200, batch.Results.Select(r => r.UserId).Concat(batch.NotSent).Distinct().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancel_stops_it_and_who_was_not_reported_was_not_sent(bool async)
    {
        using var zoom = new Sandbox("--users 500 --delay 20");
        using ZoomUserStatusClient client = zoom.Client();
        using var stop = new CancellationTokenSource();
        var seen = new List<string>();
        Action<UserStatusResult> onResult = r => { seen.Add(r.UserId); if (seen.Count == 40) stop.Cancel(); };
        OperationCanceledException e = async
            ? await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.UpdateManyAsync(Users(500), UserStatusAction.Deactivate, onResult, stop.Token))
            : Assert.ThrowsAny<OperationCanceledException>(() => client.UpdateMany(Users(500), UserStatusAction.Deactivate, onResult, stop.Token));
        Assert.Equal(stop.Token, e.CancellationToken);
        Assert.InRange(seen.Count, 40, 80);
        Assert.Equal(seen.Count, seen.Distinct().Count());
        foreach (string user in Users(500).Except(seen)) Assert.Equal(0, zoom.Received(user));
        // Nothing is lost: the exception has the batch.
        UserStatusBatch batch = Assert.IsType<UserStatusBatchCanceledException>(e).Batch;
        Assert.Equal(UserStatusCode.Cancelled, batch.Code);
        Assert.Equal(seen.Order(), batch.Results.Select(r => r.UserId));
        Assert.Equal(Users(500).Except(seen), batch.NotSent);
        Assert.InRange(batch.Results.Count(r => r.IsSuccess), 40, 80);
        Assert.Contains("not sent", e.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_batch_that_was_cancelled_before_it_began_has_sent_nobody(bool async)
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        var cancelled = new CancellationToken(canceled: true);
        int before = Sandbox.Shared.Requests;
        var e = async
            ? await Assert.ThrowsAsync<UserStatusBatchCanceledException>(() => client.UpdateManyAsync(Users(3), UserStatusAction.Activate, cancelled))
            : Assert.Throws<UserStatusBatchCanceledException>(() => client.UpdateMany(Users(3), UserStatusAction.Activate, cancelled));
        Assert.Equal(cancelled, e.CancellationToken);
        Assert.Equal(Users(3), e.Batch.NotSent);
        Assert.Equal(before, Sandbox.Shared.Requests);
    }

    [Fact]
    public async Task A_cancelled_batch_is_a_cancelled_task()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        using var cancel = new CancellationTokenSource(100);
        Task<UserStatusBatch> batch = client.UpdateManyAsync(["ada@example.com", "answer-never@example.com"], UserStatusAction.Activate, cancel.Token);
        var e = await Assert.ThrowsAsync<UserStatusBatchCanceledException>(async () => await batch);
        Assert.True(batch.IsCanceled);
        Assert.Equal([UserStatusCode.Ok, UserStatusCode.Cancelled], e.Batch.Results.Select(r => r.Code));
    }

    [Fact]
    public void An_exception_of_the_callback_stops_it_and_comes_out_unchanged()
    {
        using var zoom = new Sandbox("--users 500 --delay 20");
        using ZoomUserStatusClient client = zoom.Client();
        var boom = new NotSupportedException("boom");
        int calls = 0;
        Assert.Same(boom, Assert.Throws<NotSupportedException>(() => client.UpdateMany(Users(500), UserStatusAction.Deactivate, r => { if (++calls == 10) throw boom; })));
        Assert.InRange(calls, 10, 60);
        Assert.InRange(zoom.Users, 10, calls);
        Assert.Same(boom, Assert.Throws<NotSupportedException>(() => client.UpdateMany(Users(500), UserStatusAction.Deactivate, new Direct(_ => throw boom))));
        // The client is as good as before.
        Assert.True(client.UpdateMany(Users(20), UserStatusAction.Activate).IsSuccess);
    }

    [Fact] // with a token there is a native cancel, which would abort them
    public void Users_in_flight_finish_when_the_callback_throws()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        using var stop = new CancellationTokenSource();
        var seen = new List<UserStatusResult>();
        Assert.Throws<FormatException>(() => client.UpdateMany(new[] { "answer-slow-1000@example.com", "ada@example.com" }, UserStatusAction.Deactivate, r =>
        {
            seen.Add(r);
            if (seen.Count == 1) throw new FormatException();
        }, stop.Token));
        Assert.Equal(new[] { "ada@example.com: Ok, HTTP 204", "answer-slow-1000@example.com: Ok, HTTP 204" }, seen.Select(r => r.ToString()));
    }

    [Fact]
    public async Task An_async_callback_is_waited_for()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        int done = 0;
        UserStatusBatch batch = await client.UpdateManyAsync(Users(6), UserStatusAction.Activate, async r =>
        {
            await Task.Delay(20);
            done++;
        });
        Assert.Equal(6, batch.Results.Count);
        Assert.Equal(6, done);
        await Assert.ThrowsAsync<FormatException>(() => client.UpdateManyAsync(Users(5), UserStatusAction.Activate, async r =>
        {
            await Task.Yield();
            if (r.Index >= 0) throw new FormatException();
        }));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.UpdateManyAsync([], UserStatusAction.Activate, (Func<UserStatusResult, Task>)null!));
    }

    [Fact]
    public void An_exception_of_the_list_comes_out_before_anything_is_sent()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        IEnumerable<string> Broken() { yield return "ada@example.com"; throw new FormatException("line 2"); }
        int before = Sandbox.Shared.Requests;
        Assert.Throws<FormatException>(() => client.UpdateMany(Broken(), UserStatusAction.Activate));
        Assert.Equal(before, Sandbox.Shared.Requests);
    }

    [Fact]
    public void A_callback_may_not_use_its_own_client_but_another()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client(), other = Sandbox.Shared.Client();
        var own = new List<UserStatusCode>();
        var others = new List<UserStatusCode>();
        client.UpdateMany(new[] { "ada@example.com" }, UserStatusAction.Activate, r =>
        {
            own.Add(client.TryUpdate("ada@example.com", UserStatusAction.Activate).Code);
            others.Add(other.TryUpdate("ada@example.com", UserStatusAction.Activate).Code);
            Assert.Equal(UserStatusCode.Reentrant, Assert.Throws<ZoomUserStatusException>(() => client.UpdateMany(new[] { "a" }, UserStatusAction.Activate)).Code);
        });
        Assert.Equal(new[] { UserStatusCode.Reentrant }, own);
        Assert.Equal(new[] { UserStatusCode.Ok }, others);
    }

    [Fact]
    public async Task As_a_stream()
    {
        using var zoom = new Sandbox("--users 100");
        using ZoomUserStatusClient client = zoom.Client();
        var seen = new List<UserStatusResult>();
        await foreach (UserStatusResult r in client.UpdateEachAsync(Users(100).Append("nobody@example.com"), UserStatusAction.Deactivate)) seen.Add(r);
        Assert.Equal(101, seen.Select(r => r.Index).Distinct().Count());
        Assert.Equal(101, seen.Count);
        Assert.Equal(1, seen.Count(r => !r.IsSuccess));
    }

    [Fact]
    public async Task Cancelling_a_stream_gives_who_was_in_flight_first()
    {
        using var zoom = new Sandbox("--users 500 --delay 20");
        using ZoomUserStatusClient client = zoom.Client();
        using var stop = new CancellationTokenSource();
        var seen = new List<string>();
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (UserStatusResult r in client.UpdateEachAsync(Users(500), UserStatusAction.Deactivate).WithCancellation(stop.Token))
            {
                seen.Add(r.UserId);
                if (seen.Count == 40) stop.Cancel();
            }
        });
        Assert.Equal(stop.Token, e.CancellationToken);
        Assert.InRange(seen.Count, 40, 90);
        foreach (string user in Users(500).Except(seen)) Assert.Equal(0, zoom.Received(user));
        Assert.Equal(Users(500).Except(seen), Assert.IsType<UserStatusBatchCanceledException>(e).Batch.NotSent);
    }

    [Fact]
    public async Task Leaving_a_stream_stops_it()
    {
        using var zoom = new Sandbox("--users 500 --delay 20");
        using ZoomUserStatusClient client = zoom.Client();
        var seen = new List<string>();
        UserStatusUpdates updates = client.UpdateEachAsync(Users(500), UserStatusAction.Deactivate);
        await foreach (UserStatusResult r in updates)
        {
            seen.Add(r.UserId);
            Assert.Throws<InvalidOperationException>(() => updates.Rest);
            break;
        }
        int then = zoom.Users;
        Assert.InRange(then, 1, 60);
        await Task.Delay(200);
        Assert.Equal(then, zoom.Users);
        // Who was in flight is known all the same.
        Assert.Equal(UserStatusCode.Cancelled, updates.Rest.Code);
        Assert.NotEmpty(updates.Rest.Results);
        Assert.Equal(Users(500), seen.Concat(updates.Rest.Results.Select(r => r.UserId)).Concat(updates.Rest.NotSent).Order());
        foreach (string user in updates.Rest.NotSent) Assert.Equal(0, zoom.Received(user));
        Assert.Throws<InvalidOperationException>(() => { updates.GetAsyncEnumerator(); }); // it would send them again
    }

    [Fact]
    public async Task A_stream_to_its_end_leaves_no_rest()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        UserStatusUpdates updates = client.UpdateEachAsync(["ada@example.com", "nobody@example.com"], UserStatusAction.Activate);
        int seen = 0;
        await foreach (UserStatusResult r in updates) seen++;
        Assert.Equal(2, seen);
        Assert.Equal(UserStatusCode.Partial, updates.Rest.Code);
        Assert.Empty(updates.Rest.Results);
        Assert.Empty(updates.Rest.NotSent);
    }

    [Fact]
    public async Task A_stream_hears_the_token_that_it_was_made_with()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        using var cancel = new CancellationTokenSource(100);
        var seen = new List<UserStatusCode>();
        var e = await Assert.ThrowsAsync<UserStatusBatchCanceledException>(async () =>
        {
            await foreach (UserStatusResult r in client.UpdateEachAsync(["answer-never@example.com"], UserStatusAction.Activate, cancel.Token)) seen.Add(r.Code);
        });
        Assert.Equal(cancel.Token, e.CancellationToken);
        Assert.Equal([UserStatusCode.Cancelled], seen);
    }

    [Fact]
    public async Task Leaving_a_stream_leaves_no_exception_behind()
    {
        using var zoom = new Sandbox("--users 500 --delay 20");
        using ZoomUserStatusClient client = zoom.Client();
        Exception? unobserved = null;
        void Collect() { for (int i = 0; i < 3; i++) { GC.Collect(); GC.WaitForPendingFinalizers(); } }
        void Hear(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved = e.Exception;
        async Task Leave() { await foreach (UserStatusResult r in client.UpdateEachAsync(Users(500), UserStatusAction.Deactivate)) break; }
        Collect(); // of other tests
        TaskScheduler.UnobservedTaskException += Hear;
        for (int i = 0; i < 3; i++) await Leave();
        await Task.Delay(50);
        Collect();
        TaskScheduler.UnobservedTaskException -= Hear;
        Assert.Null(unobserved);
    }

    [Fact]
    public async Task A_stream_that_ends_early_says_so()
    {
        using var zoom = new Sandbox("--users 100");
        ZoomUserStatusOptions options = zoom.Options();
        options.AccessToken = "expired";
        using var client = new ZoomUserStatusClient(options);
        int seen = 0;
        var e = await Assert.ThrowsAsync<ZoomUserStatusException>(async () =>
        {
            await foreach (UserStatusResult r in client.UpdateEachAsync(Users(100), UserStatusAction.Deactivate)) seen++;
        });
        Assert.Equal(UserStatusCode.Unauthorized, e.Code);
        Assert.InRange(seen, 1, 99);
    }
}
