//! Stop calls from another thread.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::Socket;

/// Ends the calls it was given to, now and later, once it is raised.
///
/// Clones share one state. Raising is sticky, and touches no other call on the same client.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    raised: AtomicBool,
    /// The sockets that calls wait on right now.
    sockets: Mutex<Vec<Socket>>,
}

impl Cancel {
    /// A cancel that is not raised.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Ends every call that was given this, within 100 ms, with [`Code::Cancelled`](crate::Code::Cancelled).
    pub fn trigger(&self) {
        let sockets = self.sockets();
        self.0.raised.store(true, Ordering::SeqCst);
        for socket in sockets.iter() {
            // Wakes the thread that reads from it.
            socket.shutdown();
        }
    }

    /// Whether it was raised.
    pub fn is_triggered(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Shuts `socket` down when raised, until `unwatch`. False when it is raised already.
    pub(crate) fn watch(&self, socket: &Socket) -> bool {
        let mut sockets = self.sockets();
        if self.is_triggered() {
            return false;
        }
        sockets.push(Arc::clone(socket));
        true
    }

    pub(crate) fn unwatch(&self, socket: &Socket) {
        self.sockets().retain(|s| !Arc::ptr_eq(s, socket));
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, Vec<Socket>> {
        self.0
            .sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel(raised: {})", self.is_triggered())
    }
}
