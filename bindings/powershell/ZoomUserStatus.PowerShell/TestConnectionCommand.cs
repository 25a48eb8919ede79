using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Threading;
using System.Xml;
using System.Xml.Linq;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>Tests the connection to Zoom step by step, and says which step fails. It changes no user.</summary>
    /// <remarks>
    /// The steps are those of an update: proxy, host name, connection, the proxy's tunnel, TLS and who issued the certificate, the clock; then the
    /// access token, the account and the scopes. Whether Zoom accepts a static access token can't be known without an update.
    /// </remarks>
    /// <example>
    /// <code>Test-ZoomUserStatusConnection</code>
    /// <para>Shows the steps.</para>
    /// </example>
    /// <example>
    /// <code>if (-not (Test-ZoomUserStatusConnection -Quiet)) { exit 3 }</code>
    /// <para>Ends a script when an update can't work.</para>
    /// </example>
    [Cmdlet(VerbsDiagnostic.Test, "ZoomUserStatusConnection")]
    [OutputType(typeof(ConnectionStep), typeof(bool))]
    public sealed class TestZoomUserStatusConnectionCommand : PSCmdlet, IDisposable
    {
        private static readonly string[] UpdateScopes = { "user:update:status:admin", "user:update:status", "user:write:admin", "user:write" };
        private static readonly string[] ReadScopes = { "user:read:user:admin", "user:read:user", "user:read:admin", "user:read", "user:write:admin", "user:write" };

        private readonly CancellationTokenSource _cancel = new CancellationTokenSource();

        /// <summary>A connection of Connect-ZoomUserStatus -PassThru. Default: the one of this runspace, or else the environment variables.</summary>
        [Parameter(ValueFromPipeline = true), ValidateNotNull]
        public ZoomUserStatusConnection? Connection { get; set; }

        /// <summary>Returns only a Boolean: whether an update can work.</summary>
        [Parameter]
        public SwitchParameter Quiet { get; set; }

        /// <inheritdoc/>
        protected override void ProcessRecord()
        {
            ZoomUserStatusConnection connection = this.FindConnection(Connection);
            bool good = true;
            foreach (ConnectionStep step in Steps(connection))
            {
                good &= step.Status != "Failed";
                if (!Quiet) WriteObject(step);
                else if (!good) break;
            }
            if (Quiet) WriteObject(good);
        }

        /// <inheritdoc/>
        protected override void StopProcessing() => _cancel.Cancel();

        /// <inheritdoc/>
        public void Dispose() => _cancel.Dispose();

        private IEnumerable<ConnectionStep> Steps(ZoomUserStatusConnection connection)
        {
            var urls = new List<Uri> { connection.ApiUrl };
            if (connection.Credentials == "OAuth" && connection.OAuthUrl.Authority != connection.ApiUrl.Authority) urls.Add(connection.OAuthUrl);
            return urls.SelectMany(url => new Walk(url, connection.Options).Steps(_cancel.Token)).Concat(OfCredentials(connection));
        }

        private IEnumerable<ConnectionStep> OfCredentials(ZoomUserStatusConnection connection)
        {
            if (connection.Credentials != "OAuth")
            {
                yield return Step("Token", null, "a static access token: whether Zoom accepts it, its account and its scopes can't be known without touching a user", "A Server-to-Server OAuth app can be checked, and its tokens are refreshed.");
                yield break;
            }
            UserStatusResult? token = null;
            ConnectionStep? failed = null;
            try { token = connection.Client.CheckCredentials(_cancel.Token); }
            catch (ZoomUserStatusException e) { failed = Step("Token", false, e.Message, Errors.Advice(e.Code) ?? ""); }
            catch (OperationCanceledException) { yield break; }
            if (failed != null) yield return failed;
            if (token is null) yield break;
            Func<string, string> field = Fields(token.GetBodyBytes());
            yield return Step("Token", true, "obtained from " + connection.OAuthUrl.Host + (field("expires_in").Length == 0 ? "" : ", expires in " + field("expires_in") + " s and is refreshed by itself"));
            yield return Step("Account", true, connection.AccountId);
            string[] scopes = field("scope").Split(new[] { ' ', ',' }, StringSplitOptions.RemoveEmptyEntries);
            yield return UpdateScopes.FirstOrDefault(scopes.Contains) is string update ? Step("UpdateScope", true, "the scope " + update + " is granted")
                : Step("UpdateScope", false, "none of the scopes that updates need is granted: " + string.Join(", ", UpdateScopes), "Add the scope " + UpdateScopes[0] + " to the app.");
            yield return ReadScopes.FirstOrDefault(scopes.Contains) is string read ? Step("ReadScope", true, "the scope " + read + " is granted")
                : Step("ReadScope", null, "no scope for reading users is granted; updates without -Verify don't need one", "Add the scope " + ReadScopes[0] + " to the app.");
        }

        private static ConnectionStep Step(string name, bool? ok, string message, string advice = "") => new ConnectionStep("", name, ok, message, advice);

        /// <summary>The top-level values of a JSON object; "" for what it doesn't have.</summary>
        private static Func<string, string> Fields(byte[] json)
        {
            try
            {
                using XmlDictionaryReader reader = JsonReaderWriterFactory.CreateJsonReader(json, XmlDictionaryReaderQuotas.Max);
                XElement root = XElement.Load(reader);
                return name => root.Element(name)?.Value ?? "";
            }
            catch (XmlException) { return _ => ""; }
        }
    }
}
