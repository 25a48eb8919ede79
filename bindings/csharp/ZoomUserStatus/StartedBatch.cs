using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>Gives the results of a batch, one at a time. From one thread at a time.</summary>
    internal interface IBatch : IDisposable
    {
        /// <summary>The next result, in any order; null after the last one.</summary>
        /// <returns>The result.</returns>
        Task<UserStatusResult?> NextAsync();
        /// <summary>Starts nobody else. The results of the users in flight still come.</summary>
        void Stop();
        /// <summary>What came of the batch, with these results, after the last one.</summary>
        /// <param name="results">The results.</param>
        /// <returns>The batch.</returns>
        UserStatusBatch End(IReadOnlyList<UserStatusResult> results);
    }

    /// <summary>
    /// A batch of started calls, as zus_update_status_many and zus_get_user_status_many run one. At most twice as many as the client runs at once
    /// are started ahead of the results that were taken.
    /// </summary>
    internal sealed class StartedBatch : IBatch
    {
        private readonly NativeClient _client;
        private readonly Operation _operation;
        private readonly string[] _users;
        private readonly CancellationToken _cancellationToken;
        private readonly BatchTrace _trace;
        private readonly Call _call;
        private readonly ConcurrentQueue<UserCall> _ended = new ConcurrentQueue<UserCall>();
#pragma warning disable CA2213 // never disposed: it holds nothing, and a call may end late
        private readonly SemaphoreSlim _came = new SemaphoreSlim(0); // as many as there are in _ended
#pragma warning restore CA2213
        private readonly bool[] _reported;
        private int _next;
        private bool _mayRead; // the check of the permission to read is done
        private int _started; // whose results were not taken
        private bool _stopped, _left, _failed;
        private UserStatusCode? _fatal;

        public StartedBatch(NativeClient client, Operation operation, string[] users, CancellationToken cancellationToken)
        {
            _client = client;
            _operation = operation;
            _users = users;
            _cancellationToken = cancellationToken;
            _reported = new bool[users.Length];
            _mayRead = users.Length == 0 || users[0] is null || !client.Verifies || operation is not Operation.Activate and not Operation.Deactivate;
            _call = client.BeginMany(cancellationToken); // until Dispose: between two calls, too
            _trace = BatchTrace.Start(operation);
        }

        public async Task<UserStatusResult?> NextAsync()
        {
            if (!_mayRead && await CannotRead().ConfigureAwait(false) is UserStatusResult refused) return refused;
            while (true)
            {
                StartMore();
                if (_started == 0) return null;
                UserStatusResult result = await TakeAsync().ConfigureAwait(false);
                if (WasNeverSent(result)) continue;
                _reported[result.Index] = true;
                _failed |= !result.IsSuccess;
                if (result.IsFatal)
                {
                    _fatal ??= result.Code;
                    StartNobody();
                }
                return result;
            }
        }

        public void Stop()
        {
            _left = true;
            StartNobody();
        }

        public UserStatusBatch End(IReadOnlyList<UserStatusResult> results)
        {
            UserStatusCode code = _left || _cancellationToken.IsCancellationRequested ? UserStatusCode.Cancelled : _fatal ?? (_failed ? UserStatusCode.Partial : UserStatusCode.Ok);
            Exception? error = code == UserStatusCode.Token ? _client.Callbacks.TokenError?.SourceException : null;
            return _trace.Stop(new UserStatusBatch(code, results, _users.Where((_, i) => !_reported[i]).ToArray(), error));
        }

        public void Dispose()
        {
            _trace.Dispose();
            _call.Dispose();
        }

        /// <summary>Where updates are verified, the first user is read before anybody is updated. Returns the failure that would come of every verification.</summary>
        private async Task<UserStatusResult?> CannotRead()
        {
            _mayRead = true;
            _ = Start(Operation.Read, 0);
            UserStatusResult read = await TakeAsync().ConfigureAwait(false);
            if (!read.IsFatal) return null;
            read.Delivery = UserStatusDelivery.NotSent; // no update was
            _reported[0] = true;
            _fatal = read.Code;
            _stopped = true;
            return read;
        }

        private void StartMore()
        {
            while (!_stopped && _next < _users.Length && _started < 2 * _client.Concurrency && !_cancellationToken.IsCancellationRequested && Start(_operation, _next)) _next++;
        }

        /// <summary>Starts a user; not now, when there is no room in the queue or no thread, but some call of this batch will end.</summary>
        private bool Start(Operation operation, int index)
        {
            var call = new UserCall(this, operation, _users[index], index, CallTrace.Start(operation, _trace));
            int code = call.Start();
            if ((UserStatusCode)code is UserStatusCode.QueueFull or UserStatusCode.NoThread && _started != 0) return false;
            _started++;
            if (code != 0) call.Refuse(code);
            return true;
        }

        private async Task<UserStatusResult> TakeAsync()
        {
            await _came.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            _ended.TryDequeue(out UserCall? call);
            _started--;
            return call!.Result ?? throw new InvalidOperationException("The result of \"" + _users[call.Index] + "\" could not be copied.", call.Error);
        }

        private void StartNobody()
        {
            if (_stopped) return;
            _stopped = true;
            _call.Stop();
        }

        /// <summary>Those, too, who were begun before the stop came, and failed like the user before them without a request.</summary>
        private bool WasNeverSent(UserStatusResult result) =>
            result.Delivery == UserStatusDelivery.NotSent && ((result.Code == UserStatusCode.Cancelled && result.Attempts == 0) || (result.IsFatal && _fatal != null));

        /// <summary>The call for one user of the batch.</summary>
        private sealed class UserCall : StartedCall
        {
            private readonly StartedBatch _batch;

            public UserCall(StartedBatch batch, Operation operation, string? userId, int index, CallTrace trace) :
                base(batch._client, operation, userId, index, batch._call, trace) => _batch = batch;

            public UserStatusResult? Result { get; private set; }
            public Exception? Error { get; private set; }

            protected override void Ended(UserStatusResult result, CallTrace trace)
            {
                Result = trace.Stop(result);
                Came();
            }

            protected override void Failed(Exception error)
            {
                Error = error;
                Came();
            }

            private void Came()
            {
                _batch._ended.Enqueue(this);
                _batch._came.Release();
            }
        }
    }
}
