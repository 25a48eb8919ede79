using ZoomUserStatus;

/// <summary>Reading users, and updates that are verified by it.</summary>
public class StatusTests
{
    private static ZoomUserStatusClient Verifying(Sandbox zoom, TimeSpan wait, Action<ZoomUserStatusOptions>? set = null)
    {
        ZoomUserStatusOptions options = zoom.Options();
        options.Verify = wait;
        set?.Invoke(options);
        return new ZoomUserStatusClient(options);
    }

    [Fact]
    public async Task A_user_is_read()
    {
        using var zoom = new Sandbox();
        using ZoomUserStatusClient client = zoom.Client();
        client.Deactivate("ada@example.com");
        foreach (UserStatusResult r in new[] { client.GetStatus("ada@example.com"), await client.GetStatusAsync("ada@example.com") })
        {
            Assert.Equal((UserStatusCode.Ok, UserStatus.Inactive, 200), (r.Code, r.UserStatus, r.HttpStatus));
            Assert.Equal(UserStatusDelivery.Responded, r.Delivery);
            Assert.Equal("ada@example.com", r.User.Email);
            Assert.Equal("id-of-ada", r.User.Id);
            Assert.Equal("ada Example", r.User.DisplayName);
            Assert.Equal(("2", "Member", 2, "Sandbox"), (r.User.RoleId, r.User.RoleName, r.User.Type, r.User.Department));
            Assert.Equal(new DateTimeOffset(2026, 11, 20, 8, 15, 0, TimeSpan.Zero), r.User.LastLogin);
            Assert.Equal("ada@example.com: Ok, HTTP 200, Inactive", r.ToString());
            Assert.Equal("ada@example.com (Member)", r.User.ToString());
        }
        Assert.Equal(UserStatus.Active, (await client.GetStatusAsync("linus@example.com")).UserStatus);
        Assert.Equal(UserStatus.Pending, client.GetStatus("pending@example.com").UserStatus);
        Assert.Equal("1", client.GetStatus("admin@example.com").User.RoleId);
    }

    [Fact]
    public async Task A_read_that_fails()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        UserStatusResult r = await client.TryGetStatusAsync("nobody@example.com");
        Assert.Equal((UserStatusCode.UserNotFound, UserStatus.Unknown, 1001), (r.Code, r.UserStatus, r.ZoomCode));
        Assert.Equal("", r.User.Email);
        Assert.Null(r.User.LastLogin);
        Assert.Equal(UserStatusCode.UserNotFound, client.TryGetStatus("nobody@example.com").Code);
        Assert.Equal(UserStatusCode.UserNotFound, Assert.Throws<ZoomUserStatusException>(() => client.GetStatus("nobody@example.com")).Code);
        Assert.Equal(UserStatusCode.Argument, (await Assert.ThrowsAsync<ZoomUserStatusException>(() => client.GetStatusAsync(" padded"))).Code);
        Assert.Throws<ArgumentNullException>(() => client.GetStatus(null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.GetStatusAsync(null!));
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.AccessToken = "no-read";
        using var blind = new ZoomUserStatusClient(options);
        r = blind.TryGetStatus("ada@example.com");
        Assert.Equal(UserStatusCode.Forbidden, r.Code);
        Assert.True(r.IsFatal);
        Assert.Contains("user:read:user:admin", r.Message);
    }

    [Fact]
    public async Task Many_users_are_read()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        client.Activate("linus@example.com");
        string?[] users = ["linus@example.com", "nobody@example.com", "pending@example.com", null];
        var each = new List<UserStatusResult>();
        await foreach (UserStatusResult r in client.GetStatusEachAsync(users!)) each.Add(r);
        foreach (IReadOnlyList<UserStatusResult> results in new[] { client.GetStatusMany(users!).Results, (await client.GetStatusManyAsync(users!)).Results, each.OrderBy(r => r.Index).ToArray() })
        {
            Assert.Equal([UserStatusCode.Ok, UserStatusCode.UserNotFound, UserStatusCode.Ok, UserStatusCode.Null], results.Select(r => r.Code));
            Assert.Equal([UserStatus.Active, UserStatus.Unknown, UserStatus.Pending, UserStatus.Unknown], results.Select(r => r.UserStatus));
            Assert.Equal([0, 1, 2, 3], results.Select(r => r.Index));
        }
        using var cancel = new CancellationTokenSource(100);
        var e = await Assert.ThrowsAsync<UserStatusBatchCanceledException>(() => client.GetStatusManyAsync(["linus@example.com", "answer-never@example.com"], cancel.Token));
        Assert.Equal([UserStatusCode.Ok, UserStatusCode.Cancelled], e.Batch.Results.Select(r => r.Code));
    }

    [Theory]
    [InlineData("ada@example.com", UserStatusCode.Ok, UserStatus.Inactive)]
    [InlineData("late@example.com", UserStatusCode.Ok, UserStatus.Inactive)]
    [InlineData("ghost@example.com", UserStatusCode.NotVerified, UserStatus.Active)]
    [InlineData("pending@example.com", UserStatusCode.NotVerified, UserStatus.Pending)]
    public async Task An_update_is_verified(string user, UserStatusCode code, UserStatus status)
    {
        using var zoom = new Sandbox();
        using ZoomUserStatusClient client = Verifying(zoom, TimeSpan.FromSeconds(2));
        foreach (UserStatusResult r in new[]
        {
            client.TryUpdate(user, UserStatusAction.Deactivate),
            await client.TryUpdateAsync(user, UserStatusAction.Deactivate),
            Assert.Single((await client.UpdateManyAsync([user], UserStatusAction.Deactivate)).Results),
        })
        {
            Assert.Equal((code, status, 204, 1), (r.Code, r.UserStatus, r.HttpStatus, r.Attempts));
            if (code == UserStatusCode.NotVerified) Assert.Contains("still " + status.ToString().ToLowerInvariant(), r.Message);
        }
        Assert.Equal(3, zoom.Received(user));
    }

    [Fact]
    public async Task Users_who_are_waited_for_keep_nobody_from_being_sent()
    {
        using var zoom = new Sandbox("--users 50");
        using ZoomUserStatusClient client = Verifying(zoom, TimeSpan.FromSeconds(1), o => o.Concurrency = 2);
        var users = Enumerable.Range(0, 3).Select(i => $"ghost-{i}@example.com").Concat(Enumerable.Range(1, 50).Select(i => $"user{i:D5}@example.com")).ToArray();
        UserStatusBatch batch = await client.UpdateManyAsync(users, UserStatusAction.Deactivate);
        Assert.Equal(UserStatusCode.Partial, batch.Code);
        Assert.Equal(3, batch.Results.Count(r => r.Code == UserStatusCode.NotVerified));
        Assert.Equal(50, batch.Results.Count(r => r.IsSuccess));
    }

    [Fact]
    public async Task Without_the_scope_to_read_nobody_is_updated()
    {
        using var zoom = new Sandbox("--users 20");
        using ZoomUserStatusClient client = Verifying(zoom, TimeSpan.FromSeconds(2), o => o.AccessToken = "no-read");
        string[] users = Enumerable.Range(1, 20).Select(i => $"user{i:D5}@example.com").ToArray();
        foreach (UserStatusBatch batch in new[] { client.UpdateMany(users, UserStatusAction.Deactivate), await client.UpdateManyAsync(users, UserStatusAction.Deactivate) })
        {
            Assert.Equal(UserStatusCode.Forbidden, batch.Code);
            UserStatusResult r = Assert.Single(batch.Results);
            Assert.Equal((users[0], UserStatusCode.Forbidden, UserStatusDelivery.NotSent, true), (r.UserId, r.Code, r.Delivery, r.IsFatal));
            Assert.Equal(users.Skip(1), batch.NotSent);
        }
        Assert.All(users, u => Assert.Equal(0, zoom.Received(u)));
    }

    [Fact]
    public async Task An_attempt_has_a_time_of_its_own()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.AttemptTimeout = TimeSpan.FromMilliseconds(100);
        options.MaxAttempts = 2;
        using var client = new ZoomUserStatusClient(options);
        UserStatusResult r = await client.TryUpdateAsync("answer-never@example.com", UserStatusAction.Activate);
        Assert.Equal((UserStatusCode.Timeout, 2, UserStatusDelivery.Unknown), (r.Code, r.Attempts, r.Delivery));
    }

    [Fact]
    public void The_new_settings_are_checked()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.Verify = TimeSpan.FromDays(2);
        options.AttemptTimeout = TimeSpan.Zero;
        string message = Assert.Throws<InvalidOperationException>(options.Validate).Message;
        Assert.Contains("Verify", message);
        Assert.Contains("AttemptTimeout", message);
        options.Verify = TimeSpan.FromMilliseconds(-1);
        options.AttemptTimeout = Timeout.InfiniteTimeSpan;
        message = Assert.Throws<InvalidOperationException>(options.Validate).Message;
        Assert.Contains("Verify", message);
        Assert.DoesNotContain("AttemptTimeout", message);
    }

    [Fact]
    public void Whether_it_may_have_been_applied_is_known()
    {
        using ZoomUserStatusClient client = Sandbox.Shared.Client();
        Assert.Equal(UserStatusDelivery.Responded, client.Activate("ada@example.com").Delivery);
        Assert.Equal(UserStatusDelivery.Unknown, client.TryUpdate("answer-cut@example.com", UserStatusAction.Activate).Delivery);
        Assert.Equal(UserStatusDelivery.NotSent, client.TryUpdate(" ", UserStatusAction.Activate).Delivery);
        Assert.False(client.TryUpdate("nobody@example.com", UserStatusAction.Activate).IsFatal);
        Assert.True(client.TryUpdate("answer-429-daily@example.com", UserStatusAction.Activate).IsFatal);
    }

    [Fact]
    public void A_made_up_result_has_a_user()
    {
        var r = new UserStatusResult("ada@example.com", UserStatusCode.Ok, httpStatus: 200, userStatus: UserStatus.Pending, body: """{"email":"Ada@example.com","type":1,"dept":null,"role_name":["x"]}"""u8.ToArray());
        Assert.Equal(("Ada@example.com", 1, "", ""), (r.User.Email, r.User.Type, r.User.Department, r.User.RoleName));
        Assert.Equal((UserStatus.Pending, UserStatusDelivery.Responded), (r.UserStatus, r.Delivery));
        foreach (string body in new[] { "", "[1]", "{", "<html>" }) Assert.Equal("", new UserStatusResult("a", UserStatusCode.Ok, body: System.Text.Encoding.UTF8.GetBytes(body)).User.Email);
    }
}
