#if NET8_0_OR_GREATER
using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// The results of <see cref="ZoomUserStatusClient.UpdateEachAsync"/> or <see cref="ZoomUserStatusClient.GetStatusEachAsync"/>, for one
    /// <c>await foreach</c>, in the order in which the calls end. After the loop, <see cref="Rest"/> has what the loop did not see.
    /// </summary>
    public sealed class UserStatusUpdates : IAsyncEnumerable<UserStatusResult>
    {
        private readonly Func<CancellationToken, IBatch> _open;
        private readonly CancellationToken _cancellationToken;
        private int _started;
        private UserStatusBatch? _rest;
        private UserStatusResult? _last;

        internal UserStatusUpdates(Func<CancellationToken, IBatch> open, CancellationToken cancellationToken)
        {
            _open = open;
            _cancellationToken = cancellationToken;
        }

        /// <summary>Makes updates that have ended, e.g. for the tests of a program that uses this library.</summary>
        /// <param name="results">What the loop sees.</param>
        /// <param name="notSent">Users who are not sent: the loop ends early, with <paramref name="code"/>.</param>
        /// <param name="code">How it ends.</param>
        public UserStatusUpdates(IEnumerable<UserStatusResult> results, IReadOnlyList<string>? notSent = null, UserStatusCode code = UserStatusCode.Ok)
        {
            ArgumentNullException.ThrowIfNull(results);
            _open = _ => new Ended(results.GetEnumerator(), notSent ?? [], code);
        }

        /// <summary>
        /// What the loop did not see, once it has ended in whatever way: after a <c>break</c> or an exception, the results of the users who were
        /// in flight, and the users that nothing was sent for.
        /// </summary>
        /// <exception cref="InvalidOperationException">The loop has not ended.</exception>
        public UserStatusBatch Rest => Volatile.Read(ref _rest) ?? throw new InvalidOperationException("The rest is known when the loop over the results has ended.");

        /// <summary>Makes the calls. For <c>await foreach</c>, once.</summary>
        /// <param name="cancellationToken">Cancels, beside the token that the method was given.</param>
        /// <returns>The results.</returns>
        /// <exception cref="InvalidOperationException">It is the second loop: the users would be sent again.</exception>
        public IAsyncEnumerator<UserStatusResult> GetAsyncEnumerator(CancellationToken cancellationToken = default)
        {
            if (Interlocked.Exchange(ref _started, 1) != 0)
                throw new InvalidOperationException("These updates have been looped over. Call the method again to send the users again.");
            return Enumerate(cancellationToken);
        }

        private async IAsyncEnumerator<UserStatusResult> Enumerate(CancellationToken cancellationToken)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
            using IBatch batch = _open(cancel.Token);
            bool all = false;
            try
            {
                while (await batch.NextAsync().ConfigureAwait(false) is { } result)
                {
                    _last = result;
                    yield return result;
                }
                all = true;
            }
            finally
            {
                var unseen = new List<UserStatusResult>();
                if (!all)
                {
                    batch.Stop();
                    while (await batch.NextAsync().ConfigureAwait(false) is { } result) unseen.Add(result);
                }
                Volatile.Write(ref _rest, batch.End(unseen));
            }
            if (Rest.Code == UserStatusCode.Cancelled) throw new UserStatusBatchCanceledException(Rest, cancellationToken.IsCancellationRequested ? cancellationToken : _cancellationToken);
            if (Rest.Error != null) ExceptionDispatchInfo.Throw(Rest.Error);
            if (Rest.Code is not UserStatusCode.Ok and not UserStatusCode.Partial)
                throw new ZoomUserStatusException(_last?.Code == Rest.Code ? _last : UserStatusResult.OfCode((int)Rest.Code, null));
        }

        /// <summary>A batch for tests.</summary>
        private sealed class Ended(IEnumerator<UserStatusResult> results, IReadOnlyList<string> notSent, UserStatusCode code) : IBatch
        {
            public Task<UserStatusResult?> NextAsync() => Task.FromResult(results.MoveNext() ? results.Current : null);
            public void Stop() { }
            public UserStatusBatch End(IReadOnlyList<UserStatusResult> rest) => new UserStatusBatch(code, rest, notSent);
            public void Dispose() => results.Dispose();
        }
    }
}
#endif
