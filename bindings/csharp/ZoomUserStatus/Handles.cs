using System;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace ZoomUserStatus
{
    // A forgotten handle is freed by its finalizer. A call counts the handles up that it uses (see Call), so that Dispose
    // meanwhile frees nothing before the call has ended.

    internal abstract class ZusHandle : SafeHandle
    {
        protected ZusHandle(nint value) : base(IntPtr.Zero, ownsHandle: true) => SetHandle(value);
        public override bool IsInvalid => handle == IntPtr.Zero;
        /// <summary>For native calls; the caller sees to it that the handle lives as long.</summary>
        public nint Pointer => handle;
    }

    internal sealed class ConfigHandle : ZusHandle
    {
        public ConfigHandle() : base(NativeMethods.zus_config_new()) { }
        protected override bool ReleaseHandle() { NativeMethods.zus_config_free(handle); return true; }
    }

    internal sealed class QueueHandle : ZusHandle
    {
        public QueueHandle() : base(NativeMethods.zus_queue_new()) { }
        protected override bool ReleaseHandle() { NativeMethods.zus_queue_free(handle); return true; }
    }

    internal sealed class ClientHandle : ZusHandle
    {
        // Native code knows the callbacks by number only; this reference keeps them as long as it may call them.
        private readonly ClientCallbacks _callbacks;
        private readonly TaskCompletionSource<bool> _closed = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        public ClientHandle(nint client, ClientCallbacks callbacks) : base(client)
        {
            _callbacks = callbacks;
            if (client != 0) callbacks.Begin();
        }
        /// <summary>Ends when it is disposed and the last call has ended.</summary>
        public Task Closed => _closed.Task;
        /// <summary>Until <see cref="System.Runtime.InteropServices.SafeHandle.DangerousRelease"/>, the client isn't freed.</summary>
        public void Hold()
        {
            bool held = false;
            DangerousAddRef(ref held);
        }
        protected override bool ReleaseHandle()
        {
            NativeMethods.zus_client_free(handle);
            _callbacks.End();
            _closed.TrySetResult(true);
            return true;
        }
    }

    internal sealed class CancelHandle : ZusHandle
    {
        /// <summary>NULL, for calls that nothing will cancel. Never disposed.</summary>
        public static readonly CancelHandle None = new CancelHandle(0);
        private CancelHandle(nint value) : base(value) { }
        public CancelHandle() : base(NativeMethods.zus_cancel_new()) { }
        public void Trigger()
        {
            if (IsInvalid) return;
            bool held = false;
            try { DangerousAddRef(ref held); NativeMethods.zus_cancel_trigger(handle); }
            catch (ObjectDisposedException) { } // the call has just ended by itself
            finally { if (held) DangerousRelease(); }
        }
        protected override bool ReleaseHandle() { NativeMethods.zus_cancel_free(handle); return true; }
    }

    internal sealed class ResultHandle : ZusHandle
    {
        public ResultHandle(nint result) : base(result) { }
        protected override bool ReleaseHandle() { NativeMethods.zus_result_free(handle); return true; }
    }
}
