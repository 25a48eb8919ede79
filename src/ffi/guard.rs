//! What every export uses: panics, pointers, strings and handles.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::code::zus_code;
use crate::code::{Code, Error};

/// Runs the body of an export that returns a code. A panic becomes a code, since it must not unwind into C.
pub(super) fn guard(f: impl FnOnce() -> Result<(), Code>) -> zus_code {
    let code = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(())) => Code::Ok,
        Ok(Err(code)) => code,
        Err(_) => Code::Panic,
    };
    code.into()
}

/// The same for an export that returns something else.
pub(super) fn guard_or<T>(otherwise: T, f: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or(otherwise)
}

impl From<Error> for Code {
    fn from(error: Error) -> Code {
        error.code()
    }
}

/// Borrows a C string for the length of the call. `what` names it in the error.
///
/// # Safety
/// `text` is NULL or points to a NUL-ended string that lives until the call ends.
pub(super) unsafe fn text<'a>(what: &str, text: *const c_char) -> Result<&'a str, Error> {
    // SAFETY: the caller's promise is ours.
    let text = unsafe { optional_text(what, text) }?;
    text.ok_or_else(|| Error::new(Code::Null, format!("the {what} is NULL")))
}

/// The same where NULL means "not given".
///
/// # Safety
/// As for `text`.
pub(super) unsafe fn optional_text<'a>(
    what: &str,
    text: *const c_char,
) -> Result<Option<&'a str>, Error> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the caller's promise is ours.
    let text = unsafe { CStr::from_ptr(text) };
    let not_utf8 = |_| Error::new(Code::Utf8, format!("the {what} is not valid UTF-8"));
    text.to_str().map(Some).map_err(not_utf8)
}

/// Borrows a handle.
///
/// # Safety
/// `handle` is NULL or came from this library and was not freed.
pub(super) unsafe fn borrow<'a, T>(handle: *const T) -> Result<&'a T, Code> {
    // SAFETY: the caller's promise is ours.
    unsafe { handle.as_ref() }.ok_or(Code::Null)
}

/// Gives a new handle to the caller, who owns it.
pub(super) fn give<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Takes a handle back and drops it. NULL is fine.
///
/// # Safety
/// `handle` is NULL or came from `give` and was not freed.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        guard_or((), || {
            // SAFETY: the caller's promise is ours.
            drop(unsafe { Box::from_raw(handle) });
        });
    }
}

/// The caller's userdata travels to the threads that call back.
#[derive(Clone, Copy)]
pub(super) struct Userdata(pub *mut std::ffi::c_void);

// SAFETY: the caller promises that its callbacks may be called from any thread.
unsafe impl Send for Userdata {}
// SAFETY: as above; callbacks are called one at a time per client.
unsafe impl Sync for Userdata {}

impl Userdata {
    pub fn get(self) -> *mut std::ffi::c_void {
        self.0
    }
}

/// A NUL inside, which C can't show, becomes U+FFFD.
pub(super) fn c_string(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).unwrap_or_else(|e| {
        let text = String::from_utf8_lossy(&e.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).expect("no NUL is left in it")
    })
}
