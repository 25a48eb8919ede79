using System;
using System.Collections.Generic;
using System.Linq;

namespace ZoomUserStatus
{
    /// <summary>What came of a batch of users. Immutable.</summary>
    [Serializable] // as a part of UserStatusBatchCanceledException
    public sealed class UserStatusBatch
    {
        /// <summary>Makes a batch, e.g. for the tests of a program that uses this library.</summary>
        /// <param name="code">How it ended.</param>
        /// <param name="results">One for each user that was sent, or whose ID was refused.</param>
        /// <param name="notSent">The users that nothing was sent for.</param>
        /// <param name="error">What the token provider threw.</param>
        public UserStatusBatch(UserStatusCode code, IReadOnlyList<UserStatusResult> results, IReadOnlyList<string> notSent, Exception? error = null)
        {
            Code = code;
            Results = results ?? throw new ArgumentNullException(nameof(results));
            NotSent = notSent ?? throw new ArgumentNullException(nameof(notSent));
            Error = error;
        }

        /// <summary>
        /// <see cref="UserStatusCode.Ok"/> when all users were done; <see cref="UserStatusCode.Partial"/> when the batch ran to its end
        /// and some failed; otherwise what was fatal for the batch, because every remaining user would fail the same way (no access token, a
        /// rejected token, a missing scope, the daily limit), with the rest in <see cref="NotSent"/>; <see cref="UserStatusCode.Cancelled"/>
        /// in a <see cref="UserStatusBatchCanceledException"/>.
        /// </summary>
        public UserStatusCode Code { get; }
        /// <summary>True when all users were done.</summary>
        public bool IsSuccess => Code == UserStatusCode.Ok;
        /// <summary>One result for each user that was sent, or whose ID was refused, in the order given.</summary>
        public IReadOnlyList<UserStatusResult> Results { get; }
        /// <summary>The results that are failures, in the order given.</summary>
        public IEnumerable<UserStatusResult> Failures => Results.Where(r => !r.IsSuccess);
        /// <summary>The users that nothing was sent for, in the order given: give them to the next run.</summary>
        public IReadOnlyList<string> NotSent { get; }
        /// <summary>
        /// What the token provider threw, when that ended the batch (<see cref="Code"/> is <see cref="UserStatusCode.Token"/>); otherwise null.
        /// </summary>
        public Exception? Error { get; }

        /// <summary>"Partial: 98 done, 2 failed, 0 not sent".</summary>
        /// <returns>The line.</returns>
        public override string ToString()
        {
            int done = Results.Count(r => r.IsSuccess);
            return $"{Code}: {done} done, {Results.Count - done} failed, {NotSent.Count} not sent";
        }
    }
}
