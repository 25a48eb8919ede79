using System;
using System.Runtime.InteropServices;

// On Windows from beside the assembly or the program, or from System32; not from the working directory or PATH, where others may put a zus.dll.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]

namespace ZoomUserStatus
{
    /// <summary>size_t (*zus_token_provider_fn)(void *userdata, int32_t rejected, char *buffer, size_t capacity)</summary>
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate nuint ZusTokenProviderFn(nint userdata, int rejected, byte* buffer, nuint capacity);

    /// <summary>void (*zus_log_fn)(void *userdata, int32_t level, const char *message)</summary>
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate void ZusLogFn(nint userdata, int level, byte* message);

    /// <summary>int32_t (*zus_result_fn)(void *userdata, size_t index, const zus_result *result)</summary>
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate int ZusResultFn(nint userdata, nuint index, nint result);

    /// <summary>
    /// zus.h, function by function. All signatures are blittable: strings are NUL-ended UTF-8 (byte*), callbacks are
    /// function pointers, and handles pointers (nint), which SafeHandles own and <see cref="Call"/> holds during a call. They are not
    /// passed as SafeHandles: on Mono, whose collector moves objects, the stub then loses one in a long call now and then.
    /// </summary>
    internal static unsafe class NativeMethods
    {
        internal const string Library = "zus"; // libzus.so, libzus.dylib, zus.dll
        private const CallingConvention C = CallingConvention.Cdecl;

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern nint zus_config_new();
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_config_free(nint config);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_token(nint config, byte* token);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_oauth(nint config, byte* account_id, byte* client_id, byte* client_secret);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_token_provider(nint config, nint fn, nint userdata);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_urls(nint config, byte* api, byte* oauth);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_encoding(nint config, int encoding);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_timeouts(nint config, uint connect_ms, uint total_ms);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_attempt_timeout(nint config, uint attempt_ms);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_verify(nint config, uint wait_ms);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_retry(nint config, uint attempts, uint first_ms, uint most_ms);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_rate(nint config, uint requests, uint per_ms);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_concurrency(nint config, uint in_flight);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_proxy(nint config, byte* url);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_ca_pem(nint config, byte* pem, nuint length);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_user_agent(nint config, byte* user_agent);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_log(nint config, int level, nint fn, nint userdata);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_config_set_events(nint config, nint queue, int kinds);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_config_message(nint config);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_client_new(nint config, nint* client);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_client_free(nint client);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_client_stop_started(nint client, nint cancel);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_update_status(nint client, byte* user_id, int action, nint cancel, nint* result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_update_status_many(nint client, byte** user_ids, nuint count, int action, nint cancel, nint on_result, nint userdata);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_get_user_status(nint client, byte* user_id, nint cancel, nint* result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_get_user_status_many(nint client, byte** user_ids, nuint count, nint cancel, nint on_result, nint userdata);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_check_credentials(nint client, nint cancel, nint* result);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_update_status_start(nint client, byte* user_id, int action, nint cancel, nint queue, nint userdata);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_get_user_status_start(nint client, byte* user_id, nint cancel, nint queue, nint userdata);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_check_credentials_start(nint client, nint cancel, nint queue, nint userdata);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern nint zus_queue_new();
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_queue_free(nint queue);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern nint zus_queue_next(nint queue, uint wait_ms);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_queue_wake(nint queue);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_event_kind(nint e);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern nint zus_event_userdata(nint e);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern nint zus_event_result(nint e);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_event_log_level(nint e);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_event_message(nint e);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_event_token_rejected(nint e);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_event_set_token(nint e, byte* token);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_event_free(nint e);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern nint zus_cancel_new();
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_cancel_trigger(nint cancel);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_cancel_free(nint cancel);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern void zus_result_free(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_code(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_http_status(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_zoom_code(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_result_message(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_result_user_id(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_result_tracking_id(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_result_header(nint result, byte* name);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_result_body(nint result, nuint* length);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern long zus_result_retry_after(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_attempts(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_delivery(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_user_status(nint result);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_result_is_fatal(nint result);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_code_name(int code);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_code_text(int code);
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern byte* zus_version();
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)] internal static extern int zus_abi_version();
    }

    /// <summary>Unity's IL2CPP finds this attribute by name on methods that native code calls; other runtimes ignore it.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class MonoPInvokeCallbackAttribute : Attribute
    {
        public MonoPInvokeCallbackAttribute(Type type) => Type = type;
        public Type Type { get; }
    }
}
