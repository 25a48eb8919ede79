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
        /// <summary>So many missing permissions in a row, from the first user on, are the app's.</summary>
        private const int Suspicious = 5;

        private readonly NativeClient _client;
        private readonly Operation _operation;
        private readonly string[] _users;
        private readonly CancellationToken _cancellationToken;
        private readonly BatchTrace _trace;
        private readonly LinkedList<UserCall> _started = new LinkedList<UserCall>(); // whose results were not taken, in order
        private readonly ConcurrentQueue<UserCall> _ended = new ConcurrentQueue<UserCall>();
#pragma warning disable CA2213 // never disposed: it holds nothing, and a call may end late
        private readonly SemaphoreSlim _came = new SemaphoreSlim(0); // as many as there are in _ended
#pragma warning restore CA2213
        private readonly bool[] _reported;
        private int _next;
        private bool _mayRead; // the check of the permission to read is done
        private bool _stopped, _left, _failed;
        private int _suspected;
        private bool _cleared;
        private UserStatusCode? _fatal;

        public StartedBatch(NativeClient client, Operation operation, string[] users, CancellationToken cancellationToken)
        {
            _client = client;
            _operation = operation;
            _users = users;
            _cancellationToken = cancellationToken;
            _reported = new bool[users.Length];
            _mayRead = users.Length == 0 || users[0] is null || !client.Verifies || operation is not Operation.Activate and not Operation.Deactivate;
            client.Hold(); // until Dispose: between two calls, too
            _trace = BatchTrace.Start(operation);
        }

        public async Task<UserStatusResult?> NextAsync()
        {
            if (!_mayRead && await CannotRead().ConfigureAwait(false) is UserStatusResult refused) return refused;
            while (true)
            {
                StartMore();
                if (_started.Count == 0) return null;
                UserStatusResult result = await TakeAsync().ConfigureAwait(false);
                if (WasNeverSent(result)) continue;
                _reported[result.Index] = true;
                _failed |= !result.IsSuccess;
                Judge(result);
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
            _client.Release();
        }

        /// <summary>Where updates are verified, the first user is read before anybody is updated. Returns the failure that would come of every verification.</summary>
        private async Task<UserStatusResult?> CannotRead()
        {
            _mayRead = true;
            Start(Operation.Read, 0);
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
            while (!_stopped && _next < _users.Length && _started.Count < 2 * _client.Concurrency && !_cancellationToken.IsCancellationRequested) Start(_operation, _next++);
        }

        private void Start(Operation operation, int index)
        {
            var call = new UserCall(this, operation, _users[index], index, CallTrace.Start(operation, _trace));
            _started.AddLast(call.Place);
            call.StartIt();
        }

        private async Task<UserStatusResult> TakeAsync()
        {
            await _came.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            _ended.TryDequeue(out UserCall? call);
            _started.Remove(call!.Place);
            return call.Result ?? throw new InvalidOperationException("The result of \"" + _users[call.Index] + "\" could not be copied.", call.Error);
        }

        private void StartNobody()
        {
            if (_stopped) return;
            _stopped = true;
            // Calls begin in order, so many at once: the others behind them were not begun. A user who is waited for until the update shows
            // takes no place among them.
            if (_client.Verifies) return;
            foreach (UserCall call in _started.Where(c => !c.HasEnded).Skip(_client.Concurrency)) call.Cancel();
        }

        /// <summary>
        /// Ends the batch at what is fatal. A missing permission is the app's where the first users all lack it and no user of this client
        /// ever got a response that only this endpoint gives: one user whom the app may not change blocks nobody else.
        /// </summary>
        private void Judge(UserStatusResult result)
        {
            if (result.IsFatal || result.Code != UserStatusCode.Forbidden) _cleared = true;
            else if (++_suspected >= Suspicious && !_cleared && !_client.EndpointIsKnown) result.IsFatal = true;
            if (!result.IsFatal) return;
            _fatal ??= result.Code;
            StartNobody();
        }

        /// <summary>Those, too, who were begun behind a user with a fatal failure, and failed the same way before anything was sent.</summary>
        private bool WasNeverSent(UserStatusResult result) =>
            result.Delivery == UserStatusDelivery.NotSent && ((result.Code == UserStatusCode.Cancelled && result.Attempts == 0) || (result.IsFatal && _fatal != null));

        /// <summary>The call for one user of the batch.</summary>
        private sealed class UserCall : StartedCall
        {
            private readonly StartedBatch _batch;
            private volatile bool _hasEnded;

            public UserCall(StartedBatch batch, Operation operation, string? userId, int index, CallTrace trace) : 
                base(batch._client, operation, userId, index, batch._client.BeginHeld(batch._cancellationToken), trace)
            {
                _batch = batch;
                Place = new LinkedListNode<UserCall>(this);
            }

            public LinkedListNode<UserCall> Place { get; }
            public bool HasEnded => _hasEnded;
            public UserStatusResult? Result { get; private set; }
            public Exception? Error { get; private set; }

            public void StartIt() => Start();

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
                _hasEnded = true;
                _batch._ended.Enqueue(this);
                _batch._came.Release();
            }
        }
    }
}
