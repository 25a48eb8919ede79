//! What bounds the call that runs on this thread: its time and its cancel.
//!
//! ureq takes timeouts from its agent's configuration, by phase. Ours bind the whole call, token request and
//! repeats included, and differ from call to call, so the transport asks here instead.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Socket;
use crate::cancel::Cancel;

/// How long a wait may go on without a look at the cancel.
const SLICE: Duration = Duration::from_millis(25);

/// The bounds of one call.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub deadline: Instant,
    pub connect: Duration,
    pub cancel: Option<Cancel>,
    /// A batch that is to end: what is sent is waited for, nothing else.
    pub halt: Option<Cancel>,
}

/// Why a wait ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Cancelled,
    Halted,
    Late,
}

impl Limits {
    pub fn cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_triggered)
    }

    /// Whether nothing more may be begun.
    pub fn check(&self) -> Result<(), Stop> {
        self.check_at(Instant::now())
    }

    /// The same, for who has just looked at the clock.
    pub fn check_at(&self, now: Instant) -> Result<(), Stop> {
        if self.cancelled() {
            Err(Stop::Cancelled)
        } else if self.halt.as_ref().is_some_and(Cancel::is_triggered) {
            Err(Stop::Halted)
        } else if now >= self.deadline {
            Err(Stop::Late)
        } else {
            Ok(())
        }
    }

    /// Sleeps until `at`, or the deadline, or a stop.
    pub fn sleep_until(&self, at: Instant) -> Result<(), Stop> {
        let can_stop = self.cancel.is_some() || self.halt.is_some();
        loop {
            self.check()?;
            let left = at
                .min(self.deadline)
                .saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.check();
            }
            thread::sleep(if can_stop { left.min(SLICE) } else { left });
        }
    }

    /// How long to wait for another thread before `check` is due again.
    pub fn slice(&self) -> Duration {
        self.deadline
            .saturating_duration_since(Instant::now())
            .min(SLICE)
    }
}

/// What happened to the exchange on this thread, in our own words, since ureq's errors pass through several hands.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    Late,
    ConnectLate,
    Resolve(String),
    Connect(String),
    HeadTooLarge,
}

struct Exchange {
    limits: Limits,
    /// Set while a connection is being made.
    connect_by: Option<Instant>,
    /// The same, from the name's look-up on.
    ready_by: Option<Instant>,
    /// A connection was made for this exchange, not taken from the pool.
    connected: bool,
    /// The answer began to arrive.
    answered: bool,
    /// The HTTP status, once its head was complete.
    status: u16,
    trouble: Option<Trouble>,
    /// The sockets that the cancel watches for us.
    watched: Vec<Socket>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(cancel) = &self.limits.cancel {
            self.watched
                .iter()
                .for_each(|socket| cancel.unwatch(socket));
        }
    }
}

thread_local! {
    static EXCHANGE: RefCell<Option<Exchange>> = const { RefCell::new(None) };
}

fn with<T>(f: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
    EXCHANGE.with_borrow_mut(|e| e.as_mut().map(f))
}

/// What an exchange left behind.
#[derive(Debug)]
pub(crate) struct Trace {
    pub connecting: bool,
    pub connected: bool,
    pub answered: bool,
    pub status: u16,
    pub trouble: Option<Trouble>,
}

/// Runs `f` under `limits`.
pub(crate) fn run<T>(limits: &Limits, f: impl FnOnce() -> T) -> (T, Trace) {
    struct Restore(Option<Exchange>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let outer = self.0.take();
            EXCHANGE.with_borrow_mut(|e| *e = outer);
        }
    }
    let exchange = Exchange {
        limits: limits.clone(),
        connect_by: None,
        ready_by: None,
        connected: false,
        answered: false,
        status: 0,
        trouble: None,
        watched: Vec::new(),
    };
    let _restore = Restore(EXCHANGE.with_borrow_mut(|e| e.replace(exchange)));
    let value = f();
    let trace = with(|e| Trace {
        connecting: e.connect_by.is_some(),
        connected: e.connected,
        answered: e.answered,
        status: e.status,
        trouble: e.trouble.take(),
    });
    let trace = trace.unwrap_or(Trace {
        connecting: false,
        connected: false,
        answered: false,
        status: 0,
        trouble: None,
    });
    (value, trace)
}

/// Time left for the step at hand. `None` when it is over, which is noted.
pub(crate) fn time_left() -> Option<Duration> {
    let left = with(|e| {
        let now = Instant::now();
        let by = e
            .connect_by
            .map_or(e.limits.deadline, |by| by.min(e.limits.deadline));
        let left = by.saturating_duration_since(now);
        (!left.is_zero() && !e.limits.cancelled()).then_some(left)
    });
    if left == Some(None) {
        time_is_up();
    }
    // Outside of a call, as in ureq's own clean-up, nothing may block for long.
    left.unwrap_or(Some(Duration::from_secs(1)))
}

/// The same for a wait that a cancel doesn't wake from: until a look at it is due again.
pub(crate) fn slice_left() -> Option<Duration> {
    let cancellable = with(|e| e.limits.cancel.is_some()) == Some(true);
    time_left().map(|left| if cancellable { left.min(SLICE) } else { left })
}

/// The time for the step at hand ran out.
pub(crate) fn time_is_up() {
    with(|e| {
        let connecting = e.connect_by.is_some_and(|by| by < e.limits.deadline);
        e.trouble.get_or_insert(if connecting {
            Trouble::ConnectLate
        } else {
            Trouble::Late
        });
    });
}

/// The time for one connection begins, or goes on with what the look-up of its name or a proxy left of it. A failure
/// leaves it as it is, so that the trace tells that it was connecting.
pub(crate) fn connecting<T, E>(f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let outer = with(|e| {
        let outer = e.connect_by;
        let connect = e.limits.connect;
        e.connect_by = Some(*e.ready_by.get_or_insert_with(|| Instant::now() + connect));
        e.connected = true;
        outer
    })
    .flatten();
    let value = f()?;
    with(|e| e.connect_by = outer);
    Ok(value)
}

pub(crate) fn note(trouble: Trouble) {
    with(|e| {
        e.trouble.get_or_insert(trouble);
    });
}

pub(crate) fn answered() {
    with(|e| e.answered = true);
}

/// The head of the answer is complete.
pub(crate) fn status(status: u16) {
    with(|e| e.status = status);
}

/// Has the call's cancel shut `socket` down. False when it is raised already.
pub(crate) fn watch(socket: &Socket) -> bool {
    with(|e| {
        let Some(cancel) = &e.limits.cancel else {
            return true;
        };
        if e.watched.iter().any(|s| Arc::ptr_eq(s, socket)) {
            return !cancel.is_triggered();
        }
        e.watched.push(Arc::clone(socket));
        cancel.watch(socket)
    })
    .unwrap_or(true)
}

/// The socket goes back to the pool, where another call may take it.
pub(crate) fn unwatch(socket: &Socket) {
    with(|e| {
        if let Some(cancel) = &e.limits.cancel {
            e.watched.retain(|s| !Arc::ptr_eq(s, socket));
            cancel.unwatch(socket);
        }
    });
}
