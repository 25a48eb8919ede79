//! What bounds one call: its deadline, its cancel, and its batch's stop. Every wait of the library is one of these.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cancel::{Cancel, Interrupt};

/// The bounds of one call.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// When it began, for messages that say how long it had.
    pub since: Instant,
    pub deadline: Instant,
    /// Aborts what is in flight.
    pub cancel: Option<Cancel>,
    /// Lets what is in flight finish, and starts nothing new. A batch's.
    pub stop: Option<Cancel>,
    /// Waiting for a slot of the rate limiter is not its time. A batch's.
    pub slots_are_free: bool,
}

/// Why a wait ended before what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    Cancelled,
    Stopped,
    TimedOut,
}

/// What a waiting thread finds when it looks.
pub(crate) enum Poll<T> {
    Ready(T),
    /// Look again at this time, or when the thread is unparked.
    At(Instant),
    /// Look again when the thread is unparked.
    Later,
}

impl Limits {
    pub fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_triggered)
    }

    /// Fails when nothing more may be started.
    pub fn check(&self, now: Instant) -> Result<(), Interruption> {
        if self.is_cancelled() {
            Err(Interruption::Cancelled)
        } else if self.stop.as_ref().is_some_and(Cancel::is_triggered) {
            Err(Interruption::Stopped)
        } else if now >= self.deadline {
            Err(Interruption::TimedOut)
        } else {
            Ok(())
        }
    }

    /// Returns the time left until the deadline.
    pub fn time_left(&self) -> Result<Duration, Interruption> {
        let now = Instant::now();
        self.check(now)?;
        Ok(self.deadline - now)
    }

    /// Returns the limits of a part of it that begins now.
    pub fn part(&self, now: Instant, longest: Duration) -> Limits {
        Limits {
            since: now,
            deadline: self.deadline.min(now + longest),
            cancel: self.cancel.clone(),
            stop: self.stop.clone(),
            slots_are_free: self.slots_are_free,
        }
    }

    /// Returns the limits of an attempt that begins now. A stop lets it finish.
    pub fn attempt(&self, now: Instant, longest: Duration) -> Limits {
        Limits {
            since: now,
            deadline: self.deadline.min(now + longest),
            cancel: self.cancel.clone(),
            stop: None,
            slots_are_free: self.slots_are_free,
        }
    }

    /// Returns the same limits for what a stop lets finish.
    pub fn in_flight(&self) -> Limits {
        Limits {
            stop: None,
            ..self.clone()
        }
    }

    /// Sleeps until `at`.
    pub fn sleep_until(&self, at: Instant) -> Result<(), Interruption> {
        self.wait(|now| {
            if now >= at {
                Poll::Ready(())
            } else {
                Poll::At(at)
            }
        })
    }

    /// Waits until `look` finds what it looks for. It is called at once, whenever this thread is unparked, and at the
    /// time that it asks for. A cancel or a stop ends the wait at once.
    pub fn wait<T>(&self, mut look: impl FnMut(Instant) -> Poll<T>) -> Result<T, Interruption> {
        let mut watch = None;
        loop {
            let now = Instant::now();
            self.check(now)?;
            let until = match look(now) {
                Poll::Ready(value) => return Ok(value),
                Poll::At(at) => at.min(self.deadline),
                Poll::Later => self.deadline,
            };
            if watch.is_none() {
                // A thread is watched only when it has to wait, since that costs time. It looks once more before it
                // parks.
                watch = Some(self.watch(Arc::new(thread::current()))?);
                continue;
            }
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    }

    /// Has the cancel and the stop interrupt `waiter` for as long as the result lives.
    pub fn watch(&self, waiter: Arc<dyn Interrupt>) -> Result<Watch<'_>, Interruption> {
        let watch = Watch {
            limits: self,
            waiter,
        };
        for cancel in watch.cancels() {
            if !cancel.watch(&watch.waiter) {
                self.check(Instant::now())?;
            }
        }
        Ok(watch)
    }
}

/// Ends the watch when it is dropped.
pub(crate) struct Watch<'a> {
    limits: &'a Limits,
    waiter: Arc<dyn Interrupt>,
}

impl Watch<'_> {
    fn cancels(&self) -> impl Iterator<Item = &Cancel> {
        [&self.limits.cancel, &self.limits.stop]
            .into_iter()
            .flatten()
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.cancels().for_each(|c| c.unwatch(&self.waiter));
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Interruption::Cancelled => "cancelled",
            Interruption::Stopped => "stopped",
            Interruption::TimedOut => "timed out",
        })
    }
}

impl std::error::Error for Interruption {}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(ms: u64) -> Limits {
        let now = Instant::now();
        Limits {
            since: now,
            deadline: now + Duration::from_millis(ms),
            cancel: Some(Cancel::new()),
            stop: Some(Cancel::new()),
            slots_are_free: false,
        }
    }

    #[test]
    fn a_wait_ends_at_what_comes_first() {
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        assert_eq!(limits(60_000).sleep_until(now), Ok(()));
        assert_eq!(limits(1).sleep_until(later), Err(Interruption::TimedOut));
        for cancels in [true, false] {
            let limits = limits(60_000);
            let (trigger, expected) = match cancels {
                true => (limits.cancel.clone(), Interruption::Cancelled),
                false => (limits.stop.clone(), Interruption::Stopped),
            };
            let other = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                trigger.unwrap().trigger();
            });
            assert_eq!(limits.sleep_until(later), Err(expected));
            other.join().unwrap();
            assert_eq!(limits.sleep_until(later), Err(expected), "and later ones");
        }
    }

    #[test]
    fn an_attempt_survives_a_stop_and_ends_at_what_comes_first() {
        let now = Instant::now();
        let limits = limits(60_000);
        limits.stop.as_ref().unwrap().trigger();
        assert_eq!(limits.time_left(), Err(Interruption::Stopped));
        let second = Duration::from_secs(1);
        assert!(limits.attempt(now, second).time_left().unwrap() <= second);
        let whole = limits.attempt(now, second * 100);
        assert_eq!(whole.deadline, limits.deadline);
    }

    #[test]
    fn a_cancel_forgets_what_no_longer_waits() {
        let limits = limits(5);
        let _ = limits.sleep_until(limits.deadline + Duration::from_secs(1));
        let waiter: Arc<dyn Interrupt> = Arc::new(thread::current());
        drop(limits.watch(Arc::clone(&waiter)));
        assert_eq!(Arc::strong_count(&waiter), 1);
    }
}
