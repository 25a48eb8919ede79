//! zus_result: the result of a call.

use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

use super::code::zus_code;
use super::guard::{c_string, free, guard_or, text};
use crate::code::Code;
use crate::outcome::Outcome;

/// The result of a call. It never changes: safe from many threads at once.
pub struct zus_result {
    outcome: Outcome,
    /// None for an empty one.
    message: Option<CString>,
    user_id: CString,
    /// With a NUL behind it.
    body: Vec<u8>,
    /// Made when first asked for.
    headers: OnceLock<Vec<(String, CString)>>,
}

impl zus_result {
    pub(super) fn new(mut outcome: Outcome) -> zus_result {
        let mut body = std::mem::take(&mut outcome.body);
        if !body.is_empty() {
            body.push(0);
        }
        zus_result {
            message: match std::mem::take(&mut outcome.message) {
                message if message.is_empty() => None,
                message => Some(c_string(message)),
            },
            user_id: c_string(std::mem::take(&mut outcome.user_id)),
            body,
            headers: OnceLock::new(),
            outcome,
        }
    }

    fn header(&self, name: &str) -> &CStr {
        let headers = self.headers.get_or_init(|| {
            let names = self.outcome.headers.keys().map(|name| name.as_str());
            names
                .map(|name| {
                    let value = self.outcome.header(name).unwrap_or_default();
                    (name.to_owned(), c_string(value))
                })
                .collect()
        });
        headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map_or(c"", |(_, value)| value)
    }
}

/// Reads something from a result.
///
/// # Safety
/// `result` is NULL or a live handle.
unsafe fn get<T>(result: *const zus_result, otherwise: T, f: impl FnOnce(&zus_result) -> T) -> T
where
    T: Copy,
{
    guard_or(otherwise, || {
        // SAFETY: the caller's promise.
        unsafe { result.as_ref() }.map_or(otherwise, f)
    })
}

/// Frees a result, and with it the strings borrowed from it. NULL is fine. Not for a borrowed result.
///
/// # Safety
/// `result` came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_free(result: *mut zus_result) {
    // SAFETY: the caller's promise.
    unsafe { free(result) }
}

/// Returns how the call ended. ZUS_ERR_NULL for NULL.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_code(result: *const zus_result) -> zus_code {
    // SAFETY: the caller's promise.
    unsafe { get(result, Code::Null.into(), |r| r.outcome.code.into()) }
}

/// Returns the HTTP status code of the last response; 0 when none came.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_http_status(result: *const zus_result) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { get(result, 0, |r| r.outcome.http_status.into()) }
}

/// Returns Zoom's own error code, e.g. 1001; 0 for none.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_zoom_code(result: *const zus_result) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { get(result, 0, |r| r.outcome.zoom_code) }
}

/// Returns what went wrong, with Zoom's own message and field errors. "" when nothing did. UTF-8, borrowed from the result.
/// Zoom's part may be in another language: decide by codes.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_message(result: *const zus_result) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        get(result, c"".as_ptr(), |r| {
            r.message.as_deref().unwrap_or_default().as_ptr()
        })
    }
}

/// Returns the user ID as it was passed in. Borrowed from the result.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_user_id(result: *const zus_result) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { get(result, c"".as_ptr(), |r| r.user_id.as_ptr()) }
}

/// Returns the header x-zm-trackingid of the response, which Zoom's support asks for; "" for none. Borrowed from the
/// result.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_tracking_id(result: *const zus_result) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        get(result, c"".as_ptr(), |r| {
            r.header("x-zm-trackingid").as_ptr()
        })
    }
}

/// Returns a header of the response by its name, in upper or lower case, e.g. "x-ratelimit-remaining"; "" for none. Several
/// headers of one name are joined by ", "; bytes that are not UTF-8 become U+FFFD. Borrowed from the result.
///
/// # Safety
/// `result` is NULL or a live handle; `name` NULL or a NUL-ended string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_header(
    result: *const zus_result,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        get(result, c"".as_ptr(), |r| {
            text("name", name)
                .map_or(c"", |name| r.header(name))
                .as_ptr()
        })
    }
}

/// Returns the body of the response, byte for byte (up to 1 MiB), with a NUL after it. Its length is written to *length, which
/// may be NULL. Never NULL. Borrowed from the result.
///
/// # Safety
/// `result` is NULL or a live handle; `length` is NULL or points to a place for a size_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_body(
    result: *const zus_result,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        let (body, bytes) = get(result, (c"".as_ptr(), 0), |r| match r.body.len() {
            0 => (c"".as_ptr(), 0),
            n => (r.body.as_ptr().cast(), n - 1),
        });
        if let Some(length) = length.as_mut() {
            *length = bytes;
        }
        body
    }
}

/// Returns after how many seconds, counted from the response, Zoom allows the next request: Retry-After in any of its
/// formats, 0 to 604,800. -1 when the response had none.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_retry_after(result: *const zus_result) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { get(result, -1, |r| r.outcome.retry_after.unwrap_or(-1)) }
}

/// Returns how many attempts were begun for this user, retries included: requests that were sent, and connections that
/// failed. 0 when there was none.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_attempts(result: *const zus_result) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        get(result, 0, |r| {
            i32::try_from(r.outcome.attempts).unwrap_or(i32::MAX)
        })
    }
}

/// Whether the request may have reached Zoom: see zus_result_delivery.
pub type zus_delivery = i32;
/// No request was sent: nothing was applied.
pub const ZUS_DELIVERY_NOT_SENT: zus_delivery = 0;
/// A request may have reached Zoom, and may have been applied: the connection broke, the time ran out, or the server
/// failed (a 5xx, too).
pub const ZUS_DELIVERY_UNKNOWN: zus_delivery = 1;
/// Zoom sent a response, and the code says what it means.
pub const ZUS_DELIVERY_RESPONDED: zus_delivery = 2;

/// Returns whether the request may have reached Zoom, over all its attempts: ZUS_DELIVERY_NOT_SENT, _UNKNOWN or
/// _RESPONDED. ZUS_DELIVERY_NOT_SENT for NULL.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_delivery(result: *const zus_result) -> zus_delivery {
    // SAFETY: the caller's promise.
    unsafe { get(result, ZUS_DELIVERY_NOT_SENT, |r| r.outcome.delivery as i32) }
}

/// A user's status, as Zoom says it: see zus_result_user_status.
pub type zus_user_status = i32;
/// Not read, or a status that this version does not know.
pub const ZUS_STATUS_UNKNOWN: zus_user_status = 0;
/// The user can sign in.
pub const ZUS_STATUS_ACTIVE: zus_user_status = 1;
/// The user is deactivated.
pub const ZUS_STATUS_INACTIVE: zus_user_status = 2;
/// The user was invited and has not accepted. An update of the status is accepted and changes nothing.
pub const ZUS_STATUS_PENDING: zus_user_status = 3;

/// Returns the user's status where it was read: by zus_get_user_status, or to verify an update. ZUS_STATUS_UNKNOWN
/// otherwise, and for NULL.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_user_status(result: *const zus_result) -> zus_user_status {
    // SAFETY: the caller's promise.
    unsafe { get(result, ZUS_STATUS_UNKNOWN, |r| r.outcome.user_status as i32) }
}

/// Returns 1 when the failure is fatal for a batch: every remaining user would fail the same way (no token, a rejected
/// token, a missing scope, the daily limit, a wrong URL). Else 0, and for NULL.
///
/// # Safety
/// `result` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_result_is_fatal(result: *const zus_result) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { get(result, 0, |r| r.outcome.is_fatal().into()) }
}
