using System;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// How a call is started and completed: everything that <see cref="ZoomUserStatusClient"/> does through zus.h. A synchronous call blocks
    /// its thread in the native library; so does an asynchronous one, on a thread of the pool, and a batch on a thread of its own.
    /// </summary>
    internal sealed unsafe class NativeClient : IDisposable
    {
        private readonly ClientCallbacks _callbacks;
        private readonly ClientHandle _client;
        private readonly HeaderNames _headers;
        private volatile bool _disposed; // the handle itself closes only after the last running call

        public NativeClient(ZoomUserStatusOptions options)
        {
            NativeLibraryCheck.Ensure();
            _callbacks = new ClientCallbacks(options.TokenProvider, options.Log);
            using var config = new ConfigHandle();
            string refused = options.Apply(config.Pointer, _callbacks);
            if (refused.Length != 0) throw new ArgumentException(refused, nameof(options));
            _headers = new HeaderNames(options.ResultHeaders);
            using var call = new Call(_callbacks, null, CancellationToken.None); // the log may be used already
            nint client;
            int code = NativeMethods.zus_client_new(config.Pointer, &client);
            _client = new ClientHandle(client, _callbacks);
            call.ThrowIfFailed((UserStatusCode)code);
            if (code == (int)UserStatusCode.Argument) // the setters took all the rest
                throw new ArgumentException(Utf8.Decode(NativeMethods.zus_config_message(config.Pointer)) + " Correct the variable, or set Proxy, or UseProxy to false.", nameof(options));
            if (code != 0) throw new ZoomUserStatusException(UserStatusResult.OfCode(code, null));
        }

        /// <summary>It closes after the last running call has ended, and doesn't wait for that.</summary>
        public void Dispose()
        {
            _disposed = true;
            _client.Dispose();
        }

        // --- One user -------------------------------------------------------------------------------------------------------------

        public UserStatusResult Update(string userId, UserStatusAction action, CancellationToken cancellationToken)
        {
            UpdateTrace trace = UpdateTrace.Start(action);
            try
            {
                using Call call = Begin(cancellationToken);
                nint result = 0;
                int code;
                fixed (byte* id = Utf8.Encode(userId)) code = NativeMethods.zus_update_status(call.Client, id, (int)action, call.Cancel, &result);
                return trace.Stop(Take(result, code, userId, call));
            }
            catch (Exception e)
            {
                trace.Stop(e);
                throw;
            }
        }

        public Task<UserStatusResult> UpdateAsync(string userId, UserStatusAction action, CancellationToken cancellationToken) =>
            Task.Run(() => Update(userId, action, cancellationToken), cancellationToken);

        public UserStatusResult CheckCredentials(CancellationToken cancellationToken)
        {
            using Call call = Begin(cancellationToken);
            nint result = 0;
            int code = NativeMethods.zus_check_credentials(call.Client, call.Cancel, &result);
            return Take(result, code, "", call).EnsureSuccess();
        }

        public Task<UserStatusResult> CheckCredentialsAsync(CancellationToken cancellationToken) =>
            Task.Run(() => CheckCredentials(cancellationToken), cancellationToken);

        private Call Begin(CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            cancellationToken.ThrowIfCancellationRequested();
            return new Call(_callbacks, _client, cancellationToken);
        }

        private UserStatusResult Take(nint native, int code, string userId, Call call)
        {
            using var owned = new ResultHandle(native);
            call.ThrowIfFailed((UserStatusCode)code);
            if (code == (int)UserStatusCode.Token) _callbacks.TokenError?.Throw(); // of another call, whose request for a token this one shared
            return owned.IsInvalid ? UserStatusResult.OfCode(code, userId) : new UserStatusResult(native, userId, 0, _headers);
        }

        // --- Many users -----------------------------------------------------------------------------------------------------------

        /// <summary>Runs a batch. When the caller cancels, it returns the batch all the same, with <see cref="UserStatusCode.Cancelled"/>.</summary>
        /// <param name="users">The users.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="report">Called with each result on this thread. An exception stops the batch and comes out unchanged.</param>
        /// <param name="keepResults">False when <paramref name="report"/> is all that wants them.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        public UserStatusBatch UpdateMany(string[] users, UserStatusAction action, Action<UserStatusResult>? report, bool keepResults, CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            if (cancellationToken.IsCancellationRequested) return new UserStatusBatch(UserStatusCode.Cancelled, Array.Empty<UserStatusResult>(), users);
            BatchTrace trace = BatchTrace.Start(action);
            try
            {
                using var call = new Call(_callbacks, _client, cancellationToken, isBatch: true);
                var run = new NativeBatch(users, action, report, keepResults, _headers, call);
                var code = (UserStatusCode)run.Run();
                try { call.ThrowIfFailed(code); }
                catch (OperationCanceledException e) when (e.CancellationToken == cancellationToken) { code = UserStatusCode.Cancelled; }
                if (code is not UserStatusCode.Ok and < UserStatusCode.Resolve) throw new ZoomUserStatusException(UserStatusResult.OfCode((int)code, null)); // nothing began
                // What the token provider threw is not thrown again: the results so far would be lost.
                return trace.Stop(run.End(code, code == UserStatusCode.Token ? _callbacks.TokenError?.SourceException : null));
            }
            catch (Exception e)
            {
                trace.Stop(e);
                throw;
            }
        }

        /// <summary>The same on a thread of its own, where <paramref name="report"/> is called, and waited for before the next result.</summary>
        /// <param name="users">The users.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="report">Called with each result. An exception stops the batch and comes out unchanged.</param>
        /// <param name="keepResults">False when <paramref name="report"/> is all that wants them.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        public Task<UserStatusBatch> UpdateManyAsync(string[] users, UserStatusAction action, Func<UserStatusResult, Task>? report, bool keepResults, CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            Action<UserStatusResult>? wait = report is null ? null : result => report(result).GetAwaiter().GetResult();
            return Task.Factory.StartNew(() => UpdateMany(users, action, wait, keepResults, cancellationToken), CancellationToken.None,
                TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        }

        private void ThrowIfDisposed()
        {
            if (_disposed) throw new ObjectDisposedException(nameof(ZoomUserStatusClient));
        }
    }
}
