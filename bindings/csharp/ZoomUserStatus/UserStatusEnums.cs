namespace ZoomUserStatus
{
    /// <summary>What to do with a user. The numbers are those of zus.h.</summary>
    public enum UserStatusAction
    {
        /// <summary>Let the user sign in again. Zoom does not promise to give back the licenses.</summary>
        Activate = 1,
        /// <summary>Block the user's sign-in. Zoom removes all the user's licenses.</summary>
        Deactivate = 2,
        /// <summary>Clock the user in.</summary>
        ClockIn = 3,
        /// <summary>Clock the user out.</summary>
        ClockOut = 4,
    }

    /// <summary>How the action travels to Zoom. The numbers are those of zus.h.</summary>
    public enum UserStatusEncoding
    {
        /// <summary>multipart/form-data; where the server refuses that encoding, JSON from then on. The default.</summary>
        Form = 0,
        /// <summary>application/json.</summary>
        Json = 1,
    }

    /// <summary>
    /// How a call ended. The numbers are those of zus.h: 1-19 usage errors, 20-39 the network, 40-69 Zoom, 70-79 the batch or a cancel, 99 a bug.
    /// Codes are only ever added; expect numbers that are not named here.
    /// </summary>
    public enum UserStatusCode
    {
        /// <summary>Done.</summary>
        Ok = 0,
        /// <summary>A value is missing, e.g. a null ID in a batch.</summary>
        Null = 1,
        /// <summary>The text can't be written as UTF-8: it holds half of a surrogate pair.</summary>
        Utf8 = 2,
        /// <summary>The value is not allowed, e.g. an ID that is empty, or has leading or trailing whitespace.</summary>
        Argument = 3,
        /// <summary>No credentials are configured.</summary>
        Credentials = 4,
        /// <summary>The client was made in another process, before a fork.</summary>
        Forked = 5,
        /// <summary>A callback called back into its own client.</summary>
        Reentrant = 6,
        /// <summary>The host name could not be resolved.</summary>
        Resolve = 20,
        /// <summary>No connection could be made.</summary>
        Connect = 21,
        /// <summary>TLS failed, e.g. the certificate is not trusted.</summary>
        Tls = 22,
        /// <summary>The time was over before a response came.</summary>
        Timeout = 23,
        /// <summary>The proxy refused, or could not be reached.</summary>
        Proxy = 24,
        /// <summary>The connection broke.</summary>
        Io = 25,
        /// <summary>Not a response that Zoom sends: HTML, text, too large, cut short, a redirect.</summary>
        Protocol = 26,
        /// <summary>No access token could be obtained.</summary>
        Token = 40,
        /// <summary>Zoom rejected the access token.</summary>
        Unauthorized = 41,
        /// <summary>A scope or a permission is missing.</summary>
        Forbidden = 42,
        /// <summary>The user does not exist, or is not on this account.</summary>
        UserNotFound = 43,
        /// <summary>A Zoom Room's or an admin's status can't be changed.</summary>
        UserProtected = 44,
        /// <summary>The user has an upcoming Zoom Events event.</summary>
        UserBusy = 45,
        /// <summary>The account has reached its user limit.</summary>
        UserLimit = 46,
        /// <summary>Too many requests a second, still after all retries.</summary>
        RateLimited = 47,
        /// <summary>A rate limit that lasts more than a minute, such as the daily limit; see <see cref="UserStatusResult.RetryAfter"/>.</summary>
        DailyLimit = 48,
        /// <summary>Zoom rejected the request for another reason; <see cref="UserStatusResult.Message"/> has Zoom's words.</summary>
        Rejected = 49,
        /// <summary>HTTP 408 or 5xx, also after the retries. The update may have been applied.</summary>
        Server = 50,
        /// <summary>
        /// Zoom accepted the update, but the user's status did not become the wanted one in time, or could not be read: see
        /// <see cref="UserStatusResult.UserStatus"/>. Only with <see cref="ZoomUserStatusOptions.Verify"/>.
        /// </summary>
        NotVerified = 51,
        /// <summary>The server does not know this endpoint: check the API URL. Nothing is known of the user.</summary>
        Endpoint = 52,
        /// <summary>Cancelled. The outcome is unknown: the update may have been applied.</summary>
        Cancelled = 70,
        /// <summary>A batch ran to its end, and some users failed.</summary>
        Partial = 71,
        /// <summary>65,536 asynchronous calls of this process run already: this one was not started.</summary>
        QueueFull = 72,
        /// <summary>The system has no thread left for an asynchronous call: it was not started.</summary>
        NoThread = 73,
        /// <summary>A bug in the native library; please report it.</summary>
        Panic = 99,
    }

    /// <summary>A user's status, as Zoom says it. The numbers are those of zus.h.</summary>
    public enum UserStatus
    {
        /// <summary>Not read, or a status that this version does not know.</summary>
        Unknown = 0,
        /// <summary>The user can sign in.</summary>
        Active = 1,
        /// <summary>The user is deactivated.</summary>
        Inactive = 2,
        /// <summary>The user was invited and has not accepted. Zoom accepts an update of the status, and changes nothing.</summary>
        Pending = 3,
    }

    /// <summary>Whether a request may have reached Zoom, over all attempts. The numbers are those of zus.h.</summary>
    public enum UserStatusDelivery
    {
        /// <summary>No request was sent: nothing was applied.</summary>
        NotSent = 0,
        /// <summary>
        /// A request may have reached Zoom, and may have been applied: the connection broke, the time ran out, or the server failed (a 5xx, too).
        /// </summary>
        Unknown = 1,
        /// <summary>Zoom sent a response, and the code says what it means.</summary>
        Responded = 2,
    }

    /// <summary>
    /// How important a log line is. The numbers are those of Microsoft.Extensions.Logging.LogLevel, so that a cast converts them.
    /// </summary>
    public enum UserStatusLogLevel
    {
        /// <summary>A request was sent.</summary>
        Debug = 1,
        /// <summary>A response came.</summary>
        Information = 2,
        /// <summary>An attempt failed, and another one follows.</summary>
        Warning = 3,
        /// <summary>The update of a user failed.</summary>
        Error = 4,
    }

    internal static class UserStatusLogLevels
    {
        // In C, 1 is an error and 4 is debug.
        public static UserStatusLogLevel FromNative(int level) => (UserStatusLogLevel)(5 - level);
        public static int ToNative(UserStatusLogLevel level) => 5 - (int)level;
    }
}
