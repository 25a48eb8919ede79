//! The event queue: what became of started calls, and what else a program asked to receive as events. No function of the
//! caller's runs for it; the program takes events when it likes, or when a descriptor is readable.

use std::collections::VecDeque;
use std::fmt;
#[cfg(not(unix))]
use std::io::Read;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::code::{Code, Error};
use crate::limits::{Interruption, Limits, Poll};
use crate::log::LogLevel;
use crate::outcome::Outcome;

#[cfg(unix)]
type Stream = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Stream = std::net::TcpStream;

/// Started calls whose events were not taken yet, and log lines, are at most this many.
const MOST: usize = 65_536;

/// Receives events. Clones are the same queue. Safe from many threads at once.
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

struct Inner {
    /// The process that made it. A child of fork() has no threads that fill it.
    process: u32,
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// Calls that were started and whose events were not taken.
    pending: usize,
    /// Makes one `next` return at once.
    woken: bool,
    /// Nobody will take an event any more.
    closed: bool,
    signal: Option<Signal>,
}

/// Makes a descriptor readable while there are events.
struct Signal {
    ours: Stream,
    theirs: Stream,
    raised: bool,
}

/// One event.
#[derive(Debug)]
pub enum Event {
    /// A started call has ended.
    Result {
        /// What the call was started with.
        userdata: usize,
        /// What became of it.
        outcome: Outcome,
    },
    /// A log line.
    Log(LogLevel, String),
    /// The client needs an access token.
    Token(TokenRequest),
}

/// Asks for an access token. Dropped without one, the token provider has failed.
pub struct TokenRequest {
    rejected: bool,
    reply: Arc<Reply>,
}

struct Reply {
    /// None until there is a reply; then perhaps a token.
    token: Mutex<Option<Option<Zeroizing<Vec<u8>>>>>,
    waiting: Thread,
}

impl Queue {
    /// Makes an empty queue.
    pub fn new() -> Queue {
        Queue(Arc::new(Inner {
            process: std::process::id(),
            state: Mutex::default(),
            came: Condvar::new(),
        }))
    }

    /// Takes the next event, or waits for one for up to `wait`. `None` when none came, after [`Queue::wake`], and in a
    /// child of fork().
    pub fn next(&self, wait: Duration) -> Option<Event> {
        if self.is_forked() {
            return None;
        }
        let until = Instant::now().checked_add(wait);
        let mut state = self.state();
        loop {
            if let Some(event) = state.events.pop_front() {
                if matches!(event, Event::Result { .. }) {
                    state.pending -= 1;
                }
                return Some(event);
            }
            state.lower();
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            if std::mem::take(&mut state.woken) || left == Some(Duration::ZERO) {
                return None;
            }
            let slice = left.unwrap_or(Duration::from_secs(3600));
            let waited = self.0.came.wait_timeout(state, slice);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes one `next` return without an event: one that waits now, or else the next one.
    pub fn wake(&self) {
        if self.is_forked() {
            return;
        }
        let mut state = self.state();
        state.woken = true;
        state.raise();
        self.0.came.notify_one();
    }

    /// Returns a descriptor that is readable while there are events: take them until there is none. The caller owns it,
    /// and may read from it: what was raised is raised again only after somebody found no event, so no event is missed.
    pub(crate) fn descriptor(&self) -> io::Result<Stream> {
        if self.is_forked() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut state = self.state();
        if state.signal.is_none() {
            let (ours, theirs) = pair()?;
            ours.set_nonblocking(true)?;
            theirs.set_nonblocking(true)?;
            state.signal = Some(Signal {
                ours,
                theirs,
                raised: false,
            });
            if !state.events.is_empty() || state.woken {
                state.raise();
            }
        }
        match &state.signal {
            Some(signal) => signal.theirs.try_clone(),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Nobody takes events any more. What comes is dropped.
    pub(crate) fn close(&self) {
        if self.is_forked() {
            return;
        }
        let mut state = self.state();
        state.closed = true;
        let events = std::mem::take(&mut state.events);
        drop(state);
        drop(events);
    }

    /// Makes room for the event of a call that is to be started.
    pub(crate) fn reserve(&self) -> Result<(), Error> {
        if self.is_forked() {
            return Err(Error::new(Code::Forked, ""));
        }
        let mut state = self.state();
        if state.pending >= MOST {
            let message = format!("{MOST} started calls were not taken from the queue");
            return Err(Error::new(Code::QueueFull, message));
        }
        state.pending += 1;
        Ok(())
    }

    /// Gives back the room of a call that was not started.
    pub(crate) fn unreserve(&self) {
        self.state().pending -= 1;
    }

    /// Adds an event. Log lines are dropped while the queue is full.
    pub(crate) fn push(&self, event: Event) {
        if self.is_forked() {
            return;
        }
        let mut state = self.state();
        let full = state.events.len() >= 2 * MOST && matches!(event, Event::Log(..));
        if state.closed || full {
            drop(state);
            return; // and with it the event, without the lock
        }
        state.events.push_back(event);
        state.raise();
        self.0.came.notify_one();
    }

    /// Asks whoever takes the events for a token, and waits for it no longer than the call may.
    pub(crate) fn request_token(
        &self,
        rejected: bool,
        limits: &Limits,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Interruption> {
        let reply = Arc::new(Reply {
            token: Mutex::default(),
            waiting: thread::current(),
        });
        self.push(Event::Token(TokenRequest {
            rejected,
            reply: Arc::clone(&reply),
        }));
        limits.wait(|_| match reply.token().take() {
            Some(token) => Poll::Ready(token),
            None => Poll::Later,
        })
    }

    fn is_forked(&self) -> bool {
        std::process::id() != self.0.process
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// There are events.
    fn raise(&mut self) {
        if let Some(signal) = &mut self.signal
            && !signal.raised
        {
            signal.raised = (&signal.ours).write(&[1]).is_ok();
        }
    }

    /// There is none.
    fn lower(&mut self) {
        if let Some(signal) = &mut self.signal
            && std::mem::take(&mut signal.raised)
        {
            take_byte(&signal.theirs);
        }
    }
}

impl TokenRequest {
    /// Returns whether Zoom rejected the last token.
    pub fn rejected(&self) -> bool {
        self.rejected
    }

    /// Replies with a token.
    pub fn set_token(self, token: &str) {
        let token = Zeroizing::new(token.as_bytes().to_vec());
        *self.reply.token() = Some(Some(token));
    }
}

impl Drop for TokenRequest {
    fn drop(&mut self) {
        self.reply.token().get_or_insert(None);
        self.reply.waiting.unpark();
    }
}

impl Reply {
    fn token(&self) -> MutexGuard<'_, Option<Option<Zeroizing<Vec<u8>>>>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does not wait, even when the caller made the descriptor blocking: both ends share its flags.
#[cfg(unix)]
fn take_byte(theirs: &Stream) {
    let mut byte = [std::mem::MaybeUninit::uninit(); 8];
    let _ = socket2::SockRef::from(theirs).recv_with_flags(&mut byte, libc::MSG_DONTWAIT);
}

/// The same where there is no such flag: a caller that made the descriptor blocking has it non-blocking again.
#[cfg(not(unix))]
fn take_byte(mut theirs: &Stream) {
    let _ = theirs
        .set_nonblocking(true)
        .and_then(|()| theirs.read(&mut [0; 8]));
}

#[cfg(unix)]
fn pair() -> io::Result<(Stream, Stream)> {
    Stream::pair()
}

/// Two ends of a connection over loopback: a system without socketpair can wait for sockets only.
#[cfg(not(unix))]
fn pair() -> io::Result<(Stream, Stream)> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let ours = Stream::connect(listener.local_addr()?)?;
    loop {
        let (theirs, from) = listener.accept()?;
        // Anybody on this machine may connect.
        if from == ours.local_addr()? {
            ours.set_nodelay(true)?;
            return Ok((ours, theirs));
        }
    }
}

impl Default for Queue {
    fn default() -> Queue {
        Queue::new()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRequest(rejected: {})", self.rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::io::Read;

    fn line(text: &str) -> Event {
        Event::Log(LogLevel::Info, text.into())
    }

    #[test]
    fn events_are_taken_in_order_and_the_descriptor_tells_of_them() {
        let queue = Queue::new();
        let descriptor = queue.descriptor().unwrap();
        let is_readable = || {
            let mut byte = [std::mem::MaybeUninit::uninit()];
            socket2::SockRef::from(&descriptor).peek(&mut byte).is_ok()
        };
        assert!(!is_readable());
        queue.push(line("a"));
        queue.push(line("b"));
        assert!(is_readable());
        for expected in ["a", "b"] {
            match queue.next(Duration::ZERO) {
                Some(Event::Log(_, text)) => assert_eq!(text, expected),
                other => panic!("{other:?}"),
            }
        }
        assert!(is_readable(), "until it was found empty");
        assert!(queue.next(Duration::ZERO).is_none());
        assert!(!is_readable());
    }

    /// On Windows a descriptor can't be made blocking.
    #[cfg(unix)]
    #[test]
    fn who_reads_from_the_descriptor_misses_no_event() {
        const COUNT: usize = 20_000;
        let queue = Queue::new();
        let mut descriptor = queue.descriptor().unwrap();
        descriptor.set_nonblocking(false).unwrap();
        let longest = Some(Duration::from_secs(20));
        descriptor.set_read_timeout(longest).unwrap();
        let filled = queue.clone();
        let filling = thread::spawn(move || {
            for n in 0..COUNT {
                filled.push(line(&n.to_string()));
                if n % 16 == 0 {
                    thread::yield_now();
                }
            }
        });
        let mut taken = 0;
        while taken < COUNT {
            let read = descriptor.read(&mut [0; 64]);
            assert!(read.is_ok_and(|n| n > 0), "{taken} events, and no byte");
            while let Some(Event::Log(_, text)) = queue.next(Duration::ZERO) {
                assert_eq!(text, taken.to_string());
                taken += 1;
            }
        }
        filling.join().unwrap();
    }

    #[test]
    fn a_wake_ends_one_wait() {
        let queue = Queue::new();
        queue.wake();
        assert!(queue.next(Duration::from_secs(60)).is_none());
        let waiting = queue.clone();
        let waiting = thread::spawn(move || waiting.next(Duration::from_secs(60)).is_none());
        thread::sleep(Duration::from_millis(20));
        queue.wake();
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_token_request_ends_with_a_token_or_without_one_or_with_the_call() {
        let queue = Queue::new();
        let limits = |ms| Limits {
            since: Instant::now(),
            deadline: Instant::now() + Duration::from_millis(ms),
            cancel: None,
            stop: None,
            slots_are_free: false,
        };
        for (reply, expected) in [(Some("t"), Some(b"t".to_vec())), (None, None)] {
            let taker = queue.clone();
            let taker = thread::spawn(move || match taker.next(Duration::from_secs(60)) {
                Some(Event::Token(request)) => {
                    assert!(request.rejected());
                    if let Some(token) = reply {
                        request.set_token(token);
                    }
                }
                other => panic!("{other:?}"),
            });
            let token = queue.request_token(true, &limits(60_000)).unwrap();
            assert_eq!(token.map(|t| t.to_vec()), expected);
            taker.join().unwrap();
        }
        let late = queue.request_token(false, &limits(20));
        assert_eq!(late, Err(Interruption::TimedOut));
        drop(queue.next(Duration::ZERO));
        queue.close();
        assert_eq!(queue.request_token(false, &limits(60_000)), Ok(None));
    }

    #[test]
    fn started_calls_that_nobody_takes_are_bounded() {
        let queue = Queue::new();
        for _ in 0..MOST {
            queue.reserve().unwrap();
        }
        assert_eq!(queue.reserve().unwrap_err().code(), Code::QueueFull);
        queue.push(Event::Result {
            userdata: 1,
            outcome: Outcome::from(Error::new(Code::Cancelled, "")),
        });
        assert!(queue.next(Duration::ZERO).is_some());
        queue.reserve().unwrap();
    }
}
