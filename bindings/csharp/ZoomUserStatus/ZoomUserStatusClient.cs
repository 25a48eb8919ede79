using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>
    /// Activates, deactivates and reads Zoom users. Make one, keep it, and share it between threads: it keeps connections and the access token,
    /// and one rate limit for all its requests. Making one sends nothing. Dispose ends nothing that is running.
    /// </summary>
    /// <remarks>
    /// A CancellationToken and a time limit end what the library waits for; while your own delegate runs (<see cref="ZoomUserStatusOptions.TokenProvider"/>,
    /// <see cref="ZoomUserStatusOptions.Log"/>), they wait for it. An Async method holds no thread while it waits: threads of the library work for
    /// it, at most <see cref="ZoomUserStatusOptions.Concurrency"/>.
    /// Every call is virtual, for mocks in the tests of a program that uses this library.
    /// </remarks>
    public class ZoomUserStatusClient : IDisposable
#if NET8_0_OR_GREATER
        , IAsyncDisposable
#endif
    {
        private readonly NativeClient? _native;

        /// <summary>Makes a client.</summary>
        /// <param name="options">Credentials and settings; copied.</param>
        /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
        /// <exception cref="ArgumentException">Settings, or a proxy that the environment names, are refused; the message names each, and shows no secret.</exception>
        /// <exception cref="ZoomUserStatusException">The client could not be made, e.g. the system's trust store can't be read.</exception>
        /// <exception cref="DllNotFoundException">The native library is not there.</exception>
        /// <exception cref="InvalidOperationException">The native library has another ABI.</exception>
        public ZoomUserStatusClient(ZoomUserStatusOptions options) => _native = new NativeClient(options ?? throw new ArgumentNullException(nameof(options)));

        /// <summary>For mocks. A client made by this can't call Zoom.</summary>
        protected ZoomUserStatusClient() { }

        private NativeClient Native => _native ?? throw new InvalidOperationException("This is a mock, made by the constructor without options: it can't call Zoom. Set up or override the method that is called.");

        /// <summary>A client with <see cref="ZoomUserStatusOptions.FromEnvironment"/>.</summary>
        /// <returns>The client.</returns>
        /// <exception cref="InvalidOperationException">Credentials are missing in the environment; the message names the variables.</exception>
        public static ZoomUserStatusClient FromEnvironment() => new ZoomUserStatusClient(ZoomUserStatusOptions.FromEnvironment());

        /// <summary>The native library's version, e.g. "0.1.0".</summary>
        public static unsafe string LibraryVersion
        {
            get { NativeLibraryCheck.Ensure(); return Utf8.Decode(NativeMethods.zus_version()); }
        }

        // --- One user -------------------------------------------------------------------------------------------------------------

        /// <summary>
        /// Updates one user and waits for the response, with retries where they are safe and useful. Doing it again is harmless:
        /// a user who is inactive already can be deactivated.
        /// </summary>
        /// <param name="userId">The user's ID or e-mail address, without leading or trailing whitespace. Not "me" with a server-to-server app.</param>
        /// <param name="action">What to do.</param>
        /// <param name="cancellationToken">Cancels the call, within 100 ms or when your own delegate returns; the update may have been applied or not.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed, or the ID is refused; see its Code and Result.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the response came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusResult Update(string userId, UserStatusAction action, CancellationToken cancellationToken = default) =>
            TryUpdate(userId, action, cancellationToken).EnsureSuccess();

        /// <summary>Updates one user, asynchronously. See <see cref="Update"/>.</summary>
        /// <inheritdoc cref="Update" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> UpdateAsync(string userId, UserStatusAction action, CancellationToken cancellationToken = default) =>
            Succeed(TryUpdateAsync(userId, action, cancellationToken));

        /// <summary>Activates a user. See <see cref="Update"/>.</summary>
        /// <inheritdoc cref="Update" path="/param | /returns | /exception"/>
        public virtual UserStatusResult Activate(string userId, CancellationToken cancellationToken = default) => Update(userId, UserStatusAction.Activate, cancellationToken);

        /// <summary>Deactivates a user. See <see cref="Update"/>.</summary>
        /// <inheritdoc cref="Update" path="/param | /returns | /exception"/>
        public virtual UserStatusResult Deactivate(string userId, CancellationToken cancellationToken = default) => Update(userId, UserStatusAction.Deactivate, cancellationToken);

        /// <summary>Activates a user, asynchronously. See <see cref="Update"/>.</summary>
        /// <inheritdoc cref="Update" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> ActivateAsync(string userId, CancellationToken cancellationToken = default) => UpdateAsync(userId, UserStatusAction.Activate, cancellationToken);

        /// <summary>Deactivates a user, asynchronously. See <see cref="Update"/>.</summary>
        /// <inheritdoc cref="Update" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> DeactivateAsync(string userId, CancellationToken cancellationToken = default) => UpdateAsync(userId, UserStatusAction.Deactivate, cancellationToken);

        /// <summary>Like <see cref="Update"/>, but a failure is a result and not an exception.</summary>
        /// <param name="userId">The user's ID or e-mail address, without leading or trailing whitespace.</param>
        /// <param name="action">What to do.</param>
        /// <param name="cancellationToken">Cancels the call, within 100 ms or when your own delegate returns; the update may have been applied or not.</param>
        /// <returns>The result; see its IsSuccess and Code.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the response came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusResult TryUpdate(string userId, UserStatusAction action, CancellationToken cancellationToken = default)
        {
            Check(userId, action);
            return Native.Run((Operation)action, userId, cancellationToken);
        }

        /// <summary>Like <see cref="UpdateAsync"/>, but a failure is a result and not an exception.</summary>
        /// <inheritdoc cref="TryUpdate" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> TryUpdateAsync(string userId, UserStatusAction action, CancellationToken cancellationToken = default)
        {
            Check(userId, action);
            return Native.Start((Operation)action, userId, cancellationToken);
        }

        /// <summary>
        /// Reads one user: <see cref="UserStatusResult.UserStatus"/> says whether the user is active, inactive or pending (invited, and not there yet),
        /// and <see cref="UserStatusResult.User"/> what else Zoom says. Needs the scope user:read:user:admin, or the classic user:write:admin or
        /// user:read:admin.
        /// </summary>
        /// <param name="userId">The user's ID or e-mail address, without leading or trailing whitespace.</param>
        /// <param name="cancellationToken">Cancels the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">The user could not be read, or the ID is refused; see its Code and Result.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the response came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusResult GetStatus(string userId, CancellationToken cancellationToken = default) => TryGetStatus(userId, cancellationToken).EnsureSuccess();

        /// <summary>Reads one user, asynchronously. See <see cref="GetStatus"/>.</summary>
        /// <inheritdoc cref="GetStatus" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> GetStatusAsync(string userId, CancellationToken cancellationToken = default) => Succeed(TryGetStatusAsync(userId, cancellationToken));

        /// <summary>Like <see cref="GetStatus"/>, but a failure is a result and not an exception.</summary>
        /// <param name="userId">The user's ID or e-mail address, without leading or trailing whitespace.</param>
        /// <param name="cancellationToken">Cancels the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result; see its IsSuccess and Code.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the response came.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userId"/> is null.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusResult TryGetStatus(string userId, CancellationToken cancellationToken = default) =>
            Native.Run(Operation.Read, userId ?? throw new ArgumentNullException(nameof(userId)), cancellationToken);

        /// <summary>Like <see cref="GetStatusAsync"/>, but a failure is a result and not an exception.</summary>
        /// <inheritdoc cref="TryGetStatus" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> TryGetStatusAsync(string userId, CancellationToken cancellationToken = default) =>
            Native.Start(Operation.Read, userId ?? throw new ArgumentNullException(nameof(userId)), cancellationToken);

        /// <summary>
        /// Obtains an access token, and touches no user. With OAuth the result's Body is the token endpoint's response without the token:
        /// <c>{"token_type":"bearer","expires_in":3600,"scope":"user:write:admin"}</c>. With a static token or a provider it is "":
        /// nothing can be learnt without touching a user. A token that the client has already is not obtained again.
        /// </summary>
        /// <param name="cancellationToken">Cancels the call, within 100 ms or when your own delegate returns.</param>
        /// <returns>The result, a success.</returns>
        /// <exception cref="ZoomUserStatusException">No token could be obtained.</exception>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the response came.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusResult CheckCredentials(CancellationToken cancellationToken = default) => Native.Run(Operation.CheckCredentials, "", cancellationToken).EnsureSuccess();

        /// <summary>Obtains an access token, asynchronously. See <see cref="CheckCredentials"/>.</summary>
        /// <inheritdoc cref="CheckCredentials" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusResult> CheckCredentialsAsync(CancellationToken cancellationToken = default) => Succeed(Native.Start(Operation.CheckCredentials, "", cancellationToken));

        // --- Many users -----------------------------------------------------------------------------------------------------------

        /// <summary>
        /// Updates many users: within <see cref="ZoomUserStatusOptions.RateLimit"/>, <see cref="ZoomUserStatusOptions.Concurrency"/> in flight.
        /// A user's failure is a result and not an exception. What is fatal for the batch, because every remaining user would fail the same way
        /// (no access token, a rejected token, a missing scope, the daily limit), ends it early: see <see cref="UserStatusBatch.Code"/>; what the
        /// token provider threw is in <see cref="UserStatusBatch.Error"/>.
        /// </summary>
        /// <param name="userIds">The users; read to its end before the first request. One that is null or refused gets a result that says so. Duplicates are sent each.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="progress">
        /// Told of each result as it ends, in any order. Note that <see cref="Progress{T}"/> passes them on later, on another thread.
        /// </param>
        /// <param name="cancellationToken">Cancels the batch. Users in flight still get their result; a user without a result was never sent.</param>
        /// <returns>All results (about 1 KB each), and who was not sent.</returns>
        /// <exception cref="UserStatusBatchCanceledException"><paramref name="cancellationToken"/> was cancelled before the end. It has the results so far, and who was not sent.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, IProgress<UserStatusResult>? progress = null, CancellationToken cancellationToken = default) =>
            NotCancelled(Native.RunMany((Operation)action, Users(userIds, action), progress is null ? null : progress.Report, cancellationToken), cancellationToken);

        /// <summary>Updates many users, without progress. See <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/>.</summary>
        /// <inheritdoc cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)" path="/param | /returns | /exception"/>
        public virtual UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, CancellationToken cancellationToken) =>
            UpdateMany(userIds, action, progress: null, cancellationToken);

        /// <summary>
        /// Updates many users, and calls <paramref name="onResult"/> on this thread as each ends. See
        /// <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/>.
        /// </summary>
        /// <param name="userIds">The users; read to its end before the first request.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="onResult">
        /// Called with each result, in any order, before this method returns or throws. It must not use this client. An exception
        /// stops the batch and comes out of this method unchanged; users in flight then are still reported.
        /// </param>
        /// <param name="cancellationToken">Cancels the batch. Users in flight are still reported; a user not reported was never sent.</param>
        /// <returns>All results, and who was not sent.</returns>
        /// <exception cref="UserStatusBatchCanceledException"><paramref name="cancellationToken"/> was cancelled before the end. It has the results so far, and who was not sent.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> or <paramref name="onResult"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, Action<UserStatusResult> onResult, CancellationToken cancellationToken = default) =>
            NotCancelled(Native.RunMany((Operation)action, Users(userIds, action), onResult ?? throw new ArgumentNullException(nameof(onResult)), cancellationToken), cancellationToken);

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
        public virtual UserStatusBatch UpdateMany(IEnumerable<string> userIds, UserStatusAction action, Func<UserStatusResult, Task> onResult, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        /// <summary>Updates many users, asynchronously. See <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/>.</summary>
        /// <inheritdoc cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, IProgress<UserStatusResult>? progress = null, CancellationToken cancellationToken = default) =>
            Many(userIds, action, progress is null ? null : Reporting(progress.Report), cancellationToken);

        /// <summary>Updates many users, asynchronously and without progress. See <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)"/>.</summary>
        /// <inheritdoc cref="UpdateMany(IEnumerable{string}, UserStatusAction, IProgress{UserStatusResult}, CancellationToken)" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, CancellationToken cancellationToken) =>
            UpdateManyAsync(userIds, action, progress: null, cancellationToken);

        /// <summary>
        /// Updates many users, asynchronously, and calls <paramref name="onResult"/> as each ends, one call at a time, on a thread of the
        /// library's choice. See <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, Action{UserStatusResult}, CancellationToken)"/>.
        /// </summary>
        /// <inheritdoc cref="UpdateMany(IEnumerable{string}, UserStatusAction, Action{UserStatusResult}, CancellationToken)" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, Action<UserStatusResult> onResult, CancellationToken cancellationToken = default) =>
            Many(userIds, action, Reporting(onResult ?? throw new ArgumentNullException(nameof(onResult))), cancellationToken);

        /// <summary>
        /// Updates many users, asynchronously, with an async callback: <paramref name="onResult"/> is awaited before the next result.
        /// </summary>
        /// <inheritdoc cref="UpdateMany(IEnumerable{string}, UserStatusAction, Action{UserStatusResult}, CancellationToken)" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusBatch> UpdateManyAsync(IEnumerable<string> userIds, UserStatusAction action, Func<UserStatusResult, Task> onResult, CancellationToken cancellationToken = default) =>
            Many(userIds, action, onResult ?? throw new ArgumentNullException(nameof(onResult)), cancellationToken);

        /// <summary>Reads many users, as <see cref="UpdateMany(IEnumerable{string}, UserStatusAction, CancellationToken)"/> updates them. See <see cref="GetStatus"/>.</summary>
        /// <param name="userIds">The users; read to its end before the first request. One that is null or refused gets a result that says so.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        /// <returns>All results (about 2 KB each), and who was not read.</returns>
        /// <exception cref="UserStatusBatchCanceledException"><paramref name="cancellationToken"/> was cancelled before the end. It has the results so far, and who was not read.</exception>
        /// <exception cref="ZoomUserStatusException">The call could not be begun, e.g. from a callback of the same client.</exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
        public virtual UserStatusBatch GetStatusMany(IEnumerable<string> userIds, CancellationToken cancellationToken = default) =>
            NotCancelled(Native.RunMany(Operation.Read, Users(userIds), null, cancellationToken), cancellationToken);

        /// <summary>Reads many users, and calls <paramref name="onResult"/> on this thread as each ends. See <see cref="GetStatusMany(IEnumerable{string}, CancellationToken)"/>.</summary>
        /// <param name="userIds">The users; read to its end before the first request.</param>
        /// <param name="onResult">
        /// Called with each result, in any order, before this method returns or throws. It must not use this client. An exception
        /// stops the batch and comes out of this method unchanged; users in flight then are still reported.
        /// </param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        /// <inheritdoc cref="GetStatusMany(IEnumerable{string}, CancellationToken)" path="/returns | /exception"/>
        public virtual UserStatusBatch GetStatusMany(IEnumerable<string> userIds, Action<UserStatusResult> onResult, CancellationToken cancellationToken = default) =>
            NotCancelled(Native.RunMany(Operation.Read, Users(userIds), onResult ?? throw new ArgumentNullException(nameof(onResult)), cancellationToken), cancellationToken);

        /// <summary>Reads many users, asynchronously. See <see cref="GetStatusMany(IEnumerable{string}, CancellationToken)"/>.</summary>
        /// <inheritdoc cref="GetStatusMany(IEnumerable{string}, CancellationToken)" path="/param | /returns | /exception"/>
        public virtual Task<UserStatusBatch> GetStatusManyAsync(IEnumerable<string> userIds, CancellationToken cancellationToken = default) =>
            NotCancelled(Native.StartMany(Operation.Read, Users(userIds), null, cancellationToken), cancellationToken);

#if NET8_0_OR_GREATER
        /// <summary>Reads many users, and gives each result as it ends, in any order. See <see cref="UpdateEachAsync"/> and <see cref="GetStatus"/>. For .NET 8 and later.</summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="cancellationToken">Cancels the batch.</param>
        /// <returns>The results, failures among them, for one <c>await foreach</c>; and after it, what the loop did not see.</returns>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        public virtual UserStatusUpdates GetStatusEachAsync(IEnumerable<string> userIds, CancellationToken cancellationToken = default)
        {
            string[] users = Users(userIds);
            NativeClient native = Native;
            return new UserStatusUpdates(token => native.Open(Operation.Read, users, token), cancellationToken);
        }

        /// <summary>
        /// Updates many users, and gives each result as it ends, in any order; nothing is sent before the first is asked for. It runs ahead of
        /// a slow reader by twice <see cref="ZoomUserStatusOptions.Concurrency"/>, and keeps no results. For .NET 8 and later.
        /// </summary>
        /// <param name="userIds">The users; read to its end at once.</param>
        /// <param name="action">What to do with each.</param>
        /// <param name="cancellationToken">
        /// Cancels the batch: the results of the users in flight still come, then <see cref="UserStatusBatchCanceledException"/>. A <c>break</c>
        /// stops the batch: nobody else is sent, it waits for those in flight, and their results are in <see cref="UserStatusUpdates.Rest"/>. A
        /// user without a result was never sent.
        /// </param>
        /// <returns>The results, failures among them, for one <c>await foreach</c>; and after it, what the loop did not see.</returns>
        /// <exception cref="UserStatusBatchCanceledException">From the loop: <paramref name="cancellationToken"/> was cancelled before the end.</exception>
        /// <exception cref="ZoomUserStatusException">
        /// From the loop, after the last result: something was fatal for the batch. What the token provider threw comes out unchanged instead.
        /// </exception>
        /// <exception cref="ArgumentNullException"><paramref name="userIds"/> is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none of the enum's.</exception>
        /// <exception cref="ObjectDisposedException">From the loop: the client is disposed.</exception>
        public virtual UserStatusUpdates UpdateEachAsync(IEnumerable<string> userIds, UserStatusAction action, CancellationToken cancellationToken = default)
        {
            string[] users = Users(userIds, action);
            NativeClient native = Native;
            return new UserStatusUpdates(token => native.Open((Operation)action, users, token), cancellationToken);
        }
#endif

        /// <summary>Closes the connections and forgets the credentials, after the last running call has ended; it doesn't wait for it.</summary>
        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

#if NET8_0_OR_GREATER
        /// <summary>Like <see cref="Dispose()"/>, and waits until the last running call has ended. Cancel what should not run on.</summary>
        /// <returns>When it has.</returns>
        public virtual async ValueTask DisposeAsync()
        {
            Dispose();
            if (_native != null) await _native.Closed.ConfigureAwait(false);
            GC.SuppressFinalize(this);
        }
#endif

        /// <summary>For mocks that hold something themselves.</summary>
        /// <param name="disposing">True.</param>
        protected virtual void Dispose(bool disposing)
        {
            if (disposing) _native?.Dispose();
        }

        private static void Check(string userId, UserStatusAction action)
        {
            if (userId is null) throw new ArgumentNullException(nameof(userId));
            Check(action);
        }

        private static void Check(UserStatusAction action)
        {
            if (action is < UserStatusAction.Activate or > UserStatusAction.ClockOut) throw new ArgumentOutOfRangeException(nameof(action));
        }

        private static string[] Users(IEnumerable<string> userIds) => userIds?.ToArray() ?? throw new ArgumentNullException(nameof(userIds));

        private static string[] Users(IEnumerable<string> userIds, UserStatusAction action)
        {
            if (userIds is null) throw new ArgumentNullException(nameof(userIds));
            Check(action);
            return Users(userIds);
        }

        private static async Task<UserStatusResult> Succeed(Task<UserStatusResult> update) => (await update.ConfigureAwait(false)).EnsureSuccess();

        private static UserStatusBatch NotCancelled(UserStatusBatch batch, CancellationToken cancellationToken) =>
            batch.Code == UserStatusCode.Cancelled ? throw new UserStatusBatchCanceledException(batch, cancellationToken) : batch;

        private static Func<UserStatusResult, Task> Reporting(Action<UserStatusResult> report) => result =>
        {
            report(result);
            return Task.CompletedTask;
        };

        private Task<UserStatusBatch> Many(IEnumerable<string> userIds, UserStatusAction action, Func<UserStatusResult, Task>? report, CancellationToken cancellationToken)
        {
            string[] users = Users(userIds, action);
            // With a callback from the pool on, so that it doesn't run on the caller's thread before this has returned.
            return NotCancelled(report is null
                ? Native.StartMany((Operation)action, users, null, cancellationToken)
                : Task.Run(() => Native.StartMany((Operation)action, users, report, cancellationToken), CancellationToken.None), cancellationToken);
        }

        private static async Task<UserStatusBatch> NotCancelled(Task<UserStatusBatch> batch, CancellationToken cancellationToken) =>
            NotCancelled(await batch.ConfigureAwait(false), cancellationToken);
    }
}
