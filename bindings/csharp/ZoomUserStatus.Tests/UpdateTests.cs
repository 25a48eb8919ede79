using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using ZoomUserStatus;

public class UpdateTests
{
    private static Sandbox Zoom => Sandbox.Shared;

    [Fact]
    public void Does_what_was_asked()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        int before = Zoom.Received("linus@example.com");
        UserStatusResult r = client.Deactivate("linus@example.com");
        Assert.True(r.IsSuccess);
        Assert.Equal(UserStatusCode.Ok, r.Code);
        Assert.Equal("ZUS_OK", r.CodeName);
        Assert.Equal(204, r.HttpStatus);
        Assert.Equal(0, r.ZoomCode);
        Assert.Equal("linus@example.com", r.UserId);
        Assert.Equal("", r.Body);
        Assert.Equal(1, r.Attempts);
        Assert.Null(r.RetryAfter);
        Assert.StartsWith("v=2.0;", r.TrackingId);
        Assert.Equal(r.TrackingId, r.Headers["X-ZM-TrackingId"]);
        Assert.Equal("Light", r.Headers["x-ratelimit-category"]);
        Assert.True(client.Activate("linus@example.com").IsSuccess);
        Assert.True(client.Update("linus@example.com", UserStatusAction.ClockIn).IsSuccess);
        Assert.True(client.Update("linus@example.com", UserStatusAction.ClockOut).IsSuccess);
        Assert.Equal(before + 4, Zoom.Received("linus@example.com"));
    }

    [Theory]
    [InlineData("nobody@example.com", UserStatusCode.UserNotFound, 404, 1001)]
    [InlineData("admin@example.com", UserStatusCode.UserProtected, 400, 200)]
    [InlineData("events@example.com", UserStatusCode.UserBusy, 400, 300)]
    [InlineData("answer-300@example.com", UserStatusCode.Rejected, 400, 300)]
    [InlineData("answer-200-code@example.com", UserStatusCode.UserNotFound, 200, 1001)]
    [InlineData("answer-4711@example.com", UserStatusCode.Forbidden, 400, 4711)]
    [InlineData("answer-503@example.com", UserStatusCode.Server, 503, 0)]
    [InlineData("answer-429-bare-qps@example.com", UserStatusCode.RateLimited, 429, 429)]
    [InlineData("answer-html@example.com", UserStatusCode.Protocol, 200, 0)]
    [InlineData("answer-cut@example.com", UserStatusCode.Io, 0, 0)]
    public void A_failure_throws_with_all_there_is_to_know(string user, UserStatusCode code, int http, int zoom)
    {
        using ZoomUserStatusClient client = Zoom.Client();
        var e = Assert.Throws<ZoomUserStatusException>(() => client.Deactivate(user));
        Assert.Equal(code, e.Code);
        Assert.Equal(http, e.Result.HttpStatus);
        if (zoom != 429) Assert.Equal(zoom, e.Result.ZoomCode);
        Assert.Equal(user, e.Result.UserId);
        Assert.True(e.Result.Message.Length > 5, "no message");
        Assert.InRange(e.Result.Attempts, 1, 4);
        Assert.Contains(user, e.Message);
        Assert.Contains(code.ToString(), e.Message);
        if (http != 0) Assert.Contains("HTTP " + http, e.Message);
        Assert.DoesNotContain("sandbox-token", e.ToString());
    }

    [Fact]
    public void The_body_is_kept_as_it_came()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        UserStatusResult r = client.TryUpdate("nobody@example.com", UserStatusAction.Deactivate);
        Assert.Contains("\"code\"", r.Body);
        Assert.Contains("1001", System.Text.Encoding.UTF8.GetString(r.GetBodyBytes()));
        Assert.Equal("ZUS_ERR_USER_NOT_FOUND", r.CodeName);
        r.GetBodyBytes()[0] = 0;
        Assert.StartsWith("{", r.Body);
    }

    [Fact]
    public void Daily_limit_tells_how_long_to_wait()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        var e = Assert.Throws<ZoomUserStatusException>(() => client.Activate("answer-429-daily@example.com"));
        Assert.Equal(UserStatusCode.DailyLimit, e.Code);
        Assert.NotNull(e.Result.RetryAfter);
        Assert.InRange(e.Result.RetryAfter!.Value.TotalHours, 0.0, 25.0);
        Assert.Equal(1, e.Result.Attempts);
    }

    [Fact]
    public void Retries_what_passes()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        Assert.Equal(3, client.Deactivate("answer-503-then-ok-2@example.com").Attempts);
    }

    [Fact]
    public async Task Async_is_the_same()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        Assert.Equal(204, (await client.DeactivateAsync("ada@example.com")).HttpStatus);
        Assert.True((await client.ActivateAsync("ada@example.com")).IsSuccess);
        Assert.Equal(UserStatusCode.UserNotFound, (await client.TryUpdateAsync("nobody@example.com", UserStatusAction.Activate)).Code);
        Assert.Equal(1001, (await Assert.ThrowsAsync<ZoomUserStatusException>(() => client.UpdateAsync("nobody@example.com", UserStatusAction.Activate))).Result.ZoomCode);
    }

    [Theory]
    [InlineData("jürgen+test@exämple.com")]
    [InlineData("用户@example.com")]
    [InlineData("🚆/../x@example.com")]
    public void Ids_travel_as_utf8(string user)
    {
        using ZoomUserStatusClient client = Zoom.Client();
        int before = Zoom.Received(user);
        UserStatusResult r = client.TryUpdate(user, UserStatusAction.Deactivate);
        Assert.Equal(UserStatusCode.UserNotFound, r.Code);
        Assert.Equal(user, r.UserId);
        Assert.Equal(before + 1, Zoom.Received(user));
    }

    [Theory]
    [InlineData("", UserStatusCode.Argument)]
    [InlineData(" ada@example.com", UserStatusCode.Argument)]
    [InlineData("ada@example.com\n", UserStatusCode.Argument)]
    [InlineData("..", UserStatusCode.Argument)]
    [InlineData("ada@example.com\0.evil", UserStatusCode.Argument)]
    public void A_bad_id_is_refused_and_nothing_is_sent(string user, UserStatusCode code)
    {
        using ZoomUserStatusClient client = Zoom.Client();
        int before = Zoom.Requests;
        UserStatusResult r = client.TryUpdate(user, UserStatusAction.Deactivate);
        Assert.Equal(code, r.Code);
        Assert.Equal(0, r.Attempts);
        Assert.True(r.Message.Length > 5, "no message");
        Assert.Equal(code, Assert.Throws<ZoomUserStatusException>(() => client.Deactivate(user)).Code);
        Assert.Equal(before, Zoom.Requests);
    }

    [Fact] // not rows of the theory above: an attribute can't hold them
    public void Half_a_surrogate_pair_is_refused_and_nothing_is_sent()
    {
        A_bad_id_is_refused_and_nothing_is_sent("lone high \ud800", UserStatusCode.Utf8);
        A_bad_id_is_refused_and_nothing_is_sent("\udc00 lone low", UserStatusCode.Utf8);
    }

    [Fact]
    public async Task Misuse_throws_at_once()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        Assert.Throws<ArgumentNullException>(() => client.Deactivate(null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.DeactivateAsync(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.Update("ada@example.com", (UserStatusAction)9));
        Assert.Throws<ArgumentNullException>(() => client.UpdateMany(null!, UserStatusAction.Activate));
        Assert.Throws<ArgumentNullException>(() => client.UpdateMany(new string[0], UserStatusAction.Activate, (Action<UserStatusResult>)null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.UpdateMany(new string[0], 0));
        Assert.Throws<ArgumentNullException>(() => new ZoomUserStatusClient(null!));
    }

    [Fact]
    public void Cancelled_before_it_starts_sends_nothing()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        int before = Zoom.Requests;
        Assert.ThrowsAny<OperationCanceledException>(() => client.Deactivate("ada@example.com", new CancellationToken(true)));
        Assert.ThrowsAny<OperationCanceledException>(() => client.CheckCredentials(new CancellationToken(true)));
        Assert.Equal(before, Zoom.Requests);
    }

    [Fact]
    public async Task Cancel_ends_a_call_in_flight()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        using var stop = new CancellationTokenSource(200);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var e = Assert.ThrowsAny<OperationCanceledException>(() => client.Deactivate("answer-never@example.com", stop.Token));
        Assert.Equal(stop.Token, e.CancellationToken);
        using var again = new CancellationTokenSource(200);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.DeactivateAsync("answer-never@example.com", again.Token));
        Assert.InRange(watch.ElapsedMilliseconds, 300, 3000);
        Assert.True(client.Activate("ada@example.com").IsSuccess);
    }

    [Fact]
    public void Time_out_is_an_error_not_a_cancellation()
    {
        ZoomUserStatusOptions options = Zoom.Options();
        options.Timeout = TimeSpan.FromMilliseconds(200);
        using var client = new ZoomUserStatusClient(options);
        using var stop = new CancellationTokenSource();
        Assert.Equal(UserStatusCode.Timeout, Assert.Throws<ZoomUserStatusException>(() => client.Deactivate("answer-never@example.com", stop.Token)).Code);
    }

    [Fact]
    public async Task Many_threads_share_a_client()
    {
        using ZoomUserStatusClient client = Zoom.Client();
        UserStatusResult[] all = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            client.TryUpdateAsync(i % 2 == 0 ? "ada@example.com" : "nobody@example.com", UserStatusAction.Activate)));
        Assert.Equal(20, all.Count(r => r.IsSuccess));
        Assert.Equal(20, all.Count(r => r.Code == UserStatusCode.UserNotFound));
    }

    [Fact]
    public void Check_credentials_shows_the_scopes_and_no_token()
    {
        using var client = new ZoomUserStatusClient(Zoom.OAuthOptions());
        int updates = Zoom.Users, tokens = Zoom.TokenRequests;
        UserStatusResult r = client.CheckCredentials();
        Assert.Contains("user:write:admin", r.Body);
        Assert.DoesNotContain("access_token", r.Body);
        Assert.Equal(updates, Zoom.Users);
        Assert.Equal(tokens + 1, Zoom.TokenRequests);
        Assert.True(client.Activate("ada@example.com").IsSuccess);
        Assert.Equal(tokens + 1, Zoom.TokenRequests);
    }

    [Fact]
    public async Task Wrong_credentials_are_told()
    {
        ZoomUserStatusOptions options = Zoom.OAuthOptions();
        options.ClientSecret = "not-the-secret";
        using var client = new ZoomUserStatusClient(options);
        var e = await Assert.ThrowsAsync<ZoomUserStatusException>(() => client.CheckCredentialsAsync());
        Assert.Equal(UserStatusCode.Token, e.Code);
        Assert.DoesNotContain("not-the-secret", e.ToString());
        Assert.Equal(UserStatusCode.Token, Assert.Throws<ZoomUserStatusException>(() => client.Deactivate("ada@example.com")).Code);
    }
}
