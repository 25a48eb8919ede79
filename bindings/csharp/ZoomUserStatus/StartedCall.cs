using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    /// <summary>What a call does. The positive numbers are those of <see cref="UserStatusAction"/>: an update.</summary>
    internal enum Operation
    {
        CheckCredentials = -1,
        Read = 0,
        Activate = 1,
        Deactivate = 2,
        ClockIn = 3,
        ClockOut = 4,
    }

    /// <summary>One call that doesn't wait, from its start to its event.</summary>
    internal abstract unsafe class StartedCall
    {
        private readonly NativeClient _client;
        private readonly Operation _operation;
        private readonly string? _userId;
        private readonly Call _call;
        private readonly CallTrace _trace;

        protected StartedCall(NativeClient client, Operation operation, string? userId, int index, Call call, CallTrace trace)
        {
            _client = client;
            _operation = operation;
            _userId = userId;
            _trace = trace;
            Index = index;
            _call = call;
        }

        public int Index { get; }

        /// <summary>It ended with this result, on the thread that takes the events.</summary>
        /// <param name="result">The result.</param>
        /// <param name="trace">To be stopped.</param>
        protected abstract void Ended(UserStatusResult result, CallTrace trace);

        /// <summary>Its result could not be copied, e.g. for want of memory.</summary>
        /// <param name="error">Why.</param>
        protected abstract void Failed(Exception error);

        /// <summary>Starts it. The event may come before this has returned: the caller keeps the <see cref="Call"/> until then.</summary>
        /// <returns>The code. Unless it is 0, nothing was started.</returns>
        public int Start()
        {
            GCHandle self = GCHandle.Alloc(this);
            nint userdata = GCHandle.ToIntPtr(self), queue = EventReader.Results.Queue;
            int code;
            _call.Share();
            fixed (byte* id = Utf8.Encode(_userId))
            {
                code = _operation switch
                {
                    Operation.CheckCredentials => NativeMethods.zus_check_credentials_start(_call.Client, _call.Cancel, queue, userdata),
                    Operation.Read => NativeMethods.zus_get_user_status_start(_call.Client, id, _call.Cancel, queue, userdata),
                    _ => NativeMethods.zus_update_status_start(_call.Client, id, (int)_operation, _call.Cancel, queue, userdata),
                };
            }
            if (code == 0) return 0;
            self.Free(); // no event will come
            _call.Dispose();
            return code;
        }

        /// <summary>Ends it with the code that its start returned.</summary>
        /// <param name="code">The code.</param>
        public void Refuse(int code) => Ended(UserStatusResult.OfCode(code, _userId, Index), _trace);

        /// <summary>Takes the event of a call that has ended.</summary>
        /// <param name="e">The event.</param>
        public static void Take(nint e)
        {
            try
            {
                if (!EventReader.IsResult(e)) return;
                GCHandle self = GCHandle.FromIntPtr(NativeMethods.zus_event_userdata(e));
                var call = (StartedCall)self.Target!;
                self.Free();
                call.End(e);
            }
            finally { NativeMethods.zus_event_free(e); }
        }

        private void End(nint e)
        {
            UserStatusResult result;
            try { result = _client.Copy(NativeMethods.zus_event_result(e), _userId, Index); }
            catch (Exception error) // the thread must live on
            {
                _trace.Stop(error);
                _call.Dispose();
                Failed(error);
                return;
            }
            _call.Dispose();
            Ended(result, _trace);
        }
    }

    /// <summary>A started call for one user, as a task.</summary>
    internal sealed class StartedTask : StartedCall
    {
        private readonly TaskCompletionSource<UserStatusResult> _source = new TaskCompletionSource<UserStatusResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ClientCallbacks _callbacks;
        private readonly CancellationToken _cancellationToken;

        private StartedTask(NativeClient client, Operation operation, string userId, Call held, CancellationToken cancellationToken) :
            base(client, operation, userId, 0, held, CallTrace.Start(operation))
        {
            _callbacks = client.Callbacks;
            _cancellationToken = cancellationToken;
        }

        public static Task<UserStatusResult> Start(NativeClient client, Operation operation, string userId, CancellationToken cancellationToken)
        {
            using Call held = client.Begin(cancellationToken);
            var call = new StartedTask(client, operation, userId, held, cancellationToken);
            int code = call.Start();
            if (code != 0) call.Refuse(code);
            return call._source.Task;
        }

        protected override void Ended(UserStatusResult result, CallTrace trace)
        {
            if (Call.MayBeCancelled(result.Code) && _cancellationToken.IsCancellationRequested)
            {
                trace.Stop(new OperationCanceledException(_cancellationToken));
                _source.TrySetCanceled(_cancellationToken);
            }
            else if (result.Code == UserStatusCode.Token && _callbacks.TokenError is { } error)
            {
                trace.Stop(error.SourceException);
                _source.TrySetException(error.SourceException);
            }
            else
            {
                _source.TrySetResult(trace.Stop(result));
            }
        }

        protected override void Failed(Exception error) => _source.TrySetException(error);
    }
}
