//! Connects to the first of several addresses that accepts (RFC 8305).

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::failure::Failure;
use crate::cancel::Interrupt;
use crate::code::Code;
use crate::limits::Limits;

/// The next address is tried beside those before it when they have been silent for this long.
const STAGGER: Duration = Duration::from_millis(250);
const CONNECTED: Token = Token(0);
const CANCELLED: Token = Token(1);

impl Interrupt for Waker {
    fn interrupt(&self) {
        let _ = self.wake();
    }
}

/// The connects that are under way.
struct Race {
    poll: Poll,
    pending: Vec<(SocketAddr, mio::net::TcpStream)>,
    /// Why each address failed.
    failures: Vec<String>,
}

/// Connects to `host` at one of its addresses.
pub(super) fn connect(
    host: &str,
    addresses: &[SocketAddr],
    limits: &Limits,
) -> Result<TcpStream, ureq::Error> {
    let mut race = Race {
        poll: Poll::new()?,
        pending: Vec::new(),
        failures: Vec::new(),
    };
    let _watch = match &limits.cancel {
        None => None,
        Some(_) => {
            let waker = Waker::new(race.poll.registry(), CANCELLED)?;
            Some(limits.watch(Arc::new(waker)).map_err(io::Error::other)?)
        }
    };
    let mut rest = addresses.iter().copied();
    let mut next = Instant::now();
    loop {
        while race.pending.is_empty() || Instant::now() >= next {
            let Some(address) = rest.next() else { break };
            race.begin(address);
            next = Instant::now() + STAGGER;
        }
        if race.pending.is_empty() {
            let message = format!("{host}: {}", race.failures.join("; "));
            return Err(Failure::transient(Code::Connect, message).into());
        }
        let mut left = limits.time_left().map_err(io::Error::other)?;
        if rest.len() > 0 {
            left = left.min(next.saturating_duration_since(Instant::now()));
        }
        if let Some(stream) = race.wait(left, &mut next)? {
            return Ok(stream);
        }
    }
}

impl Race {
    fn begin(&mut self, address: SocketAddr) {
        match begin(address, self.poll.registry()) {
            Ok(stream) => self.pending.push((address, stream)),
            Err(e) => self.failures.push(format!("{address}: {e}")),
        }
    }

    /// Returns a stream that is connected by then. A failure starts the next address at once.
    fn wait(&mut self, time: Duration, next: &mut Instant) -> io::Result<Option<TcpStream>> {
        let mut events = Events::with_capacity(self.pending.len() + 1);
        match self.poll.poll(&mut events, Some(time)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
            _ => {}
        }
        for i in (0..self.pending.len()).rev() {
            match is_connected(&self.pending[i].1) {
                Ok(false) => {}
                Ok(true) => {
                    let stream = TcpStream::from(self.pending.swap_remove(i).1);
                    stream.set_nonblocking(false)?;
                    return Ok(Some(stream));
                }
                Err(e) => {
                    let (address, _) = self.pending.swap_remove(i);
                    self.failures.push(format!("{address}: {e}"));
                    *next = Instant::now();
                }
            }
        }
        Ok(None)
    }
}

fn begin(address: SocketAddr, registry: &Registry) -> io::Result<mio::net::TcpStream> {
    let mut stream = mio::net::TcpStream::connect(address)?;
    registry.register(&mut stream, CONNECTED, Interest::WRITABLE)?;
    Ok(stream)
}

/// Returns whether it is connected by now; an error when it won't be.
fn is_connected(stream: &mio::net::TcpStream) -> io::Result<bool> {
    if let Some(e) = stream.take_error()? {
        return Err(e);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(e) => Err(e),
    }
}
