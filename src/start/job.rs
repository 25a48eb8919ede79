//! One started call, and its one event.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cancel::{Cancel, Interrupt};
use crate::code::{Code, Error};
use crate::outcome::Outcome;
use crate::queue::{Event, Queue};
use crate::request::Operation;

/// What a call does.
pub(super) enum What {
    Operation(Operation),
    CheckCredentials,
    /// It can't be sent: its event says so.
    Invalid(Error),
}

/// A started call.
pub(super) struct Job {
    pub what: What,
    pub user_id: String,
    /// The caller's cancel, which triggers this call's own.
    pub callers: Option<Cancel>,
    pub own: Cancel,
    /// Ends it only where nothing was sent.
    pub stop: Cancel,
    /// Where its event goes; none once it was sent.
    event: Mutex<Option<(Queue, usize)>>,
    /// A worker has begun it: then a cancel is the worker's to notice.
    begun: AtomicBool,
}

impl Interrupt for Job {
    fn interrupt(&self) {
        self.cancel();
    }
}

impl Job {
    pub fn new(
        what: What,
        user_id: &str,
        cancel: Option<&Cancel>,
        queue: &Queue,
        userdata: usize,
    ) -> Job {
        Job {
            what,
            user_id: user_id.to_owned(),
            callers: cancel.cloned(),
            own: Cancel::new(),
            stop: Cancel::new(),
            event: Mutex::new(Some((queue.clone(), userdata))),
            begun: AtomicBool::new(false),
        }
    }

    /// Cancels it. One that waits for a worker ends at once.
    pub fn cancel(&self) {
        self.own.trigger();
        self.end_unless_begun();
    }

    /// Lets it finish where it is in flight. One that waits for a worker ends at once.
    pub fn stop(&self) {
        self.stop.trigger();
        self.end_unless_begun();
    }

    fn end_unless_begun(&self) {
        if !self.begun.load(Ordering::SeqCst) {
            let mut outcome = Outcome::from(Error::new(Code::Cancelled, ""));
            outcome.user_id.clone_from(&self.user_id);
            self.end(outcome);
        }
    }

    /// Sends its event, once.
    pub fn end(&self, outcome: Outcome) {
        let event = self.event().take();
        if let Some((queue, userdata)) = event {
            queue.push(Event::Result { userdata, outcome });
        }
    }

    /// A worker begins it. Returns whether it still has to.
    pub fn begin(&self) -> bool {
        self.begun.store(true, Ordering::SeqCst);
        self.event().is_some()
    }

    /// Sends no event for it. Returns whether none was sent.
    pub fn forget(&self) -> bool {
        self.event().take().is_some()
    }

    fn event(&self) -> MutexGuard<'_, Option<(Queue, usize)>> {
        self.event.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn unwatch(self: &Arc<Self>) {
        if let Some(cancel) = &self.callers {
            cancel.unwatch(&(Arc::clone(self) as Arc<dyn Interrupt>));
        }
    }
}
