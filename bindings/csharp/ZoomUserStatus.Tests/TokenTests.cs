using System.Diagnostics;
using ZoomUserStatus;

/// <summary>An asynchronous token provider.</summary>
public class TokenTests
{
    private static ZoomUserStatusClient Client(AsyncAccessTokenProvider provider, Action<ZoomUserStatusOptions>? set = null)
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.AccessToken = null;
        options.AsyncTokenProvider = provider;
        set?.Invoke(options);
        return new ZoomUserStatusClient(options);
    }

    [Fact]
    public async Task A_rejected_token_is_asked_for_again()
    {
        var asked = new List<bool>();
        using ZoomUserStatusClient client = Client(async (rejected, _) =>
        {
            lock (asked) asked.Add(rejected);
            await Task.Delay(20);
            return rejected ? "sandbox-token" : "expired";
        });
        UserStatusResult[] all = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => client.ActivateAsync("ada@example.com")));
        Assert.All(all, r => Assert.True(r.IsSuccess));
        Assert.True(client.Activate("ada@example.com").IsSuccess); // a call that blocks, too
        Assert.True(client.UpdateMany(["ada@example.com"], UserStatusAction.Activate).IsSuccess);
        Assert.Equal([false, true], asked);
    }

    [Fact]
    public void A_call_that_blocks_is_the_first_to_ask()
    {
        using ZoomUserStatusClient client = Client(async (_, _) => { await Task.Yield(); return "sandbox-token"; });
        Assert.True(client.Activate("ada@example.com").IsSuccess);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a\0b")]
    public async Task No_token_no_call(string? token)
    {
        using ZoomUserStatusClient client = Client((_, _) => new ValueTask<string?>(token));
        int before = Sandbox.Shared.Requests;
        Assert.Equal(UserStatusCode.Token, (await Assert.ThrowsAsync<ZoomUserStatusException>(() => client.ActivateAsync("ada@example.com"))).Code);
        Assert.Equal(before, Sandbox.Shared.Requests);
    }

    [Fact]
    public async Task What_it_throws_comes_out_unchanged()
    {
        var boom = new TimeoutException("vault is shut");
        bool shut = true;
        using ZoomUserStatusClient client = Client(async (_, _) => { await Task.Yield(); return shut ? throw boom : "sandbox-token"; });
        Assert.Same(boom, await Assert.ThrowsAsync<TimeoutException>(() => client.ActivateAsync("ada@example.com")));
        Assert.Same(boom, await Assert.ThrowsAsync<TimeoutException>(() => client.CheckCredentialsAsync()));
        Assert.Same(boom, Assert.Throws<TimeoutException>(() => client.Activate("ada@example.com")));
        UserStatusBatch batch = await client.UpdateManyAsync(["ada@example.com", "linus@example.com"], UserStatusAction.Activate);
        Assert.Same(boom, batch.Error);
        Assert.Equal(2, batch.Results.Count + batch.NotSent.Count);
        shut = false;
        Assert.True((await client.ActivateAsync("ada@example.com")).IsSuccess);
    }

    [Fact]
    public async Task A_call_is_cancelled_while_the_provider_is_at_work()
    {
        int asked = 0;
        var gate = new TaskCompletionSource();
        using ZoomUserStatusClient client = Client(async (_, _) => { asked++; await gate.Task; return "sandbox-token"; });
        using var cancel = new CancellationTokenSource(100);
        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ActivateAsync("ada@example.com", cancel.Token));
        using var again = new CancellationTokenSource(100);
        Assert.ThrowsAny<OperationCanceledException>(() => client.Activate("ada@example.com", again.Token));
        Assert.InRange(watch.ElapsedMilliseconds, 150, 3000);
        Task<UserStatusResult> patient = client.ActivateAsync("ada@example.com");
        await Task.Delay(500); // by then it asks as well
        gate.SetResult();
        Assert.True((await patient).IsSuccess);
        Assert.Equal(1, asked); // all three waited for one token
    }

    [Fact]
    public async Task A_provider_that_nobody_waits_for_is_cancelled()
    {
        var heard = new TaskCompletionSource();
        async ValueTask<string?> Endless(bool rejected, CancellationToken token)
        {
            try { await Task.Delay(Timeout.Infinite, token); }
            finally { heard.TrySetResult(); }
            return null;
        }
        using (ZoomUserStatusClient client = Client(Endless, o => o.Timeout = TimeSpan.FromMilliseconds(200)))
        {
            // Its own time-out and the call's come at about the same time.
            Exception? e = await Record.ExceptionAsync(() => client.ActivateAsync("ada@example.com"));
            Assert.True(e is InvalidOperationException or ZoomUserStatusException { Code: UserStatusCode.Timeout }, e?.ToString());
        }
        await heard.Task.WaitAsync(TimeSpan.FromSeconds(5));
        heard = new TaskCompletionSource();
        using (ZoomUserStatusClient client = Client(Endless))
        {
            using var cancel = new CancellationTokenSource(100);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ActivateAsync("ada@example.com", cancel.Token));
            Assert.False(heard.Task.IsCompleted);
        }
        await heard.Task.WaitAsync(TimeSpan.FromSeconds(5)); // the client is closed
    }

    [Fact]
    public async Task It_may_not_use_its_own_client()
    {
        ZoomUserStatusClient? client = null;
        var codes = new List<UserStatusCode>();
        using (client = Client(async (_, _) =>
        {
            await Task.Yield();
            codes.Add((await client!.TryUpdateAsync("ada@example.com", UserStatusAction.Activate)).Code);
            codes.Add((await client.TryGetStatusAsync("ada@example.com")).Code);
            return "sandbox-token";
        }))
        {
            Assert.True((await client.ActivateAsync("ada@example.com")).IsSuccess);
            Assert.Equal([UserStatusCode.Reentrant, UserStatusCode.Reentrant], codes);
        }
    }

    [Fact]
    public void It_is_one_of_the_kinds_of_credentials()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.AsyncTokenProvider = (_, _) => default;
        Assert.Contains("one kind of credentials", Assert.Throws<InvalidOperationException>(options.Validate).Message);
        options.AccessToken = null;
        options.Validate();
        Assert.Contains("token provider", options.ToString());
    }

    [Fact]
    public void A_closed_or_forgotten_client_leaves_no_thread()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("only Linux names the threads of a process");
        static int Threads() => Directory.GetDirectories("/proc/self/task").Count(task =>
        {
            try { return File.ReadAllText(Path.Combine(task, "comm")).StartsWith("ZoomUserStatus ", StringComparison.Ordinal); } // the 15 characters that Linux keeps
            catch (IOException) { return false; }
        });
        var thread = new Thread(() =>
        {
            for (int i = 0; i < 5; i++)
            {
                ZoomUserStatusClient? client = null;
                client = Client((_, _) => new ValueTask<string?>(client is null ? null : "sandbox-token"));
                client.Activate("ada@example.com");
                if (i % 2 == 0) client.Dispose();
            }
            Assert.InRange(Threads(), 1, 5);
        });
        thread.Start();
        thread.Join();
        for (int i = 0; i < 50 && Threads() > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(20);
        }
        Assert.Equal(0, Threads());
    }
}
