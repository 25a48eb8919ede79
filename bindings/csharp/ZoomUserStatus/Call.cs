using System;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>One call, or those of a batch, while they run: it holds the client, and hears the caller's token.</summary>
    internal sealed class Call : IDisposable
    {
        private readonly ClientHandle _client;
        private readonly CancelHandle _cancel = CancelHandle.None;
        private readonly CancellationToken _token;
        private readonly CancellationTokenRegistration _registration;
        private int _users = 1;

        /// <param name="client">The client.</param>
        /// <param name="token">The caller's.</param>
        /// <param name="stoppable">It has a cancel also where the token can't be cancelled.</param>
        public Call(ClientHandle client, CancellationToken token, bool stoppable = false)
        {
            _token = token;
            _client = client;
            client.Hold();
            try
            {
                if (token.CanBeCanceled || stoppable)
                {
                    _cancel = new CancelHandle();
                    _registration = token.Register(s => ((CancelHandle)s!).Trigger(), _cancel);
                }
            }
            catch
            {
                client.DangerousRelease();
                throw;
            }
        }

        /// <summary>To hand to the native call.</summary>
        public nint Client => _client.Pointer;
        /// <summary>To hand to the native call; NULL when nothing can cancel it.</summary>
        public nint Cancel => _cancel.Pointer;

        /// <summary>Ends the started calls that have sent nothing.</summary>
        public void Stop() => NativeMethods.zus_client_stop_started(Client, Cancel);

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

        /// <summary>One more must dispose it.</summary>
        public void Share() => Interlocked.Increment(ref _users);

        public void Dispose()
        {
            if (Interlocked.Decrement(ref _users) != 0) return;
            _client.DangerousRelease();
            if (_cancel == CancelHandle.None) return;
            _registration.Dispose();
            _cancel.Dispose();
        }
    }
}
