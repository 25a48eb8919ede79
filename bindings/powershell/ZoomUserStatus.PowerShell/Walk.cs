using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>One step of Test-ZoomUserStatusConnection.</summary>
    public sealed class ConnectionStep
    {
        internal ConnectionStep(string host, string step, bool? ok, string message, string advice = "")
        {
            Host = host;
            Step = step;
            Status = ok switch { true => "Ok", false => "Failed", _ => "Note" };
            Message = message;
            Advice = advice;
        }

        /// <summary>The host that it is about; "" for the credentials.</summary>
        public string Host { get; }
        /// <summary>Proxy, Host, Connection, Tunnel, TLS, Clock, Token, Account, UpdateScope, ReadScope.</summary>
        public string Step { get; }
        /// <summary>Ok; Failed: an update can't work; Note: it can't be known, or matters only for some things.</summary>
        public string Status { get; }
        /// <summary>What was found.</summary>
        public string Message { get; }
        /// <summary>What to do; "" for nothing.</summary>
        public string Advice { get; }
    }

    /// <summary>The steps to one host: proxy, addresses, connection, TLS, clock. They use no credential but the proxy's.</summary>
    internal sealed class Walk
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

        private readonly Uri _url;
        private readonly ZoomUserStatusOptions _options;
        private string _notTrusted = "";

        public Walk(Uri url, ZoomUserStatusOptions options)
        {
            _url = url;
            _options = options;
        }

        /// <summary>The steps, up to the first that fails.</summary>
        /// <param name="cancellationToken">Ends the step that runs.</param>
        public IEnumerable<ConnectionStep> Steps(CancellationToken cancellationToken)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            using CancellationTokenRegistration registration = cancellationToken.Register(socket.Dispose);
            Stream? stream = null;
            Uri? proxy = _options.UseProxy ? _options.Proxy : null;
            yield return Step("Proxy", true, proxy is null ? "none" : proxy.GetComponents(UriComponents.Scheme | UriComponents.Host | UriComponents.StrongPort, UriFormat.UriEscaped));
            Uri hop = proxy ?? _url;
            foreach (Func<ConnectionStep> step in new Func<ConnectionStep>[]
            {
                () => Resolve(hop),
                () => Connect(socket, hop, ref stream),
                () => Tunnel(proxy, ref stream!),
                () => Encrypt(ref stream!),
                () => Clock(stream!),
            })
            {
                ConnectionStep done = step();
                if (done.Message.Length != 0) yield return done;
                if (done.Status != "Ok") break;
            }
            stream?.Dispose();
        }

        private ConnectionStep Step(string name, bool? ok, string message, string advice = "") => new ConnectionStep(_url.Host, name, ok, message, advice);

        /// <summary>This connection has no such step.</summary>
        private ConnectionStep Passed(string name) => Step(name, true, "");

        private ConnectionStep Resolve(Uri hop)
        {
            try
            {
                IPAddress[] found = Dns.GetHostAddresses(hop.DnsSafeHost);
                return Step("Host", true, hop.Host + " is " + string.Join(", ", found.Take(4).Select(a => a.ToString())) + (found.Length > 4 ? " and more" : ""));
            }
            catch (SocketException e) { return Step("Host", false, hop.Host + " has no address: " + e.Message, "Check DNS, and whether a proxy is needed (-Proxy, HTTPS_PROXY)."); }
        }

        private ConnectionStep Connect(Socket socket, Uri hop, ref Stream? stream)
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            try
            {
                IAsyncResult connecting = socket.BeginConnect(hop.DnsSafeHost, hop.Port, null, null);
                if (!connecting.AsyncWaitHandle.WaitOne(Patience)) return Step("Connection", false, $"{hop.Host}:{hop.Port} does not respond", "Check the firewall, and whether a proxy is needed (-Proxy, HTTPS_PROXY).");
                socket.EndConnect(connecting);
                stream = new NetworkStream(socket, ownsSocket: false) { ReadTimeout = (int)Patience.TotalMilliseconds, WriteTimeout = (int)Patience.TotalMilliseconds };
                return Step("Connection", true, $"to {Plain(((IPEndPoint)socket.RemoteEndPoint!).Address)}, port {hop.Port}, in {watch.ElapsedMilliseconds} ms");
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) { return Step("Connection", false, $"{hop.Host}:{hop.Port} can't be reached: {e.Message}", "Check the firewall, and whether a proxy is needed (-Proxy, HTTPS_PROXY)."); }
        }

        private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

        private ConnectionStep Tunnel(Uri? proxy, ref Stream stream)
        {
            if (proxy is null) return Passed("Tunnel");
            if (proxy.Scheme is not "http" and not "https") return Step("Tunnel", null, $"through {proxy.Scheme}://, only the step Token tests the rest of the connection");
            try
            {
                if (proxy.Scheme == "https") stream = Tls(stream, proxy.Host);
                string login = proxy.UserInfo.Length == 0 ? "" : "Proxy-Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(proxy.UserInfo))) + "\r\n";
                Send(stream, $"CONNECT {_url.Host}:{_url.Port} HTTP/1.1\r\nHost: {_url.Host}:{_url.Port}\r\n{login}\r\n");
                string status = Head(stream).FirstOrDefault() ?? "";
                if (status.StartsWith("HTTP/1", StringComparison.Ordinal) && status.Split(' ').ElementAtOrDefault(1) is { Length: 3 } code && code[0] == '2')
                    return Step("Tunnel", true, "the proxy connects to " + _url.Host);
                return Step("Tunnel", false, "the proxy refuses: " + (status.Length == 0 ? "it closed the connection" : Report.Clean(status)),
                    status.IndexOf(" 407", StringComparison.Ordinal) >= 0 ? "Give the proxy its user name and password: -ProxyCredential." : "Ask who runs the proxy to allow " + _url.Host + ".");
            }
            catch (Exception e) when (e is IOException or AuthenticationException or ObjectDisposedException) { return Step("Tunnel", false, "the proxy failed: " + Reason(e), "Check the proxy's URL."); }
        }

        private ConnectionStep Encrypt(ref Stream stream)
        {
            if (_url.Scheme != Uri.UriSchemeHttps) return Step("TLS", true, "none: http:// to loopback");
            try
            {
                var secure = Tls(stream, _url.Host);
                stream = secure;
                return Step("TLS", true, $"{secure.SslProtocol}, the certificate is issued by {Issuer(secure.RemoteCertificate)}");
            }
            catch (Exception e) when (e is IOException or AuthenticationException or ObjectDisposedException)
            {
                return _notTrusted.Length == 0 ? Step("TLS", false, "the handshake failed: " + Reason(e), "Does something else than Zoom listen there?")
                    : Step("TLS", false, "the certificate is not trusted: " + _notTrusted, "Does a company's proxy inspect the traffic? Name its CA certificate: Connect-ZoomUserStatus -CaFile.");
            }
        }

        private SslStream Tls(Stream stream, string host)
        {
            var secure = new SslStream(stream, leaveInnerStreamOpen: false, Trusts);
#if NET8_0_OR_GREATER
            secure.AuthenticateAsClient(host);
#else
#pragma warning disable CA5398 // Windows PowerShell's own default is TLS 1.0
            secure.AuthenticateAsClient(host, null, SslProtocols.Tls12, checkCertificateRevocation: false);
#pragma warning restore CA5398
#endif
            return secure;
        }

        /// <summary>As the library does: by the CA certificates of the connection alone, or else by the system's.</summary>
        private bool Trusts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (_options.CaPem is string pem && certificate != null && (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0)
            {
                X509Certificate2[] trusted = Certificates(pem).ToArray();
                using var own = new X509Chain();
                own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                own.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
                own.ChainPolicy.ExtraStore.AddRange(trusted);
                if (chain != null) foreach (X509ChainElement element in chain.ChainElements) own.ChainPolicy.ExtraStore.Add(element.Certificate);
                using var leaf = new X509Certificate2(certificate);
                if (own.Build(leaf) && own.ChainElements.Cast<X509ChainElement>().Any(e => trusted.Any(t => t.RawData.SequenceEqual(e.Certificate.RawData)))) return true;
                errors = SslPolicyErrors.RemoteCertificateChainErrors;
            }
            if (errors == SslPolicyErrors.None) return true;
            _notTrusted = errors + "; it is issued by " + Issuer(certificate);
            return false;
        }

        private static IEnumerable<X509Certificate2> Certificates(string pem)
        {
            const string Begin = "-----BEGIN CERTIFICATE-----", End = "-----END CERTIFICATE-----";
            for (int at = 0; (at = pem.IndexOf(Begin, at, StringComparison.Ordinal)) >= 0;)
            {
                at += Begin.Length;
                int end = pem.IndexOf(End, at, StringComparison.Ordinal);
                if (end < 0) yield break;
#pragma warning disable SYSLIB0057 // X509CertificateLoader is of .NET 9
                yield return new X509Certificate2(Convert.FromBase64String(pem.Substring(at, end - at)));
#pragma warning restore SYSLIB0057
            }
        }

        private static string Issuer(X509Certificate? certificate) => Report.Clean(certificate?.Issuer ?? "nobody");

        private ConnectionStep Clock(Stream stream)
        {
            try
            {
                Send(stream, $"HEAD / HTTP/1.1\r\nHost: {_url.Authority}\r\nUser-Agent: zoom-user-status\r\nConnection: close\r\n\r\n");
                string? date = Head(stream).FirstOrDefault(line => line.StartsWith("Date:", StringComparison.OrdinalIgnoreCase));
                if (date is null || !DateTimeOffset.TryParse(date.Substring(5), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset there))
                    return Step("Clock", null, "the server does not tell its time");
                double seconds = (DateTimeOffset.UtcNow - there).TotalSeconds;
                return Math.Abs(seconds) < 60 ? Step("Clock", true, "agrees with the server")
                    : Step("Clock", null, $"{Math.Abs(seconds):0} s {(seconds > 0 ? "ahead of" : "behind")} the server", "Set this machine's clock: certificates and tokens depend on it.");
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException) { return Step("Clock", null, "no HTTP response: " + Reason(e), "Does something else than Zoom listen there?"); }
        }

        private static string Reason(Exception e) => Report.Clean((e.InnerException ?? e).Message);

        private static void Send(Stream stream, string text)
        {
            byte[] bytes = Encoding.ASCII.GetBytes(text);
            stream.Write(bytes, 0, bytes.Length);
        }

        /// <summary>The lines up to the empty one; none when the connection closes before it.</summary>
        private static string[] Head(Stream stream)
        {
            var text = new StringBuilder();
            var one = new byte[1]; // not a byte more: what follows may be TLS
            while (text.Length < 65_536 && stream.Read(one, 0, 1) == 1)
            {
                text.Append((char)one[0]);
                if (one[0] == '\n' && text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) return text.ToString().Split(new[] { "\r\n" }, StringSplitOptions.RemoveEmptyEntries);
            }
            return Array.Empty<string>();
        }
    }
}
