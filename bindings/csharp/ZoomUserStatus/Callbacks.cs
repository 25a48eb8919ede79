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
        private readonly HashSet<Call> _batches = new HashSet<Call>(); // that run
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

        public void EnterBatch(Call call) { lock (_batches) _batches.Add(call); }
        public void LeaveBatch(Call call) { lock (_batches) _batches.Remove(call); }

        private static ClientCallbacks? Find(nint userdata) =>
            Live.TryGetValue(userdata, out WeakReference<ClientCallbacks>? weak) && weak.TryGetTarget(out ClientCallbacks? found) ? found : null;

        // No exception may unwind into native frames: each callback catches all, and the call that runs it throws it again.

        [MonoPInvokeCallback(typeof(ZusTokenProviderFn))]
        private static nuint OnToken(nint userdata, int rejected, byte* buffer, nuint capacity)
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
                    token = Utf8.Encode(self._token!(rejected != 0)); // NUL-ended; the NUL isn't counted
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
                // A batch's own thread doesn't tell its batch: all that run on this client end with it.
                Call[] batches;
                lock (self._batches) { batches = new Call[self._batches.Count]; self._batches.CopyTo(batches); }
                foreach (Call batch in batches) batch.Fail(error);
            }
        }
    }
}
