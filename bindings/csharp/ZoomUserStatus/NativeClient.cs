using System;
using System.Linq;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// How a call is started and completed: everything that <see cref="ZoomUserStatusClient"/> does through zus.h. A synchronous call blocks
    /// its thread in the native library. An asynchronous one is started there, and one thread for all clients hears what it came to.
    /// </summary>
    internal sealed class NativeClient : IDisposable
    {
        private readonly ClientHandle _client;
        private readonly HeaderNames _headers;
        private volatile bool _disposed; // the handle itself closes only after the last running call

        public unsafe NativeClient(ZoomUserStatusOptions options)
        {
            NativeLibraryCheck.Ensure();
            Callbacks = new ClientCallbacks(options);
            using var config = new ConfigHandle();
            string refused = options.Apply(config.Pointer, Callbacks);
            if (refused.Length != 0) throw new ArgumentException(refused, nameof(options));
            _headers = new HeaderNames(options.ResultHeaders);
            Concurrency = options.Concurrency;
            Verifies = options.Verify != TimeSpan.Zero;
            nint client;
            int code = NativeMethods.zus_client_new(config.Pointer, &client);
            _client = new ClientHandle(client, Callbacks);
            if (code == (int)UserStatusCode.Argument) // the setters took all the rest
                throw new ArgumentException(Utf8.Decode(NativeMethods.zus_config_message(config.Pointer)) + " Correct the variable, or set Proxy, or UseProxy to false.", nameof(options));
            if (code != 0) throw new ZoomUserStatusException(UserStatusResult.OfCode(code, null));
        }

        public ClientCallbacks Callbacks { get; }
        public int Concurrency { get; }
        public bool Verifies { get; }
        /// <summary>Ends after <see cref="Dispose"/>, when the last running call has ended.</summary>
        public Task Closed => _client.Closed;

        /// <summary>It closes after the last running call has ended, and doesn't wait for that.</summary>
        public void Dispose()
        {
            _disposed = true;
            _client.Dispose();
        }

        // --- One user -------------------------------------------------------------------------------------------------------------

        public unsafe UserStatusResult Run(Operation operation, string userId, CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            cancellationToken.ThrowIfCancellationRequested();
            if (Callbacks.IsRunning) return Reentrant(userId);
            CallTrace trace = CallTrace.Start(operation);
            try
            {
                using Call call = Begin(cancellationToken);
                nint result = 0;
                int code;
                fixed (byte* id = Utf8.Encode(userId))
                {
                    code = operation switch
                    {
                        Operation.CheckCredentials => NativeMethods.zus_check_credentials(call.Client, call.Cancel, &result),
                        Operation.Read => NativeMethods.zus_get_user_status(call.Client, id, call.Cancel, &result),
                        _ => NativeMethods.zus_update_status(call.Client, id, (int)operation, call.Cancel, &result),
                    };
                }
                using var owned = new ResultHandle(result);
                call.ThrowIfCancelled((UserStatusCode)code);
                if (code == (int)UserStatusCode.Token) Callbacks.TokenError?.Throw();
                return trace.Stop(owned.IsInvalid ? UserStatusResult.OfCode(code, userId) : Copy(result, userId, 0));
            }
            catch (Exception e)
            {
                trace.Stop(e);
                throw;
            }
        }

        public Task<UserStatusResult> Start(Operation operation, string userId, CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<UserStatusResult>(cancellationToken);
            if (Callbacks.IsRunning) return Task.FromResult(Reentrant(userId));
            return StartedTask.Start(this, operation, userId, cancellationToken);
        }

        /// <summary>Begins a call that keeps the client until it has ended.</summary>
        public Call Begin(CancellationToken cancellationToken) => new Call(_client, cancellationToken);

        /// <summary>Begins the calls of a batch, which can be stopped.</summary>
        public Call BeginMany(CancellationToken cancellationToken) => new Call(_client, cancellationToken, stoppable: true);

        // --- Many users -----------------------------------------------------------------------------------------------------------

        /// <summary>Runs a batch. When the caller cancels, it returns the batch all the same, with <see cref="UserStatusCode.Cancelled"/>.</summary>
        /// <param name="operation">What to do with each.</param>
        /// <param name="users">The users.</param>
        /// <param name="report">Called with each result on this thread. An exception stops the batch and comes out unchanged.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        public UserStatusBatch RunMany(Operation operation, string[] users, Action<UserStatusResult>? report, CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            if (cancellationToken.IsCancellationRequested) return NobodySent(users);
            if (Callbacks.IsRunning) throw new ZoomUserStatusException(Reentrant(null));
            using BatchTrace trace = BatchTrace.Start(operation);
            using Call call = Begin(cancellationToken);
            var run = new NativeBatch(this, operation, users, report);
            UserStatusCode code = run.Run(call);
            if (Call.MayBeCancelled(code) && cancellationToken.IsCancellationRequested) code = UserStatusCode.Cancelled;
            if (code is not UserStatusCode.Ok and < UserStatusCode.Resolve) throw new ZoomUserStatusException(UserStatusResult.OfCode((int)code, null)); // nothing began
            // What the token provider threw is not thrown again: the results so far would be lost.
            UserStatusBatch batch = trace.Stop(run.End(code, code == UserStatusCode.Token ? Callbacks.TokenError?.SourceException : null));
            run.Thrown?.Throw();
            return batch;
        }

        /// <summary>The same without a thread that waits. <paramref name="report"/> is waited for before the next result.</summary>
        /// <param name="operation">What to do with each.</param>
        /// <param name="users">The users.</param>
        /// <param name="report">Called with each result. An exception stops the batch and comes out unchanged.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        public async Task<UserStatusBatch> StartMany(Operation operation, string[] users, Func<UserStatusResult, Task>? report, CancellationToken cancellationToken)
        {
            if (cancellationToken.IsCancellationRequested) return NobodySent(users);
            using IBatch batch = Open(operation, users, cancellationToken);
            var results = new UserStatusResult?[users.Length];
            ExceptionDispatchInfo? thrown = null;
            while (await batch.NextAsync().ConfigureAwait(false) is UserStatusResult result)
            {
                results[result.Index] = result;
                if (report is null) continue;
                try { await report(result).ConfigureAwait(false); }
                catch (Exception e) // the users in flight are still reported
                {
                    thrown ??= ExceptionDispatchInfo.Capture(e);
                    batch.Stop();
                }
            }
            UserStatusBatch end = batch.End(results.Where(r => r != null).ToArray()!);
            thrown?.Throw();
            return end;
        }

        /// <summary>Opens a batch that is started as its results are taken.</summary>
        /// <param name="operation">What to do with each.</param>
        /// <param name="users">The users.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        public IBatch Open(Operation operation, string[] users, CancellationToken cancellationToken)
        {
            ThrowIfDisposed();
            if (Callbacks.IsRunning) throw new ZoomUserStatusException(Reentrant(null));
            return new StartedBatch(this, operation, users, cancellationToken);
        }

        /// <summary>Copies a native result, owned or borrowed.</summary>
        /// <param name="native">The result.</param>
        /// <param name="userId">The user.</param>
        /// <param name="index">The user's place in the batch.</param>
        public UserStatusResult Copy(nint native, string? userId, int index) => new UserStatusResult(native, userId ?? "", index, _headers);

        private static UserStatusResult Reentrant(string? userId) => UserStatusResult.OfCode((int)UserStatusCode.Reentrant, userId);

        private static UserStatusBatch NobodySent(string[] users) => new UserStatusBatch(UserStatusCode.Cancelled, Array.Empty<UserStatusResult>(), users);

        private void ThrowIfDisposed()
        {
            if (_disposed) throw new ObjectDisposedException(nameof(ZoomUserStatusClient));
        }
    }
}
