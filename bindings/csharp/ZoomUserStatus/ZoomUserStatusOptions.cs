using System;
using System.Collections.Generic;

namespace ZoomUserStatus
{
    /// <summary>
    /// Gives a bearer token (up to 8,192 bytes) when one is needed. The client keeps it until Zoom refuses it, so this is called seldom. It
    /// runs on whichever thread needs a token, one at a time per client. It must not use the client that it serves. An exception ends the calls
    /// that need the token, and comes out of them unchanged; a list gives it as <see cref="UserStatusBatch.Error"/>, and a stream throws it after
    /// the last result. An <see cref="OperationCanceledException"/> comes inside an <see cref="InvalidOperationException"/>, unless the caller
    /// cancelled. Time spent in here counts, but can't be cut short: give it a time limit of its own.
    /// </summary>
    /// <param name="refused">True when Zoom refused the last token: don't give the same one again.</param>
    /// <returns>The token; null or "" when none can be had (<see cref="UserStatusCode.Token"/>).</returns>
    public delegate string? AccessTokenProvider(bool refused);

    /// <summary>
    /// Settings of a <see cref="ZoomUserStatusClient"/>, which copies them: later changes have no effect on it. Exactly one kind of
    /// credentials is needed: <see cref="AccessToken"/>; <see cref="AccountId"/> with <see cref="ClientId"/> and
    /// <see cref="ClientSecret"/>; or <see cref="TokenProvider"/>. All the rest has defaults fit for Zoom.
    /// </summary>
    public sealed class ZoomUserStatusOptions
    {
        /// <summary>
        /// A bearer token, without the word "Bearer": visible ASCII, up to 8,192 bytes. Zoom's live for an hour; for longer runs use one of
        /// the other credentials.
        /// </summary>
        public string? AccessToken { get; set; }
        /// <summary>The account id of a server-to-server OAuth app. Tokens are fetched, kept and renewed by the client.</summary>
        public string? AccountId { get; set; }
        /// <summary>The client id of a server-to-server OAuth app.</summary>
        public string? ClientId { get; set; }
        /// <summary>The client secret of a server-to-server OAuth app.</summary>
        public string? ClientSecret { get; set; }
        /// <summary>Where tokens come from when the program has its own way.</summary>
        public AccessTokenProvider? TokenProvider { get; set; }

        /// <summary>Base URL of the API. https, except on loopback. Default https://api.zoom.us/v2; for Zoom for Government https://api.zoomgov.com/v2.</summary>
        public Uri ApiUrl { get; set; } = new Uri("https://api.zoom.us/v2");
        /// <summary>URL of the token service. https, except on loopback. Default https://zoom.us/oauth/token; for Zoom for Government https://zoomgov.com/oauth/token.</summary>
        public Uri OAuthUrl { get; set; } = new Uri("https://zoom.us/oauth/token");
        /// <summary>How the action travels. Default <see cref="UserStatusEncoding.Form"/>.</summary>
        public UserStatusEncoding Encoding { get; set; } = UserStatusEncoding.Form;

        /// <summary>Longest time until a connection is ready: name, TCP, proxy and TLS. 1 millisecond to 1 day. Default 10 seconds.</summary>
        public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromMilliseconds(10_000);
        /// <summary>
        /// Longest time for one user's update with everything in it: token, waits, retries. 1 millisecond to 1 day. Default 60 seconds. Time spent
        /// inside your own delegates (<see cref="TokenProvider"/>, <see cref="Log"/>) counts, but can't be cut short: then the call ends after them.
        /// In a list it begins with the user's first turn at the <see cref="RateLimit"/>.
        /// </summary>
        public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(60_000);
        /// <summary>
        /// Most requests for one user: the first and its retries. 1 to 100; 1 never retries. Default 4. Not counted: one repeat with a new
        /// token, one as JSON, and kept connections that turn out to be closed.
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
        /// <summary>Requests in flight at a time when a list is updated. 1 to 256. Default 16.</summary>
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
        /// Certificates of the authorities to trust, in PEM, and only these: <c>File.ReadAllText("company-ca.pem")</c>.
        /// Default null: those the operating system trusts.
        /// </summary>
        public string? CaPem { get; set; }
        /// <summary>The User-Agent header, up to 256 bytes. Default null: "zoom-user-status/" and the version.</summary>
        public string? UserAgent { get; set; }

        /// <summary>
        /// Gets log lines. Never a secret, at any level. It runs on whichever thread has something to say, one at a time per client, and
        /// must not use the client. An exception stops the call that the line is about, and comes out of it unchanged; when the line is a list's,
        /// all lists that this client is updating then. With Microsoft.Extensions.Logging:
        /// <c>options.Log = (level, line) => logger.Log((LogLevel)level, "{Line}", line);</c>
        /// </summary>
        public Action<UserStatusLogLevel, string>? Log { get; set; }
        /// <summary>The least important level that <see cref="Log"/> gets. Default <see cref="UserStatusLogLevel.Information"/>.</summary>
        public UserStatusLogLevel LogLevel { get; set; } = UserStatusLogLevel.Information;

        /// <summary>
        /// The answer's headers to copy into <see cref="UserStatusResult.Headers"/>; add names to it. Default: the X-RateLimit ones,
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

        /// <summary>The kind of credentials and the API's URL. No secrets.</summary>
        /// <returns>The line.</returns>
        public override string ToString() =>
            "ZoomUserStatusOptions: " + (TokenProvider != null ? "token provider" : AccessToken != null ? "access token" : AccountId != null ? "OAuth" : "no credentials") +
            ", " + (ApiUrl is null ? "no URL" : ApiUrl.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));

        /// <summary>Hands everything to the C API. Each setter checks its value; a refusal becomes an ArgumentException that names the property.</summary>
        internal unsafe void Apply(nint config, ClientCallbacks callbacks)
        {
            bool oauth = AccountId != null || ClientId != null || ClientSecret != null;
            if ((AccessToken != null ? 1 : 0) + (oauth ? 1 : 0) + (TokenProvider != null ? 1 : 0) != 1)
                throw new ArgumentException("Give one kind of credentials: AccessToken; AccountId, ClientId and ClientSecret; or TokenProvider.", "options");
            if (AccessToken != null)
                With(config, AccessToken, p => NativeMethods.zus_config_set_token(config, p), "AccessToken (visible ASCII, without \"Bearer \" and line ends)");
            if (oauth)
                With(config, AccountId, a => With2(ClientId, ClientSecret, (c, s) => NativeMethods.zus_config_set_oauth(config, a, c, s)), "AccountId, ClientId, ClientSecret");
            if (TokenProvider != null)
                Check(config, NativeMethods.zus_config_set_token_provider(config, ClientCallbacks.TokenPointer, callbacks.Userdata), nameof(TokenProvider));

            With(config, ApiUrl?.OriginalString ?? "", p => NativeMethods.zus_config_set_urls(config, p, null), nameof(ApiUrl));
            With(config, OAuthUrl?.OriginalString ?? "", p => NativeMethods.zus_config_set_urls(config, null, p), nameof(OAuthUrl));
            Check(config, NativeMethods.zus_config_set_encoding(config, (int)Encoding), nameof(Encoding));
            Check(config, NativeMethods.zus_config_set_timeouts(config, Milliseconds(ConnectTimeout, nameof(ConnectTimeout)), Milliseconds(Timeout, nameof(Timeout))), "ConnectTimeout, Timeout");
            Check(config, NativeMethods.zus_config_set_retry(config, Count(MaxAttempts, nameof(MaxAttempts)), Milliseconds(RetryDelay, nameof(RetryDelay)),
                Milliseconds(RetryMaxDelay, nameof(RetryMaxDelay))), "MaxAttempts, RetryDelay, RetryMaxDelay");
            Check(config, NativeMethods.zus_config_set_rate(config, Count(RateLimit, nameof(RateLimit)), Milliseconds(RatePeriod, nameof(RatePeriod))), "RateLimit, RatePeriod");
            Check(config, NativeMethods.zus_config_set_concurrency(config, Count(Concurrency, nameof(Concurrency))), nameof(Concurrency));
            if (!UseProxy || Proxy != null)
                With(config, UseProxy ? Proxy!.OriginalString : "", p => NativeMethods.zus_config_set_proxy(config, p), nameof(Proxy));
            if (CaPem != null)
            {
                byte[] pem = Utf8.Encode(CaPem)!;
                fixed (byte* p = pem) Check(config, NativeMethods.zus_config_set_ca_pem(config, p, (nuint)(pem.Length - 1)), nameof(CaPem));
            }
            if (UserAgent != null)
                With(config, UserAgent, p => NativeMethods.zus_config_set_user_agent(config, p), nameof(UserAgent));
            if (Log != null)
                Check(config, NativeMethods.zus_config_set_log(config, UserStatusLogLevels.ToNative(LogLevel), ClientCallbacks.LogPointer, callbacks.Userdata), nameof(LogLevel));
        }

        private unsafe delegate int Setter(byte* value);
        private unsafe delegate int Setter2(byte* first, byte* second);

        private static unsafe void With(nint config, string? value, Setter set, string option)
        {
            byte[]? bytes = Utf8.Encode(value);
            int code;
            fixed (byte* p = bytes) code = set(p);
            if (bytes != null) Array.Clear(bytes, 0, bytes.Length); // it may be a secret
            Check(config, code, option);
        }

        private static unsafe int With2(string? first, string? second, Setter2 set)
        {
            byte[]? one = Utf8.Encode(first), two = Utf8.Encode(second);
            int code;
            fixed (byte* p = one) fixed (byte* q = two) code = set(p, q);
            if (one != null) Array.Clear(one, 0, one.Length);
            if (two != null) Array.Clear(two, 0, two.Length);
            return code;
        }

        private static unsafe void Check(nint config, int code, string option)
        {
            if (code != 0) throw new ArgumentException(option + ": " + Utf8.Decode(NativeMethods.zus_config_message(config)), "options");
        }

        // Part of a millisecond counts as a whole one: a short time must not become none.
        private static uint Milliseconds(TimeSpan time, string option)
        {
            double ms = Math.Ceiling(time.TotalMilliseconds);
            return ms >= 1 && ms <= 86_400_000 ? (uint)ms : throw new ArgumentException(option + " is not from 1 millisecond to 1 day (24 hours).", "options");
        }

        private static uint Count(int number, string option) =>
            number >= 0 ? (uint)number : throw new ArgumentException(option + " is below 0.", "options");
    }
}
