using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// A client's token provider and log, as native code reaches them. Native code holds a number, not a GCHandle: the entry is
    /// weak, so a callback that refers to its own client doesn't keep it from being collected, and a late call finds nothing
    /// instead of freed memory.
    /// </summary>
    internal sealed class ClientCallbacks
    {
        private static readonly ConcurrentDictionary<nint, WeakReference<ClientCallbacks>> Live = new ConcurrentDictionary<nint, WeakReference<ClientCallbacks>>();
        private static int s_last;

        /// <summary>Whose callback runs here: it must not start a call of its own client, which might wait for it.</summary>
        private static readonly AsyncLocal<ClientCallbacks?> Running = new AsyncLocal<ClientCallbacks?>();

        // Static, so that the thunks live as long as the process.
        private static readonly unsafe ZusTokenProviderFn Token = OnToken;
        private static readonly unsafe ZusLogFn Log = OnLog;
        internal static readonly nint TokenPointer = Marshal.GetFunctionPointerForDelegate(Token);
        internal static readonly nint LogPointer = Marshal.GetFunctionPointerForDelegate(Log);

        private readonly AccessTokenProvider? _token;
        private readonly Action<UserStatusLogLevel, string>? _log;
        private ClientHandle? _client;
        private byte[]? _tooLong; // a token that waits for a larger buffer
        private volatile ExceptionDispatchInfo? _tokenError;

        static ClientCallbacks() => AppDomain.CurrentDomain.DomainUnload += (_, _) =>
        {
            foreach (WeakReference<ClientCallbacks> weak in Live.Values)
                if (weak.TryGetTarget(out ClientCallbacks? callbacks)) callbacks.CancelStarted();
        };

        public ClientCallbacks(ZoomUserStatusOptions options)
        {
            _token = options.TokenProvider;
            _log = options.Log;
            Userdata = Interlocked.Increment(ref s_last);
            var weak = new WeakReference<ClientCallbacks>(this);
            Live[Userdata] = weak;
#if NET8_0_OR_GREATER
            if (options.AsyncTokenProvider is not { } provider) return;
            _asyncToken = provider;
            _patience = options.Timeout;
            TokenEvents = new EventReader("ZoomUserStatus tokens", e =>
            {
                if (weak.TryGetTarget(out ClientCallbacks? callbacks)) _ = callbacks.ReplyAsync(e);
                else NativeMethods.zus_event_free(e);
            });
#endif
        }

        ~ClientCallbacks() => Live.TryRemove(Userdata, out _);

        public nint Userdata { get; }
        /// <summary>What the provider threw when it was last asked; also for calls that shared that failed request.</summary>
        public ExceptionDispatchInfo? TokenError => _tokenError;
        /// <summary>Whether one of them runs here.</summary>
        public bool IsRunning => Running.Value == this;

        /// <summary>The client is there.</summary>
        public void Serve(ClientHandle client)
        {
            if (client.IsInvalid) return;
            _client = client;
#if NET8_0_OR_GREATER
            TokenEvents?.Start();
#endif
        }

        /// <summary>The client is freed.</summary>
        public void End()
        {
            _client = null;
#if NET8_0_OR_GREATER
            TokenEvents?.End();
            _ended.Cancel();
#endif
        }

        /// <summary>Native threads must not call into an AppDomain that is gone.</summary>
        private void CancelStarted()
        {
            ClientHandle? client = _client;
            if (client is null) return;
            try { client.Hold(); }
            catch (ObjectDisposedException) { return; }
            _ = NativeMethods.zus_client_cancel_started(client.Pointer, 5_000);
            client.DangerousRelease();
        }

        private static ClientCallbacks? Find(nint userdata) =>
            Live.TryGetValue(userdata, out WeakReference<ClientCallbacks>? weak) && weak.TryGetTarget(out ClientCallbacks? found) ? found : null;

        private void Fail(Exception e)
        {
            // A time-out of the provider's own must not pass for the caller's cancellation.
            if (e is OperationCanceledException) e = new InvalidOperationException("The token provider was cancelled or timed out.", e);
            _tokenError = ExceptionDispatchInfo.Capture(e);
        }

        // No exception may unwind into native frames: each callback catches all.

        [MonoPInvokeCallback(typeof(ZusTokenProviderFn))]
        private static unsafe nuint OnToken(nint userdata, int rejected, byte* buffer, nuint capacity)
        {
            ClientCallbacks? self = Find(userdata);
            if (self is null) return 0;
            ClientCallbacks? outer = Running.Value;
            try
            {
                // What waits is for the call that follows at once with room for it, and for no other.
                byte[]? token = self._tooLong;
                self._tooLong = null;
                if (token is null || (nuint)(token.Length - 1) > capacity)
                {
                    Running.Value = self;
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
                self.Fail(e);
                return 0; // without a token the call ends by itself
            }
            finally { Running.Value = outer; }
        }

        [MonoPInvokeCallback(typeof(ZusLogFn))]
        private static unsafe void OnLog(nint userdata, int level, byte* message)
        {
            ClientCallbacks? self = Find(userdata);
            if (self is null) return;
            ClientCallbacks? outer = Running.Value;
            try
            {
                Running.Value = self;
                self._log!(UserStatusLogLevels.FromNative(level), Utf8.Decode(message));
            }
            catch (Exception e) { Trace.TraceError("ZoomUserStatus: the log delegate threw: {0}", e); } // what became of a user matters more than a line
            finally { Running.Value = outer; }
        }

#if NET8_0_OR_GREATER
        private readonly AsyncAccessTokenProvider? _asyncToken;
        private readonly TimeSpan _patience;
        private readonly CancellationTokenSource _ended = new CancellationTokenSource();
        private Task<string?>? _asked; // of the thread that takes the token events alone

        /// <summary>Where the library asks an async provider; otherwise null.</summary>
        public EventReader? TokenEvents { get; }

        /// <summary>Replies to a token request. A request that comes while the provider is at work is one of the same token: its caller did not wait.</summary>
        private async Task ReplyAsync(nint e)
        {
            try
            {
                if (_asked is null || _asked.IsCompleted) _asked = AskAsync(NativeMethods.zus_event_token_rejected(e) != 0);
                string? token = await _asked.ConfigureAwait(false);
                _tokenError = null;
                SetToken(e, token);
            }
            catch (Exception error) { Fail(error); }
            finally { NativeMethods.zus_event_free(e); } // without a token: there is none
        }

        private async Task<string?> AskAsync(bool rejected)
        {
            Running.Value = this;
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
            cancel.CancelAfter(_patience); // nobody waits longer
            return await _asyncToken!(rejected, cancel.Token).ConfigureAwait(false);
        }

        private static unsafe void SetToken(nint e, string? token)
        {
            byte[]? text = Utf8.Encode(token);
            if (text is null) return;
            fixed (byte* t = text) _ = NativeMethods.zus_event_set_token(e, t);
            Array.Clear(text);
        }
#endif
    }
}
