//! Calls that don't wait.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use super::cancel::zus_cancel;
use super::client::{zus_action, zus_client};
use super::code::zus_code;
use super::config::{set, zus_config};
use super::guard::{borrow, guard, guard_or, text};
use super::queue::zus_queue;
use crate::cancel::Cancel;
use crate::code::{Code, Error};
use crate::config::Config;
use crate::log::LogLevel;
use crate::queue::Queue;
use crate::request::Action;
use crate::start::Starter;

/// Token requests, for zus_config_set_events.
pub const ZUS_EVENTS_TOKEN: i32 = 256;

/// Starts to update a user and returns at once: copies its arguments, and reads no memory of the caller's afterwards.
/// Exactly one ZUS_EVENT_RESULT with this userdata reaches the queue, also when the call is cancelled or an argument is
/// invalid (the result says why). With any code but ZUS_OK nothing was started and no event comes: ZUS_ERR_NULL,
/// ZUS_ERR_UTF8, ZUS_ERR_FORKED, ZUS_ERR_QUEUE_FULL, ZUS_ERR_NO_THREAD.
///
/// Calls begin in the order in which they were started, at most zus_config_set_concurrency at once, on threads of the
/// library that block all signals, have stacks of 2 MiB, and end after 1 s without work. The time of a call begins when
/// it has such a thread and its first slot. A cancel ends it within 100 ms, also while it waits; the call keeps a reference
/// to its cancel, which may be freed at once. `cancel` may be NULL. Thread-safe.
/// From the first started call on, the library stays in memory until the process ends. It never delays that end.
/// The event may be taken on another thread before this function has returned: free neither client nor cancel until then.
///
/// # Safety
/// The handles are live; `user_id` is a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_update_status_start(
    client: *const zus_client,
    user_id: *const c_char,
    action: zus_action,
    cancel: *const zus_cancel,
    queue: *const zus_queue,
    userdata: *mut c_void,
) -> zus_code {
    let f = |starter: &Starter, cancel: Option<&Cancel>, queue: &Queue, userdata| {
        // SAFETY: the caller's promise.
        let user_id = unsafe { text("user ID", user_id) }?;
        match Action::from_number(action) {
            Some(action) => starter.update_status(user_id, action, cancel, queue, userdata),
            None => {
                let error = Error::argument(format!("there is no action {action}"));
                starter.invalid(user_id, error, queue, userdata)
            }
        }
    };
    // SAFETY: the caller's promise.
    unsafe { start(client, cancel, queue, userdata, f) }
}

/// Starts to read a user, as zus_get_user_status does. Otherwise like zus_update_status_start.
///
/// # Safety
/// The handles are live; `user_id` is a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_get_user_status_start(
    client: *const zus_client,
    user_id: *const c_char,
    cancel: *const zus_cancel,
    queue: *const zus_queue,
    userdata: *mut c_void,
) -> zus_code {
    let f = |starter: &Starter, cancel: Option<&Cancel>, queue: &Queue, userdata| {
        // SAFETY: the caller's promise.
        let user_id = unsafe { text("user ID", user_id) }?;
        starter.get_user_status(user_id, cancel, queue, userdata)
    };
    // SAFETY: the caller's promise.
    unsafe { start(client, cancel, queue, userdata, f) }
}

/// Starts to obtain a token, as zus_check_credentials does. Otherwise like zus_update_status_start.
///
/// # Safety
/// The handles are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_check_credentials_start(
    client: *const zus_client,
    cancel: *const zus_cancel,
    queue: *const zus_queue,
    userdata: *mut c_void,
) -> zus_code {
    let f = |starter: &Starter, cancel: Option<&Cancel>, queue: &Queue, userdata| {
        starter.check_credentials(cancel, queue, userdata)
    };
    // SAFETY: the caller's promise.
    unsafe { start(client, cancel, queue, userdata, f) }
}

/// Starts one call.
///
/// # Safety
/// The handles are NULL or live.
unsafe fn start(
    client: *const zus_client,
    cancel: *const zus_cancel,
    queue: *const zus_queue,
    userdata: *mut c_void,
    f: impl FnOnce(&Starter, Option<&Cancel>, &Queue, usize) -> Result<(), Error>,
) -> zus_code {
    guard(|| {
        // SAFETY: the caller's promise.
        let client = unsafe { borrow(client) }?;
        // SAFETY: the caller's promise.
        let cancel = unsafe { cancel.as_ref() };
        // SAFETY: the caller's promise.
        let queue = unsafe { borrow(queue) }?;
        let cancel = cancel.map(|c| &c.cancel);
        let userdata = userdata.expose_provenance();
        f(&client.starter, cancel, &queue.queue, userdata).map_err(Code::from)
    })
}

/// Cancels every started call of a client, and waits for up to wait_ms milliseconds until none runs: then no token or log
/// function runs for them any more. Their events still come. Returns 1 when none runs, 0 when the time was up, and 1 for
/// NULL. The client can be used afterwards. Thread-safe; not from a token or log function of this client.
///
/// # Safety
/// `client` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_client_cancel_started(client: *const zus_client, wait_ms: u32) -> i32 {
    guard_or(1, || {
        // SAFETY: the caller's promise.
        let Some(client) = (unsafe { client.as_ref() }) else {
            return 1;
        };
        let wait = Duration::from_millis(wait_ms.into());
        client.starter.cancel_started(wait).into()
    })
}

/// Stops the started calls of a client that were given this cancel, as a batch stops: one that has sent nothing ends with
/// ZUS_ERR_CANCELLED and 0 attempts, one that is in flight finishes. For batches that are built of started calls, after
/// a result with zus_result_is_fatal, or when the rest is not wanted. Calls that are started later are not stopped.
/// NULL is fine. Thread-safe.
///
/// # Safety
/// The handles are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_client_stop_started(
    client: *const zus_client,
    cancel: *const zus_cancel,
) {
    guard_or((), || {
        // SAFETY: the caller's promise.
        let (client, cancel) = unsafe { (client.as_ref(), cancel.as_ref()) };
        if let (Some(client), Some(cancel)) = (client, cancel) {
            client.starter.stop_started(&cancel.cancel);
        }
    });
}

/// Sets a queue that receives the log lines and token requests of the clients made from this configuration, as events. `kinds`
/// is a log level (0 for no log lines), plus ZUS_EVENTS_TOKEN for token requests, for example ZUS_LOG_INFO + ZUS_EVENTS_TOKEN.
/// Log lines replace zus_config_set_log, token requests replace other credentials. The queue may be freed at any time; then
/// there are no log lines and no tokens. Log lines are dropped while more than 131,072 events wait. A thread that makes a
/// blocking call can't take the token request of that call: take events on another.
///
/// # Safety
/// The handles are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_config_set_events(
    config: *mut zus_config,
    queue: *const zus_queue,
    kinds: i32,
) -> zus_code {
    let f = |c: &mut Config| {
        // SAFETY: the caller's promise.
        let queue = unsafe { queue.as_ref() };
        let queue = queue.ok_or_else(|| Error::new(Code::Null, "the queue is NULL"))?;
        let unknown = || Error::argument(format!("there are no events {kinds}"));
        let (level, tokens) = (kinds & !ZUS_EVENTS_TOKEN, kinds & ZUS_EVENTS_TOKEN != 0);
        let level = match level {
            0 => None,
            level => Some(LogLevel::from_number(level).ok_or_else(unknown)?),
        };
        if let Some(level) = level {
            c.set_log_events(level, &queue.queue);
        }
        if tokens {
            c.set_token_events(&queue.queue);
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, f) }
}
