using System;
using System.IO;
using System.Management.Automation;
using System.Net;
using System.Security;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>Sets the account and the settings for the commands of this runspace.</summary>
    /// <remarks>
    /// It sends nothing: Test-ZoomUserStatusConnection does. Without -AccountId or -AccessToken the credentials are those of the environment
    /// variables: ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID with ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET; and, where set, ZOOM_API_URL and ZOOM_OAUTH_URL.
    /// Without Connect-ZoomUserStatus, the commands use the same variables. A connection belongs to its runspace: give it to
    /// others with -PassThru and -Connection.
    /// </remarks>
    /// <example>
    /// <code>Connect-ZoomUserStatus -AccountId abcDEF123 -Credential (Get-Secret ZoomApp)</code>
    /// <para>Connects by a Server-to-Server OAuth app. The credential's user name is the client ID, its password the client secret.</para>
    /// </example>
    /// <example>
    /// <code>$europe = Connect-ZoomUserStatus -AccountId abcDEF123 -Credential $app -RateLimit 80 -PassThru
    /// $leavers | ForEach-Object -Parallel { Disable-ZoomUser $_ -Connection $using:europe -Confirm:$false }</code>
    /// <para>Gives the connection to other runspaces, which share its rate limit. One batch is as fast: $leavers | Disable-ZoomUser.</para>
    /// </example>
    [Cmdlet(VerbsCommunications.Connect, "ZoomUserStatus", DefaultParameterSetName = "Environment")]
    [OutputType(typeof(ZoomUserStatusConnection))]
    public sealed class ConnectZoomUserStatusCommand : PSCmdlet
    {
        /// <summary>The account ID of a Server-to-Server OAuth app.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "OAuth"), ValidateNotNullOrEmpty]
        public string? AccountId { get; set; }

        /// <summary>The app's client ID as the user name, and its client secret as the password.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "OAuth"), Credential, ValidateNotNull]
        public PSCredential? Credential { get; set; }

        /// <summary>An access token. Zoom's expire after an hour.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "AccessToken"), ValidateNotNull]
        public SecureString? AccessToken { get; set; }

        /// <summary>Base URL of the API. Default https://api.zoom.us/v2; for Zoom for Government https://api.zoomgov.com/v2.</summary>
        [Parameter, ValidateNotNull]
        public Uri? ApiUrl { get; set; }

        /// <summary>URL of the token endpoint. Default https://zoom.us/oauth/token; for Zoom for Government https://zoomgov.com/oauth/token.</summary>
        [Parameter, ValidateNotNull]
        public Uri? OAuthUrl { get; set; }

        /// <summary>
        /// The most requests in one second, evenly spread; 0 for no limit. The default, 30, is Zoom's limit for Pro accounts (Free: 4, Business and above:
        /// 80). All apps of an account share its limit: leave room for the others.
        /// </summary>
        [Parameter, ValidateRange(0, 1_000_000)]
        public int RateLimit { get; set; } = 30;

        /// <summary>Users in flight at a time. Default 16.</summary>
        [Parameter, ValidateRange(1, 256)]
        public int ThrottleLimit { get; set; } = 16;

        /// <summary>The longest time for one user in seconds, with token, waits and retries in it. Default 60.</summary>
        [Parameter, ValidateRange(1, 86_400)]
        public int TimeoutSec { get; set; } = 60;

        /// <summary>
        /// The proxy: an http, https or socks5 URL, or host:port of an http proxy. Default: the one that .NET sees: HTTPS_PROXY, ALL_PROXY and
        /// NO_PROXY as they are in this session, or else the system's.
        /// </summary>
        [Parameter, ValidateNotNull]
        public Uri? Proxy { get; set; }

        /// <summary>The user name and password for the proxy.</summary>
        [Parameter, Credential, ValidateNotNull]
        public PSCredential? ProxyCredential { get; set; }

        /// <summary>A file of CA certificates in PEM to trust, and only these. Default: the system's trust store.</summary>
        [Parameter, ValidateNotNullOrEmpty]
        public string? CaFile { get; set; }

        /// <summary>Returns the connection, for -Connection.</summary>
        [Parameter]
        public SwitchParameter PassThru { get; set; }

        /// <inheritdoc/>
        protected override void ProcessRecord()
        {
            ZoomUserStatusConnection connection;
            try
            {
                connection = new ZoomUserStatusConnection(Options());
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException or IOException or UnauthorizedAccessException or ZoomUserStatusException)
            {
                ThrowTerminatingError(new ErrorRecord(e, "NotConnected", ErrorCategory.InvalidArgument, null));
                throw; // not reached
            }
            connection.Use();
            if (PassThru) WriteObject(connection);
        }

        private ZoomUserStatusOptions Options()
        {
            ZoomUserStatusOptions options = ParameterSetName switch
            {
                "OAuth" => new ZoomUserStatusOptions { AccountId = AccountId, ClientId = Credential!.UserName, ClientSecret = Credential.GetNetworkCredential().Password },
                "AccessToken" => new ZoomUserStatusOptions { AccessToken = new NetworkCredential("", AccessToken).Password },
                _ => ZoomUserStatusConnection.FromEnvironment(),
            };
            if (ApiUrl != null) options.ApiUrl = Absolute(ApiUrl, nameof(ApiUrl));
            if (OAuthUrl != null) options.OAuthUrl = Absolute(OAuthUrl, nameof(OAuthUrl));
            options.RateLimit = RateLimit;
            options.Concurrency = ThrottleLimit;
            options.Timeout = TimeSpan.FromSeconds(TimeoutSec);
            if (CaFile != null) options.CaPem = File.ReadAllText(this.FilePath(CaFile));
            if (Proxy is null) SystemProxy.Apply(options);
            else
            {
                options.Proxy = SystemProxy.Url(Proxy.OriginalString, "-Proxy");
                options.UseProxy = true;
            }
            if (ProxyCredential != null) options.Proxy = WithCredential(options.Proxy, ProxyCredential.GetNetworkCredential());
            return options;
        }

        private static Uri Absolute(Uri url, string parameter) =>
            url.IsAbsoluteUri ? url : throw new ArgumentException("-" + parameter + " is not a URL that begins with https://: " + UserInputReader.Quoted(url.OriginalString) + ".");

        private static Uri WithCredential(Uri? proxy, NetworkCredential login)
        {
            if (proxy is null) throw new ArgumentException("-ProxyCredential is given, and there is no proxy: give -Proxy as well.");
            string user = login.Domain.Length == 0 ? login.UserName : login.Domain + "\\" + login.UserName;
            return new UriBuilder(proxy) { UserName = Uri.EscapeDataString(user), Password = Uri.EscapeDataString(login.Password) }.Uri;
        }
    }

    /// <summary>Forgets the credentials of a connection, and closes it.</summary>
    /// <remarks>Calls that are running end by themselves. Without a connection it does nothing.</remarks>
    /// <example>
    /// <code>Disconnect-ZoomUserStatus</code>
    /// <para>Ends the connection of this runspace.</para>
    /// </example>
    [Cmdlet(VerbsCommunications.Disconnect, "ZoomUserStatus")]
    public sealed class DisconnectZoomUserStatusCommand : PSCmdlet
    {
        /// <summary>A connection of Connect-ZoomUserStatus -PassThru. Default: the one of this runspace.</summary>
        [Parameter(ValueFromPipeline = true), ValidateNotNull]
        public ZoomUserStatusConnection? Connection { get; set; }

        /// <inheritdoc/>
        protected override void ProcessRecord() => (Connection ?? ZoomUserStatusConnection.OfRunspace)?.Dispose();
    }

    internal static class CmdletExtensions
    {
        /// <summary>The full path of a file.</summary>
        /// <exception cref="ArgumentException">It is on a drive without files, as a path without a drive is after <c>cd HKLM:</c> or <c>cd AD:</c>.</exception>
        public static string FilePath(this PSCmdlet cmdlet, string path)
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out PSDriveInfo _);
            return provider.Name == "FileSystem" ? full
                : throw new ArgumentException(UserInputReader.Quoted(path) + " is a path of the provider " + provider.Name + ", not a file: give the full path of a file.");
        }

        /// <summary>The connection that is given, or that of the runspace or the environment; ends the command without one that can be used.</summary>
        public static ZoomUserStatusConnection FindConnection(this PSCmdlet cmdlet, ZoomUserStatusConnection? given)
        {
            try
            {
                ZoomUserStatusConnection connection = given ?? ZoomUserStatusConnection.Find();
                _ = connection.Client;
                return connection;
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException or ZoomUserStatusException)
            {
                cmdlet.ThrowTerminatingError(new ErrorRecord(e, "NotConnected", ErrorCategory.ConnectionError, null));
                throw; // not reached
            }
        }
    }
}
