using System;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>One call, while it runs: it holds the client, and hears the caller's token.</summary>
    internal sealed class Call : IDisposable
    {
        private readonly ClientHandle? _held;
        private readonly CancelHandle _cancel = CancelHandle.None;
        private readonly CancellationToken _token;
        private readonly CancellationTokenRegistration _registration;
        private int _users = 1;

        /// <param name="client">The client.</param>
        /// <param name="token">The caller's.</param>
        /// <param name="held">Somebody else holds the client; and may want to cancel the call.</param>
        public Call(ClientHandle client, CancellationToken token, bool held = false)
        {
            _token = token;
            Client = client.Pointer;
            if (!held)
            {
                client.Hold();
                _held = client;
            }
            try
            {
                if (token.CanBeCanceled || held)
                {
                    _cancel = new CancelHandle();
                    _registration = token.Register(s => ((CancelHandle)s!).Trigger(), _cancel);
                }
            }
            catch
            {
                _held?.DangerousRelease();
                throw;
            }
        }

        /// <summary>To hand to the native call.</summary>
        public nint Client { get; }
        /// <summary>To hand to the native call; NULL when nothing can cancel it.</summary>
        public nint Cancel => _cancel.Pointer;

        /// <summary>Cancels it.</summary>
        public void Trigger() => _cancel.Trigger();

        /// <summary>Throws that the caller cancelled, when that explains the code.</summary>
        public void ThrowIfCancelled(UserStatusCode code)
        {
            if (MayBeCancelled(code)) _token.ThrowIfCancellationRequested();
        }

        /// <summary>
        /// Whether a caller who cancelled explains the code. Token: the provider may hear the caller's token, too. Timeout: a delegate of the
        /// caller's held up the call until both were due.
        /// </summary>
        public static bool MayBeCancelled(UserStatusCode code) => code is UserStatusCode.Cancelled or UserStatusCode.Timeout or UserStatusCode.Token;

        /// <summary>One more must dispose it: the event of a started call may come before its start has returned.</summary>
        public void Share() => Interlocked.Increment(ref _users);

        public void Dispose()
        {
            if (Interlocked.Decrement(ref _users) != 0) return;
            _held?.DangerousRelease();
            if (_cancel == CancelHandle.None) return;
            _registration.Dispose();
            _cancel.Dispose();
        }
    }
}
