using System;
using System.Linq;
using System.Net;
#if NET8_0_OR_GREATER
using System.Net.Http;
#endif

namespace ZoomUserStatus.PowerShell
{
    /// <summary>
    /// The proxy that .NET sees: what the environment says, as it is in this session, or else the system. On Unix the native library would see the
    /// environment that the process was started with, where <c>$env:HTTPS_PROXY = ...</c> changes nothing.
    /// </summary>
    internal static class SystemProxy
    {
        /// <summary>Sets it, for the API's URL.</summary>
        /// <param name="options">Settings without a proxy.</param>
        public static void Apply(ZoomUserStatusOptions options)
        {
            options.Proxy = Find(options.ApiUrl);
            options.UseProxy = options.Proxy != null;
        }

        private static Uri? Find(Uri api)
        {
            if (api.Scheme != Uri.UriSchemeHttps) return null; // http:// is for loopback: a proxy would be handed the token in clear
            if ((Variable("https_proxy", "HTTPS_PROXY") ?? Variable("all_proxy", "ALL_PROXY")) is string text)
                return IsExempt(api.Host, Variable("no_proxy", "NO_PROXY") ?? "") ? null : Url(text, "The proxy in the environment (HTTPS_PROXY, ALL_PROXY)");
#if NET8_0_OR_GREATER
            IWebProxy? system = HttpClient.DefaultProxy;
#else
            IWebProxy? system = WebRequest.DefaultWebProxy;
#endif
            return system is null || system.IsBypassed(api) || system.GetProxy(api) is not Uri proxy || proxy == api ? null : proxy;
        }

        private static string? Variable(string first, string second) =>
            Environment.GetEnvironmentVariable(first) is { Length: > 0 } value ? value : Environment.GetEnvironmentVariable(second) is { Length: > 0 } other ? other : null;

        /// <summary>The URL of a proxy, which may be given without <c>http://</c>.</summary>
        /// <param name="text">The proxy.</param>
        /// <param name="source">Where it was given, for the error.</param>
        /// <exception cref="ArgumentException">It is none. The text may hold a password: it is not shown.</exception>
        public static Uri Url(string text, string source) =>
            Uri.TryCreate(text.IndexOf("://", StringComparison.Ordinal) < 0 ? "http://" + text : text, UriKind.Absolute, out Uri? url) ? url
                : throw new ArgumentException(source + " is not a URL.");

        /// <summary>As curl reads NO_PROXY: "*", or a list of names, each for itself and all below it.</summary>
        private static bool IsExempt(string host, string list) => list.Trim() == "*" || list.Split(new[] { ',', ' ', '\t' }, StringSplitOptions.RemoveEmptyEntries)
            .Select(entry => entry.Trim('.')).Any(name => host.Equals(name, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + name, StringComparison.OrdinalIgnoreCase));
    }
}
