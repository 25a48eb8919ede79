using System;
using System.Linq;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ZoomUserStatus
{
    /// <summary>One run of zus_update_status_many or zus_get_user_status_many, which block, and what is known of each user.</summary>
    internal sealed unsafe class NativeBatch
    {
        private static readonly ZusResultFn OnResult = OnNativeResult; // static, so that the thunk lives as long as the process
        private static readonly nint OnResultPointer = Marshal.GetFunctionPointerForDelegate(OnResult);

        private readonly NativeClient _client;
        private readonly Operation _operation;
        private readonly string[] _users;
        private readonly Action<UserStatusResult>? _report;
        private readonly UserStatusResult?[] _results; // null: never sent

        /// <param name="client">The client.</param>
        /// <param name="operation">What to do with each.</param>
        /// <param name="users">The users.</param>
        /// <param name="report">Called with each result. An exception stops the batch.</param>
        public NativeBatch(NativeClient client, Operation operation, string[] users, Action<UserStatusResult>? report)
        {
            _client = client;
            _operation = operation;
            _users = users;
            _report = report;
            _results = new UserStatusResult?[users.Length];
        }

        /// <summary>What the report threw.</summary>
        public ExceptionDispatchInfo? Thrown { get; private set; }

        public UserStatusCode Run(Call call)
        {
            byte** ids = (byte**)CopyIds(_users);
            GCHandle self = GCHandle.Alloc(this);
            try
            {
                nint userdata = GCHandle.ToIntPtr(self);
                int code = _operation == Operation.Read
                    ? NativeMethods.zus_get_user_status_many(call.Client, ids, (nuint)_users.Length, call.Cancel, OnResultPointer, userdata)
                    : NativeMethods.zus_update_status_many(call.Client, ids, (nuint)_users.Length, (int)_operation, call.Cancel, OnResultPointer, userdata);
                return (UserStatusCode)code;
            }
            finally
            {
                Marshal.FreeHGlobal((IntPtr)ids);
                self.Free();
            }
        }

        /// <summary>What came of the batch, after <see cref="Run"/>.</summary>
        public UserStatusBatch End(UserStatusCode code, Exception? error) =>
            new UserStatusBatch(code, _results.Where(r => r != null).ToArray()!, _users.Where((_, i) => _results[i] is null).ToArray(), error);

        [MonoPInvokeCallback(typeof(ZusResultFn))]
        private static int OnNativeResult(nint userdata, nuint index, nint native)
        {
            var batch = (NativeBatch)GCHandle.FromIntPtr(userdata).Target!;
            try
            {
                int i = (int)index;
                var result = batch._client.Copy(native, batch._users[i], i);
                batch._results[i] = result;
                CallTrace.Count(batch._operation, result);
                batch._report?.Invoke(result);
                return 0;
            }
            catch (Exception e) // must not unwind into native frames
            {
                batch.Thrown ??= ExceptionDispatchInfo.Capture(e);
                return 1; // stops the batch. The cancel would abort the users in flight as well.
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
