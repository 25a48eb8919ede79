using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using ZoomUserStatus;

public class CallbackTests
{
    private static ZoomUserStatusClient WithProvider(AccessTokenProvider provider)
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
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
        Assert.Same(boom, Assert.Throws<TimeoutException>(() => client.UpdateMany(Enumerable.Repeat("ada@example.com", 50), UserStatusAction.Activate)));
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
        Assert.Equal(0, lines.Count);
    }

    [Fact]
    public void An_exception_of_the_log_comes_out_unchanged()
    {
        var boom = new FormatException("disk full");
        bool full = true;
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.LogLevel = UserStatusLogLevel.Debug;
        options.Log = (level, text) => { if (full) throw boom; };
        using var client = new ZoomUserStatusClient(options);
        Assert.Same(boom, Assert.Throws<FormatException>(() => client.Activate("ada@example.com")));
        Assert.Same(boom, Assert.Throws<FormatException>(() => client.UpdateMany(Enumerable.Repeat("ada@example.com", 30), UserStatusAction.Activate)));
        full = false;
        Assert.True(client.Activate("ada@example.com").IsSuccess);
    }

    [Fact]
    public async Task An_exception_of_the_log_in_a_list_leaves_other_callers_alone()
    {
        using var other = new ManualResetEventSlim();
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.LogLevel = UserStatusLogLevel.Debug;
        options.Log = (level, text) =>
        {
            if (text.Contains("slow")) other.Set();
            if (text.Contains("linus")) throw new FormatException();
        };
        using var client = new ZoomUserStatusClient(options);
        Task<UserStatusResult> single = client.ActivateAsync("answer-slow-1000@example.com");
        Assert.True(other.Wait(5000), "the other call logs nothing");
        await Assert.ThrowsAsync<FormatException>(() => client.UpdateManyAsync(new[] { "linus@example.com" }, UserStatusAction.Activate));
        Assert.True((await single).IsSuccess);
    }
}
