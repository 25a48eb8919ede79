//! zus_config: settings.

use std::ffi::{CString, c_char};
use std::sync::{Mutex, PoisonError};

use super::code::zus_code;
use super::guard::{c_string, free, give, guard, guard_or, optional_text, text};
use crate::code::{Code, Error};
use crate::config::Config;
use crate::request::Encoding;

/// Settings for clients. Use it from one thread at a time.
pub struct zus_config {
    pub(super) config: Config,
    /// Why the last setter or zus_client_new failed. Behind a lock, since zus_client_new takes a const handle.
    message: Mutex<CString>,
}

impl zus_config {
    /// Keeps the message of an error for zus_config_message, and returns its code.
    pub(super) fn keep<T>(&self, result: Result<T, Error>) -> Result<T, Code> {
        let message = match &result {
            Ok(_) => CString::default(),
            Err(e) => c_string(e.to_sentence()),
        };
        *self.message.lock().unwrap_or_else(PoisonError::into_inner) = message;
        result.map_err(Code::from)
    }
}

/// The encoding of the request body: ZUS_ENCODING_FORM or ZUS_ENCODING_JSON.
pub type zus_encoding = i32;
/// multipart/form-data; JSON from then on where the server does not understand the form. The default.
pub const ZUS_ENCODING_FORM: zus_encoding = 0;
/// application/json.
pub const ZUS_ENCODING_JSON: zus_encoding = 1;

/// Makes a configuration without credentials, and with defaults for a Pro account. Never NULL: when memory runs out, the
/// process is aborted, here as in every function of this library. Free it with zus_config_free.
#[unsafe(no_mangle)]
pub extern "C" fn zus_config_new() -> *mut zus_config {
    guard_or(std::ptr::null_mut(), || {
        give(zus_config {
            config: Config::new(),
            message: Mutex::default(),
        })
    })
}

/// Frees a configuration and wipes its secrets. Clients made from it live on. NULL is fine.
///
/// # Safety
/// `config` came from zus_config_new and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_free(config: *mut zus_config) {
    // SAFETY: the caller's promise.
    unsafe { free(config) }
}

/// Returns why the last setter or zus_client_new on this configuration failed: what is wrong with which value, without a
/// secret. "" when it succeeded, and for NULL. Borrowed until the next call with this configuration.
///
/// # Safety
/// `config` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_message(config: *const zus_config) -> *const c_char {
    guard_or(c"".as_ptr(), || {
        // SAFETY: the caller's promise.
        let config = unsafe { config.as_ref() };
        config.map_or(c"".as_ptr(), |c| {
            let message = c.message.lock().unwrap_or_else(PoisonError::into_inner);
            message.as_ptr()
        })
    })
}

/// Runs a setter on a configuration.
///
/// # Safety
/// `config` is NULL or a live handle that no other thread uses.
pub(super) unsafe fn set(
    config: *mut zus_config,
    f: impl FnOnce(&mut Config) -> Result<(), Error>,
) -> zus_code {
    guard(|| {
        // SAFETY: the caller's promise.
        let config = unsafe { config.as_mut() }.ok_or(Code::Null)?;
        let result = f(&mut config.config);
        config.keep(result)
    })
}

/// Sets the credentials: a static token, without the word "Bearer", visible ASCII, up to 8,192 bytes. It can't be
/// refreshed: once Zoom rejects it (a token lives for an hour), calls end with ZUS_ERR_UNAUTHORIZED. Replaces other credentials.
///
/// # Safety
/// `config` is a live handle; `token` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_token(
    config: *mut zus_config,
    token: *const c_char,
) -> zus_code {
    let f = |c: &mut Config| {
        // SAFETY: the caller's promise.
        c.set_token(unsafe { text("token", token) }?)
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Sets the credentials: Server-to-Server OAuth. The client obtains access tokens (POST to the OAuth URL, HTTP Basic, form
/// body) and shares one between all its threads. It refreshes the token 60 s before it expires (after half its life, where
/// that is less than 120 s), and once when Zoom rejects it. Each value has up to 1,024 bytes; client_id has no colon.
/// Replaces other credentials.
///
/// # Safety
/// `config` is a live handle; the others are NUL-ended strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_oauth(
    config: *mut zus_config,
    account_id: *const c_char,
    client_id: *const c_char,
    client_secret: *const c_char,
) -> zus_code {
    let f = |c: &mut Config| {
        // SAFETY: the caller's promise.
        let account_id = unsafe { text("account ID", account_id) }?;
        // SAFETY: the caller's promise.
        let client_id = unsafe { text("client ID", client_id) }?;
        // SAFETY: the caller's promise.
        let client_secret = unsafe { text("client secret", client_secret) }?;
        c.set_oauth(account_id, client_id, client_secret)
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Sets credentials and URLs from the environment: ZOOM_ACCESS_TOKEN, or else ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and
/// ZOOM_CLIENT_SECRET; and, where they are set, ZOOM_API_URL and ZOOM_OAUTH_URL. An empty variable counts as not set.
/// ZUS_ERR_CREDENTIALS when a variable is missing: zus_config_message names it. A privileged program (setuid, setgid, file
/// capabilities) finds none. No other thread may change the environment meanwhile.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_from_env(config: *mut zus_config) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, Config::set_from_env) }
}

/// Sets the URLs of Zoom: the base of the API (default "https://api.zoom.us/v2") and the OAuth token endpoint (default
/// "https://zoom.us/oauth/token"). NULL leaves one as it is. Zoom for Government: "https://api.zoomgov.com/v2" and
/// "https://zoomgov.com/oauth/token". A URL with a user name, a query or a fragment is ZUS_ERR_ARGUMENT, and so is http://
/// unless the host is loopback (127.0.0.0/8, [::1], localhost), since a token travels with each request.
///
/// # Safety
/// `config` is a live handle; the others NULL or NUL-ended strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_urls(
    config: *mut zus_config,
    api: *const c_char,
    oauth: *const c_char,
) -> zus_code {
    let f = |c: &mut Config| {
        // SAFETY: the caller's promise.
        let api = unsafe { optional_text("API URL", api) }?;
        // SAFETY: the caller's promise.
        let oauth = unsafe { optional_text("OAuth URL", oauth) }?;
        c.set_urls(api, oauth)
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Sets the encoding of the request body. Default: ZUS_ENCODING_FORM.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_encoding(
    config: *mut zus_config,
    encoding: zus_encoding,
) -> zus_code {
    let f = |c: &mut Config| {
        let unknown = || Error::argument(format!("there is no encoding {encoding}"));
        c.set_encoding(Encoding::from_number(encoding).ok_or_else(unknown)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Sets two limits in milliseconds, each 1 to 86,400,000. connect_ms (default 10,000) is for one connection: host name, TCP,
/// proxy and TLS. total_ms (default 60,000) is for one call with everything in it: token, waits and retries.
/// No call outlasts total_ms by more than 100 ms, except for the time that it spends in functions of yours. In a batch each
/// user has total_ms, counted from the user's first slot.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_timeouts(
    config: *mut zus_config,
    connect_ms: u32,
    total_ms: u32,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| c.set_timeouts(connect_ms, total_ms)) }
}

/// Sets whether updates are verified: after Zoom accepted ZUS_ACTIVATE or ZUS_DEACTIVATE, the library reads the user at
/// growing intervals until the status is the wanted one, for up to wait_ms milliseconds (0 to 86,400,000) and never past the
/// call's total time. Then the code is ZUS_OK; otherwise ZUS_ERR_NOT_VERIFIED, with zus_result_user_status. A pending user
/// ends the wait at once. 0, the default: updates are not verified.
/// HTTP status, headers, body and attempts of a result are the update's; user status and message are the last read's.
/// Each read is a request of its own: it counts for the rate limit, and for the daily limit of Zoom's Free plan. Reading
/// needs the scope user:read:user:admin, user:write:admin or user:read:admin: a batch reads its first user before it updates
/// anybody, and a missing scope ends it there.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_verify(config: *mut zus_config, wait_ms: u32) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| c.set_verify(wait_ms)) }
}

/// Sets the longest time, in milliseconds, that one attempt may take, from its slot to the last byte of the response,
/// and that one token request may take (0 to 86,400,000). An attempt that takes longer is retried, and ends with
/// ZUS_ERR_TIMEOUT where no attempts or no time are left. 0, the default: total_ms divided by the number of attempts,
/// but at least 10,000. No attempt outlasts total_ms.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_attempt_timeout(
    config: *mut zus_config,
    attempt_ms: u32,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| c.set_attempt_timeout(attempt_ms)) }
}

/// Sets how often and when a request is retried. `attempts` is 1 to 100 (default 4; 1 means no retries). The library
/// retries what is safe and useful to retry: a connection that failed or broke, HTTP 408, a short rate limit (429), 5xx but
/// not 501 and 505.
/// The wait before a retry is random between 0 and first_ms (default 500), doubled each time up to most_ms (default 30,000), or
/// what Retry-After says; never past the call's total time. first_ms is 1 to 86,400,000; most_ms first_ms to 86,400,000.
/// Not counted: one more request with a refreshed token, one with JSON, and those on idle connections that turn out to be
/// closed.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_retry(
    config: *mut zus_config,
    attempts: u32,
    first_ms: u32,
    most_ms: u32,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| c.set_retry(attempts, first_ms, most_ms)) }
}

/// Sets the rate limit: at most `requests` (0 to 1,000,000; 0 for no limit) in per_ms milliseconds (1 to 86,400,000), evenly
/// spread, for all threads of one client together. Default: 30 in 1,000. Zoom's limits for this call, per account and shared
/// by all its apps: 4 a second and 6,000 a day on Free, 30 a second on Pro, 80 a second on Business and above.
/// When Zoom says that its rate limit was reached, the client pauses for a moment and sends more slowly for a while.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_rate(
    config: *mut zus_config,
    requests: u32,
    per_ms: u32,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| c.set_rate(requests, per_ms)) }
}

/// Sets how many users are in flight at once, in a batch and among started calls: 1 to 256. Default 16.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_concurrency(
    config: *mut zus_config,
    in_flight: u32,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| c.set_concurrency(in_flight)) }
}

/// Sets a proxy: "http://" (or nothing), "https://" or "socks5://", then "[user:password@]host[:port]", percent-encoded
/// where needed; "" for no proxy at all. Without this setting, the environment decides when the client is made, as it does
/// for curl: https_proxy or HTTPS_PROXY, else all_proxy or ALL_PROXY; no_proxy or NO_PROXY. An http:// API, which is on
/// loopback, uses no proxy from the environment.
///
/// # Safety
/// `config` is a live handle; `url` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_proxy(
    config: *mut zus_config,
    url: *const c_char,
) -> zus_code {
    let f = |c: &mut Config| {
        // SAFETY: the caller's promise.
        c.set_proxy(unsafe { text("proxy", url) }?)
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Sets the CA certificates to trust, instead of the operating system's trust store: a PEM text of `length` bytes with at
/// least one certificate, all of them valid.
///
/// # Safety
/// `config` is a live handle; `pem` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_ca_pem(
    config: *mut zus_config,
    pem: *const u8,
    length: usize,
) -> zus_code {
    let f = |c: &mut Config| {
        if pem.is_null() {
            return Err(Error::new(Code::Null, "the PEM text is NULL"));
        }
        if length > isize::MAX as usize {
            return Err(Error::argument("the PEM text is longer than memory"));
        }
        // SAFETY: not NULL, and of that length by the caller's promise.
        c.set_ca_pem(unsafe { std::slice::from_raw_parts(pem, length) })
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Sets the User-Agent header, up to 256 bytes. Default: "zoom-user-status/" and the version.
///
/// # Safety
/// `config` is a live handle; `user_agent` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_user_agent(
    config: *mut zus_config,
    user_agent: *const c_char,
) -> zus_code {
    let f = |c: &mut Config| {
        // SAFETY: the caller's promise.
        c.set_user_agent(unsafe { text("user agent", user_agent) }?)
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}
