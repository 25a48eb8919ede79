using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Xunit;
using ZoomUserStatus;

public class OptionsTests
{
    private const string Secret = "s3cr3t-value";

    private static void Refused(string property, Action<ZoomUserStatusOptions> change)
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        change(options);
        var e = Assert.Throws<ArgumentException>(() => new ZoomUserStatusClient(options).Dispose());
        Assert.Contains(property, e.Message);
        Assert.DoesNotContain(Secret, e.ToString());
    }

    [Fact]
    public void A_bad_setting_is_refused_by_name()
    {
        Refused("AccessToken", o => o.AccessToken = "");
        Refused("AccessToken", o => o.AccessToken = Secret + "\r\nX-Evil: 1");
        Refused("AccessToken", o => o.AccessToken = Secret + "\ud800");
        Refused("credentials", o => o.AccessToken = null);
        Refused("credentials", o => { o.AccountId = "a"; o.ClientId = "b"; o.ClientSecret = Secret; });
        Refused("ClientSecret is missing", o => { o.AccessToken = null; o.AccountId = "a"; o.ClientId = "b"; });
        Refused("AccountId is missing", o => { o.AccessToken = null; o.ClientSecret = Secret; });
        Refused("AsyncTokenProvider", o => { o.AccessToken = null; });
        Refused("LogLevel", o => o.LogLevel = (UserStatusLogLevel)9);
        Refused("LogLevel", o => { o.LogLevel = 0; o.Log = (_, _) => { }; });
        Refused("ApiUrl", o => o.ApiUrl = new Uri("http://api.zoom.us/v2"));
        Refused("ApiUrl", o => o.ApiUrl = new Uri("v2", UriKind.Relative));
        Refused("ApiUrl", o => o.ApiUrl = null!);
        Refused("OAuthUrl", o => o.OAuthUrl = new Uri("ftp://zoom.us/oauth/token"));
        Refused("Encoding", o => o.Encoding = (UserStatusEncoding)7);
        Refused("Timeout", o => o.Timeout = TimeSpan.FromMilliseconds(-2));
        Refused("Timeout", o => o.Timeout = TimeSpan.Zero);
        Refused("ConnectTimeout", o => o.ConnectTimeout = TimeSpan.MaxValue);
        Refused("MaxAttempts", o => o.MaxAttempts = -1);
        Refused("RateLimit", o => o.RateLimit = -1);
        Refused("Concurrency", o => o.Concurrency = 0);
        Refused("Proxy", o => { o.UseProxy = true; o.Proxy = new Uri("ftp://127.0.0.1:9"); });
        Refused("CaPem", o => o.CaPem = "no certificate");
        Refused("UserAgent", o => o.UserAgent = "a\nb");
        Refused("ResultHeaders", o => o.ResultHeaders.Add(null!));
    }

    [Fact]
    public void A_refusal_says_what_is_allowed()
    {
        foreach (TimeSpan wrong in new[] { TimeSpan.Zero, TimeSpan.FromMilliseconds(-2), TimeSpan.FromDays(1.1), TimeSpan.MaxValue })
        {
            Refused("Timeout is not from 1 millisecond to 1 day", o => o.Timeout = wrong);
            Refused("RatePeriod is not from 1 millisecond to 1 day", o => o.RatePeriod = wrong);
        }
        Refused("RatePeriod is not from 1 millisecond to 1 day", o => o.RatePeriod = System.Threading.Timeout.InfiniteTimeSpan);
        Refused("without \"Bearer \" and line ends", o => o.AccessToken = "Bearer " + Secret);
    }

    [DllImport("libc", EntryPoint = "setenv")]
    private static extern int SetEnv(string name, string value, int overwrite);
    [DllImport("libc", EntryPoint = "unsetenv")]
    private static extern int UnsetEnv(string name);

    [Fact]
    public void A_malformed_proxy_of_the_environment_is_named()
    {
        if (Environment.OSVersion.Platform != PlatformID.Unix) return; // the C runtime's environment, which .NET doesn't set there
        SetEnv("https_proxy", "http://user:" + Secret + "@bad host", 1);
        try { Refused("in the environment (https_proxy, all_proxy)", o => { o.UseProxy = true; o.ApiUrl = new Uri("https://api.zoom.us/v2"); }); }
        finally { UnsetEnv("https_proxy"); }
    }

    [Fact]
    public void Good_settings_are_taken()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.Encoding = UserStatusEncoding.Json;
        options.UserAgent = "my-program/1.0";
        options.Concurrency = 2;
        options.RateLimit = 1000;
        options.RatePeriod = TimeSpan.FromSeconds(2);
        options.MaxAttempts = 1;
        options.Timeout = TimeSpan.FromTicks(50_000_001); // part of a millisecond counts as one
        options.UseProxy = true;
        options.ResultHeaders.Clear();
        options.ResultHeaders.Add("date");
        using var client = new ZoomUserStatusClient(options);
        options.AccessToken = "changed later, without effect";
        UserStatusResult r = client.Activate("ada@example.com");
        Assert.Equal("date", r.Headers.Keys.Single());
        Assert.Equal(1, client.TryUpdate("answer-503@example.com", UserStatusAction.Activate).Attempts);
    }

    [Fact]
    public void A_proxy_is_used_and_its_absence_told()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.UseProxy = true;
        options.Proxy = new Uri("http://127.0.0.1:9"); // discard: nobody listens
        options.MaxAttempts = 1;
        using var client = new ZoomUserStatusClient(options);
        Assert.Equal(UserStatusCode.Proxy, client.TryUpdate("ada@example.com", UserStatusAction.Activate).Code);
    }

    [Fact]
    public void Only_the_given_authority_is_trusted()
    {
        string folder = Path.Combine(Path.GetTempPath(), "zus-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        try
        {
            string cert = Path.Combine(folder, "cert.pem"), key = Path.Combine(folder, "key.pem");
            if (!OpenSsl($"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost " +
                         $"-addext basicConstraints=critical,CA:FALSE -keyout {key} -out {cert}")) return; // no openssl to make a certificate with
            using var zoom = new Sandbox($"--tls {cert} {key}");
            ZoomUserStatusOptions options = zoom.Options();
            options.MaxAttempts = 1;
            using var stranger = new ZoomUserStatusClient(options);
            Assert.Equal(UserStatusCode.Tls, stranger.TryUpdate("ada@example.com", UserStatusAction.Activate).Code);
            options.CaPem = File.ReadAllText(cert);
            using var friend = new ZoomUserStatusClient(options);
            Assert.Equal(204, friend.Activate("ada@example.com").HttpStatus);
        }
        finally { Directory.Delete(folder, true); }
    }

    private static bool OpenSsl(string arguments)
    {
        try
        {
            using Process p = Process.Start(new ProcessStartInfo("openssl", arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            p.StandardError.ReadToEnd();
            p.WaitForExit();
            return p.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception) { return false; }
    }

    [Fact]
    public void Environment_variables()
    {
        string[] names = { "ZOOM_ACCESS_TOKEN", "ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET", "ZOOM_API_URL", "ZOOM_OAUTH_URL" };
        Dictionary<string, string?> before = names.ToDictionary(n => n, Environment.GetEnvironmentVariable);
        void Set(string name, string? value) => Environment.SetEnvironmentVariable(name, value);
        try
        {
            foreach (string n in names) Set(n, null);
            Assert.Contains("ZOOM_ACCESS_TOKEN", Assert.Throws<InvalidOperationException>(() => ZoomUserStatusClient.FromEnvironment()).Message);
            Set("ZOOM_ACCOUNT_ID", "a"); Set("ZOOM_CLIENT_ID", "b");
            Assert.Throws<InvalidOperationException>(() => ZoomUserStatusOptions.FromEnvironment());
            Set("ZOOM_CLIENT_SECRET", Secret);
            ZoomUserStatusOptions o = ZoomUserStatusOptions.FromEnvironment();
            Assert.Equal(Secret, o.ClientSecret);
            Assert.Equal("https://api.zoom.us/v2", o.ApiUrl.OriginalString);
            Set("ZOOM_ACCESS_TOKEN", "sandbox-token");
            Set("ZOOM_API_URL", Sandbox.Shared.ApiUrl.OriginalString);
            o = ZoomUserStatusOptions.FromEnvironment();
            Assert.Equal("sandbox-token", o.AccessToken);
            Assert.Null(o.ClientSecret);
            using ZoomUserStatusClient client = ZoomUserStatusClient.FromEnvironment();
            Assert.True(client.Activate("ada@example.com").IsSuccess);
            Set("ZOOM_API_URL", "not a url");
            Assert.Contains("ZOOM_API_URL", Assert.Throws<InvalidOperationException>(() => ZoomUserStatusOptions.FromEnvironment()).Message);
        }
        finally { foreach (string n in names) Set(n, before[n]); }
    }

    [Fact]
    public void No_secret_in_text()
    {
        var o = new ZoomUserStatusOptions { AccessToken = Secret, ApiUrl = new Uri("https://user:" + Secret + "@example.com/v2") };
        Assert.DoesNotContain(Secret, o.ToString());
        o = new ZoomUserStatusOptions { AccountId = "a", ClientId = "b", ClientSecret = Secret };
        Assert.DoesNotContain(Secret, o.ToString());
        using var client = new ZoomUserStatusClient(o);
        Assert.DoesNotContain(Secret, client.ToString()!);
    }

    [Fact]
    public void Version_of_the_library()
    {
        Assert.StartsWith("0.1.", ZoomUserStatusClient.LibraryVersion);
    }

    [Fact] // on Windows; PATH and the working directory are others' to write to
    public void The_library_is_not_searched_for_everywhere()
    {
        var paths = (DefaultDllImportSearchPathsAttribute)Attribute.GetCustomAttribute(typeof(ZoomUserStatusClient).Assembly, typeof(DefaultDllImportSearchPathsAttribute))!;
        Assert.Equal(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories, paths.Paths);
    }

    [Fact]
    public void Codes_have_the_names_of_c()
    {
        foreach (UserStatusCode code in Enum.GetValues(typeof(UserStatusCode)))
        {
            string c = new UserStatusResult("u", code).CodeName;
            string here = string.Concat(c.Replace("ZUS_ERR_", "").Replace("ZUS_", "").Split('_').Select(w => w[0] + w.Substring(1).ToLowerInvariant()));
            Assert.Equal(code.ToString(), here);
        }
        Assert.Equal("ZUS_ERR_UNKNOWN", new UserStatusResult("u", (UserStatusCode)12345).CodeName);
    }

    [Fact]
    public void Validate_names_everything_that_is_wrong_and_sends_nothing()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.Validate();
        options.AccessToken = Secret + " ";
        options.Timeout = TimeSpan.Zero;
        options.MaxAttempts = 0;
        options.RateLimit = -1;
        string message = Assert.Throws<InvalidOperationException>(options.Validate).Message;
        foreach (string name in new[] { "AccessToken", "Timeout", "MaxAttempts", "RateLimit" }) Assert.Contains(name, message);
        Assert.DoesNotContain("Concurrency", message);
        Assert.DoesNotContain(Secret, message);
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new ZoomUserStatusClient(options)).Message);
    }

    [Fact]
    public void An_infinite_timeout_is_taken()
    {
        ZoomUserStatusOptions options = Sandbox.Shared.Options();
        options.Timeout = options.ConnectTimeout = Timeout.InfiniteTimeSpan;
        using var client = new ZoomUserStatusClient(options);
        Assert.True(client.Activate("ada@example.com").IsSuccess);
    }
}
