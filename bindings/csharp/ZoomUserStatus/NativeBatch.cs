using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ZoomUserStatus
{
    /// <summary>One run of zus_update_status_many, and what is known of each user.</summary>
    internal sealed unsafe class NativeBatch
    {
        private static readonly ZusResultFn OnResult = OnNativeResult; // static, so that the thunk lives as long as the process
        private static readonly nint OnResultPointer = Marshal.GetFunctionPointerForDelegate(OnResult);

        private readonly string[] _users;
        private readonly UserStatusAction _action;
        private readonly Action<UserStatusResult>? _report;
        private readonly HeaderNames _headers;
        private readonly Call _call;
        private readonly bool[] _ended;
        private readonly UserStatusResult?[]? _results; // null: not kept

        public NativeBatch(string[] users, UserStatusAction action, Action<UserStatusResult>? report, bool keepResults, HeaderNames headers, Call call)
        {
            _users = users;
            _action = action;
            _report = report;
            _headers = headers;
            _call = call;
            _ended = new bool[users.Length];
            _results = keepResults ? new UserStatusResult?[users.Length] : null;
        }

        public int Run()
        {
            nint ids = CopyIds(_users);
            GCHandle self = GCHandle.Alloc(this);
            try
            {
                return NativeMethods.zus_update_status_many(_call.Client, (byte**)ids, (nuint)_users.Length, (int)_action, _call.Cancel, OnResultPointer, GCHandle.ToIntPtr(self));
            }
            finally
            {
                Marshal.FreeHGlobal(ids);
                self.Free();
            }
        }

        /// <summary>What came of the batch, after <see cref="Run"/>.</summary>
        public UserStatusBatch End(UserStatusCode code, Exception? error)
        {
            var results = new List<UserStatusResult>();
            var notSent = new List<string>();
            for (int i = 0; i < _users.Length; i++)
            {
                if (!_ended[i]) notSent.Add(_users[i]);
                else if (_results?[i] is UserStatusResult result) results.Add(result);
            }
            return new UserStatusBatch(code, results, notSent, error);
        }

        [MonoPInvokeCallback(typeof(ZusResultFn))]
        private static int OnNativeResult(nint userdata, nuint index, nint native)
        {
            var batch = (NativeBatch)GCHandle.FromIntPtr(userdata).Target!;
            try
            {
                int i = (int)index;
                var result = new UserStatusResult(native, batch._users[i] ?? "", i, batch._headers);
                batch._ended[i] = true;
                if (batch._results != null) batch._results[i] = result;
                UpdateTrace.Count(batch._action, result);
                batch._report?.Invoke(result);
                return 0;
            }
            catch (Exception e) // must not unwind into native frames; the call throws it again
            {
                // 1 stops the batch. The cancel would abort the users in flight as well.
                batch._call.Keep(ExceptionDispatchInfo.Capture(e));
                return 1;
            }
        }

        /// <summary>The users for C, in one block of native memory, which stays where it is for the whole run: the pointers, then the texts.</summary>
        private static nint CopyIds(string[] users)
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
