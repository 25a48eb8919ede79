using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>A batch ended early. It carries the batch: a result for each user that came in.</summary>
    public sealed class ZoomUserBatchException : Exception
    {
        internal ZoomUserBatchException(string message, IReadOnlyList<ZoomUserResult> results, Exception? inner = null) : base(message, inner) => Results = results;

        /// <summary>A result for each user that came in.</summary>
        public IReadOnlyList<ZoomUserResult> Results { get; }
    }

    /// <summary>What PowerShell wants to know of an error, from the code.</summary>
    internal static class Errors
    {
        /// <summary>The error of one user.</summary>
        public static ErrorRecord Of(ZoomUserResult user, UserStatusResult result)
        {
            var error = new ErrorRecord(new ZoomUserStatusException(result), result.Code.ToString(), Category(result.Code), user.UserId);
            if (Advice(result.Code) is string advice) error.ErrorDetails = new ErrorDetails(error.Exception.Message) { RecommendedAction = advice };
            return error;
        }

        /// <summary>The error that ends a batch.</summary>
        public static ErrorRecord OfBatch(string id, ErrorCategory category, string message, IReadOnlyList<ZoomUserResult> results, Exception? inner = null)
        {
            int Count(string status) => results.Count(r => r.Status == status);
            string all = message.TrimEnd('.') + ". " + Summary(Count) + ".";
            return new ErrorRecord(new ZoomUserBatchException(all, results, inner), id, category, results);
        }

        /// <summary>"12 done, 1 failed, 2 with unknown outcome, 285 not sent".</summary>
        public static string Summary(Func<string, int> count) =>
            $"{count(UserBatch.Done)} done, {count(UserBatch.Failed)} failed, {count(UserBatch.Unknown)} with unknown outcome, {count(UserBatch.NotSent)} not sent";

        public static ErrorCategory Category(UserStatusCode code) => code switch
        {
            UserStatusCode.Null or UserStatusCode.Utf8 or UserStatusCode.Argument => ErrorCategory.InvalidArgument,
            UserStatusCode.Credentials or UserStatusCode.Token or UserStatusCode.Unauthorized => ErrorCategory.AuthenticationError,
            UserStatusCode.Resolve or UserStatusCode.Connect or UserStatusCode.Tls or UserStatusCode.Proxy or UserStatusCode.Io => ErrorCategory.ConnectionError,
            UserStatusCode.Timeout => ErrorCategory.OperationTimeout,
            UserStatusCode.Protocol => ErrorCategory.ProtocolError,
            UserStatusCode.Forbidden or UserStatusCode.UserProtected => ErrorCategory.PermissionDenied,
            UserStatusCode.UserNotFound => ErrorCategory.ObjectNotFound,
            UserStatusCode.UserBusy => ErrorCategory.ResourceBusy,
            UserStatusCode.UserLimit or UserStatusCode.RateLimited or UserStatusCode.DailyLimit => ErrorCategory.LimitsExceeded,
            UserStatusCode.Endpoint => ErrorCategory.ResourceUnavailable,
            UserStatusCode.Cancelled => ErrorCategory.OperationStopped,
            UserStatusCode.Rejected or UserStatusCode.Server or UserStatusCode.NotVerified => ErrorCategory.InvalidResult,
            _ => ErrorCategory.NotSpecified,
        };

        public static string? Advice(UserStatusCode code) => code switch
        {
            UserStatusCode.Argument => "The user ID can't be sent as it is: correct it.",
            UserStatusCode.Resolve => "Is a proxy needed (Connect-ZoomUserStatus -Proxy), or the URL wrong?",
            UserStatusCode.Connect => "Does a firewall or a proxy block the connection? Test-ZoomUserStatusConnection shows which step fails.",
            UserStatusCode.Tls => "Does a company's proxy inspect the traffic? Name its CA certificate: Connect-ZoomUserStatus -CaFile.",
            UserStatusCode.Timeout or UserStatusCode.Io or UserStatusCode.Server => "The update may have been applied. It is safe to send it again.",
            UserStatusCode.Proxy => "Check the proxy's URL, user name and password: -Proxy, -ProxyCredential.",
            UserStatusCode.Protocol => "Is the URL wrong, or does a gateway respond instead of Zoom?",
            UserStatusCode.Token => "Check the app's account ID, client ID and client secret, and that it is activated.",
            UserStatusCode.Unauthorized => "The access token is expired or wrong: Connect-ZoomUserStatus with a new one.",
            UserStatusCode.Forbidden => "Add the scope user:update:status:admin to the app.",
            UserStatusCode.UserNotFound => "The user is not on this account: check the address, and Zoom's page of pending users.",
            UserStatusCode.UserProtected => "The user is an admin or a Zoom Room. Remove an admin's role first.",
            UserStatusCode.UserBusy => "The user has an upcoming Zoom Events event: hand it over first.",
            UserStatusCode.UserLimit => "Remove a user, or raise the account's limit.",
            UserStatusCode.RateLimited => "Other apps use the same limit: Connect-ZoomUserStatus with a lower -RateLimit.",
            UserStatusCode.DailyLimit => "Send the users that are not sent tomorrow.",
            UserStatusCode.NotVerified => "Zoom accepted the update. Read the user again later: Get-ZoomUserStatus. A pending user's invitation can be withdrawn on Zoom's page of users.",
            UserStatusCode.Endpoint => "Check -ApiUrl.",
            UserStatusCode.Panic => "A bug: please report it.",
            _ => null,
        };
    }
}
