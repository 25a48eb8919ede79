using System;
using System.Collections.Generic;
#if NET8_0_OR_GREATER
using System.Threading;
using System.Threading.Tasks;
#endif

namespace ZoomUserStatus
{
    /// <summary>
    /// Gives an access token (up to 8,192 bytes) when one is needed. The client keeps it until Zoom rejects it, so this is called seldom. It
    /// runs on whichever thread needs a token, one call at a time per client. It must not use the client that it serves. An exception ends the
    /// calls that need the token, and comes out of them unchanged; a batch gives it as <see cref="UserStatusBatch.Error"/>. An
    /// <see cref="OperationCanceledException"/> comes inside an <see cref="InvalidOperationException"/>, unless the caller cancelled. The time
    /// that it takes counts, but can't be cut short: give it a time limit of its own.
    /// </summary>
    /// <param name="rejected">True when Zoom rejected the last token: don't give the same one again.</param>
    /// <returns>The token; null or "" when none can be obtained (<see cref="UserStatusCode.Token"/>).</returns>
    public delegate string? AccessTokenProvider(bool rejected);

#if NET8_0_OR_GREATER
    /// <summary>
    /// Gives an access token when one is needed, as <see cref="AccessTokenProvider"/> does, without a thread that waits. Calls that need the token are
    /// cancelled and time out meanwhile as ever. It begins on a thread of this client alone, so it may also block for a moment. It must not use
    /// the client that it serves. For .NET 8 and later.
    /// </summary>
    /// <param name="rejected">True when Zoom rejected the last token: don't give the same one again.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the token any more: after <see cref="ZoomUserStatusOptions.Timeout"/>, and when the client is closed.</param>
    /// <returns>The token; null or "" when none can be obtained (<see cref="UserStatusCode.Token"/>).</returns>
    public delegate ValueTask<string?> AsyncAccessTokenProvider(bool rejected, CancellationToken cancellationToken);
#endif

    /// <summary>
    /// Settings of a <see cref="ZoomUserStatusClient"/>, which copies them: later changes have no effect on it. Exactly one kind of
    /// credentials is needed: <see cref="AccessToken"/>; <see cref="AccountId"/> with <see cref="ClientId"/> and
    /// <see cref="ClientSecret"/>; or <see cref="TokenProvider"/> (from .NET 8 on there is an asynchronous one, too). All the rest has defaults fit for Zoom.
    /// </summary>
    public sealed class ZoomUserStatusOptions
    {
        /// <summary>
        /// A static access token, without the word "Bearer": visible ASCII, up to 8,192 bytes. Zoom's expire after an hour; for longer runs use
        /// one of the other credentials.
        /// </summary>
        public string? AccessToken { get; set; }
        /// <summary>The account ID of a server-to-server OAuth app. The client obtains, keeps and refreshes the tokens.</summary>
        public string? AccountId { get; set; }
        /// <summary>The client ID of a server-to-server OAuth app.</summary>
        public string? ClientId { get; set; }
        /// <summary>The client secret of a server-to-server OAuth app.</summary>
        public string? ClientSecret { get; set; }
        /// <summary>Where tokens come from when the program has its own way.</summary>
        public AccessTokenProvider? TokenProvider { get; set; }

#if NET8_0_OR_GREATER
        /// <summary>Where tokens come from when the program has its own way, and that is asynchronous. For .NET 8 and later.</summary>
        public AsyncAccessTokenProvider? AsyncTokenProvider { get; set; }
#endif

        /// <summary>Base URL of the API. https, except on loopback. Default https://api.zoom.us/v2; for Zoom for Government https://api.zoomgov.com/v2.</summary>
        public Uri ApiUrl { get; set; } = new Uri("https://api.zoom.us/v2");
        /// <summary>URL of the token endpoint. https, except on loopback. Default https://zoom.us/oauth/token; for Zoom for Government https://zoomgov.com/oauth/token.</summary>
        public Uri OAuthUrl { get; set; } = new Uri("https://zoom.us/oauth/token");
        /// <summary>How the action travels. Default <see cref="UserStatusEncoding.Form"/>.</summary>
        public UserStatusEncoding Encoding { get; set; } = UserStatusEncoding.Form;

        /// <summary>
        /// Longest time until a connection is ready: host name, TCP, proxy and TLS. 1 millisecond to 1 day; Timeout.InfiniteTimeSpan is 1 day.
        /// Default 10 seconds.
        /// </summary>
        public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromMilliseconds(10_000);
        /// <summary>
        /// Longest time for one user's update with everything in it: token, waits, retries. 1 millisecond to 1 day; Timeout.InfiniteTimeSpan is
        /// 1 day. Default 60 seconds. The time that your own delegates take (<see cref="TokenProvider"/>, <see cref="Log"/>) counts, but can't be
        /// cut short: then the call ends after them. In a batch it begins with the user's first slot at the <see cref="RateLimit"/>.
        /// </summary>
        public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(60_000);
        /// <summary>
        /// Longest time for one attempt, from its slot to the last byte of the response, and for one token request. An attempt that takes longer
        /// is retried, and ends with <see cref="UserStatusCode.Timeout"/> where no attempts or no time are left. 1 millisecond to 1 day. Default null:
        /// <see cref="Timeout"/> divided by <see cref="MaxAttempts"/>, but at least 10 seconds.
        /// </summary>
        public TimeSpan? AttemptTimeout { get; set; }
        /// <summary>
        /// How long an update is verified: after Zoom accepted an activation or a deactivation, the user is read until the status is the wanted one, at
        /// growing intervals, and never past <see cref="Timeout"/>. Then the result is a success; otherwise <see cref="UserStatusCode.NotVerified"/>, with
        /// <see cref="UserStatusResult.UserStatus"/>. A pending user ends the wait at once. To 1 day. Default 0: updates are not verified.
        /// Each read is a request of its own: it counts for the rate, and for the daily limit of Zoom's Free plan. It needs the scope
        /// user:read:user:admin (or the classic user:write:admin): a batch reads its first user before it updates anybody, and a missing scope ends it there.
        /// </summary>
        public TimeSpan Verify { get; set; } = TimeSpan.Zero;
        /// <summary>
        /// Most requests for one user: the first and its retries. 1 to 100; 1 never retries. Default 4. Not counted: one retry with a new
        /// token, one as JSON, and idle connections that turn out to be closed.
        /// </summary>
        public int MaxAttempts { get; set; } = 4;
        /// <summary>
        /// The wait before the first retry is random between 0 and this, or what Zoom's Retry-After says; doubled for each further one.
        /// 1 millisecond to 1 day. Default 500 ms.
        /// </summary>
        public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);
        /// <summary>Longest wait before a retry. <see cref="RetryDelay"/> to 1 day. Default 30 seconds.</summary>
        public TimeSpan RetryMaxDelay { get; set; } = TimeSpan.FromMilliseconds(30_000);
        /// <summary>
        /// Most requests in a <see cref="RatePeriod"/>, over all threads of the client, evenly spread. 0 (no limit) to 1,000,000. Default 30, which is Zoom's
        /// for Pro accounts (Free 4, Business and above 80 a second). The limit is the account's: leave room for its other apps.
        /// </summary>
        public int RateLimit { get; set; } = 30;
        /// <summary>The time that <see cref="RateLimit"/> is about. 1 millisecond to 1 day. Default 1 second.</summary>
        public TimeSpan RatePeriod { get; set; } = TimeSpan.FromMilliseconds(1_000);
        /// <summary>Users in flight at a time in a batch, and asynchronous calls of the client altogether; further ones wait. 1 to 256. Default 16.</summary>
        public int Concurrency { get; set; } = 16;

        /// <summary>False to use no proxy, whatever <see cref="Proxy"/> and the environment say. Default true.</summary>
        public bool UseProxy { get; set; } = true;
        /// <summary>
        /// The proxy: an http, https or socks5 URL, with a user and password where needed. Default null: what the environment says when the
        /// client is made (HTTPS_PROXY or https_proxy, else ALL_PROXY; NO_PROXY), as for curl. On Unix that is the environment that the process
        /// was started with: what Environment.SetEnvironmentVariable sets is seen by .NET alone.
        /// </summary>
        public Uri? Proxy { get; set; }
        /// <summary>
        /// CA certificates to trust, in PEM, and only these: <c>File.ReadAllText("company-ca.pem")</c>.
        /// Default null: the operating system's trust store.
        /// </summary>
        public string? CaPem { get; set; }
        /// <summary>The User-Agent header, up to 256 bytes. Default null: "zoom-user-status/" and the version.</summary>
        public string? UserAgent { get; set; }

        /// <summary>
        /// Receives log lines. Never a secret, at any level. It runs on whichever thread has something to say, one call at a time per client; it
        /// must not use the client, nor wait for a thread that does. It must not throw: an exception goes to System.Diagnostics.Trace, and
        /// disturbs no call. On .NET Framework and Mono the lines come a moment later, on a thread of the client. With Microsoft.Extensions.Logging:
        /// <c>options.Log = (level, line) => logger.Log((LogLevel)level, "{Line}", line);</c>
        /// </summary>
        public Action<UserStatusLogLevel, string>? Log { get; set; }
        /// <summary>The least important level that <see cref="Log"/> receives. Default <see cref="UserStatusLogLevel.Information"/>.</summary>
        public UserStatusLogLevel LogLevel { get; set; } = UserStatusLogLevel.Information;

        /// <summary>
        /// The response headers to copy into <see cref="UserStatusResult.Headers"/>; add names to it. Default: the X-RateLimit ones,
        /// Retry-After, Date, Content-Type, x-zm-trackingid.
        /// </summary>
        public IList<string> ResultHeaders { get; } = new List<string>
        {
            "X-RateLimit-Category", "X-RateLimit-Type", "X-RateLimit-Limit", "X-RateLimit-Remaining",
            "Retry-After", "Date", "Content-Type", "x-zm-trackingid",
        };

        /// <summary>
        /// Options from the environment: ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID with ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET; and, where set,
        /// ZOOM_API_URL and ZOOM_OAUTH_URL. An empty variable counts as not set. The access token wins when both are there.
        /// </summary>
        /// <returns>Options, to be changed further as needed.</returns>
        /// <exception cref="InvalidOperationException">Credentials are missing (the message names the variables), or a URL is none.</exception>
        public static ZoomUserStatusOptions FromEnvironment()
        {
            var options = new ZoomUserStatusOptions { AccessToken = Variable("ZOOM_ACCESS_TOKEN") };
            if (options.AccessToken is null)
            {
                options.AccountId = Variable("ZOOM_ACCOUNT_ID");
                options.ClientId = Variable("ZOOM_CLIENT_ID");
                options.ClientSecret = Variable("ZOOM_CLIENT_SECRET");
                if (options.AccountId is null || options.ClientId is null || options.ClientSecret is null)
                    throw new InvalidOperationException("No Zoom credentials in the environment: set ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID with ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET.");
            }
            if (Variable("ZOOM_API_URL") is string api) options.ApiUrl = Url("ZOOM_API_URL", api);
            if (Variable("ZOOM_OAUTH_URL") is string oauth) options.OAuthUrl = Url("ZOOM_OAUTH_URL", oauth);
            return options;
        }

        private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

        private static Uri Url(string name, string value) =>
            Uri.TryCreate(value, UriKind.Absolute, out Uri? url) ? url : throw new InvalidOperationException(name + " is not a URL.");

        /// <summary>Checks every setting as the constructor of <see cref="ZoomUserStatusClient"/> does, and sends nothing.</summary>
        /// <exception cref="InvalidOperationException">Settings are refused. The message names each, says what is allowed, and shows no secret.</exception>
        public void Validate()
        {
            NativeLibraryCheck.Ensure();
            using var config = new ConfigHandle();
            string refused = Apply(config.Pointer, new ClientCallbacks(this));
            if (refused.Length != 0) throw new InvalidOperationException(refused);
        }

        /// <summary>The kind of credentials and the API's URL. No secrets.</summary>
        /// <returns>The line.</returns>
        public override string ToString() =>
            "ZoomUserStatusOptions: " + (TokenProvider != null || HasAsyncTokenProvider ? "token provider" : AccessToken != null ? "access token" : AccountId != null ? "OAuth" : "no credentials") +
            ", " + (ApiUrl is null ? "no URL" : ApiUrl.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));

#if NET8_0_OR_GREATER
        private const string Providers = "TokenProvider or AsyncTokenProvider";
        private bool HasAsyncTokenProvider => AsyncTokenProvider != null;
#else
        private const string Providers = "TokenProvider";
        private const bool HasAsyncTokenProvider = false;
#endif

        /// <summary>Hands everything to the C API, whose setters check the values. Returns what was refused, by property; "" for nothing.</summary>
        internal string Apply(nint config, ClientCallbacks callbacks)
        {
            var native = new NativeSettings(config);
            bool oauth = AccountId != null || ClientId != null || ClientSecret != null;
            if ((AccessToken != null ? 1 : 0) + (oauth ? 1 : 0) + (TokenProvider != null ? 1 : 0) + (HasAsyncTokenProvider ? 1 : 0) != 1)
                native.Refuse("Give one kind of credentials: AccessToken; AccountId, ClientId and ClientSecret; or " + Providers + ".");
            else if (AccessToken != null) native.Token(AccessToken, "AccessToken (visible ASCII, without \"Bearer \" and line ends)");
            else if (oauth && (AccountId is null || ClientId is null || ClientSecret is null))
                native.Refuse("AccountId, ClientId and ClientSecret belong together: " + (AccountId is null ? "AccountId" : ClientId is null ? "ClientId" : "ClientSecret") + " is missing.");
            else if (oauth) native.OAuth(AccountId, ClientId, ClientSecret);
            if (LogLevel is < UserStatusLogLevel.Debug or > UserStatusLogLevel.Error) native.Refuse("LogLevel is none of the enum's.");
            else callbacks.Apply(native, LogLevel);
            native.Urls(ApiUrl?.OriginalString ?? "", OAuthUrl?.OriginalString ?? "");
            native.Encoding(Encoding);
            native.Timeouts(ConnectTimeout, Timeout);
            native.AttemptTimeout(AttemptTimeout);
            native.Verify(Verify);
            native.Retry(MaxAttempts, RetryDelay, RetryMaxDelay);
            native.Rate(RateLimit, RatePeriod);
            native.Concurrency(Concurrency);
            if (!UseProxy || Proxy != null) native.Proxy(UseProxy ? Proxy!.OriginalString : "");
            if (CaPem != null) native.CaPem(CaPem);
            if (UserAgent != null) native.UserAgent(UserAgent);
            foreach (string name in ResultHeaders)
                if (name is null) native.Refuse("ResultHeaders: a name is null.");
            return native.Refused;
        }
    }
}
