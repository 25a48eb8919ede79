using System;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>One call while it runs: how it is cancelled, and the exception that a callback threw meanwhile.</summary>
    internal sealed class Call : IDisposable
    {
        [ThreadStatic] private static Call? t_current;
        private readonly Call? _outer; // a callback may use another client
        private readonly ClientCallbacks _callbacks;
        private readonly ClientHandle? _client;
        private readonly CancelHandle _cancel = CancelHandle.None;
        private readonly CancellationToken _token;
        private readonly CancellationTokenRegistration _registration;
        private ExceptionDispatchInfo? _error;

        public Call(ClientCallbacks callbacks, ClientHandle? client, CancellationToken token, bool isBatch = false)
        {
            _callbacks = callbacks;
            _token = token;
            if (client != null)
            {
                bool held = false;
                client.DangerousAddRef(ref held); // until Dispose: the client isn't freed under a running call
                _client = client;
            }
            try
            {
                if (token.CanBeCanceled || callbacks.HasLog)
                {
                    _cancel = new CancelHandle();
                    _registration = token.Register(s => ((CancelHandle)s!).Trigger(), _cancel);
                }
            }
            catch
            {
                _client?.DangerousRelease();
                throw;
            }
            _outer = t_current;
            t_current = this;
            if (isBatch) callbacks.EnterBatch(this);
        }

        /// <summary>To hand to the native call.</summary>
        public nint Client => _client!.Pointer;
        /// <summary>To hand to the native call; NULL when nothing can cancel it.</summary>
        public nint Cancel => _cancel.Pointer;

        public static Call? OnThisThread(ClientCallbacks callbacks) => t_current is Call c && c._callbacks == callbacks ? c : null;

        /// <summary>Keeps the first error, for a call that ends by itself.</summary>
        public void Keep(ExceptionDispatchInfo error) => Interlocked.CompareExchange(ref _error, error, null);

        /// <summary>Keeps the first error and cancels the call.</summary>
        public void Fail(ExceptionDispatchInfo error)
        {
            Keep(error);
            _cancel.Trigger();
        }

        /// <summary>Throws what a callback threw, unchanged; or that the caller cancelled, when that explains the code.</summary>
        public void ThrowIfFailed(UserStatusCode code)
        {
            if (code == UserStatusCode.Token) _token.ThrowIfCancellationRequested(); // the provider may hear the caller's token, too
            Volatile.Read(ref _error)?.Throw();
            // Timeout: a delegate of the caller's held up the call until both were due.
            if (code is UserStatusCode.Cancelled or UserStatusCode.Timeout) _token.ThrowIfCancellationRequested();
        }

        public void Dispose()
        {
            _callbacks.LeaveBatch(this);
            t_current = _outer;
            _client?.DangerousRelease();
            if (_cancel == CancelHandle.None) return;
            _registration.Dispose();
            _cancel.Dispose();
        }
    }
}
