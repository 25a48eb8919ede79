//! zus_config: settings.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Userdata, borrow, free, give, guard, guard_or, optional_text, text, zus_code};
use crate::code::Code;
use crate::config::{Config, LogLevel};
use crate::request::Body;

/// Settings for clients. Use it from one thread at a time.
pub struct zus_config {
    pub(super) config: Config,
}

/// How `action` travels: ZUS_BODY_FORM or ZUS_BODY_JSON.
pub type zus_body = i32;
/// multipart/form-data; where the server refuses that encoding, JSON from then on. The default.
pub const ZUS_BODY_FORM: zus_body = 0;
/// application/json
pub const ZUS_BODY_JSON: zus_body = 1;

/// Gives a bearer token: writes it (visible ASCII, without the word "Bearer"; a NUL is not needed) into `buffer` and
/// returns its length in bytes. 0: none can be had. More than `capacity`: nothing was written, call again with at
/// least that much (8,192 at the most).
/// `refused` is 1 when Zoom refused the last one: give another. The client keeps a token until it is refused, so this
/// is called seldom. Called on any thread that needs a token, one call at a time per client.
/// The buffer is the library's, lent until return, and wiped after it.
pub type zus_token_fn = Option<
    unsafe extern "C-unwind" fn(
        userdata: *mut c_void,
        refused: i32,
        buffer: *mut c_char,
        capacity: usize,
    ) -> usize,
>;

/// Hears of running calls. level: 1 error (a user failed), 2 warning (again after a failure), 3 info (what was
/// answered), 4 debug (what was sent). `message` is lent until return. Never a secret, at any level.
/// Called on any thread that works for the client, one call at a time per client.
pub type zus_log_fn =
    Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, level: i32, message: *const c_char)>;

/// The size of the buffer that a zus_token_fn is first called with, and the largest it may ask for.
const TOKEN_FIRST: usize = 4 * 1024;
const TOKEN_MOST: usize = 8 * 1024;

/// A configuration without credentials, and with defaults fit for Zoom. NULL only when memory is out.
/// Free it with zus_config_free.
#[unsafe(no_mangle)]
pub extern "C" fn zus_config_new() -> *mut zus_config {
    guard_or(std::ptr::null_mut(), || {
        give(zus_config {
            config: Config::new(),
        })
    })
}

/// Frees a configuration, and wipes its secrets. Clients made from it live on. NULL is fine.
///
/// # Safety
/// `config` came from zus_config_new and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_free(config: *mut zus_config) {
    // SAFETY: the caller's promise.
    unsafe { free(config) }
}

/// Runs a setter on a config.
///
/// # Safety
/// `config` is NULL or a live handle that no other thread uses.
unsafe fn set(
    config: *mut zus_config,
    f: impl FnOnce(&mut Config) -> Result<(), Code>,
) -> zus_code {
    guard(|| {
        // SAFETY: the caller's promise.
        let config = unsafe { config.as_mut() }.ok_or(Code::Null)?;
        f(&mut config.config)
    })
}

/// Credentials: a bearer token that you got elsewhere, without the word "Bearer", visible ASCII, up to 8,192 bytes.
/// It can't be renewed: once Zoom refuses it, calls end with ZUS_ERR_UNAUTHORIZED. Replaces other credentials.
///
/// # Safety
/// `config` is a live handle; `token` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_token(
    config: *mut zus_config,
    token: *const c_char,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| Ok(c.set_token(text(token)?)?)) }
}

/// Credentials: server-to-server OAuth. The client fetches tokens (POST to the OAuth URL, HTTP Basic, form body), keeps
/// one for all its threads, renews it 60 s before it ends (or after half its life, where that is less than 120 s), and
/// once when Zoom refuses it. Each up to 1,024 bytes; no colon in client_id. Replaces other credentials.
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
    // SAFETY: the caller's promise.
    unsafe {
        set(config, |c| {
            Ok(c.set_oauth(text(account_id)?, text(client_id)?, text(client_secret)?)?)
        })
    }
}

/// Credentials: a function that gives bearer tokens. `userdata` must live as long as the clients made from this
/// configuration. Replaces other credentials.
///
/// # Safety
/// `config` is a live handle; `fn_` may be called with `userdata` from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_token_fn(
    config: *mut zus_config,
    token_fn: zus_token_fn,
    userdata: *mut c_void,
) -> zus_code {
    let userdata = Userdata(userdata);
    // SAFETY: the caller's promise.
    unsafe {
        set(config, |c| {
            let token_fn = token_fn.ok_or(Code::Null)?;
            c.set_token_provider(Arc::new(move |refused| {
                let mut buffer = Zeroizing::new(vec![0u8; TOKEN_FIRST]);
                // Twice: the second time with as much as it asked for.
                for _ in 0..2 {
                    let capacity = buffer.len();
                    // SAFETY: the buffer has that capacity; function and userdata are the caller's promise.
                    let length = token_fn(
                        userdata.get(),
                        refused.into(),
                        buffer.as_mut_ptr().cast(),
                        capacity,
                    );
                    match length {
                        0 => return None,
                        length if length <= capacity => {
                            buffer.truncate(length);
                            return Some(buffer);
                        }
                        length if length <= TOKEN_MOST => {
                            buffer = Zeroizing::new(vec![0u8; length]);
                        }
                        _ => return None,
                    }
                }
                None
            }));
            Ok(())
        })
    }
}

/// Where Zoom is: the API's base (default "https://api.zoom.us/v2") and the OAuth token endpoint (default
/// "https://zoom.us/oauth/token"). NULL keeps one. Zoom for Government: "https://api.zoomgov.com/v2" and
/// "https://zoomgov.com/oauth/token". Neither may hold a user name, query or fragment. http:// is ZUS_ERR_ARGUMENT
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
    // SAFETY: the caller's promise.
    unsafe {
        set(config, |c| {
            Ok(c.set_urls(optional_text(api)?, optional_text(oauth)?)?)
        })
    }
}

/// How `action` travels. Default: ZUS_BODY_FORM.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_body(config: *mut zus_config, body: zus_body) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe {
        set(config, |c| {
            c.set_body(Body::from_number(body).ok_or(Code::Argument)?);
            Ok(())
        })
    }
}

/// The longest time, in milliseconds, that one connection may take to be ready (name, TCP, proxy and TLS; default
/// 10,000), and one call with everything in it: token, waits and repeats (default 60,000). Each 1 to 86,400,000.
/// No call outlasts total_ms by more than 100 ms, but for the time that it spends in functions of yours. In
/// zus_update_status_many each user has total_ms of its own, from its first turn at the configured rate on.
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
    unsafe { set(config, |c| Ok(c.set_timeouts(connect_ms, total_ms)?)) }
}

/// Up to `attempts` requests for a user (1 to 100; default 4; 1 repeats nothing). Repeated is what is safe and useful:
/// a connection that failed or broke, HTTP 408, 429 per second, 500, 502, 503, 504. The wait before a repeat is random
/// between 0 and first_ms (default 500), doubled each time up to most_ms (default 30,000), or what Retry-After says;
/// never past the call's total time. first_ms 1 to 86,400,000; most_ms first_ms to 86,400,000.
/// Not counted: one repeat with a new token, one as JSON, and kept connections that turn out to be closed.
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
    unsafe { set(config, |c| Ok(c.set_retry(attempts, first_ms, most_ms)?)) }
}

/// At the most `requests` (0 to 1,000,000; 0 for no limit) in per_ms milliseconds (1 to 86,400,000), evenly spread,
/// for all threads of a client together. Default: 30 in 1,000. Zoom's limits for this call, per account and shared by
/// all its apps: 4 a second and 6,000 a day on Free, 30 a second on Pro, 80 a second on Business and above.
/// When Zoom refuses a request for its rate, the client holds back for a moment and goes on more slowly for a while.
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
    unsafe { set(config, |c| Ok(c.set_rate(requests, per_ms)?)) }
}

/// Users in flight at once in a batch, 1 to 256. Default 16.
///
/// # Safety
/// `config` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_concurrency(
    config: *mut zus_config,
    in_flight: u32,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| Ok(c.set_concurrency(in_flight)?)) }
}

/// A proxy: "http://" (or nothing), "https://" or "socks5://" and "[user:password@]host[:port]", percent-encoded where
/// needed; "" for no proxy at all. When never set, the environment decides as it does for curl, when the client is
/// made: https_proxy or HTTPS_PROXY, else all_proxy or ALL_PROXY; no_proxy or NO_PROXY. For an http:// API, on
/// loopback, the environment is not asked.
///
/// # Safety
/// `config` is a live handle; `url` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_proxy(
    config: *mut zus_config,
    url: *const c_char,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| Ok(c.set_proxy(text(url)?)?)) }
}

/// Trust only the certificates in this PEM text of `length` bytes, instead of the operating system's trust store.
/// At least one certificate; each must be valid.
///
/// # Safety
/// `config` is a live handle; `pem` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_ca_pem(
    config: *mut zus_config,
    pem: *const u8,
    length: usize,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe {
        set(config, |c| {
            let _ = borrow(pem)?;
            if length > isize::MAX as usize {
                return Err(Code::Argument);
            }
            // SAFETY: not NULL, and of that length by the caller's promise.
            Ok(c.set_ca_pem(std::slice::from_raw_parts(pem, length))?)
        })
    }
}

/// The User-Agent header, up to 256 bytes. Default: "zoom-user-status/" and the version.
///
/// # Safety
/// `config` is a live handle; `user_agent` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_user_agent(
    config: *mut zus_config,
    user_agent: *const c_char,
) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { set(config, |c| Ok(c.set_user_agent(text(user_agent)?)?)) }
}

/// Who hears of running calls, from `level` (1 error to 4 debug) down to 1. A NULL function: nobody, the default.
/// `userdata` must live as long as the clients made from this configuration.
///
/// # Safety
/// `config` is a live handle; `log_fn` may be called with `userdata` from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_log(
    config: *mut zus_config,
    level: i32,
    log_fn: zus_log_fn,
    userdata: *mut c_void,
) -> zus_code {
    let userdata = Userdata(userdata);
    // SAFETY: the caller's promise.
    unsafe {
        set(config, |c| {
            let level = LogLevel::from_number(level).ok_or(Code::Argument)?;
            let Some(log_fn) = log_fn else {
                c.clear_log();
                return Ok(());
            };
            c.set_log(level, move |level, line| {
                let line = super::result::c_string(line);
                // SAFETY: the line lives until it returns; function and userdata are the caller's promise.
                log_fn(userdata.get(), level as i32, line.as_ptr());
            });
            Ok(())
        })
    }
}
