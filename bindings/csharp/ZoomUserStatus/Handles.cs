using System;
using System.Runtime.InteropServices;

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

    internal sealed class ClientHandle : ZusHandle
    {
        // Native code knows the callbacks by number only; this reference keeps them as long as it may call them.
        private readonly ClientCallbacks _callbacks;
        public ClientHandle(nint client, ClientCallbacks callbacks) : base(client) => _callbacks = callbacks;
        protected override bool ReleaseHandle() { NativeMethods.zus_client_free(handle); GC.KeepAlive(_callbacks); return true; }
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
