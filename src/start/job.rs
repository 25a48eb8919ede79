//! One started call, and its one event.

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
    state: Mutex<State>,
}

struct State {
    /// Where its event goes; none once it was sent.
    event: Option<(Queue, usize)>,
    /// A worker has begun it: then the worker notices a cancel or a stop.
    begun: bool,
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
            state: Mutex::new(State {
                event: Some((queue.clone(), userdata)),
                begun: false,
            }),
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

    /// Under one lock with `begin`: a call that is reported as not sent must not begin.
    fn end_unless_begun(&self) {
        let event = {
            let mut state = self.state();
            match state.begun {
                true => None,
                false => state.event.take(),
            }
        };
        if event.is_some() {
            let mut outcome = Outcome::from(Error::new(Code::Cancelled, ""));
            outcome.user_id.clone_from(&self.user_id);
            send(event, outcome);
        }
    }

    /// Sends its event, once.
    pub fn end(&self, outcome: Outcome) {
        let event = self.state().event.take();
        send(event, outcome);
    }

    /// A worker begins it. Returns whether it still has to.
    pub fn begin(&self) -> bool {
        let mut state = self.state();
        state.begun = true;
        state.event.is_some()
    }

    /// Sends no event for it. Returns whether none was sent.
    pub fn forget(&self) -> bool {
        self.state().event.take().is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn unwatch(self: &Arc<Self>) {
        if let Some(cancel) = &self.callers {
            cancel.unwatch(&(Arc::clone(self) as Arc<dyn Interrupt>));
        }
    }
}

fn send(event: Option<(Queue, usize)>, outcome: Outcome) {
    if let Some((queue, userdata)) = event {
        queue.push(Event::Result { userdata, outcome });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Whoever is first decides: a call that a worker has begun is not reported as one that was never sent.
    #[test]
    fn a_call_begins_or_ends_without_being_sent_and_never_both() {
        let queue = Queue::new();
        let jobs: Vec<_> = (0..50_000)
            .map(|n| {
                queue.reserve().unwrap();
                Job::new(What::CheckCredentials, "", None, &queue, n)
            })
            .collect();
        // Both sides spin, one of them for a growing while, so that they meet in each order.
        let next = AtomicUsize::new(0);
        let begun = std::thread::scope(|scope| {
            scope.spawn(|| {
                for (n, job) in jobs.iter().enumerate() {
                    while next.load(Ordering::SeqCst) < n {}
                    job.stop();
                }
            });
            let mut begun = 0;
            for (n, job) in jobs.iter().enumerate() {
                next.store(n, Ordering::SeqCst);
                (0..n % 256).for_each(|_| std::hint::spin_loop());
                begun += usize::from(job.begin());
            }
            begun
        });
        let ended = std::iter::from_fn(|| queue.next(Duration::ZERO)).count();
        assert_eq!(begun + ended, jobs.len());
    }
}
