using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using ZoomUserStatus;

public class CallbackTests
{
    private static ZoomUserStatusClient WithProvider(AccessTokenProvider provider, int concurrency = 16, int timeout = 60_000)
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.Concurrency = concurrency;
        options.Timeout = TimeSpan.FromMilliseconds(timeout);
        options.AccessToken = null;
        options.TokenProvider = provider;
        return new ZoomUserStatusClient(options);
    }

    [Fact]
    public void A_refused_token_is_asked_for_again()
    {
        var asked = new List<bool>();
        using ZoomUserStatusClient client = WithProvider(refused => { asked.Add(refused); return refused ? "sandbox-token" : "expired"; });
        UserStatusResult r = client.Activate("ada@example.com");
        Assert.Equal(2, r.Attempts);
        Assert.Equal(new[] { false, true }, asked);
    }

    [Fact]
    public void A_long_token_is_asked_for_once()
    {
        var asked = new List<bool>();
        using ZoomUserStatusClient client = WithProvider(refused => { asked.Add(refused); return refused ? "sandbox-token" : new string('x', 7000); });
        Assert.True(client.Activate("ada@example.com").IsSuccess);
        Assert.Equal(new[] { false, true }, asked);
    }

    [Fact]
    public void A_token_that_is_too_long_is_no_token_and_not_kept()
    {
        int asked = 0;
        using ZoomUserStatusClient client = WithProvider(_ => ++asked == 1 ? new string('x', 20_000) : "sandbox-token");
        Assert.Equal(UserStatusCode.Token, client.TryUpdate("ada@example.com", UserStatusAction.Activate).Code);
        Assert.True(client.Activate("ada@example.com").IsSuccess);
        Assert.Equal(2, asked);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a\0b")]
    public void No_token_no_call(string? token)
    {
        using ZoomUserStatusClient client = WithProvider(_ => token);
        int before = Sandbox.Shared.Requests;
        Assert.Equal(UserStatusCode.Token, Assert.Throws<ZoomUserStatusException>(() => client.Activate("ada@example.com")).Code);
        Assert.Equal(before, Sandbox.Shared.Requests);
    }

    [Fact]
    public async Task An_exception_of_the_provider_comes_out_unchanged()
    {
        var boom = new TimeoutException("vault is shut");
        bool shut = true;
        using ZoomUserStatusClient client = WithProvider(_ => shut ? throw boom : "sandbox-token");
        Assert.Same(boom, Assert.Throws<TimeoutException>(() => client.Activate("ada@example.com")));
        Assert.Same(boom, Assert.Throws<TimeoutException>(() => client.TryUpdate("ada@example.com", UserStatusAction.Activate)));
        Assert.Same(boom, Assert.Throws<TimeoutException>(() => client.CheckCredentials()));
        Assert.Same(boom, await Assert.ThrowsAsync<TimeoutException>(() => client.ActivateAsync("ada@example.com")));
        Exception?[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try { await client.ActivateAsync("ada@example.com"); return null; } catch (Exception e) { return e; }
        }));
        foreach (Exception? e in all) Assert.Same(boom, e);
        Assert.Contains(nameof(An_exception_of_the_provider_comes_out_unchanged), boom.StackTrace!); // where it was thrown first
        shut = false;
        Assert.True(client.Activate("ada@example.com").IsSuccess);
    }

    [Fact]
    public async Task An_exception_of_the_provider_amid_a_list_loses_no_results()
    {
        var boom = new TimeoutException("vault is shut");
        string[] users = { "ada@example.com", "answer-401-expired@example.com", "linus@example.com", "grace@example.com" };
        ZoomUserStatusClient OneByOne() => WithProvider(refused => refused ? throw boom : "sandbox-token", concurrency: 1);
        using ZoomUserStatusClient client = OneByOne();
        UserStatusBatch batch = client.UpdateMany(users, UserStatusAction.Activate);
        Assert.Equal(UserStatusCode.Token, batch.Code);
        Assert.Same(boom, batch.Error);
        Assert.Equal(new[] { UserStatusCode.Ok, UserStatusCode.Token }, batch.Results.Select(r => r.Code));
        Assert.Equal(users.Skip(2), batch.NotSent);
        batch = await client.UpdateManyAsync(users, UserStatusAction.Activate); // now for the first user
        Assert.Same(boom, batch.Error);
        Assert.Equal(3, batch.NotSent.Count);
        using ZoomUserStatusClient another = OneByOne();
        int seen = 0;
        Assert.Same(boom, await Assert.ThrowsAsync<TimeoutException>(async () =>
        {
            await foreach (UserStatusResult r in another.UpdateEachAsync(users, UserStatusAction.Activate)) seen++;
        }));
        Assert.Equal(2, seen);
    }

    [Fact]
    public async Task A_provider_that_is_cancelled_is_not_the_caller_who_cancels()
    {
        using var stop = new CancellationTokenSource();
        Action cancel = () => { };
        using ZoomUserStatusClient client = WithProvider(_ => { cancel(); throw new TaskCanceledException("the vault's own time-out"); });
        var e = Assert.Throws<InvalidOperationException>(() => client.Activate("ada@example.com", stop.Token));
        Assert.True(e.InnerException is TaskCanceledException);
        Task<UserStatusResult> call = client.ActivateAsync("ada@example.com", stop.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call);
        Assert.False(call.IsCanceled);
        Assert.True(client.UpdateMany(new[] { "ada@example.com" }, UserStatusAction.Activate).Error is InvalidOperationException);
        cancel = stop.Cancel; // this time it is
        Assert.ThrowsAny<OperationCanceledException>(() => client.Activate("ada@example.com", stop.Token));
    }

    [Fact]
    public void A_cancelled_call_that_timed_out_in_the_provider_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        using ZoomUserStatusClient client = WithProvider(_ => { stop.Cancel(); Thread.Sleep(400); return "sandbox-token"; }, timeout: 200);
        Assert.Equal(stop.Token, Assert.ThrowsAny<OperationCanceledException>(() => client.Activate("ada@example.com", stop.Token)).CancellationToken);
    }

    [Fact]
    public void Log_lines_come_with_a_level_and_without_secrets()
    {
        var lines = new List<KeyValuePair<UserStatusLogLevel, string>>();
        ZoomUserStatusOptions options = Sandbox.Shared.OAuthOptions();
        options.LogLevel = UserStatusLogLevel.Debug;
        options.Log = (level, text) => { lock (lines) lines.Add(new KeyValuePair<UserStatusLogLevel, string>(level, text)); };
        using var client = new ZoomUserStatusClient(options);
        client.Activate("ada@example.com");
        client.TryUpdate("nobody@example.com", UserStatusAction.Activate);
        client.UpdateMany(new[] { "ada@example.com", "answer-503@example.com" }, UserStatusAction.Activate);
        Assert.True(lines.Count > 3, lines.Count + " lines");
        foreach (KeyValuePair<UserStatusLogLevel, string> line in lines)
        {
            Assert.InRange((int)line.Key, (int)UserStatusLogLevel.Debug, (int)UserStatusLogLevel.Error);
            Assert.True(line.Value.Length > 0);
            Assert.DoesNotContain("sandbox-secret", line.Value);
            Assert.DoesNotContain("Bearer ", line.Value);
        }
        options.LogLevel = UserStatusLogLevel.Error;
        lines.Clear();
        using var quiet = new ZoomUserStatusClient(options);
        quiet.Activate("ada@example.com");
        Assert.Empty(lines);
    }

    private sealed class Listener(List<string> heard) : System.Diagnostics.TraceListener
    {
        public override void Write(string? message) { }
        public override void WriteLine(string? message) { lock (heard) heard.Add(message ?? ""); }
    }

    [Fact]
    public async Task An_exception_of_the_log_loses_no_result_and_is_traced()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.LogLevel = UserStatusLogLevel.Debug;
        options.Log = (level, text) => throw new FormatException("disk full");
        var heard = new List<string>();
        using var listener = new Listener(heard);
        System.Diagnostics.Trace.Listeners.Add(listener);
        try
        {
            using var client = new ZoomUserStatusClient(options);
            Assert.True(client.Activate("ada@example.com").IsSuccess);
            Assert.True((await client.ActivateAsync("ada@example.com")).IsSuccess);
            Assert.Equal(30, client.UpdateMany(Enumerable.Repeat("ada@example.com", 30), UserStatusAction.Activate).Results.Count(r => r.IsSuccess));
            Assert.Equal(30, (await client.UpdateManyAsync(Enumerable.Repeat("ada@example.com", 30), UserStatusAction.Activate)).Results.Count(r => r.IsSuccess));
        }
        finally { System.Diagnostics.Trace.Listeners.Remove(listener); }
        lock (heard) Assert.Contains(heard, line => line.Contains("the log delegate threw: System.FormatException: disk full"));
    }
}
