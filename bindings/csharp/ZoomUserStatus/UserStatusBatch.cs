using System;
using System.Collections.Generic;
using System.Linq;

namespace ZoomUserStatus
{
    /// <summary>What came of a list of users. Immutable.</summary>
    public sealed class UserStatusBatch
    {
        /// <summary>Makes a batch, e.g. for the tests of a program that uses this library.</summary>
        /// <param name="code">How it ended.</param>
        /// <param name="results">One for each user that was sent or refused.</param>
        /// <param name="notSent">The ids never sent.</param>
        /// <param name="error">What the token provider threw.</param>
        public UserStatusBatch(UserStatusCode code, IReadOnlyList<UserStatusResult> results, IReadOnlyList<string> notSent, Exception? error = null)
        {
            Error = error;
            Code = code;
            Results = results;
            NotSent = notSent;
        }

        /// <summary>
        /// <see cref="UserStatusCode.Ok"/> when all users were done; <see cref="UserStatusCode.Partial"/> when the list ran to its end
        /// and some failed; otherwise what no further user could survive and ended it early (no token, a refused token, a missing scope,
        /// the daily limit), with the rest in <see cref="NotSent"/>.
        /// </summary>
        public UserStatusCode Code { get; }
        /// <summary>True when all users were done.</summary>
        public bool IsSuccess => Code == UserStatusCode.Ok;
        /// <summary>One result for each user that was sent, or whose id was refused, in the order of the list.</summary>
        public IReadOnlyList<UserStatusResult> Results { get; }
        /// <summary>The results that are failures, in the order of the list.</summary>
        public IEnumerable<UserStatusResult> Failures => Results.Where(r => !r.IsSuccess);
        /// <summary>The users that nothing was sent for, in the order of the list: give them to the next run.</summary>
        public IReadOnlyList<string> NotSent { get; }
        /// <summary>
        /// What the token provider threw, when that ended the list (<see cref="Code"/> is <see cref="UserStatusCode.Token"/>); otherwise null.
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
