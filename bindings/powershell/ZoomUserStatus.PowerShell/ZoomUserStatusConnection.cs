using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>
    /// An account with its settings, and a client for it: connections, the access token, one rate limit. It belongs to the runspace that made it,
    /// and others can be given it. It shows no secret.
    /// </summary>
    public sealed class ZoomUserStatusConnection : IDisposable
    {
        private static readonly ConditionalWeakTable<Runspace, Current> Runspaces = new ConditionalWeakTable<Runspace, Current>();
        private static readonly List<WeakReference<Runspace>> Connected = new List<WeakReference<Runspace>>(); // by Connect-ZoomUserStatus

        private readonly ZoomUserStatusOptions _options;
        private readonly ZoomUserStatusClient _client;
        private readonly Lazy<ZoomUserStatusClient> _verifying; // verification is a setting of the whole client
        private volatile bool _disposed;

        /// <summary>Makes a connection, and sends nothing.</summary>
        /// <param name="options">Credentials and settings, without a log; kept.</param>
        /// <exception cref="ArgumentException">Settings are refused.</exception>
        internal ZoomUserStatusConnection(ZoomUserStatusOptions options)
        {
            _options = options;
            // With the port that .NET takes for it: the library would take curl's, 1080, where the URL has none.
            if (options.Proxy is { Port: > 0 } proxy) options.Proxy = new Uri(proxy.GetComponents(UriComponents.Scheme | UriComponents.UserInfo | UriComponents.Host | UriComponents.StrongPort, UriFormat.UriEscaped));
            options.LogLevel = UserStatusLogLevel.Debug;
            options.Log = (level, line) => Logged?.Invoke(level, line);
            _client = new ZoomUserStatusClient(options);
            options.Verify = TimeSpan.FromSeconds(10);
            _verifying = new Lazy<ZoomUserStatusClient>(() => new ZoomUserStatusClient(options));
        }

        /// <summary>Each log line, on whichever thread has something to say.</summary>
        internal event Action<UserStatusLogLevel, string>? Logged;

        /// <summary>"OAuth" or "AccessToken".</summary>
        public string Credentials => _options.AccessToken != null ? "AccessToken" : "OAuth";
        /// <summary>The account's ID; "" where an access token hides it.</summary>
        public string AccountId => _options.AccountId ?? "";
        /// <summary>Base URL of the API.</summary>
        public Uri ApiUrl => _options.ApiUrl;
        /// <summary>URL of the token endpoint.</summary>
        public Uri OAuthUrl => _options.OAuthUrl;
        /// <summary>The proxy, without its password; null for none.</summary>
        public Uri? Proxy => _options.Proxy is null ? null : new Uri(_options.Proxy.GetComponents(UriComponents.Scheme | UriComponents.Host | UriComponents.StrongPort, UriFormat.UriEscaped));
        /// <summary>Most requests in a second.</summary>
        public int RateLimit => _options.RateLimit;
        /// <summary>Users in flight at a time.</summary>
        public int ThrottleLimit => _options.Concurrency;
        /// <summary>Longest time for one user, in seconds.</summary>
        public int TimeoutSec => (int)_options.Timeout.TotalSeconds;

        /// <summary>For the steps of Test-ZoomUserStatusConnection.</summary>
        internal ZoomUserStatusOptions Options => _options;

        /// <summary>The client.</summary>
        /// <exception cref="ObjectDisposedException">Disconnect-ZoomUserStatus was called.</exception>
        internal ZoomUserStatusClient Client => _disposed ? throw Ended() : _client;

        /// <summary>The client that verifies updates. It has a token and a rate limit of its own.</summary>
        /// <exception cref="ObjectDisposedException">Disconnect-ZoomUserStatus was called.</exception>
        internal ZoomUserStatusClient VerifyingClient => _disposed ? throw Ended() : _verifying.Value;

        private static ObjectDisposedException Ended() => new ObjectDisposedException(null, "The connection was ended by Disconnect-ZoomUserStatus.");

        /// <summary>Forgets the credentials and closes the connections, when the last running call has ended.</summary>
        public void Dispose()
        {
            _disposed = true;
            _client.Dispose();
            if (_verifying.IsValueCreated) _verifying.Value.Dispose();
        }

        /// <summary>"the account abc at https://api.zoom.us/v2".</summary>
        /// <returns>The line.</returns>
        public override string ToString() => (AccountId.Length == 0 ? "the account of the access token" : "the account " + AccountId) + " at " + ApiUrl;

        // --- Which one counts ---------------------------------------------------------------------------------------------------

        /// <summary>Makes it the one of this runspace.</summary>
        internal void Use()
        {
            Current current = Runspaces.GetOrCreateValue(Runspace.DefaultRunspace);
            current.Connection = this;
            current.Environment = null;
            lock (Connected)
            {
                Connected.RemoveAll(w => !IsConnected(w));
                Connected.Add(new WeakReference<Runspace>(Runspace.DefaultRunspace));
            }
        }

        /// <summary>The one of this runspace, by Connect-ZoomUserStatus or the environment; null for none.</summary>
        internal static ZoomUserStatusConnection? OfRunspace =>
            Runspaces.TryGetValue(Runspace.DefaultRunspace, out Current? current) && current.Connection is { _disposed: false } connection ? connection : null;

        /// <summary>The one of this runspace, or that of the environment, which is kept while its variables are the same.</summary>
        /// <exception cref="InvalidOperationException">There is none.</exception>
        internal static ZoomUserStatusConnection Find()
        {
            Current current = Runspaces.GetOrCreateValue(Runspace.DefaultRunspace);
            if (current.Environment is null && current.Connection is { _disposed: false } connected) return connected;
            lock (Connected)
            {
                if (Connected.Any(IsConnected))
                    throw new InvalidOperationException("This runspace has no connection, and another one of this process has: which account is meant? Give it with -Connection ($connection = Connect-ZoomUserStatus ... -PassThru; in ForEach-Object -Parallel: -Connection $using:connection), or call Connect-ZoomUserStatus here.");
            }
            string environment = string.Join("\n", Variables.Select(Environment.GetEnvironmentVariable));
            if (current.Environment == environment && current.Connection is { _disposed: false } same) return same;
            current.Connection = new ZoomUserStatusConnection(FromEnvironment());
            current.Environment = environment;
            return current.Connection;
        }

        private static bool IsConnected(WeakReference<Runspace> weak) => weak.TryGetTarget(out Runspace? runspace) && runspace.RunspaceStateInfo.State == RunspaceState.Opened &&
            Runspaces.TryGetValue(runspace, out Current? current) && current.Environment is null && current.Connection is { _disposed: false };

        private static readonly string[] Variables = { "ZOOM_ACCESS_TOKEN", "ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET", "ZOOM_API_URL", "ZOOM_OAUTH_URL",
            "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" };

        /// <summary>The settings of the environment, with the proxy that .NET sees.</summary>
        /// <exception cref="InvalidOperationException">There are no credentials.</exception>
        internal static ZoomUserStatusOptions FromEnvironment()
        {
            ZoomUserStatusOptions options;
            try { options = ZoomUserStatusOptions.FromEnvironment(); }
            catch (InvalidOperationException e) { throw new InvalidOperationException(e.Message.TrimEnd('.') + "; or call Connect-ZoomUserStatus.", e); }
            SystemProxy.Apply(options);
            return options;
        }

        private sealed class Current
        {
            public ZoomUserStatusConnection? Connection;
            /// <summary>The variables that it was made of; null when Connect-ZoomUserStatus made it. In memory alone.</summary>
            public string? Environment;
        }
    }
}
