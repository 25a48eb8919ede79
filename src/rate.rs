//! The rate limiter: slots, evenly spread, for all threads of a client together.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::limits::{Interruption, Limits, Poll};

/// Slots are this much further apart than the rate says, since what leaves here evenly arrives a little unevenly.
const MARGIN: f64 = 1.02;
/// A slot that was taken late by up to this doesn't delay those after it.
const CATCH_UP: Duration = Duration::from_millis(5);
/// After a 429: nothing is sent for at least this long, then less than what was rejected.
const HOLD: Duration = Duration::from_millis(500);
const SLOWER: f64 = 0.75;
/// Each second without a 429 brings back a tenth.
const RECOVER: f64 = 1.1;
const SECOND: Duration = Duration::from_secs(1);

/// Who wants a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotFor {
    First,
    /// Takes the next slot, before all who wait for their first one: the time of its call runs already.
    Retry,
}

/// Permission to send now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub now: Instant,
    /// It was not there at once.
    pub waited: bool,
}

pub(crate) struct RateLimiter(Mutex<Queue>);

/// Only the first in the queue watches the clock; it wakes the next one.
struct Queue {
    slots: Slots,
    waiting: VecDeque<Waiting>,
    tickets: u64,
}

struct Waiting {
    ticket: u64,
    slot_for: SlotFor,
    thread: Thread,
}

impl RateLimiter {
    /// `interval` is the time between two requests; `None` for no limit.
    pub fn new(interval: Option<Duration>) -> RateLimiter {
        RateLimiter(Mutex::new(Queue {
            slots: Slots::new(interval.unwrap_or_default(), Instant::now()),
            waiting: VecDeque::new(),
            tickets: 0,
        }))
    }

    /// Waits for a slot. Fails at once when the next slot comes after the deadline.
    pub fn acquire(&self, slot_for: SlotFor, limits: &Limits) -> Result<Slot, Interruption> {
        let mut ticket = None;
        let acquired = limits.wait(|now| self.queue().poll(now, slot_for, &mut ticket, limits));
        if let Some(ticket) = ticket {
            self.queue().leave(ticket);
        }
        Ok(Slot {
            now: acquired??,
            waited: ticket.is_some(),
        })
    }

    /// Zoom rejected a request for the rate: nobody sends until `wait` has passed, and then more slowly for a while.
    pub fn reject(&self, wait: Option<Duration>) {
        let mut queue = self.queue();
        queue.slots.reject(Instant::now(), wait.unwrap_or_default());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn poll(
        &mut self,
        now: Instant,
        slot_for: SlotFor,
        ticket: &mut Option<u64>,
        limits: &Limits,
    ) -> Poll<Result<Instant, Interruption>> {
        let at = self.slots.next(now);
        let ahead = match *ticket {
            Some(ticket) => self.waiting.iter().position(|w| w.ticket == ticket),
            None => None,
        };
        let ahead = ahead.unwrap_or_else(|| match slot_for {
            SlotFor::First => self.waiting.len(),
            SlotFor::Retry => self.retries(),
        });
        if ahead == 0 && at <= now {
            self.slots.take(at);
            return Poll::Ready(Ok(now));
        }
        let wait = self.slots.interval.saturating_mul(ahead as u32);
        if at.checked_add(wait).is_none_or(|at| at >= limits.deadline) {
            return Poll::Ready(Err(Interruption::TimedOut));
        }
        if ticket.is_none() {
            self.tickets += 1;
            *ticket = Some(self.tickets);
            let waiting = Waiting {
                ticket: self.tickets,
                slot_for,
                thread: thread::current(),
            };
            self.waiting.insert(ahead, waiting);
        }
        match ahead {
            0 => Poll::At(at),
            _ => Poll::Later,
        }
    }

    /// Retries that wait. They are the first in the queue.
    fn retries(&self) -> usize {
        let first = self
            .waiting
            .iter()
            .position(|w| w.slot_for == SlotFor::First);
        first.unwrap_or(self.waiting.len())
    }

    /// Somebody got a slot or gave up. Whoever is first now watches the clock.
    fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|w| w.ticket != ticket);
        if let Some(first) = self.waiting.front() {
            first.thread.unpark();
        }
    }
}

/// When slots are. It knows no clock.
struct Slots {
    /// Between two slots at the configured rate; zero for no limit.
    configured: Duration,
    /// Between two slots now.
    interval: Duration,
    next: Instant,
    /// When the interval was last lengthened or shortened.
    changed: Instant,
    /// A request was rejected at least once.
    rejected: bool,
    /// Slots taken in the current second and in the one before, to know what rate was rejected.
    second: Instant,
    taken: u32,
    taken_before: u32,
}

impl Slots {
    fn new(interval: Duration, now: Instant) -> Slots {
        let configured = interval.mul_f64(MARGIN);
        Slots {
            configured,
            interval: configured,
            next: now,
            changed: now,
            rejected: false,
            second: now,
            taken: 0,
            taken_before: 0,
        }
    }

    /// Returns when the next slot is, which may be a little in the past.
    fn next(&mut self, now: Instant) -> Instant {
        self.recover(now);
        self.next.max(now.checked_sub(CATCH_UP).unwrap_or(now))
    }

    fn take(&mut self, at: Instant) {
        self.next = at + self.interval;
        if at >= self.second + SECOND {
            let adjacent = at < self.second + 2 * SECOND;
            self.taken_before = if adjacent { self.taken } else { 0 };
            self.taken = 0;
            self.second = at;
        }
        self.taken += 1;
    }

    fn reject(&mut self, now: Instant, wait: Duration) {
        self.next = self.next.max(now + wait.max(HOLD));
        // Requests that were in flight together are rejected together; that is one rejection.
        if self.rejected && now < self.changed + HOLD {
            return;
        }
        let sent = f64::from(self.taken.max(self.taken_before).max(1));
        let slower = SECOND.div_f64((sent * SLOWER).max(1.0));
        self.interval = self.interval.max(slower);
        self.changed = now;
        self.rejected = true;
    }

    fn recover(&mut self, now: Instant) {
        while self.interval > self.configured && now >= self.changed + SECOND {
            let faster = self.interval.div_f64(RECOVER).max(self.configured);
            // Without a configured rate, 1,000 a second is as good as none.
            self.interval = if faster < SECOND / 1000 {
                self.configured
            } else {
                faster
            };
            self.changed += SECOND;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(ms: u64) -> Limits {
        let now = Instant::now();
        Limits {
            since: now,
            deadline: now + Duration::from_millis(ms),
            cancel: None,
            stop: None,
            slots_are_free: false,
        }
    }

    #[test]
    fn slots_are_spread_and_never_exceed_the_rate() {
        // A clock of our own: each who waits for a slot wakes up to 4 ms late.
        let interval = Duration::from_millis(10);
        let start = Instant::now();
        let mut slots = Slots::new(interval, start);
        let mut now = start + SECOND;
        let mut left = Vec::new();
        for n in 0..1000u64 {
            let at = slots.next(now);
            slots.take(at);
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
    fn a_slot_after_the_deadline_is_refused_at_once() {
        let limiter = RateLimiter::new(Some(Duration::from_secs(5)));
        let limits = limits(1_000);
        limiter.acquire(SlotFor::First, &limits).unwrap();
        let refused = limiter.acquire(SlotFor::First, &limits);
        assert_eq!(refused, Err(Interruption::TimedOut));
        assert!(Instant::now() < limits.deadline);
        assert!(limiter.queue().waiting.is_empty());
    }

    #[test]
    fn a_rejection_holds_and_slows_once_and_recovers() {
        let start = Instant::now();
        let mut slots = Slots::new(Duration::ZERO, start);
        let mut now = start;
        for _ in 0..100 {
            let at = slots.next(now);
            slots.take(at.max(now));
            now += Duration::from_millis(1);
        }
        slots.reject(now, Duration::ZERO);
        let slowed = slots.interval;
        assert_eq!(slowed, SECOND.div_f64(75.0));
        assert_eq!(slots.next(now), now + HOLD);
        slots.reject(now + HOLD / 2, Duration::ZERO);
        assert_eq!(slots.interval, slowed, "slowed twice for one burst");
        slots.reject(now, Duration::from_secs(7));
        assert_eq!(slots.next(now), now + Duration::from_secs(7));
        slots.recover(now + 60 * SECOND);
        assert_eq!(slots.interval, Duration::ZERO);
    }

    #[test]
    fn retries_are_ahead_of_first_attempts_and_each_kind_is_in_order() {
        let now = Instant::now();
        let limits = limits(60_000);
        let mut queue = RateLimiter::new(Some(SECOND)).0.into_inner().unwrap();
        queue.slots.next = now + SECOND;
        let mut enter = |slot_for| {
            let mut ticket = None;
            let _ = queue.poll(now, slot_for, &mut ticket, &limits);
            ticket.unwrap()
        };
        let tickets = [
            SlotFor::First,
            SlotFor::Retry,
            SlotFor::First,
            SlotFor::Retry,
        ]
        .map(&mut enter);
        let order: Vec<u64> = queue.waiting.iter().map(|w| w.ticket).collect();
        assert_eq!(order, [1, 3, 0, 2].map(|n| tickets[n]));
        // The first one watches the clock, the others don't.
        let mut poll =
            |n: usize, at: Instant| queue.poll(at, SlotFor::First, &mut Some(tickets[n]), &limits);
        assert!(matches!(poll(1, now), Poll::At(at) if at == now + SECOND));
        assert!(matches!(poll(3, now + SECOND), Poll::Later));
        assert!(matches!(poll(1, now + SECOND), Poll::Ready(Ok(_))));
        queue.leave(tickets[1]);
        assert_eq!(queue.waiting.front().map(|w| w.ticket), Some(tickets[3]));
    }

    #[test]
    fn many_threads_share_the_slots() {
        let limiter = RateLimiter::new(Some(Duration::from_millis(2)));
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        limiter.acquire(SlotFor::First, &limits(60_000)).unwrap();
                    }
                });
            }
        });
        assert!(begun.elapsed() >= Duration::from_millis(150), "too fast");
        assert!(limiter.queue().waiting.is_empty());
    }
}
