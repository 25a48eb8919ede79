//! zus_queue and zus_event: what became of started calls.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::callbacks::zus_log_level;
use super::code::zus_code;
use super::guard::{borrow, c_string, free, give, guard, guard_or, text};
use super::result::zus_result;
use crate::code::{Code, Error};
use crate::queue::{Event, Queue, TokenRequest};
use crate::token::bearer;

/// Receives events. Safe from many threads at once.
pub struct zus_queue {
    pub(super) queue: Queue,
}

/// One event. Use it from one thread at a time.
pub struct zus_event {
    kind: zus_event_type,
    userdata: *mut c_void,
    result: Option<zus_result>,
    level: zus_log_level,
    message: Option<CString>,
    rejected: bool,
    token: Mutex<Option<TokenRequest>>,
}

/// What an event is.
pub type zus_event_type = i32;
/// A started call has ended: zus_event_userdata, zus_event_result.
pub const ZUS_EVENT_RESULT: zus_event_type = 1;
/// A log line: zus_event_log_level, zus_event_message.
pub const ZUS_EVENT_LOG: zus_event_type = 2;
/// The client needs an access token: zus_event_token_rejected, zus_event_set_token.
pub const ZUS_EVENT_TOKEN: zus_event_type = 3;

/// Makes an empty queue. Never NULL. Free it with zus_queue_free.
#[unsafe(no_mangle)]
pub extern "C" fn zus_queue_new() -> *mut zus_queue {
    guard_or(ptr::null_mut(), || {
        give(zus_queue {
            queue: Queue::new(),
        })
    })
}

/// Frees a queue and the events in it. Calls that were started with it go on, and their events are dropped; a client that
/// asks it for a token gets none. No other function may be using it. NULL is fine. In a child of fork() it frees nothing.
///
/// # Safety
/// `queue` came from zus_queue_new and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_queue_free(queue: *mut zus_queue) {
    guard_or((), || {
        // SAFETY: the caller's promise.
        if let Some(queue) = unsafe { queue.as_ref() } {
            queue.queue.close();
        }
    });
    // SAFETY: the caller's promise.
    unsafe { free(queue) }
}

/// Takes the next event, or waits for one for up to wait_ms milliseconds (0: does not wait). NULL when none came, after
/// zus_queue_wake, and in a child of fork(). Free the event with zus_event_free. Thread-safe: several threads may wait,
/// and each event goes to one of them.
///
/// # Safety
/// `queue` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_queue_next(queue: *const zus_queue, wait_ms: u32) -> *mut zus_event {
    guard_or(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let queue = unsafe { queue.as_ref() };
        let wait = Duration::from_millis(wait_ms.into());
        let event = queue.and_then(|queue| queue.queue.next(wait));
        event.map_or(ptr::null_mut(), |event| give(zus_event::new(event)))
    })
}

/// Makes one zus_queue_next return NULL: one that waits now, or else the next one. From any thread; not from a signal
/// handler. NULL is fine.
///
/// # Safety
/// `queue` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_queue_wake(queue: *const zus_queue) {
    guard_or((), || {
        // SAFETY: the caller's promise.
        if let Some(queue) = unsafe { queue.as_ref() } {
            queue.queue.wake();
        }
    });
}

/// Returns a descriptor for poll, epoll, kqueue or select (on Windows a socket), or -1 when the system has none left, in
/// a child of fork(), and for NULL. It is readable while there are events: take them with zus_queue_next(queue, 0) until
/// that is NULL. An event loop that can only read may read from it: ignore the bytes, and take the events whenever some
/// arrive. On Windows it is always non-blocking. Don't write to it. The caller owns it, closes it, and may keep it longer
/// than the queue. Each call returns another one.
///
/// # Safety
/// `queue` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_queue_descriptor(queue: *const zus_queue) -> i64 {
    guard_or(-1, || {
        // SAFETY: the caller's promise.
        let queue = unsafe { queue.as_ref() };
        let descriptor = queue.and_then(|queue| queue.queue.descriptor().ok());
        descriptor.map_or(-1, into_number)
    })
}

#[cfg(unix)]
fn into_number(descriptor: impl std::os::fd::IntoRawFd) -> i64 {
    descriptor.into_raw_fd().into()
}

#[cfg(windows)]
fn into_number(descriptor: impl std::os::windows::io::IntoRawSocket) -> i64 {
    descriptor.into_raw_socket() as i64
}

impl zus_event {
    fn new(event: Event) -> zus_event {
        let mut new = zus_event {
            kind: ZUS_EVENT_RESULT,
            userdata: ptr::null_mut(),
            result: None,
            level: 0,
            message: None,
            rejected: false,
            token: Mutex::default(),
        };
        match event {
            Event::Result { userdata, outcome } => {
                new.userdata = ptr::with_exposed_provenance_mut(userdata);
                new.result = Some(zus_result::new(outcome));
            }
            Event::Log(level, line) => {
                new.kind = ZUS_EVENT_LOG;
                new.level = level as i32;
                new.message = Some(c_string(line));
            }
            Event::Token(request) => {
                new.kind = ZUS_EVENT_TOKEN;
                new.rejected = request.rejected();
                new.token = Mutex::new(Some(request));
            }
        }
        new
    }
}

/// Reads something from an event.
///
/// # Safety
/// `event` is NULL or a live handle.
unsafe fn get<T: Copy>(
    event: *const zus_event,
    otherwise: T,
    f: impl FnOnce(&zus_event) -> T,
) -> T {
    guard_or(otherwise, || {
        // SAFETY: the caller's promise.
        unsafe { event.as_ref() }.map_or(otherwise, f)
    })
}

/// Returns what the event is: ZUS_EVENT_RESULT, _LOG or _TOKEN. 0 for NULL. Ignore a kind that you don't know.
///
/// # Safety
/// `event` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_kind(event: *const zus_event) -> zus_event_type {
    // SAFETY: the caller's promise.
    unsafe { get(event, 0, |e| e.kind) }
}

/// Returns the userdata that the call was started with. NULL for an event that is not ZUS_EVENT_RESULT.
///
/// # Safety
/// `event` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_userdata(event: *const zus_event) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { get(event, ptr::null_mut(), |e| e.userdata) }
}

/// Returns the result of a started call, borrowed until zus_event_free. NULL for an event that is not ZUS_EVENT_RESULT.
///
/// # Safety
/// `event` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_result(event: *const zus_event) -> *const zus_result {
    // SAFETY: the caller's promise.
    unsafe {
        get(event, ptr::null(), |e| {
            e.result.as_ref().map_or(ptr::null(), ptr::from_ref)
        })
    }
}

/// Returns the level of a log line; 0 for an event that is not ZUS_EVENT_LOG.
///
/// # Safety
/// `event` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_log_level(event: *const zus_event) -> zus_log_level {
    // SAFETY: the caller's promise.
    unsafe { get(event, 0, |e| e.level) }
}

/// Returns a log line, borrowed until zus_event_free; "" for an event that is not ZUS_EVENT_LOG.
///
/// # Safety
/// `event` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_message(event: *const zus_event) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        get(event, c"".as_ptr(), |e| {
            e.message.as_deref().map_or(c"".as_ptr(), CStr::as_ptr)
        })
    }
}

/// Returns 1 when the client needs a token because Zoom rejected the last one; else 0.
///
/// # Safety
/// `event` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_token_rejected(event: *const zus_event) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { get(event, 0, |e| e.rejected.into()) }
}

/// Replies to a ZUS_EVENT_TOKEN with an access token, without the word "Bearer", visible ASCII, up to 8,192 bytes.
/// ZUS_ERR_ARGUMENT for a malformed token, for a second reply, and for an event that is not ZUS_EVENT_TOKEN.
/// A ZUS_EVENT_TOKEN that is freed without a reply tells the client that there is no token.
///
/// # Safety
/// `event` is a live handle; `token` a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_set_token(
    event: *mut zus_event,
    token: *const c_char,
) -> zus_code {
    guard(|| {
        // SAFETY: the caller's promise.
        let event = unsafe { borrow(event.cast_const()) }?;
        // SAFETY: the caller's promise.
        let token = unsafe { text("token", token) }?;
        bearer(token)?;
        let request = event
            .token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let request = request.ok_or_else(|| Error::argument("nobody waits for a token"))?;
        request.set_token(token);
        Ok::<(), Code>(())
    })
}

/// Frees an event, and with it what was borrowed from it. NULL is fine.
///
/// # Safety
/// `event` came from zus_queue_next and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_event_free(event: *mut zus_event) {
    // SAFETY: the caller's promise.
    unsafe { free(event) }
}
