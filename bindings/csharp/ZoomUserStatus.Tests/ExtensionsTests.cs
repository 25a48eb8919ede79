using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ZoomUserStatus;

public class ExtensionsTests
{
    private static void Use(ZoomUserStatusOptions options, Sandbox zoom)
    {
        options.AccessToken = "sandbox-token";
        options.ApiUrl = zoom.ApiUrl;
        options.UseProxy = false;
    }

    private static IConfiguration Configuration(params (string Key, string? Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("Zoom:" + s.Key, s.Value))).Build().GetSection("Zoom");

    private static (string, string?)[] OAuth(Sandbox zoom) =>
    [
        ("AccountId", "sandbox-account"), ("ClientId", "sandbox-client"), ("ClientSecret", "sandbox-secret"),
        ("ApiUrl", zoom.ApiUrl.OriginalString), ("OAuthUrl", zoom.OAuthUrl.OriginalString), ("UseProxy", "false"),
    ];

    [Fact]
    public void A_configuration_sets_every_kind_of_option()
    {
        using ServiceProvider services = new ServiceCollection().AddZoomUserStatus(Configuration([.. OAuth(Sandbox.Shared),
            ("Encoding", "Json"), ("Timeout", "00:00:30"), ("MaxAttempts", "2"), ("RateLimit", "80"), ("ResultHeaders:0", "Server")])).BuildServiceProvider();
        ZoomUserStatusOptions options = services.GetRequiredService<IOptions<ZoomUserStatusOptions>>().Value;
        Assert.Equal((UserStatusEncoding.Json, TimeSpan.FromSeconds(30), 2, 80), (options.Encoding, options.Timeout, options.MaxAttempts, options.RateLimit));
        Assert.Contains("Server", options.ResultHeaders);
        Assert.Contains("Date", options.ResultHeaders);
        Assert.True(services.GetRequiredService<ZoomUserStatusClient>().Activate("ada@example.com").IsSuccess);
    }

    [Fact]
    public void A_key_that_no_option_has_is_an_error()
    {
        using ServiceProvider services = new ServiceCollection().AddZoomUserStatus(Configuration([.. OAuth(Sandbox.Shared), ("RateLimt", "80")])).BuildServiceProvider();
        Assert.Contains("RateLimt", Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<ZoomUserStatusClient>()).Message);
    }

    [Fact]
    public void One_client_for_the_containers_life()
    {
        ZoomUserStatusClient client;
        using (ServiceProvider services = new ServiceCollection().AddZoomUserStatus(o => Use(o, Sandbox.Shared)).BuildServiceProvider())
        {
            client = services.GetRequiredService<ZoomUserStatusClient>();
            using IServiceScope scope = services.CreateScope();
            Assert.Same(client, scope.ServiceProvider.GetRequiredService<ZoomUserStatusClient>());
            Assert.True(client.Activate("ada@example.com").IsSuccess);
        }
        Assert.Throws<ObjectDisposedException>(() => client.Activate("ada@example.com"));
    }

    [Fact]
    public void A_token_provider_from_another_service_and_clients_by_key()
    {
        var collection = new ServiceCollection();
        collection.AddSingleton<AccessTokenProvider>(_ => "sandbox-token");
        collection.AddKeyedZoomUserStatus("a", (o, provider) => { Use(o, Sandbox.Shared); o.AccessToken = null; o.TokenProvider = provider.GetRequiredService<AccessTokenProvider>(); });
        collection.AddKeyedZoomUserStatus("b", o => { Use(o, Sandbox.Shared); o.AccessToken = "expired"; });
        collection.AddKeyedZoomUserStatus("c", Configuration(OAuth(Sandbox.Shared)));
        using ServiceProvider services = collection.BuildServiceProvider();
        UserStatusCode Code(string key) => services.GetRequiredKeyedService<ZoomUserStatusClient>(key).TryUpdate("ada@example.com", UserStatusAction.Activate).Code;
        Assert.Equal([UserStatusCode.Ok, UserStatusCode.Unauthorized, UserStatusCode.Ok], new[] { "a", "b", "c" }.Select(Code));
        Assert.Null(services.GetService<ZoomUserStatusClient>());
    }

    [Fact]
    public async Task Wrong_options_end_the_start_of_the_host()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddZoomUserStatus(o => { Use(o, Sandbox.Shared); o.RateLimit = -1; o.Concurrency = 0; });
        builder.Services.AddKeyedZoomUserStatus("gov", Configuration());
        using IHost host = builder.Build();
        var all = new List<string>();
        switch (await Record.ExceptionAsync(() => host.StartAsync()))
        {
            case OptionsValidationException one: all.Add(one.Message); break;
            case AggregateException several: all.AddRange(several.InnerExceptions.Select(e => e.Message)); break;
        }
        string said = string.Join("\n", all);
        Assert.Contains("RateLimit is below 0. Concurrency: ", said);
        Assert.Contains("\"gov\": Give one kind of credentials", said);
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public readonly List<(string Category, LogLevel Level, string Line)> All = new List<(string, LogLevel, string)>();
        private string _category = "";
        public ILogger CreateLogger(string categoryName) { _category = categoryName; return this; }
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (All) All.Add((_category, logLevel, formatter(state, exception)));
        }
        public bool IsEnabled(LogLevel logLevel) => true;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public void Dispose() { }
    }

    [Theory]
    [InlineData(LogLevel.Debug, true, true)]
    [InlineData(LogLevel.Information, false, true)]
    [InlineData(LogLevel.Warning, false, false)]
    public void Log_lines_go_to_the_ILogger_as_detailed_as_it_wants(LogLevel minimum, bool debug, bool information)
    {
        using var lines = new Lines();
        using ServiceProvider services = new ServiceCollection().AddLogging(b => b.AddProvider(lines).SetMinimumLevel(minimum))
            .AddZoomUserStatus(o => Use(o, Sandbox.Shared)).BuildServiceProvider();
        services.GetRequiredService<ZoomUserStatusClient>().Activate("ada@example.com");
        Assert.Equal(debug, lines.All.Any(l => l.Level == LogLevel.Debug));
        Assert.Equal(information, lines.All.Any(l => l.Level == LogLevel.Information && l.Line.Contains("HTTP 204")));
        Assert.All(lines.All, l => Assert.Equal("ZoomUserStatus", l.Category));
        // A Log of the program's own stays.
        var own = new List<string>();
        using ServiceProvider others = new ServiceCollection().AddLogging(b => b.AddProvider(lines))
            .AddZoomUserStatus(o => { Use(o, Sandbox.Shared); o.Log = (_, line) => own.Add(line); }).BuildServiceProvider();
        int before = lines.All.Count;
        others.GetRequiredService<ZoomUserStatusClient>().Activate("ada@example.com");
        Assert.Equal(before, lines.All.Count);
        Assert.NotEmpty(own);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Passed;
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Passed;
    }

    private static ServiceProvider Checked(Clock clock, Action<ZoomUserStatusOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton<TimeProvider>(clock).AddZoomUserStatus(configure).AddHealthChecks().AddZoomUserStatus(interval: TimeSpan.FromMinutes(10));
        return services.BuildServiceProvider();
    }

    private static async Task<HealthReportEntry> Check(ServiceProvider services) =>
        (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["zoom_user_status"];

    [Fact]
    public async Task The_health_check_obtains_a_fresh_token_but_seldom()
    {
        using var zoom = new Sandbox();
        var clock = new Clock();
        string secret = "sandbox-secret";
        using ServiceProvider services = Checked(clock, o =>
        {
            Use(o, zoom);
            o.AccessToken = null;
            o.TokenProvider = null;
            (o.AccountId, o.ClientId, o.ClientSecret, o.OAuthUrl) = ("sandbox-account", "sandbox-client", secret, zoom.OAuthUrl);
        });
        services.GetRequiredService<ZoomUserStatusClient>().Activate("ada@example.com"); // it has a token now
        int before = zoom.TokenRequests;
        for (int i = 0; i < 5; i++) Assert.Equal(HealthStatus.Healthy, (await Check(services)).Status);
        Assert.Equal(before + 1, zoom.TokenRequests);
        clock.Passed = TimeSpan.FromMinutes(11);
        Assert.Equal(HealthStatus.Healthy, (await Check(services)).Status);
        Assert.Equal(before + 2, zoom.TokenRequests);
    }

    [Fact]
    public async Task The_health_check_notices_credentials_that_no_longer_work_and_that_work_again()
    {
        var clock = new Clock();
        bool open = true;
        using ServiceProvider services = Checked(clock, o =>
        {
            Use(o, Sandbox.Shared);
            o.AccessToken = null;
            o.TokenProvider = _ => open ? "sandbox-token" : throw new TimeoutException("the vault is shut");
        });
        Assert.Equal(HealthStatus.Healthy, (await Check(services)).Status);
        open = false;
        Assert.Equal(HealthStatus.Healthy, (await Check(services)).Status);
        clock.Passed += TimeSpan.FromMinutes(11);
        HealthReportEntry entry = await Check(services);
        Assert.Equal((HealthStatus.Unhealthy, "the vault is shut"), (entry.Status, entry.Description));
        open = true;
        clock.Passed += TimeSpan.FromMinutes(2);
        Assert.Equal(HealthStatus.Healthy, (await Check(services)).Status);
    }

    [Fact]
    public async Task The_health_check_does_not_claim_that_a_static_token_works()
    {
        using ServiceProvider services = Checked(new Clock(), o => Use(o, Sandbox.Shared));
        HealthReportEntry entry = await Check(services);
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("static access token", entry.Description);
    }
}
