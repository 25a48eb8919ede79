//! Functions of the caller's: the token provider and the log.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::code::zus_code;
use super::config::{set, zus_config};
use super::guard::{Userdata, c_string};
use crate::code::{Code, Error};
use crate::config::Config;
use crate::log::LogLevel;
use crate::token::TOKEN_MOST;

/// Provides an access token: writes it (visible ASCII, without the word "Bearer"; a NUL is not needed) into `buffer` and
/// returns its length in bytes. Returns 0 when there is no token. When the token is longer than `capacity`, it writes nothing
/// and returns the length; it is called again with a buffer that holds that much (8,192 bytes at the most).
/// `rejected` is 1 when Zoom rejected the last token: provide another one. The client keeps a token until Zoom rejects it.
/// Called on any thread that needs a token, one call at a time per client. The buffer is borrowed until the function
/// returns, and wiped afterwards.
pub type zus_token_provider_fn = Option<
    unsafe extern "C-unwind" fn(
        userdata: *mut c_void,
        rejected: i32,
        buffer: *mut c_char,
        capacity: usize,
    ) -> usize,
>;

/// The level of a log line. Each level includes those before it.
pub type zus_log_level = i32;
/// The update of a user failed.
pub const ZUS_LOG_ERROR: zus_log_level = 1;
/// An attempt failed, and a retry follows.
pub const ZUS_LOG_WARN: zus_log_level = 2;
/// A response came.
pub const ZUS_LOG_INFO: zus_log_level = 3;
/// A request was sent.
pub const ZUS_LOG_DEBUG: zus_log_level = 4;

/// Receives one log line. `message` is borrowed until the function returns, and never holds a secret, at any level.
/// Called on any thread that works for the client, one call at a time per client.
pub type zus_log_fn = Option<
    unsafe extern "C-unwind" fn(
        userdata: *mut c_void,
        level: zus_log_level,
        message: *const c_char,
    ),
>;

/// The size of the buffer that a zus_token_provider_fn is first called with.
const TOKEN_FIRST: usize = 4 * 1024;

/// Sets the credentials: a function that provides access tokens. `userdata` must live as long as the clients made from
/// this configuration. Replaces other credentials.
///
/// # Safety
/// `config` is a live handle; `fn_` may be called with `userdata` from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_token_provider(
    config: *mut zus_config,
    provider: zus_token_provider_fn,
    userdata: *mut c_void,
) -> zus_code {
    let userdata = Userdata(userdata);
    let f = |c: &mut Config| {
        let provider =
            provider.ok_or_else(|| Error::new(Code::Null, "the token provider is NULL"))?;
        c.set_provider(Arc::new(move |rejected, _| {
            // SAFETY: function and userdata are the caller's promise.
            Ok(obtain(rejected, |rejected, buffer, capacity| unsafe {
                provider(userdata.get(), rejected, buffer, capacity)
            }))
        }));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}

/// Calls a token provider, with a larger buffer where it asks for one.
fn obtain(
    rejected: bool,
    provider: impl Fn(i32, *mut c_char, usize) -> usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0u8; TOKEN_FIRST]);
    for _ in 0..2 {
        let capacity = buffer.len();
        match provider(rejected.into(), buffer.as_mut_ptr().cast(), capacity) {
            0 => return None,
            length if length <= capacity => {
                buffer.truncate(length);
                return Some(buffer);
            }
            length if length <= TOKEN_MOST => buffer = Zeroizing::new(vec![0u8; length]),
            _ => return None,
        }
    }
    None
}

/// Sets the function that receives log lines, from ZUS_LOG_ERROR up to `level`. NULL: no log lines, the default.
/// `userdata` must live as long as the clients made from this configuration.
///
/// # Safety
/// `config` is a live handle; `log_fn` may be called with `userdata` from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_log(
    config: *mut zus_config,
    level: zus_log_level,
    log_fn: zus_log_fn,
    userdata: *mut c_void,
) -> zus_code {
    let userdata = Userdata(userdata);
    let f = |c: &mut Config| {
        let unknown = || Error::argument(format!("the log level is {level}; it must be 1 to 4"));
        let level = LogLevel::from_number(level).ok_or_else(unknown)?;
        let Some(log_fn) = log_fn else {
            c.clear_log();
            return Ok(());
        };
        c.set_log(level, move |level, line| {
            let line = c_string(line);
            // SAFETY: the line lives until it returns; function and userdata are the caller's promise.
            unsafe { log_fn(userdata.get(), level as i32, line.as_ptr()) };
        });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}
