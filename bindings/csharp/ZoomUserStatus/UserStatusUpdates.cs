#if NET8_0_OR_GREATER
using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// The results of <see cref="ZoomUserStatusClient.UpdateEachAsync"/>, for one <c>await foreach</c>, in the order in which the updates end.
    /// After the loop, <see cref="Rest"/> has what the loop did not see.
    /// </summary>
    public sealed class UserStatusUpdates : IAsyncEnumerable<UserStatusResult>
    {
        private readonly Func<Func<UserStatusResult, Task>, CancellationToken, Task<UserStatusBatch>> _run;
        private readonly CancellationToken _cancellationToken;
        private int _started;
        private UserStatusBatch? _rest;

        internal UserStatusUpdates(Func<Func<UserStatusResult, Task>, CancellationToken, Task<UserStatusBatch>> run, CancellationToken cancellationToken)
        {
            _run = run;
            _cancellationToken = cancellationToken;
        }

        /// <summary>Makes updates that have ended, e.g. for the tests of a program that uses this library.</summary>
        /// <param name="results">What the loop sees.</param>
        /// <param name="notSent">Users who are not sent: the loop ends early, with <paramref name="code"/>.</param>
        /// <param name="code">How it ends.</param>
        public UserStatusUpdates(IEnumerable<UserStatusResult> results, IReadOnlyList<string>? notSent = null, UserStatusCode code = UserStatusCode.Ok)
        {
            ArgumentNullException.ThrowIfNull(results);
            _run = async (report, cancellationToken) =>
            {
                foreach (UserStatusResult result in results) await report(result).ConfigureAwait(false);
                return new UserStatusBatch(code, [], notSent ?? []);
            };
        }

        /// <summary>
        /// What the loop did not see, once it has ended in whatever way: after a <c>break</c> or an exception, the results of the users who were
        /// in flight (<see cref="UserStatusCode.Cancelled"/>: the outcome is unknown), and the users that nothing was sent for.
        /// </summary>
        /// <exception cref="InvalidOperationException">The loop has not ended.</exception>
        public UserStatusBatch Rest => Volatile.Read(ref _rest) ?? throw new InvalidOperationException("The rest is known when the loop over the results has ended.");

        /// <summary>Sends the updates. For <c>await foreach</c>, once.</summary>
        /// <param name="cancellationToken">Cancels, beside the token that UpdateEachAsync was given.</param>
        /// <returns>The results.</returns>
        /// <exception cref="InvalidOperationException">It is the second loop: the users would be sent again.</exception>
        public IAsyncEnumerator<UserStatusResult> GetAsyncEnumerator(CancellationToken cancellationToken = default)
        {
            if (Interlocked.Exchange(ref _started, 1) != 0)
                throw new InvalidOperationException("These updates have been looped over. Call UpdateEachAsync again to send the users again.");
            return Enumerate(cancellationToken);
        }

        private async IAsyncEnumerator<UserStatusResult> Enumerate(CancellationToken cancellationToken)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
            // One place: the batch doesn't run far ahead of who keeps the record.
            var channel = Channel.CreateBounded<UserStatusResult>(new BoundedChannelOptions(1) { SingleReader = true, SingleWriter = true });
            Task<UserStatusBatch> run = Run(channel.Writer, cancel.Token);
            UserStatusResult? last = null;
            var unseen = new List<UserStatusResult>();
            try
            {
                await foreach (UserStatusResult result in channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    last = result;
                    yield return result;
                }
            }
            finally
            {
                // Nothing to cancel when all came. When the loop was left early: cancel, and keep what is known of who was in flight.
                await cancel.CancelAsync().ConfigureAwait(false);
                await foreach (UserStatusResult result in channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)) unseen.Add(result);
                await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a loop that was left hears no exception of the run
                UserStatusBatch? ended = run.IsCompletedSuccessfully ? run.Result : null;
                Volatile.Write(ref _rest, new UserStatusBatch(ended?.Code ?? UserStatusCode.Cancelled, unseen, ended?.NotSent ?? [], ended?.Error));
            }
            UserStatusBatch end = await run.ConfigureAwait(false);
            if (end.Code == UserStatusCode.Cancelled) throw new UserStatusBatchCanceledException(Rest, cancellationToken.IsCancellationRequested ? cancellationToken : _cancellationToken);
            if (end.Error != null) ExceptionDispatchInfo.Throw(end.Error);
            if (end.Code is not UserStatusCode.Ok and not UserStatusCode.Partial)
                throw new ZoomUserStatusException(last?.Code == end.Code ? last : UserStatusResult.OfCode((int)end.Code, null));
        }

        private async Task<UserStatusBatch> Run(ChannelWriter<UserStatusResult> writer, CancellationToken cancellationToken)
        {
            try { return await _run(result => writer.WriteAsync(result, CancellationToken.None).AsTask(), cancellationToken).ConfigureAwait(false); }
            finally { writer.Complete(); }
        }
    }
}
#endif
