using System.Reflection;
using Moq;
using NSubstitute;
using ZoomUserStatus;

/// <summary>What a program that uses this library does in its own tests.</summary>
public class MockTests
{
    /// <summary>Every public method of an instance. Dispose calls the virtual, protected Dispose(bool).</summary>
    private static MethodInfo[] Methods() => typeof(ZoomUserStatusClient).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(m => m.Name != nameof(IDisposable.Dispose)).ToArray();

    private static object? Call(MethodInfo method, ZoomUserStatusClient client) => method.Invoke(client, method.GetParameters().Select(p =>
        p.ParameterType == typeof(string) ? "ada@example.com" :
        p.ParameterType == typeof(UserStatusAction) ? UserStatusAction.Deactivate :
        p.ParameterType == typeof(IEnumerable<string>) ? new[] { "ada@example.com" } :
        p.ParameterType.IsValueType ? Activator.CreateInstance(p.ParameterType) : (object?)null).ToArray());

    [Fact]
    public void Moq_mocks_every_method()
    {
        var mock = new Mock<ZoomUserStatusClient>();
        Assert.True(Methods().Length > 15);
        foreach (MethodInfo method in Methods())
        {
            mock.Invocations.Clear();
            Call(method, mock.Object);
            Assert.Equal(method, Assert.Single(mock.Invocations).Method);
        }
    }

    [Fact]
    public void NSubstitute_substitutes_every_method()
    {
        ZoomUserStatusClient client = Substitute.For<ZoomUserStatusClient>();
        foreach (MethodInfo method in Methods())
        {
            client.ClearReceivedCalls();
            Call(method, client);
            Assert.Equal(method, Assert.Single(client.ReceivedCalls()).GetMethodInfo());
        }
    }

    [Fact]
    public async Task Results_are_made_up()
    {
        var mock = new Mock<ZoomUserStatusClient>();
        mock.Setup(c => c.DeactivateAsync("ada@example.com", It.IsAny<CancellationToken>())).ReturnsAsync(new UserStatusResult("ada@example.com", UserStatusCode.Ok, 204));
        Assert.Equal(204, (await mock.Object.DeactivateAsync("ada@example.com")).HttpStatus);

        ZoomUserStatusClient client = Substitute.For<ZoomUserStatusClient>();
        client.DeactivateAsync("nobody@example.com").Returns(Task.FromException<UserStatusResult>(
            new ZoomUserStatusException(new UserStatusResult("nobody@example.com", UserStatusCode.UserNotFound, 404, 1001))));
        Assert.Equal(UserStatusCode.UserNotFound, (await Assert.ThrowsAsync<ZoomUserStatusException>(() => client.DeactivateAsync("nobody@example.com"))).Code);

        client.UpdateEachAsync(default!, default).ReturnsForAnyArgs(new UserStatusUpdates([new UserStatusResult("ada@example.com", UserStatusCode.Ok)], ["grace@example.com"], UserStatusCode.DailyLimit));
        UserStatusUpdates updates = client.UpdateEachAsync(["ada@example.com", "grace@example.com"], UserStatusAction.Deactivate);
        var seen = new List<string>();
        var e = await Assert.ThrowsAsync<ZoomUserStatusException>(async () => { await foreach (UserStatusResult r in updates) seen.Add(r.UserId); });
        Assert.Equal(UserStatusCode.DailyLimit, e.Code);
        Assert.Equal(["ada@example.com"], seen);
        Assert.Equal(["grace@example.com"], updates.Rest.NotSent);
    }

    [Fact]
    public void A_result_says_everything_once()
    {
        var r = new UserStatusResult("ada@example.com", UserStatusCode.UserLimit, httpStatus: 400, zoomCode: 3412, message: "full", trackingId: "t");
        Assert.Equal("ada@example.com: UserLimit, HTTP 400, Zoom code 3412: full (tracking id t)", r.ToString());
        Assert.Same(r, Assert.Throws<ZoomUserStatusException>(() => r.EnsureSuccess()).Result);
        r = new UserStatusResult("ada@example.com", UserStatusCode.UserLimit, httpStatus: 400, zoomCode: 3412, message: "full (HTTP 400, Zoom code 3412)");
        Assert.Equal("ada@example.com: UserLimit: full (HTTP 400, Zoom code 3412)", r.ToString());
    }

    [Fact]
    public void Exceptions_have_the_usual_constructors()
    {
        var why = new TimeoutException();
        var e = new ZoomUserStatusException("text", why);
        Assert.Same(why, e.InnerException);
        Assert.Equal("text", e.Message);
        Assert.Equal("ZUS_ERR_UNKNOWN", e.Result.CodeName);
        Assert.Equal(e.Code, new ZoomUserStatusException().Code);
        Assert.Empty(new UserStatusBatchCanceledException("text", why).Batch.Results);
        Assert.Throws<ArgumentNullException>(() => new ZoomUserStatusException((UserStatusResult)null!));
    }

    [Fact]
    public void A_method_that_nobody_set_up_says_so()
    {
        using var mock = new Half();
        Assert.True(mock.Deactivate("x").IsSuccess); // by TryUpdate
        Assert.Contains("mock", Assert.Throws<InvalidOperationException>(() => mock.CheckCredentials()).Message);
    }

    private sealed class Half : ZoomUserStatusClient
    {
        public override UserStatusResult TryUpdate(string userId, UserStatusAction action, CancellationToken cancellationToken = default) =>
            new UserStatusResult(userId, UserStatusCode.Ok, 204);
    }
}
