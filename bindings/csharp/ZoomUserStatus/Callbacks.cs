using System;
#if NET8_0_OR_GREATER
using System.Collections.Concurrent;
#endif
using System.Diagnostics;
using System.Runtime.ExceptionServices;
#if NET8_0_OR_GREATER
using System.Runtime.InteropServices;
#endif
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// A client's token provider and log. On .NET the native library calls them, on whichever thread has something to ask or to say; but for an
    /// asynchronous provider, which is asked by an event. Elsewhere it calls nothing of ours on a thread of its own, because those threads block
    /// all signals, and Mono's collector stops threads by signals: both are asked by events, which one thread of the client takes.
    /// </summary>
    internal sealed class ClientCallbacks
    {
        /// <summary>Whose callback runs here: it must not make a call of its own client, which might wait for it.</summary>
        private static readonly AsyncLocal<ClientCallbacks?> Running = new AsyncLocal<ClientCallbacks?>();

        private readonly AccessTokenProvider? _token;
        private readonly Action<UserStatusLogLevel, string>? _log;
        private readonly Func<bool, CancellationToken, Task<string?>>? _tokenByEvent;
        private readonly EventReader? _events;
        private readonly TimeSpan _patience;
        private readonly CancellationTokenSource _ended = new CancellationTokenSource();
        private Task<string?>? _asked; // of the thread that takes the events alone
        private volatile ExceptionDispatchInfo? _tokenError;

        public ClientCallbacks(ZoomUserStatusOptions options)
        {
            _token = options.TokenProvider;
            _log = options.Log;
            _patience = options.Timeout;
            var weak = new WeakReference<ClientCallbacks>(this);
#if NET8_0_OR_GREATER
            Userdata = Interlocked.Increment(ref s_last);
            Live[Userdata] = weak;
            if (options.AsyncTokenProvider is { } provider) _tokenByEvent = (rejected, cancel) => provider(rejected, cancel).AsTask();
            bool byEvents = _tokenByEvent != null;
#else
            if (_token is { } provider) _tokenByEvent = (rejected, _) => Task.FromResult(provider(rejected));
            bool byEvents = _tokenByEvent != null || _log != null;
#endif
            if (byEvents) _events = Events(weak);
        }

        /// <summary>Weak, as below: the thread must not keep the client.</summary>
        private static EventReader Events(WeakReference<ClientCallbacks> weak) => new EventReader("ZoomUserStatus client", e =>
        {
            if (weak.TryGetTarget(out ClientCallbacks? callbacks)) callbacks.Take(e);
            else NativeMethods.zus_event_free(e);
        });

        /// <summary>What the provider threw when it was last asked; also for calls that shared that failed request.</summary>
        public ExceptionDispatchInfo? TokenError => _tokenError;
        /// <summary>Whether one of them runs here.</summary>
        public bool IsRunning => Running.Value == this;

        /// <summary>Has the library ask and log here.</summary>
        /// <param name="native">The settings.</param>
        /// <param name="level">The least important level that is logged.</param>
        public void Apply(NativeSettings native, UserStatusLogLevel level)
        {
            if (_events != null) native.Events(_events, _tokenByEvent != null, ByEvent(_log) ? level : (UserStatusLogLevel?)null);
#if NET8_0_OR_GREATER
            if (_token != null) native.TokenProvider(TokenPointer, Userdata);
            if (_log != null) native.Log(level, LogPointer, Userdata);
#endif
        }

        /// <summary>The client is there.</summary>
        public void Begin() => _events?.Start();

        /// <summary>The client is freed.</summary>
        public void End()
        {
            _events?.End();
            // Elsewhere: what the provider does on it must not hold up this thread.
            if (_tokenByEvent != null) ThreadPool.QueueUserWorkItem(ended => ((CancellationTokenSource)ended!).Cancel(), _ended);
        }

        private static bool ByEvent(Action<UserStatusLogLevel, string>? log)
        {
#if NET8_0_OR_GREATER
            return false;
#else
            return log != null;
#endif
        }

        private unsafe void Take(nint e)
        {
            if (EventReader.IsTokenRequest(e))
            {
                _ = ReplyAsync(e);
                return;
            }
            if (EventReader.IsLogLine(e)) Line(NativeMethods.zus_event_log_level(e), NativeMethods.zus_event_message(e));
            NativeMethods.zus_event_free(e);
        }

        /// <summary>Replies to a token request. One that comes while the provider is at work is of the same token: the caller before did not wait for it.</summary>
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
            return await _tokenByEvent!(rejected, cancel.Token).ConfigureAwait(false);
        }

        private static unsafe void SetToken(nint e, string? token)
        {
            byte[]? text = Utf8.Encode(token);
            if (text is null) return;
            fixed (byte* t = text) _ = NativeMethods.zus_event_set_token(e, t);
            Array.Clear(text, 0, text.Length);
        }

        private void Fail(Exception e)
        {
            // A time-out of the provider's own must not pass for the caller's cancellation.
            if (e is OperationCanceledException) e = new InvalidOperationException("The token provider was cancelled or timed out.", e);
            _tokenError = ExceptionDispatchInfo.Capture(e);
        }

        private unsafe void Line(int level, byte* message)
        {
            ClientCallbacks? outer = Running.Value;
            try
            {
                Running.Value = this;
                _log!(UserStatusLogLevels.FromNative(level), Utf8.Decode(message));
            }
            catch (Exception e) { Trace.TraceError("ZoomUserStatus: the log delegate threw: {0}", e); } // what became of a user matters more than a line
            finally { Running.Value = outer; }
        }

#if NET8_0_OR_GREATER
        // Native code holds a number, not a GCHandle: the entry is weak, so a callback that refers to its own client doesn't keep it from
        // being collected, and a late call finds nothing instead of freed memory.
        private static readonly ConcurrentDictionary<nint, WeakReference<ClientCallbacks>> Live = new ConcurrentDictionary<nint, WeakReference<ClientCallbacks>>();
        private static int s_last;

        // Static, so that the thunks live as long as the process.
        private static readonly unsafe ZusTokenProviderFn Token = OnToken;
        private static readonly unsafe ZusLogFn Log = OnLog;
        private static readonly nint TokenPointer = Marshal.GetFunctionPointerForDelegate(Token);
        private static readonly nint LogPointer = Marshal.GetFunctionPointerForDelegate(Log);

        private byte[]? _tooLong; // a token that waits for a larger buffer

        ~ClientCallbacks() => Live.TryRemove(Userdata, out _);

        private nint Userdata { get; }

        private static ClientCallbacks? Find(nint userdata) =>
            Live.TryGetValue(userdata, out WeakReference<ClientCallbacks>? weak) && weak.TryGetTarget(out ClientCallbacks? found) ? found : null;

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
        private static unsafe void OnLog(nint userdata, int level, byte* message) => Find(userdata)?.Line(level, message);
#endif
    }
}
