using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>
    /// A client's token provider and log, as native code reaches them. Native code holds a number, not a GCHandle: the entry is
    /// weak, so a callback that refers to its own client doesn't keep it from being collected, and a late call finds nothing
    /// instead of freed memory.
    /// </summary>
    internal sealed unsafe class ClientCallbacks
    {
        private static readonly ConcurrentDictionary<nint, WeakReference<ClientCallbacks>> Live = new ConcurrentDictionary<nint, WeakReference<ClientCallbacks>>();
        private static int s_last;

        // Static, so that the thunks live as long as the process.
        private static readonly ZusTokenProviderFn Token = OnToken;
        private static readonly ZusLogFn Log = OnLog;
        internal static readonly nint TokenPointer = Marshal.GetFunctionPointerForDelegate(Token);
        internal static readonly nint LogPointer = Marshal.GetFunctionPointerForDelegate(Log);

        private readonly AccessTokenProvider? _token;
        private readonly Action<UserStatusLogLevel, string>? _log;
        private readonly HashSet<Call> _lists = new HashSet<Call>(); // that run
        private byte[]? _tooLong; // a token that waits for a larger buffer
        private volatile ExceptionDispatchInfo? _tokenError;

        public ClientCallbacks(AccessTokenProvider? token, Action<UserStatusLogLevel, string>? log)
        {
            _token = token;
            _log = log;
            Userdata = Interlocked.Increment(ref s_last);
            Live[Userdata] = new WeakReference<ClientCallbacks>(this);
        }

        ~ClientCallbacks() => Live.TryRemove(Userdata, out _);

        public nint Userdata { get; }
        public bool HasLog => _log != null;
        /// <summary>What the provider threw when it was last asked; also for calls that shared that failed request.</summary>
        public ExceptionDispatchInfo? TokenError => _tokenError;

        public void EnterList(Call call) { lock (_lists) _lists.Add(call); }
        public void LeaveList(Call call) { lock (_lists) _lists.Remove(call); }

        private static ClientCallbacks? Find(nint userdata) =>
            Live.TryGetValue(userdata, out WeakReference<ClientCallbacks>? weak) && weak.TryGetTarget(out ClientCallbacks? found) ? found : null;

        // No exception may unwind into native frames: each callback catches all, and the call that runs it throws it again.

        [MonoPInvokeCallback(typeof(ZusTokenProviderFn))]
        private static nuint OnToken(nint userdata, int refused, byte* buffer, nuint capacity)
        {
            ClientCallbacks? self = Find(userdata);
            if (self is null) return 0;
            try
            {
                // What waits is for the call that follows at once with room for it, and for no other.
                byte[]? token = self._tooLong;
                self._tooLong = null;
                if (token is null || (nuint)(token.Length - 1) > capacity)
                {
                    token = Utf8.Encode(self._token!(refused != 0)); // NUL-ended; the NUL isn't counted
                    self._tokenError = null;
                }
                if (token is null) return 0;
                nuint length = (nuint)(token.Length - 1);
                if (length > capacity) { self._tooLong = token; return length; } // asked again at once, with room for it
                Marshal.Copy(token, 0, (IntPtr)buffer, (int)length);
                Array.Clear(token, 0, token.Length);
                return length;
            }
            catch (Exception e)
            {
                // A time-out of the provider's own must not pass for the caller's cancellation.
                if (e is OperationCanceledException) e = new InvalidOperationException("The token provider was cancelled or timed out.", e);
                self._tokenError = ExceptionDispatchInfo.Capture(e);
                Call.OnThisThread(self)?.Keep(self._tokenError); // without a token the call ends by itself
                return 0;
            }
        }

        [MonoPInvokeCallback(typeof(ZusLogFn))]
        private static void OnLog(nint userdata, int level, byte* message)
        {
            ClientCallbacks? self = Find(userdata);
            if (self is null) return;
            try { self._log!(UserStatusLogLevels.FromNative(level), Utf8.Decode(message)); }
            catch (Exception e)
            {
                ExceptionDispatchInfo error = ExceptionDispatchInfo.Capture(e);
                Call? own = Call.OnThisThread(self);
                if (own != null) { own.Fail(error); return; }
                // A list's own thread doesn't tell its list: all that run on this client end with it.
                Call[] lists;
                lock (self._lists) { lists = new Call[self._lists.Count]; self._lists.CopyTo(lists); }
                foreach (Call list in lists) list.Fail(error);
            }
        }
    }

    /// <summary>One call while it runs: how it is stopped, and the exception that a callback threw meanwhile.</summary>
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

        public Call(ClientCallbacks callbacks, ClientHandle? client, CancellationToken token, bool isList = false)
        {
            token.ThrowIfCancellationRequested();
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
                    _registration = token.Register(s => ((CancelHandle)s!).Raise(), _cancel);
                }
            }
            catch
            {
                _client?.DangerousRelease();
                throw;
            }
            _outer = t_current;
            t_current = this;
            if (isList) callbacks.EnterList(this);
        }

        /// <summary>To hand to the native call.</summary>
        public nint Client => _client!.Pointer;
        /// <summary>To hand to the native call; NULL when nothing can stop it.</summary>
        public nint Cancel => _cancel.Pointer;

        public static Call? OnThisThread(ClientCallbacks callbacks) => t_current is Call c && c._callbacks == callbacks ? c : null;

        /// <summary>Keeps the first error, for a call that ends by itself.</summary>
        public void Keep(ExceptionDispatchInfo error) => Interlocked.CompareExchange(ref _error, error, null);

        /// <summary>Keeps the first error and cuts the call short.</summary>
        public void Fail(ExceptionDispatchInfo error)
        {
            Keep(error);
            _cancel.Raise();
        }

        /// <summary>Throws what a callback threw, unchanged; or that the caller cancelled.</summary>
        public void ThrowIfFailed(UserStatusCode code)
        {
            if (code == UserStatusCode.Token) _token.ThrowIfCancellationRequested(); // the provider may hear the caller's token, too
            Volatile.Read(ref _error)?.Throw();
            // Timeout: a delegate of the caller's held the call up until both were due.
            if (code == UserStatusCode.Cancelled || code == UserStatusCode.Timeout) _token.ThrowIfCancellationRequested();
        }

        public void Dispose()
        {
            _callbacks.LeaveList(this);
            t_current = _outer;
            _client?.DangerousRelease();
            if (_cancel == CancelHandle.None) return;
            _registration.Dispose();
            _cancel.Dispose();
        }
    }
}
