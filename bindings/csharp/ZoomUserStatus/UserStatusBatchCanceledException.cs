using System;
using System.ComponentModel;
using System.Runtime.Serialization;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>
    /// A batch was cancelled by the caller's token. <see cref="Batch"/> says what is known of each user: nothing is lost.
    /// </summary>
    [Serializable]
    public class UserStatusBatchCanceledException : OperationCanceledException
    {
        private static readonly UserStatusBatch Nobody = new UserStatusBatch(UserStatusCode.Cancelled, Array.Empty<UserStatusResult>(), Array.Empty<string>());

        /// <summary>Makes the exception of a cancelled batch.</summary>
        /// <param name="batch">What is known of each user.</param>
        /// <param name="cancellationToken">The token that was cancelled.</param>
        public UserStatusBatchCanceledException(UserStatusBatch batch, CancellationToken cancellationToken)
            : base("The batch was cancelled. " + (batch ?? throw new ArgumentNullException(nameof(batch))), cancellationToken) => Batch = batch;

        /// <summary>Makes an exception with an empty batch.</summary>
        public UserStatusBatchCanceledException() => Batch = Nobody;

        /// <summary>Makes an exception with an empty batch.</summary>
        /// <param name="message">What happened.</param>
        public UserStatusBatchCanceledException(string message) : base(message) => Batch = Nobody;

        /// <summary>Makes an exception with an empty batch.</summary>
        /// <param name="message">What happened.</param>
        /// <param name="innerException">Why.</param>
        public UserStatusBatchCanceledException(string message, Exception? innerException) : base(message, innerException) => Batch = Nobody;

        /// <summary>Makes the exception again in another AppDomain, on .NET Framework.</summary>
        /// <param name="info">What <see cref="GetObjectData"/> wrote.</param>
        /// <param name="context">Not used.</param>
#if NET8_0_OR_GREATER
        [Obsolete("Formatter-based serialization is obsolete.", DiagnosticId = "SYSLIB0051"), EditorBrowsable(EditorBrowsableState.Never)]
#endif
        protected UserStatusBatchCanceledException(SerializationInfo info, StreamingContext context) : base(info, context) =>
            Batch = (UserStatusBatch)info.GetValue(nameof(Batch), typeof(UserStatusBatch))!;

        /// <summary>Writes the exception for another AppDomain, on .NET Framework.</summary>
        /// <param name="info">Where to.</param>
        /// <param name="context">Not used.</param>
#if NET8_0_OR_GREATER
        [Obsolete("Formatter-based serialization is obsolete.", DiagnosticId = "SYSLIB0051"), EditorBrowsable(EditorBrowsableState.Never)]
#endif
        public override void GetObjectData(SerializationInfo info, StreamingContext context)
        {
            base.GetObjectData(info, context);
            info.AddValue(nameof(Batch), Batch);
        }

        /// <summary>
        /// The results so far, and in <see cref="UserStatusBatch.NotSent"/> the users that nothing was sent for. A result with
        /// <see cref="UserStatusCode.Cancelled"/> is of a user who was in flight: the outcome is unknown, and a new run may safely do it again.
        /// </summary>
        public UserStatusBatch Batch { get; }
    }
}
