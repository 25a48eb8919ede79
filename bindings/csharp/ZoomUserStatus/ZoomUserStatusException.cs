using System;
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

#if !NET8_0_OR_GREATER // .NET Framework carries exceptions from one AppDomain to another like this
        /// <summary>Makes the exception again in another AppDomain.</summary>
        /// <param name="info">What <see cref="GetObjectData"/> wrote.</param>
        /// <param name="context">Not used.</param>
        protected ZoomUserStatusException(SerializationInfo info, StreamingContext context) : base(info, context) =>
            Result = (UserStatusResult)info.GetValue(nameof(Result), typeof(UserStatusResult))!;

        /// <summary>Writes the exception for another AppDomain.</summary>
        /// <param name="info">Where to.</param>
        /// <param name="context">Not used.</param>
        public override void GetObjectData(SerializationInfo info, StreamingContext context)
        {
            base.GetObjectData(info, context);
            info.AddValue(nameof(Result), Result);
        }
#endif

        /// <summary>All that is known: HTTP status, Zoom's code and message, tracking id, body.</summary>
        public UserStatusResult Result { get; }
        /// <summary>How it ended; the same as in <see cref="Result"/>.</summary>
        public UserStatusCode Code => Result.Code;
    }
}
