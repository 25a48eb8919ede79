using System;
using System.ComponentModel;
using System.Runtime.Serialization;

namespace ZoomUserStatus
{
    /// <summary>
    /// An update failed. Pick the cases by code: <c>catch (ZoomUserStatusException e) when (e.Code == UserStatusCode.UserNotFound)</c>.
    /// </summary>
    [Serializable]
    public class ZoomUserStatusException : Exception
    {
        /// <summary>Makes the exception of a failed result.</summary>
        /// <param name="result">The result.</param>
        public ZoomUserStatusException(UserStatusResult result) : base((result ?? throw new ArgumentNullException(nameof(result))).ToString()) => Result = result;

        /// <summary>Makes an exception without a result: its <see cref="Code"/> is -1, a number that no code has.</summary>
        public ZoomUserStatusException() : this("A Zoom user's update failed.") { }

        /// <summary>Makes an exception without a result: its <see cref="Code"/> is -1, a number that no code has.</summary>
        /// <param name="message">What went wrong.</param>
        public ZoomUserStatusException(string message) : this(message, null) { }

        /// <summary>Makes an exception without a result: its <see cref="Code"/> is -1, a number that no code has.</summary>
        /// <param name="message">What went wrong.</param>
        /// <param name="innerException">Why.</param>
        public ZoomUserStatusException(string message, Exception? innerException) : base(message, innerException) =>
            Result = new UserStatusResult("", (UserStatusCode)(-1), message: message ?? "");

        /// <summary>Makes the exception again in another AppDomain, on .NET Framework.</summary>
        /// <param name="info">What <see cref="GetObjectData"/> wrote.</param>
        /// <param name="context">Not used.</param>
#if NET8_0_OR_GREATER
        [Obsolete("Formatter-based serialization is obsolete.", DiagnosticId = "SYSLIB0051"), EditorBrowsable(EditorBrowsableState.Never)]
#endif
        protected ZoomUserStatusException(SerializationInfo info, StreamingContext context) : base(info, context) =>
            Result = (UserStatusResult)info.GetValue(nameof(Result), typeof(UserStatusResult))!;

        /// <summary>Writes the exception for another AppDomain, on .NET Framework.</summary>
        /// <param name="info">Where to.</param>
        /// <param name="context">Not used.</param>
#if NET8_0_OR_GREATER
        [Obsolete("Formatter-based serialization is obsolete.", DiagnosticId = "SYSLIB0051"), EditorBrowsable(EditorBrowsableState.Never)]
#endif
        public override void GetObjectData(SerializationInfo info, StreamingContext context)
        {
            base.GetObjectData(info, context);
            info.AddValue(nameof(Result), Result);
        }

        /// <summary>All that is known: HTTP status, Zoom's code and message, tracking ID, body.</summary>
        public UserStatusResult Result { get; }
        /// <summary>How it ended; the same as in <see cref="Result"/>.</summary>
        public UserStatusCode Code => Result.Code;
    }
}
