//! The rate limiter: turns, evenly spread, for all threads of a client together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::http::limits::{Limits, Stop};

/// Turns are this much further apart than the rate says, since what leaves here evenly arrives a little unevenly.
const MARGIN: f64 = 1.02;
/// A turn that came late by up to this doesn't delay those after it.
const CATCH_UP: Duration = Duration::from_millis(5);
/// After a refusal: nothing is sent for this long, then less than what was refused.
const HOLD: Duration = Duration::from_millis(500);
const SLOWER: f64 = 0.75;
/// Each second without a refusal brings back a tenth.
const RECOVER: f64 = 1.1;
const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Pace {
    /// Between two turns at the configured rate; zero for no limit.
    configured: Duration,
    state: Mutex<State>,
}

struct State {
    /// Between two turns now.
    interval: Duration,
    next: Instant,
    /// Turns before `next` whose calls ended while they waited for them.
    free: Vec<Instant>,
    /// When the interval was last lengthened or shortened.
    changed: Instant,
    /// Counts refusals, so that who waits for a turn from before one asks for another.
    refusals: u64,
    /// Turns given in the current second and in the one before, to know what rate was refused.
    second: Instant,
    given: u32,
    given_before: u32,
}

impl Pace {
    pub fn new(interval: Option<Duration>) -> Pace {
        let configured = interval.unwrap_or_default().mul_f64(MARGIN);
        let now = Instant::now();
        Pace {
            configured,
            state: Mutex::new(State {
                interval: configured,
                next: now,
                free: Vec::new(),
                changed: now,
                refusals: 0,
                second: now,
                given: 0,
                given_before: 0,
            }),
        }
    }

    /// Waits for this request's turn.
    pub fn turn(&self, limits: &Limits) -> Result<(), Stop> {
        loop {
            let (at, refusals) = {
                let now = Instant::now();
                let mut state = self.state();
                let at = state.next_turn(now, self.configured);
                if at >= limits.deadline {
                    return Err(Stop::Late);
                }
                limits.check_at(now)?;
                state.take(at);
                if at <= now {
                    state.count(now);
                    return Ok(());
                }
                (at, state.refusals)
            };
            let waited = limits.sleep_until(at);
            let mut state = self.state();
            if state.refusals != refusals {
                waited?; // the turn is void
            } else if waited.is_err() {
                state.free.push(at);
                return waited;
            } else {
                state.count(at);
                return Ok(());
            }
        }
    }

    /// Zoom refused a request for the rate: hold back, and go on more slowly.
    pub fn refused(&self) {
        self.state().refused(Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the next turn is, which may be a little in the past.
    fn next_turn(&mut self, now: Instant, configured: Duration) -> Instant {
        self.recover(now, configured);
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        self.free.retain(|at| *at >= earliest);
        let free = self.free.iter().min();
        free.copied().unwrap_or(self.next.max(earliest))
    }

    fn take(&mut self, at: Instant) {
        match self.free.iter().position(|free| *free == at) {
            Some(n) => drop(self.free.swap_remove(n)),
            None => self.next = at + self.interval,
        }
    }

    fn refused(&mut self, now: Instant) {
        // Requests that were in flight together are refused together; that is one refusal.
        if self.refusals > 0 && now < self.changed + HOLD {
            return;
        }
        let sent = f64::from(self.given.max(self.given_before).max(1));
        let slower = SECOND.div_f64((sent * SLOWER).max(1.0));
        self.interval = self.interval.max(slower);
        // Who waits asks again, so the turns given before are void.
        self.next = now + HOLD;
        self.free.clear();
        self.changed = now;
        self.refusals += 1;
    }

    fn recover(&mut self, now: Instant, configured: Duration) {
        while self.interval > configured && now >= self.changed + SECOND {
            let faster = self.interval.div_f64(RECOVER).max(configured);
            // Without a configured rate, 1,000 a second is as good as none.
            self.interval = if faster < SECOND / 1000 {
                configured
            } else {
                faster
            };
            self.changed += SECOND;
        }
    }

    fn count(&mut self, at: Instant) {
        if at >= self.second + SECOND {
            let next = at < self.second + 2 * SECOND;
            self.given_before = if next { self.given } else { 0 };
            self.given = 0;
            self.second = at;
        }
        self.given += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(ms: u64) -> Limits {
        Limits {
            deadline: Instant::now() + Duration::from_millis(ms),
            connect: SECOND,
            cancel: None,
            halt: None,
        }
    }

    #[test]
    fn turns_are_spread_and_never_exceed_the_rate() {
        // A clock of our own: each who waits for a turn wakes up to 4 ms late.
        let interval = Duration::from_millis(10);
        let pace = Pace::new(Some(interval));
        let mut state = pace.state();
        let mut now = state.next + SECOND;
        let mut left = Vec::new();
        for n in 0..1000u64 {
            let at = state.next_turn(now, pace.configured);
            state.take(at);
            if at > now {
                now = at + Duration::from_micros(n * 7919 % 4000);
            }
            left.push(now);
        }
        for (i, start) in left.iter().enumerate() {
            let window = left[i..].iter().filter(|t| **t - *start < SECOND);
            assert!(window.count() <= 100, "more than the rate in a second");
        }
        let took = left[999] - left[0];
        assert!(
            took < interval * 999 * 103 / 100,
            "slower than need be: {took:?}"
        );
    }

    #[test]
    fn a_turn_past_the_deadline_is_refused_at_once() {
        let pace = Pace::new(Some(Duration::from_secs(5)));
        let limits = limits(1_000);
        pace.turn(&limits).unwrap();
        assert_eq!(pace.turn(&limits), Err(Stop::Late));
        assert!(Instant::now() < limits.deadline);
    }

    #[test]
    fn a_refusal_holds_and_slows_once_and_recovers() {
        let none = Duration::ZERO;
        let pace = Pace::new(None);
        let mut state = pace.state();
        let mut now = state.next;
        for _ in 0..100 {
            let at = state.next_turn(now, none);
            state.take(at);
            state.count(at.max(now));
            now += Duration::from_millis(1);
        }
        state.refused(now);
        let slowed = state.interval;
        assert_eq!(slowed, SECOND.div_f64(75.0));
        state.refused(now + HOLD / 2);
        assert_eq!(state.interval, slowed, "slowed twice for one burst");
        assert_eq!(state.next_turn(now, none), now + HOLD);
        state.recover(now + 60 * SECOND, none);
        assert_eq!(state.interval, none);
    }
}
