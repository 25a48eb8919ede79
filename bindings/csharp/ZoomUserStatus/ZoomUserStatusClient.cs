using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Linq;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
#if NET8_0_OR_GREATER
using System.Runtime.CompilerServices;
using System.Threading.Channels;
#endif

namespace ZoomUserStatus
{
    /// <summary>
    /// Activates and deactivates Zoom users. Make one, keep it, and share it between threads: it keeps connections and the OAuth token,
    /// and paces all its requests together. Making one sends nothing. Dispose ends nothing that is running.
    /// </summary>
    /// <remarks>
    /// The calls block while they wait for Zoom; the Async ones do so on a thread of the pool (of its own for lists). For many users use
    /// <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/> and not a loop of tasks.
    /// A CancellationToken and a time limit end what the library waits for; while your own delegate runs (token provider, log), they wait for it.
    /// </remarks>
    public class ZoomUserStatusClient : IDisposable
    {
        private readonly ClientCallbacks? _callbacks;
        private readonly ClientHandle? _client;
        private readonly HeaderNames? _headers;
        private volatile bool _disposed; // the handle itself closes only after the last running call

        /// <summary>Makes a client.</summary>
        /// <param name="options">Credentials and settings; copied.</param>
        /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
        /// <exception cref="ArgumentException">A setting, or a proxy that the environment names, is refused; the message names it, and shows no value.</exception>
        /// <exception cref="ZoomUserStatusException">The client could not be made, e.g. the system's certificates can't be read.</exception>
        /// <exception cref="DllNotFoundException">The native library is not there.</exception>
        /// <exception cref="InvalidOperationException">The native library has another version.</exception>
        public unsafe ZoomUserStatusClient(ZoomUserStatusOptions options)
        {
            if (options is null) throw new ArgumentNullException(nameof(options));
            NativeLibraryCheck.Ensure();
            _headers = new HeaderNames(options.ResultHeaders);
            _callbacks = new ClientCallbacks(options.TokenProvider, options.Log);
            using var config = new ConfigHandle();
            options.Apply(config.Pointer, _callbacks);
            using var call = new Call(_callbacks, null, CancellationToken.None); // the log may be used already
            nint client;
            int code = NativeMethods.zus_client_new(config.Pointer, &client);
            _client = new ClientHandle(client, _callbacks);
            call.ThrowIfFailed((UserStatusCode)code);
            if (code == (int)UserStatusCode.Argument) // the setters took all the rest
                throw new ArgumentException(Utf8.Decode(NativeMethods.zus_config_message(config.Pointer)) + " Correct the variable, or set Proxy, or UseProxy to false.", nameof(options));
            if (code != 0) throw new ZoomUserStatusException(UserStatusResult.OfCode(code, null));
        }

        /// <summary>For mocks in the tests of programs that use this library. A client made by this can't call.</summary>
        protected ZoomUserStatusClient() { }

        /// <summary>A client with <see cref="ZoomUserStatusOptions.FromEnvironment"/>.</summary>
        /// <returns>The client.</returns>
        /// <exception cref="InvalidOperationException">Credentials are missing in the environment; the message names the variables.</exception>
        public static ZoomUserStatusClient FromEnvironment() => new ZoomUserStatusClient(ZoomUserStatusOptions.FromEnvironment());

        /// <summary>The native library's version, e.g. "0.1.0".</summary>
        public static unsafe string LibraryVersion
        {
            get { NativeLibraryCheck.Ensure(); return Utf8.Decode(NativeMethods.zus_version()); }
        }

        /// <summary>Activates a user. See <see cref="Update"/>.</summary>
        /// <param name="userId">The user's id or e-mail address.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
        public UserStatusResult Activate(string userId, CancellationToken cancellationToken = default) => Update(userId, UserStatusAction.Activate, cancellationToken);

        /// <summary>Deactivates a user. See <see cref="Update"/>.</summary>
        /// <param name="userId">The user's id or e-mail address.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
        public UserStatusResult Deactivate(string userId, CancellationToken cancellationToken = default) => Update(userId, UserStatusAction.Deactivate, cancellationToken);

        /// <summary>Activates a user. See <see cref="UpdateAsync"/>.</summary>
        /// <param name="userId">The user's id or e-mail address.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
        public Task<UserStatusResult> ActivateAsync(string userId, CancellationToken cancellationToken = default) => UpdateAsync(userId, UserStatusAction.Activate, cancellationToken);

        /// <summary>Deactivates a user. See <see cref="UpdateAsync"/>.</summary>
        /// <param name="userId">The user's id or e-mail address.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
        public Task<UserStatusResult> DeactivateAsync(string userId, CancellationToken cancellationToken = default) => UpdateAsync(userId, UserStatusAction.Deactivate, cancellationToken);

        /// <summary>
        /// Updates one user and waits for the answer, with retries where they are safe and useful. Doing it again is harmless:
        /// a user who is inactive already can be deactivated.
        /// </summary>
        /// <param name="userId">
        /// The user's id or e-mail address, without blanks around it. Not "me" with a server-to-server app.
        /// </param>
        /// <param name="action">What to do.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns; the request may have reached Zoom or not.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed, or the id is refused; see its Code and Result.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public UserStatusResult Update(string userId, UserStatusAction action, CancellationToken cancellationToken = default) =>
            TryUpdate(userId, action, cancellationToken).EnsureSuccess();

        /// <summary><see cref="Update"/> on a thread of the pool.</summary>
        /// <param name="userId">The user's id or e-mail address, without blanks around it.</param>
        /// <param name="action">What to do.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns; the request may have reached Zoom or not.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed, or the id is refused; see its Code and Result.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public async Task<UserStatusResult> UpdateAsync(string userId, UserStatusAction action, CancellationToken cancellationToken = default) =>
            (await TryUpdateAsync(userId, action, cancellationToken).ConfigureAwait(false)).EnsureSuccess();

        /// <summary>Like <see cref="Update"/>, but a failure is a result and not an exception.</summary>
        /// <param name="userId">The user's id or e-mail address, without blanks around it.</param>
        /// <param name="action">What to do.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns; the request may have reached Zoom or not.</param>
        /// <returns>The result; see its IsSuccess and Code.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual unsafe UserStatusResult TryUpdate(string userId, UserStatusAction action, CancellationToken cancellationToken = default)
        {
            if (userId is null) throw new ArgumentNullException(nameof(userId));
            CheckAction(action);
            using Call call = Begin(cancellationToken);
            nint result = 0;
            int code;
            fixed (byte* id = Utf8.Encode(userId)) code = NativeMethods.zus_update_status(call.Client, id, (int)action, call.Cancel, &result);
            return Take(result, code, userId, call);
        }

        /// <summary>Like <see cref="UpdateAsync"/>, but a failure is a result and not an exception.</summary>
        /// <param name="userId">The user's id or e-mail address, without blanks around it.</param>
        /// <param name="action">What to do.</param>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns; the request may have reached Zoom or not.</param>
        /// <returns>The result; see its IsSuccess and Code.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual Task<UserStatusResult> TryUpdateAsync(string userId, UserStatusAction action, CancellationToken cancellationToken = default)
        {
            if (userId is null) throw new ArgumentNullException(nameof(userId));
            CheckAction(action);
            return Task.Run(() => TryUpdate(userId, action, cancellationToken), cancellationToken);
        }

        /// <summary>
        /// Gets a token, and touches no user. With OAuth the result's Body is the token service's answer without the token:
        /// <c>{"token_type":"bearer","expires_in":3600,"scope":"user:write:admin"}</c>. With a fixed token or a provider it is "":
        /// nothing can be learnt without touching a user.
        /// </summary>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">No token could be had.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual unsafe UserStatusResult CheckCredentials(CancellationToken cancellationToken = default)
        {
            using Call call = Begin(cancellationToken);
            nint result = 0;
            int code = NativeMethods.zus_check_credentials(call.Client, call.Cancel, &result);
            return Take(result, code, "", call).EnsureSuccess();
        }

        /// <summary><see cref="CheckCredentials"/> on a thread of the pool.</summary>
        /// <param name="cancellationToken">Ends the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">No token could be had.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual Task<UserStatusResult> CheckCredentialsAsync(CancellationToken cancellationToken = default) =>
            Task.Run(() => CheckCredentials(cancellationToken), cancellationToken);

        /// <summary>
        /// Updates a list of users: paced by <see cref="ZoomUserStatusOptions.RateLimit"/>, <see cref="ZoomUserStatusOptions.Concurrency"/> in flight.
        /// A user's failure is a result and not an exception. What no further user could survive (no token, a refused token, a missing
        /// scope, the daily limit) ends the list early, see <see cref="UserStatusBatch.Code"/>; what the token provider threw is in
        /// <see cref="UserStatusBatch.Error"/>.
        /// </summary>
        /// <param name="userIds">The users; read to its end before the first request. One that is null or refused gets a result that says so. Duplicates are sent each.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="progress">
        /// Told of each result as it ends, in any order. Note that <see cref="Progress{T}"/> passes them on later, on another thread.
        /// </param>
        /// <param name="cancellationToken">Stops the list. Users in flight still get their result; a user without a result was never sent.</param>
        /// <returns>All results (about 1 KB each), and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end. What was done, only <paramref name="progress"/> knows.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, IProgress<UserStatusResult>? progress = null, CancellationToken cancellationToken = default) =>
            Run(Users(userIds, action), action, progress is null ? (Action<UserStatusResult>?)null : progress.Report, true, cancellationToken);

        /// <summary>
        /// <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/> without progress.
        /// </summary>
        /// <param name="userIds">The users; read to its end before the first request.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="cancellationToken">Stops the list.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, CancellationToken cancellationToken) =>
            UpdateMany(userIds, action, progress: null, cancellationToken);

        /// <summary>
        /// Updates a list of users, and calls <paramref name="onResult"/> on this thread as each ends. See
        /// <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/>.
        /// </summary>
        /// <param name="userIds">The users; read to its end before the first request.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="onResult">
        /// Called with each result, in any order, before this method returns or throws. It must not use this client. An exception
        /// stops the list and comes out of this method unchanged; users in flight then are still reported.
        /// </param>
        /// <param name="cancellationToken">Stops the list. Users in flight are still reported; a user not reported was never sent.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> or <paramref name="onResult"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, Action<UserStatusResult> onResult, CancellationToken cancellationToken = default) =>
            Run(Users(userIds, action), action, onResult ?? throw new ArgumentNullException(nameof(onResult)), true, cancellationToken);

        /// <summary>
        /// Not for use: catches an async lambda, which would otherwise compile as async void, with nobody to wait for it or to hear its exceptions.
        /// </summary>
        /// <param name="userIds">Not used.</param>
        /// <param name="action">Not used.</param>
        /// <param name="onResult">Not used.</param>
        /// <param name="cancellationToken">Not used.</param>
        /// <returns>Nothing.</returns>
        /// <exception cref="NotSupportedException">Always.</exception>
        [Obsolete("UpdateMany can't wait for an async callback: await UpdateManyAsync, which does.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
        public UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, Func<UserStatusResult, Task> onResult, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        /// <summary>
        /// <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/> on a thread of its own.
        /// </summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="progress">Told of each result as it ends, in any order; a <see cref="Progress{T}"/> made on a UI thread passes them on there.</param>
        /// <param name="cancellationToken">Stops the list. Users in flight still get their result; a user without a result was never sent.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, IProgress<UserStatusResult>? progress = null, CancellationToken cancellationToken = default)
        {
            string[] users = Users(userIds, action);
            return OnOwnThread(() => Run(users, action, progress is null ? (Action<UserStatusResult>?)null : progress.Report, true, cancellationToken), cancellationToken);
        }

        /// <summary>
        /// <see cref="UpdateManyAsync(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/> without progress.
        /// </summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="cancellationToken">Stops the list.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, CancellationToken cancellationToken) =>
            UpdateManyAsync(userIds, action, progress: null, cancellationToken);

        /// <summary>
        /// <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, Action{UserStatusResult}, CancellationToken)"/> on a thread of its own,
        /// where <paramref name="onResult"/> is called.
        /// </summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="onResult">Called with each result, in any order. An exception stops the list and comes out unchanged.</param>
        /// <param name="cancellationToken">Stops the list. Users in flight are still reported; a user not reported was never sent.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> or <paramref name="onResult"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, Action<UserStatusResult> onResult, CancellationToken cancellationToken = default)
        {
            string[] users = Users(userIds, action);
            if (onResult is null) throw new ArgumentNullException(nameof(onResult));
            return OnOwnThread(() => Run(users, action, onResult, true, cancellationToken), cancellationToken);
        }

        /// <summary>
        /// Like <see cref="UpdateManyAsync(IEnumerable{string}, UserStatusAction, Action{UserStatusResult}, CancellationToken)"/>, for an async
        /// callback: <paramref name="onResult"/> is waited for before the next result, on the list's own thread.
        /// </summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="onResult">Called with each result, in any order, one at a time. An exception stops the list and comes out unchanged.</param>
        /// <param name="cancellationToken">Stops the list. Users in flight are still reported; a user not reported was never sent.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> or <paramref name="onResult"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, Func<UserStatusResult, Task> onResult, CancellationToken cancellationToken = default)
        {
            if (onResult is null) throw new ArgumentNullException(nameof(onResult));
            return UpdateManyAsync(userIds, action, (Action<UserStatusResult>)(result => onResult(result).GetAwaiter().GetResult()), cancellationToken);
        }

#if NET8_0_OR_GREATER
        /// <summary>
        /// Updates a list of users, as a stream of results in the order they end; nothing is sent before the first is asked for. It waits for
        /// a slow reader, and keeps no results. An enumerator that is dropped without DisposeAsync keeps its threads waiting for ever: await
        /// foreach disposes it. For .NET 8 and later.
        /// </summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="cancellationToken">
        /// Stops the list: the results of the users in flight still come, then OperationCanceledException. A user without a result was never
        /// sent. Leaving the loop by break stops the list too, but the results of those in flight are lost.
        /// </param>
        /// <returns>The results; failures among them.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">
        /// After the last result: something ended the list early that no further user could survive. What the token provider threw comes out
        /// unchanged instead.
        /// </exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual IAsyncEnumerable<UserStatusResult> UpdateManyAsAsyncEnumerable(IEnumerable<string> userIds, UserStatusAction action, CancellationToken cancellationToken = default) =>
            Stream(Users(userIds, action), action, cancellationToken);

        private async IAsyncEnumerable<UserStatusResult> Stream(string[] users, UserStatusAction action, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            // One place: the list doesn't run far ahead of who keeps the record.
            var channel = Channel.CreateBounded<UserStatusResult>(new BoundedChannelOptions(1) { SingleReader = true, SingleWriter = true });
            Task<UserStatusBatch> batch = OnOwnThread(() =>
            {
                try { return Run(users, action, r => channel.Writer.WriteAsync(r).AsTask().GetAwaiter().GetResult(), false, stop.Token); }
                finally { channel.Writer.Complete(); }
            }, CancellationToken.None);
            UserStatusResult? last = null;
            try
            {
                await foreach (UserStatusResult result in channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                    yield return last = result;
            }
            finally
            {
                // Nothing to stop when all came. When the reader left early: stop, and let the batch get rid of what is in flight.
                stop.Cancel();
                await foreach (UserStatusResult _ in channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)) { }
                await Task.WhenAny(batch).ConfigureAwait(false);
                _ = batch.Exception; // seen, for a reader that left: otherwise it goes to UnobservedTaskException
            }
            UserStatusBatch end;
            try { end = await batch.ConfigureAwait(false); }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { throw new OperationCanceledException(cancellationToken); }
            if (end.Error != null) ExceptionDispatchInfo.Capture(end.Error).Throw();
            UserStatusCode code = end.Code;
            if (code != UserStatusCode.Ok && code != UserStatusCode.Partial)
                throw new ZoomUserStatusException(last != null && last.Code == code ? last : UserStatusResult.OfCode((int)code, null));
        }
#endif

        /// <summary>Closes the connections and forgets the credentials, after the last running call has ended; it doesn't wait for it.</summary>
        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        /// <summary>For mocks that hold something themselves.</summary>
        /// <param name="disposing">True.</param>
        protected virtual void Dispose(bool disposing)
        {
            _disposed = true;
            _client?.Dispose();
        }

        private Call Begin(CancellationToken cancellationToken, bool isList = false) =>
            _disposed || _client is null ? throw new ObjectDisposedException(GetType().Name) : new Call(_callbacks!, _client, cancellationToken, isList);

        private static void CheckAction(UserStatusAction action)
        {
            if (action < UserStatusAction.Activate || action > UserStatusAction.ClockOut) throw new ArgumentOutOfRangeException(nameof(action));
        }

        private static string[] Users(IEnumerable<string> userIds, UserStatusAction action)
        {
            if (userIds is null) throw new ArgumentNullException(nameof(userIds));
            CheckAction(action);
            return userIds.ToArray();
        }

        private static Task<T> OnOwnThread<T>(Func<T> run, CancellationToken cancellationToken) =>
            Task.Factory.StartNew(run, cancellationToken, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

        private UserStatusResult Take(nint native, int code, string userId, Call call)
        {
            using var owned = new ResultHandle(native);
            call.ThrowIfFailed((UserStatusCode)code);
            if (code == (int)UserStatusCode.Token) _callbacks!.TokenError?.Throw(); // of another call, whose request for a token this one shared
            return owned.IsInvalid ? UserStatusResult.OfCode(code, userId) : new UserStatusResult(native, userId, 0, _headers!);
        }

        // --- A list -----------------------------------------------------------------------------------------------------------

        private static readonly ZusResultFn OnResult = OnBatchResult; // static, so that the thunk lives as long as the process
        private static readonly nint OnResultPointer = Marshal.GetFunctionPointerForDelegate(OnResult);

        private sealed class Batch
        {
            public readonly string[] Users;
            public readonly UserStatusResult?[]? Results; // null: not kept
            public readonly Action<UserStatusResult>? Report;
            public readonly HeaderNames Headers;
            public readonly Call Call;

            public Batch(string[] users, bool keep, Action<UserStatusResult>? report, HeaderNames headers, Call call)
            {
                Users = users;
                Results = keep ? new UserStatusResult?[users.Length] : null;
                Report = report;
                Headers = headers;
                Call = call;
            }
        }

        [MonoPInvokeCallback(typeof(ZusResultFn))]
        private static int OnBatchResult(nint userdata, nuint index, nint native)
        {
            var batch = (Batch)GCHandle.FromIntPtr(userdata).Target!;
            try
            {
                var result = new UserStatusResult(native, batch.Users[(int)index] ?? "", (int)index, batch.Headers);
                if (batch.Results != null) batch.Results[(int)index] = result;
                batch.Report?.Invoke(result);
                return 0;
            }
            catch (Exception e) // must not unwind into native frames; Run throws it again
            {
                // 1 stops the list. The cancel would abort the users in flight as well.
                batch.Call.Keep(ExceptionDispatchInfo.Capture(e));
                return 1;
            }
        }

        private unsafe UserStatusBatch Run(string[] users, UserStatusAction action, Action<UserStatusResult>? report, bool keep, CancellationToken cancellationToken)
        {
            using Call call = Begin(cancellationToken, isList: true);
            var batch = new Batch(users, keep, report, _headers!, call);
            nint ids = CopyIds(users);
            GCHandle self = GCHandle.Alloc(batch);
            int code;
            try
            {
                code = NativeMethods.zus_update_status_many(call.Client, (byte**)ids, (nuint)users.Length, (int)action, call.Cancel, OnResultPointer, GCHandle.ToIntPtr(self));
            }
            finally
            {
                Marshal.FreeHGlobal(ids);
                self.Free();
            }
            call.ThrowIfFailed((UserStatusCode)code);
            if (code != 0 && code < 20) throw new ZoomUserStatusException(UserStatusResult.OfCode(code, null));
            // Not thrown: the results so far would be lost.
            Exception? error = code == (int)UserStatusCode.Token ? _callbacks!.TokenError?.SourceException : null;
            if (batch.Results is null) return new UserStatusBatch((UserStatusCode)code, Array.Empty<UserStatusResult>(), Array.Empty<string>(), error);
            return new UserStatusBatch((UserStatusCode)code, batch.Results.OfType<UserStatusResult>().ToArray(), users.Where((_, i) => batch.Results[i] is null).ToArray(), error);
        }

        /// <summary>The list for C, in one block of native memory, which stays where it is for the whole run: the pointers, then the texts.</summary>
        private static unsafe nint CopyIds(string[] users)
        {
            var texts = new byte[]?[users.Length];
            long size = (long)users.Length * sizeof(nint) + 1;
            for (int i = 0; i < users.Length; i++)
            {
                texts[i] = Utf8.Encode(users[i]);
                size += texts[i]?.Length ?? 0;
            }
            nint block = Marshal.AllocHGlobal(checked((nint)size));
            nint* pointers = (nint*)block;
            byte* next = (byte*)(pointers + users.Length);
            for (int i = 0; i < users.Length; i++)
            {
                byte[]? text = texts[i];
                pointers[i] = text is null ? 0 : (nint)next; // NULL is refused for this user alone
                if (text is null) continue;
                Marshal.Copy(text, 0, (IntPtr)next, text.Length);
                next += text.Length;
            }
            return block;
        }
    }
}
