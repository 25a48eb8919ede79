using System;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>The setters of zus_config. What is refused is collected in words, each with the property's name.</summary>
    internal sealed unsafe class NativeSettings
    {
        private delegate int Setter(byte* value);
        private readonly nint _config;

        public NativeSettings(nint config) => _config = config;

        public string Refused { get; private set; } = "";

        public void Refuse(string sentence) => Refused += (Refused.Length == 0 ? "" : " ") + sentence.TrimEnd('.') + ".";

        public void Token(string token, string property) => Text(token, p => NativeMethods.zus_config_set_token(_config, p), property);

        public void OAuth(string? account, string? client, string? secret) =>
            Text(account, a => Wiped(client, c => Wiped(secret, s => NativeMethods.zus_config_set_oauth(_config, a, c, s))), "AccountId, ClientId, ClientSecret");

        public void TokenProvider(nint provider, nint userdata) => Check(NativeMethods.zus_config_set_token_provider(_config, provider, userdata), "TokenProvider");

        /// <param name="events">Where they go.</param>
        /// <param name="tokens">Token requests.</param>
        /// <param name="level">Log lines, down to this level; null: none.</param>
        public void Events(EventReader events, bool tokens, UserStatusLogLevel? level)
        {
            const int TokenRequests = 256; // ZUS_EVENTS_TOKEN
            Check(NativeMethods.zus_config_set_events(_config, events.Queue, (tokens ? TokenRequests : 0) + (level is { } l ? UserStatusLogLevels.ToNative(l) : 0)), "LogLevel");
        }

        public void Urls(string api, string oauth)
        {
            Text(api, p => NativeMethods.zus_config_set_urls(_config, p, null), "ApiUrl");
            Text(oauth, p => NativeMethods.zus_config_set_urls(_config, null, p), "OAuthUrl");
        }

        public void Encoding(UserStatusEncoding encoding) => Check(NativeMethods.zus_config_set_encoding(_config, (int)encoding), "Encoding");

        public void Timeouts(TimeSpan connect, TimeSpan total)
        {
            if (Milliseconds(Finite(connect), "ConnectTimeout", out uint c) & Milliseconds(Finite(total), "Timeout", out uint t))
                Check(NativeMethods.zus_config_set_timeouts(_config, c, t), "ConnectTimeout, Timeout");
        }

        /// <param name="attempt">Null: the library's default.</param>
        public void AttemptTimeout(TimeSpan? attempt)
        {
            if (attempt is TimeSpan time && Milliseconds(Finite(time), "AttemptTimeout", out uint a))
                Check(NativeMethods.zus_config_set_attempt_timeout(_config, a), "AttemptTimeout");
        }

        public void Verify(TimeSpan wait)
        {
            if (wait != TimeSpan.Zero && Milliseconds(wait, "Verify", out uint v)) Check(NativeMethods.zus_config_set_verify(_config, v), "Verify");
        }

        public void Retry(int attempts, TimeSpan first, TimeSpan most)
        {
            if (Count(attempts, "MaxAttempts", out uint a) & Milliseconds(first, "RetryDelay", out uint f) & Milliseconds(most, "RetryMaxDelay", out uint m))
                Check(NativeMethods.zus_config_set_retry(_config, a, f, m), "MaxAttempts, RetryDelay, RetryMaxDelay");
        }

        public void Rate(int requests, TimeSpan period)
        {
            if (Count(requests, "RateLimit", out uint r) & Milliseconds(period, "RatePeriod", out uint p))
                Check(NativeMethods.zus_config_set_rate(_config, r, p), "RateLimit, RatePeriod");
        }

        public void Concurrency(int users)
        {
            if (Count(users, "Concurrency", out uint u)) Check(NativeMethods.zus_config_set_concurrency(_config, u), "Concurrency");
        }

        public void Proxy(string url) => Text(url, p => NativeMethods.zus_config_set_proxy(_config, p), "Proxy");

        public void CaPem(string text)
        {
            byte[] pem = Utf8.Encode(text)!;
            fixed (byte* p = pem) Check(NativeMethods.zus_config_set_ca_pem(_config, p, (nuint)(pem.Length - 1)), "CaPem");
        }

        public void UserAgent(string text) => Text(text, p => NativeMethods.zus_config_set_user_agent(_config, p), "UserAgent");

        public void Log(UserStatusLogLevel level, nint log, nint userdata) =>
            Check(NativeMethods.zus_config_set_log(_config, UserStatusLogLevels.ToNative(level), log, userdata), "LogLevel");

        private void Text(string? value, Setter set, string property) => Check(Wiped(value, set), property);

        private static int Wiped(string? value, Setter set)
        {
            byte[]? bytes = Utf8.Encode(value);
            try
            {
                fixed (byte* p = bytes) return set(p);
            }
            finally
            {
                if (bytes != null) Array.Clear(bytes, 0, bytes.Length); // it may be a secret
            }
        }

        private void Check(int code, string property)
        {
            if (code != 0) Refuse(property + ": " + Utf8.Decode(NativeMethods.zus_config_message(_config)));
        }

        private static TimeSpan Finite(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(1) : time;

        // Part of a millisecond counts as a whole one: a short time must not become none.
        private bool Milliseconds(TimeSpan time, string property, out uint milliseconds)
        {
            double ms = Math.Ceiling(time.TotalMilliseconds);
            bool good = ms is >= 1 and <= 86_400_000;
            milliseconds = good ? (uint)ms : 0;
            if (!good) Refuse(property + " is not from 1 millisecond to 1 day (24 hours).");
            return good;
        }

        private bool Count(int number, string property, out uint count)
        {
            count = (uint)Math.Max(number, 0);
            if (number < 0) Refuse(property + " is below 0.");
            return number >= 0;
        }
    }
}
