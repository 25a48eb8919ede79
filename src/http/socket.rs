//! A TCP connection that knows the limits of the call that it serves. ureq's own transport sets a timeout and probes
//! the socket several times a call; this one sets a timeout when it changes materially, and probes an idle connection
//! when it is taken from the pool.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::cancel::Interrupt;
use crate::limits::{Interruption, Limits};

/// The largest head of a response, and the unit in which a body is read.
pub(super) const INPUT: usize = 32 * 1024;
/// Holds the largest head of a request: path, token and user agent are bounded by their checks.
pub(super) const OUTPUT: usize = 16 * 1024;
/// Socket timeouts are rounded up to this: one setting serves calls that begin with nearly the same time left.
const STEP_MS: u64 = 20;

/// The socket, shared by its transport, the connection above it and the cancel of the call that it serves.
pub(super) struct Socket {
    stream: TcpStream,
    /// None while the connection is idle.
    serving: Mutex<Option<Limits>>,
}

impl Interrupt for Socket {
    fn interrupt(&self) {
        // Wakes the thread that reads from it, on every system.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Socket {
    pub fn new(stream: TcpStream) -> io::Result<Arc<Socket>> {
        stream.set_nodelay(true)?;
        Ok(Arc::new(Socket {
            stream,
            serving: Mutex::default(),
        }))
    }

    /// Serves a call from now on, within its limits.
    pub fn serve(self: &Arc<Self>, limits: &Limits) -> Result<(), Interruption> {
        self.release();
        if let Some(cancel) = &limits.cancel
            && !cancel.watch(&self.waiter())
        {
            return Err(Interruption::Cancelled);
        }
        *self.serving() = Some(limits.clone());
        Ok(())
    }

    /// Serves nobody from now on.
    pub fn release(self: &Arc<Self>) {
        let served = self.serving().take();
        if let Some(cancel) = served.and_then(|limits| limits.cancel) {
            cancel.unwatch(&self.waiter());
        }
    }

    fn waiter(self: &Arc<Self>) -> Arc<dyn Interrupt> {
        Arc::clone(self) as Arc<dyn Interrupt>
    }

    fn time_left(&self) -> io::Result<Duration> {
        let left = match &*self.serving() {
            Some(limits) => limits.time_left(),
            // A connection that serves nobody is only closed: TLS may send its close_notify, but never waits for it.
            None => Ok(Duration::from_millis(STEP_MS)),
        };
        left.map_err(io::Error::other)
    }

    fn serving(&self) -> MutexGuard<'_, Option<Limits>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether it is open, and nothing has come that nobody asked for.
    #[cfg(unix)]
    fn is_silent(&self) -> bool {
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        let peeked = socket2::SockRef::from(&self.stream)
            .recv_with_flags(&mut [std::mem::MaybeUninit::uninit(); 1], flags);
        matches!(peeked, Err(e) if e.kind() == ErrorKind::WouldBlock)
    }

    #[cfg(not(unix))]
    fn is_silent(&self) -> bool {
        // There is no MSG_DONTWAIT here.
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).is_ok()
            && matches!(peeked, Err(e) if e.kind() == ErrorKind::WouldBlock)
    }
}

/// The socket as ureq's layers use it.
pub(super) struct TcpTransport {
    socket: Arc<Socket>,
    buffers: LazyBuffers,
    /// What the socket's timeouts are set to; zero for not yet.
    timeout: Duration,
    /// Written just now: the timeout still fits the first read.
    written: bool,
}

impl TcpTransport {
    pub fn new(socket: Arc<Socket>) -> TcpTransport {
        TcpTransport {
            socket,
            buffers: LazyBuffers::new(INPUT, OUTPUT),
            timeout: Duration::ZERO,
            written: false,
        }
    }

    /// Makes ready for one blocking operation that ends in time.
    fn prepare(&mut self) -> io::Result<()> {
        let left = self.socket.time_left()?;
        let ms = left.as_secs() * 1000 + u64::from(left.subsec_millis());
        let timeout = Duration::from_millis((ms / STEP_MS + 1) * STEP_MS);
        if timeout != self.timeout {
            let stream = &self.socket.stream;
            let set = stream
                .set_read_timeout(Some(timeout))
                .and_then(|()| stream.set_write_timeout(Some(timeout)));
            match set {
                Ok(()) => self.timeout = timeout,
                // macOS refuses options of a half-closed connection, which may still hold a response.
                Err(_) if !self.timeout.is_zero() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Decides whether to go on after an operation failed. The system ends an operation at the socket's timeout, which
    /// is the deadline rounded up; a connection that the kernel gave up (ETIMEDOUT) is broken, whatever time is left.
    fn go_on(e: io::Error) -> io::Result<()> {
        match e.kind() {
            ErrorKind::Interrupted | ErrorKind::WouldBlock => Ok(()),
            ErrorKind::TimedOut if cfg!(windows) => Ok(()),
            _ => Err(e),
        }
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let mut sent = 0;
        while sent < amount {
            self.prepare()?;
            let output = &self.buffers.output()[sent..amount];
            match (&self.socket.stream).write(output) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(n) => sent += n,
                Err(e) => Self::go_on(e)?,
            }
        }
        self.written = true;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        loop {
            if !std::mem::take(&mut self.written) {
                self.prepare()?;
            }
            let input = self.buffers.input_append_buf();
            match (&self.socket.stream).read(input) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(e) => Self::go_on(e)?,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.buffers.input().is_empty() && self.socket.is_silent()
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpTransport({:?})", self.socket.stream.peer_addr().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_timeout_is_a_broken_connection_and_the_sockets_is_not() {
        for go_on in [ErrorKind::Interrupted, ErrorKind::WouldBlock] {
            assert!(TcpTransport::go_on(go_on.into()).is_ok(), "{go_on:?}");
        }
        assert!(TcpTransport::go_on(ErrorKind::ConnectionReset.into()).is_err());
        #[cfg(unix)]
        assert!(TcpTransport::go_on(io::Error::from_raw_os_error(libc::ETIMEDOUT)).is_err());
    }
}
