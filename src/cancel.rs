//! Cancels calls from another thread.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

/// What a cancel wakes: a thread that waits, or a socket that a thread reads from.
pub(crate) trait Interrupt: Send + Sync {
    /// Makes the wait return early. The waiter looks at the cancel itself.
    fn interrupt(&self);
}

impl Interrupt for Thread {
    fn interrupt(&self) {
        self.unpark();
    }
}

/// Cancels the calls that it was given to, now and later, once it is triggered.
///
/// Clones share one state. A triggered cancel stays triggered, and touches no other call on the same client.
#[derive(Clone)]
pub struct Cancel(Arc<Inner>);

struct Inner {
    triggered: AtomicBool,
    /// The process that made it: a child of fork() shares the sockets, which only the parent may use.
    process: u32,
    /// What waits under this cancel right now.
    watched: Mutex<Vec<Arc<dyn Interrupt>>>,
}

impl Cancel {
    /// Makes a cancel that is not triggered.
    pub fn new() -> Cancel {
        Cancel(Arc::new(Inner {
            triggered: AtomicBool::new(false),
            process: std::process::id(),
            watched: Mutex::default(),
        }))
    }

    /// Ends every call that was given this cancel, within 100 ms, with [`Code::Cancelled`](crate::Code::Cancelled).
    /// In a child of fork() it takes no lock and leaves the parent's sockets alone.
    pub fn trigger(&self) {
        self.0.triggered.store(true, Ordering::SeqCst);
        if std::process::id() != self.0.process {
            return;
        }
        for waiter in self.watched().iter() {
            waiter.interrupt();
        }
    }

    /// Returns whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        self.0.triggered.load(Ordering::SeqCst)
    }

    /// Interrupts `waiter` when triggered, until `unwatch`. Returns false when it is triggered already.
    pub(crate) fn watch(&self, waiter: &Arc<dyn Interrupt>) -> bool {
        // A trigger sets the flag before it takes the lock: it sees this waiter, or this waiter sees the flag.
        self.watched().push(Arc::clone(waiter));
        if self.is_triggered() {
            self.unwatch(waiter);
            return false;
        }
        true
    }

    pub(crate) fn unwatch(&self, waiter: &Arc<dyn Interrupt>) {
        let mut watched = self.watched();
        if let Some(n) = watched.iter().position(|w| Arc::ptr_eq(w, waiter)) {
            watched.swap_remove(n);
        }
    }

    #[cfg(test)]
    pub(crate) fn watchers(&self) -> usize {
        self.watched().len()
    }

    fn watched(&self) -> MutexGuard<'_, Vec<Arc<dyn Interrupt>>> {
        self.0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether they are clones of one another.
impl PartialEq for Cancel {
    fn eq(&self, other: &Cancel) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cancel {}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel(triggered: {})", self.is_triggered())
    }
}
