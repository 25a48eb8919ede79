using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;
using ZoomUserStatus;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)] // some tests count this process's sockets and memory

/// <summary>A Zoom on loopback: the project's sandbox program. It ends when this process does, because its stdin closes then.</summary>
internal sealed class Sandbox : IDisposable
{
    private static readonly Lazy<Sandbox> LazyShared = new Lazy<Sandbox>(() => new Sandbox());
    private readonly Process _process;

    /// <summary>One for all tests that need no special options.</summary>
    public static Sandbox Shared => LazyShared.Value;

    public Sandbox(string options = "")
    {
        _process = Process.Start(new ProcessStartInfo(Program(), "--quiet --until-stdin-closes " + options)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        for (string? line; (line = _process.StandardOutput.ReadLine()) != "ready";)
        {
            if (line is null) throw new InvalidOperationException("the sandbox ended before it was ready");
            if (line.StartsWith("ZOOM_API_URL=", StringComparison.Ordinal)) ApiUrl = new Uri(line.Substring(13));
            if (line.StartsWith("ZOOM_OAUTH_URL=", StringComparison.Ordinal)) OAuthUrl = new Uri(line.Substring(15));
        }
    }

    public Uri ApiUrl { get; } = new Uri("http://127.0.0.1:1/");
    public Uri OAuthUrl { get; } = new Uri("http://127.0.0.1:1/");

    private static string Program()
    {
        string? given = Environment.GetEnvironmentVariable("ZUS_SANDBOX");
        if (!string.IsNullOrEmpty(given)) return given!;
        for (string? folder = AppDomain.CurrentDomain.BaseDirectory; folder != null; folder = Path.GetDirectoryName(folder))
        {
            string program = Path.Combine(folder, "target/debug/examples/sandbox");
            if (File.Exists(program)) return program;
        }
        throw new InvalidOperationException("no sandbox: cargo build --example sandbox, or set ZUS_SANDBOX");
    }

    /// <summary>A valid token, no rate limit, and short waits.</summary>
    public ZoomUserStatusOptions Options() => new ZoomUserStatusOptions
    {
        AccessToken = "sandbox-token", ApiUrl = ApiUrl, OAuthUrl = OAuthUrl, RateLimit = 0,
        RetryDelay = TimeSpan.FromMilliseconds(5), RetryMaxDelay = TimeSpan.FromMilliseconds(50), UseProxy = false,
    };

    public ZoomUserStatusOptions OAuthOptions()
    {
        ZoomUserStatusOptions options = Options();
        options.AccessToken = null;
        options.AccountId = "sandbox-account";
        options.ClientId = "sandbox-client";
        options.ClientSecret = "sandbox-secret";
        return options;
    }

    public ZoomUserStatusClient Client() => new ZoomUserStatusClient(Options());

    /// <summary>How often the server received an update for the user.</summary>
    public int Received(string user) =>
        Regex.Match(Ledger, "\"" + Regex.Escape(user) + "\":\\{[^}]*\"received\":(\\d+)") is { Success: true } m ? int.Parse(m.Groups[1].Value) : 0;

    /// <summary>How many updates the server received.</summary>
    public int Requests => int.Parse(Regex.Match(Ledger, "\"requests\":(\\d+)").Groups[1].Value);
    public int TokenRequests => int.Parse(Regex.Match(Ledger, "\"token_requests\":(\\d+)").Groups[1].Value);
    /// <summary>How many users the server received updates for.</summary>
    public int Users => Regex.Matches(Ledger, "\"received\":").Count;
    private string Ledger => Http("GET", "/sandbox/ledger").Replace(" ", "");

    private string Http(string method, string path)
    {
        using var connection = new TcpClient(ApiUrl.Host, ApiUrl.Port);
        NetworkStream stream = connection.GetStream();
        byte[] request = Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        stream.Write(request, 0, request.Length);
        return new StreamReader(stream, Encoding.UTF8).ReadToEnd();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000)) _process.Kill();
        _process.Dispose();
    }
}
