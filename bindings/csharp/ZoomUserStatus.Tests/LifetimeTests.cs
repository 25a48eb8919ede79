using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using ZoomUserStatus;

public class LifetimeTests
{
    private static string User(int i) => $"user{i:D5}@example.com";

    /// <summary>Connections that this process holds open to the sandbox.</summary>
    private static int Sockets() => Directory.GetFileSystemEntries("/proc/self/fd").Count(fd =>
    {
        try { return LinkTarget(fd).StartsWith("socket:", StringComparison.Ordinal); }
        catch (IOException) { return false; }
    });

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "readlink")]
    private static extern nint ReadLink(byte[] path, byte[] buffer, nint size);

    private static string LinkTarget(string path)
    {
        var buffer = new byte[200];
        nint n = ReadLink(System.Text.Encoding.ASCII.GetBytes(path + "\0"), buffer, buffer.Length);
        return n <= 0 ? "" : System.Text.Encoding.ASCII.GetString(buffer, 0, (int)n);
    }

    private static long ResidentMegabytes() =>
        long.Parse(File.ReadAllLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(new[] { ' ', '\t' }, StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;

    private static void Collect() { for (int i = 0; i < 3; i++) { GC.Collect(); GC.WaitForPendingFinalizers(); } }

    /// <summary>On a thread of its own: Mono scans stacks conservatively, and old slots of this one would keep objects alive.</summary>
    private static void Elsewhere(Action action)
    {
        Exception? error = null;
        var thread = new Thread(() => { try { action(); } catch (Exception e) { error = e; } });
        thread.Start();
        thread.Join();
        if (error != null) throw new InvalidOperationException(error.Message, error);
    }

    /// <summary>The sockets once those of other tests have gone: threads of started calls keep a client's for a second.</summary>
    private static int SettledSockets()
    {
        int count = -1;
        for (int i = 0, same = 0; i < 200 && same < 20; i++)
        {
            Collect();
            Thread.Sleep(100);
            int now = Sockets();
            same = now == count ? same + 1 : 0;
            count = now;
        }
        return count;
    }

    [Fact]
    public void Forgotten_clients_close_their_connections()
    {
        if (!Directory.Exists("/proc/self/fd")) return; // only Linux lets us count them
        Sandbox zoom = Sandbox.Shared;
        int before = SettledSockets();
        Elsewhere(() =>
        {
            var clients = new List<ZoomUserStatusClient>();
            for (int i = 0; i < 40; i++)
            {
                clients.Add(zoom.Client());
                clients[i].Activate("ada@example.com");
            }
            Assert.InRange(Sockets(), before + 40, before + 45); // the measure works: each keeps its connection
        });
        for (int i = 0; i < 20 && Sockets() > before + 4; i++) { Collect(); Thread.Sleep(20); }
        Assert.InRange(Sockets(), 0, before + 4);
    }

    [Fact]
    public void Disposed_clients_close_their_connections_at_once()
    {
        if (!Directory.Exists("/proc/self/fd")) return;
        int before = SettledSockets();
        for (int i = 0; i < 20; i++)
            using (ZoomUserStatusClient client = Sandbox.Shared.Client()) client.Activate("ada@example.com");
        Assert.InRange(Sockets(), 0, before + 1);
    }

    /// <summary>8 KB of native memory and more each, ten thousand of them, none disposed: without finalizers this would hold 100 MB and more.</summary>
    [Fact]
    public void Forgotten_handles_give_their_memory_back()
    {
        if (!File.Exists("/proc/self/status")) return;
        string token = new string('t', 8_000);
        void Round(int count) => Elsewhere(() =>
        {
            for (int i = 0; i < count; i++)
            {
                ZoomUserStatusOptions options = Sandbox.Shared.Options();
                options.AccessToken = token;
                _ = new ZoomUserStatusClient(options);
                if (i % 500 == 0) Collect();
            }
        });
        Round(500);
        Collect();
        long before = ResidentMegabytes();
        Round(10_000);
        Collect();
        Assert.InRange(ResidentMegabytes() - before, -1000, 80);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference SelfReferring()
    {
        ZoomUserStatusClient? client = null;
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.AccessToken = null;
        options.TokenProvider = refused => client is null ? null : "sandbox-token";
        options.Log = (level, line) => GC.KeepAlive(client);
        options.LogLevel = UserStatusLogLevel.Debug;
        client = new ZoomUserStatusClient(options);
        client.Activate("ada@example.com");
        return new WeakReference(client);
    }

    [Fact]
    public void A_client_that_its_own_callbacks_hold_is_collected()
    {
        var weak = new List<WeakReference>();
        Elsewhere(() => { for (int i = 0; i < 20; i++) weak.Add(SelfReferring()); });
        for (int i = 0; i < 10; i++) Collect();
        Assert.InRange(weak.Count(w => w.IsAlive), 0, 2);
    }

    [Fact]
    public async Task Everything_holds_while_the_collector_runs_all_the_time()
    {
        using var zoom = new Sandbox("--users 200");
        using var stop = new CancellationTokenSource();
        Task collector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Sleep(1);
            }
        });
        int lines = 0;
        for (int round = 0; round < 6; round++)
        {
            ZoomUserStatusOptions options = zoom.Options();
            options.AccessToken = null;
            options.TokenProvider = refused => "sandbox-" + "token".Substring(0); // garbage, in a delegate that only the client holds
            options.LogLevel = UserStatusLogLevel.Debug;
            options.Log = (level, line) => Interlocked.Add(ref lines, line.Length > 0 ? 1 : 0);
            var client = new ZoomUserStatusClient(options); // forgotten, not disposed
            options = null!;
            int seen = 0;
            Task<UserStatusBatch> batch = client.UpdateManyAsync(Enumerable.Range(1, 200).Select(User), UserStatusAction.Deactivate, r => { seen++; new string('x', 2000).ToString(); });
            var cancelled = new List<Task>();
            for (int i = 0; i < 5; i++)
            {
                var source = new CancellationTokenSource(30);
                cancelled.Add(Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.UpdateAsync("answer-never@example.com", UserStatusAction.Activate, source.Token)));
            }
            Assert.Equal(200, (await batch).Results.Count(r => r.IsSuccess));
            Assert.Equal(200, seen);
            await Task.WhenAll(cancelled);
        }
        Assert.True(lines > 1000, lines + " log lines");
        stop.Cancel();
        await collector;
    }

    [Fact]
    public async Task Dispose_waits_for_nobody_and_frees_nothing_in_use()
    {
        ZoomUserStatusClient client = Sandbox.Shared.Client();
        const string slow = "answer-slow-1000@example.com";
        int before = Sandbox.Shared.Received(slow);
        Task<UserStatusResult> call = client.ActivateAsync(slow);
        for (int i = 0; i < 100 && Sandbox.Shared.Received(slow) == before; i++) Thread.Sleep(20);
        client.Dispose();
        client.Dispose();
        Assert.False(call.IsCompleted, "the call was to be under way");
        Assert.Throws<ObjectDisposedException>(() => client.Activate("ada@example.com"));
        Assert.Throws<ObjectDisposedException>(() => client.UpdateMany(new[] { "ada@example.com" }, UserStatusAction.Activate));
        Assert.Throws<ObjectDisposedException>(() => client.CheckCredentials());
        Assert.Equal(204, (await call).HttpStatus);
    }

    [Fact]
    public void Failed_clients_leave_nothing()
    {
        Elsewhere(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                ZoomUserStatusOptions options = Sandbox.Shared.Options();
                options.Concurrency = 0;
                Assert.Throws<ArgumentException>(() => new ZoomUserStatusClient(options).Dispose());
            }
        });
        Collect();
        Assert.True(Sandbox.Shared.Client().Activate("ada@example.com").IsSuccess);
    }
}
