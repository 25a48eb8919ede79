//! Callbacks must not call back into their own client. The thread shows it: a callback runs on one thread, and so does
//! everything that it calls.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// The clients whose callbacks run on this thread.
    static CALLING_BACK: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Tells clients apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientId(u64);

impl ClientId {
    pub fn new() -> ClientId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        ClientId(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs a callback of this client.
    pub fn call_back<T>(self, callback: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CALLING_BACK.with_borrow_mut(|ids| ids.pop());
            }
        }
        CALLING_BACK.with_borrow_mut(|ids| ids.push(self.0));
        let _leave = Leave;
        callback()
    }

    /// Returns whether a callback of this client runs on this thread.
    pub fn is_calling_back(self) -> bool {
        CALLING_BACK.with_borrow(|ids| ids.contains(&self.0))
    }
}
