using System;

namespace ZoomUserStatus
{
    /// <summary>
    /// An update failed. Pick the cases by code: <c>catch (ZoomUserStatusException e) when (e.Code == UserStatusCode.UserNotFound)</c>.
    /// </summary>
    public class ZoomUserStatusException : Exception
    {
        /// <summary>Makes the exception of a failed result.</summary>
        /// <param name="result">The result.</param>
        public ZoomUserStatusException(UserStatusResult result) : base((result ?? throw new ArgumentNullException(nameof(result))).ToString()) => Result = result;

        /// <summary>All that is known: HTTP status, Zoom's code and message, tracking id, body.</summary>
        public UserStatusResult Result { get; }
        /// <summary>How it ended; the same as in <see cref="Result"/>.</summary>
        public UserStatusCode Code => Result.Code;
    }
}
