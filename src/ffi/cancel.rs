//! zus_cancel: stop calls from another thread.

use super::guard::{free, give, guard_or};
use crate::cancel::Cancel;

/// Cancels the calls that use it. Safe from many threads at once.
pub struct zus_cancel {
    pub(super) cancel: Cancel,
}

/// Makes a cancel that is not triggered. Never NULL. Free it with zus_cancel_free.
#[unsafe(no_mangle)]
pub extern "C" fn zus_cancel_new() -> *mut zus_cancel {
    guard_or(std::ptr::null_mut(), || {
        give(zus_cancel {
            cancel: Cancel::new(),
        })
    })
}

/// Ends the calls that use this cancel with ZUS_ERR_CANCELLED: those that run now (within 100 ms) and those that begin
/// later. It can't be reset. From any thread; not from a signal handler. NULL is fine.
///
/// # Safety
/// `cancel` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_cancel_trigger(cancel: *const zus_cancel) {
    guard_or((), || {
        // SAFETY: the caller's promise.
        if let Some(cancel) = unsafe { cancel.as_ref() } {
            cancel.cancel.trigger();
        }
    });
}

/// Frees a cancel. No blocking call may be using it. NULL is fine.
///
/// # Safety
/// `cancel` came from zus_cancel_new and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_cancel_free(cancel: *mut zus_cancel) {
    // SAFETY: the caller's promise.
    unsafe { free(cancel) }
}
