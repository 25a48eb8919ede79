//! The socket. ureq's own transport sets a timeout and probes the socket several times a call; this one sets a
//! timeout when it changes materially, and probes when a kept connection is taken up again. Time and cancel come
//! from `limits`.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Proxy;
use ureq::ProxyProtocol::{Socks5, Socks5h};
use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, LazyBuffers, NextTimeout,
    RustlsConnector, Transport, TransportAdapter,
};
use zeroize::Zeroize;

use super::Socket;
use super::limits::{self, Trouble};
use super::resolver::{Names, STACK, late, wait};
use super::socks;

/// The next address is tried beside the first when that hasn't answered for this long (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);
/// Socket timeouts are rounded up to this: one setting serves calls that begin with nearly the same time left.
const STEP_MS: u64 = 20;

/// Makes connections: CONNECT, or TCP with SOCKS where that is configured; then TLS where the URL wants it.
#[derive(Debug)]
pub(super) struct Dial {
    chain: Box<dyn Connector<(), Out = Box<dyn Transport>>>,
}

impl Dial {
    pub fn new(names: Names) -> Dial {
        let chain =
            ().chain(ConnectProxyConnector::default())
                .chain(Tcp { names })
                .chain(RustlsConnector::default())
                .chain(Boxed);
        Dial {
            chain: Box::new(chain),
        }
    }
}

impl Connector<()> for Dial {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        limits::connecting(|| self.chain.connect(details, None))
    }
}

/// A TCP connection to the host of the URL, or through a SOCKS proxy.
#[derive(Debug)]
struct Tcp {
    names: Names,
}

impl<In: Transport> Connector<In> for Tcp {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(proxied) = chained {
            return Ok(Some(Box::new(proxied)));
        }
        let socks =
            |p: &&Proxy| matches!(p.protocol(), Socks5 | Socks5h) && !p.is_no_proxy(details.uri);
        let Some(proxy) = details.config.proxy().filter(socks) else {
            let line = self.line(details, details.uri, &details.addrs)?;
            return Ok(Some(Box::new(line)));
        };
        let (resolver, config) = (details.resolver, details.config);
        let addresses = resolver.resolve(proxy.uri(), config, details.timeout)?;
        let line = self.line(details, proxy.uri(), &addresses)?;
        let mut line = TransportAdapter::new(line, Arc::clone(&details.current_time));
        let connected = socks::connect(&mut line, proxy, details.uri);
        // It held a password.
        line.get_mut().buffers().output().zeroize();
        connected?;
        Ok(Some(Box::new(line.into_inner())))
    }
}

impl Tcp {
    fn line(
        &self,
        details: &ConnectionDetails,
        to: &Uri,
        addresses: &[SocketAddr],
    ) -> Result<Line, ureq::Error> {
        let stream = race(to, addresses).inspect_err(|_| self.names.forget(to))?;
        stream.set_nodelay(true)?;
        let stream = Arc::new(stream);
        Ok(Line {
            socket: Arc::clone(&stream) as Socket,
            stream,
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            timeout: Duration::ZERO,
            written: false,
            kept: false,
        })
    }
}

/// Connects to the first address that answers. Each attempt has its own thread, since a blocking connect can't be
/// interrupted; one that comes too late closes its socket.
fn race(uri: &Uri, addresses: &[SocketAddr]) -> Result<TcpStream, ureq::Error> {
    let (sender, receiver) = mpsc::channel();
    let mut failures = Vec::new();
    let mut rest = addresses.iter().copied();
    let mut pending = 0;
    loop {
        if let Some(address) = rest.next() {
            let Some(left) = limits::time_left() else {
                return Err(late());
            };
            let sender = sender.clone();
            let thread = thread::Builder::new()
                .name("zus-connect".into())
                .stack_size(STACK)
                .spawn(move || {
                    let _ = sender.send((address, TcpStream::connect_timeout(&address, left)));
                });
            match thread {
                Ok(_) => pending += 1,
                Err(e) => failures.push(format!("{address}: {e}")),
            }
        }
        let more = rest.len() > 0;
        while pending > 0 {
            let next = more.then(|| Instant::now() + STAGGER);
            match wait(&receiver, next) {
                Ok((_, Ok(stream))) => return Ok(stream),
                Ok((address, Err(e))) => {
                    pending -= 1;
                    failures.push(format!("{address}: {e}"));
                    if more {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(late()),
            }
        }
        if pending == 0 && rest.len() == 0 {
            let host = uri.host().unwrap_or_default();
            limits::note(Trouble::Connect(format!("{host}: {}", failures.join("; "))));
            return Err(ureq::Error::ConnectionFailed);
        }
    }
}

/// A TCP connection.
struct Line {
    stream: Arc<TcpStream>,
    /// The same, as the cancel knows it.
    socket: Socket,
    buffers: LazyBuffers,
    /// What the socket's timeouts are set to; zero for not yet.
    timeout: Duration,
    /// Written just now: the timeout still fits the first read.
    written: bool,
    /// Put away until the next request.
    kept: bool,
}

impl Line {
    /// Ready for one blocking operation that ends in time.
    fn prepare(&mut self) -> Result<(), ureq::Error> {
        self.kept = false;
        if !limits::watch(&self.socket) {
            return Err(late());
        }
        let left = limits::time_left().ok_or_else(late)?;
        let ms = left.as_secs() * 1000 + u64::from(left.subsec_millis());
        let timeout = Duration::from_millis((ms / STEP_MS + 1) * STEP_MS);
        if timeout != self.timeout {
            self.stream.set_read_timeout(Some(timeout))?;
            self.stream.set_write_timeout(Some(timeout))?;
            self.timeout = timeout;
        }
        Ok(())
    }

    fn error(e: io::Error) -> ureq::Error {
        match e.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                limits::time_is_up();
                late()
            }
            _ => e.into(),
        }
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.prepare()?;
        let output = &self.buffers.output()[..amount];
        (&*self.stream).write_all(output).map_err(Line::error)?;
        self.written = true;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        loop {
            if !std::mem::take(&mut self.written) {
                self.prepare()?;
            }
            let input = self.buffers.input_append_buf();
            match (&*self.stream).read(input) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Line::error(e)),
            }
        }
    }

    /// Asked when a connection is kept, and again when it is taken up. The second time matters.
    fn is_open(&mut self) -> bool {
        if !self.kept {
            self.kept = true;
            limits::unwatch(&self.socket);
            return true;
        }
        is_silent(&self.stream)
    }
}

/// Open, and nothing has come that nobody asked for.
#[cfg(unix)]
fn is_silent(stream: &TcpStream) -> bool {
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    let peeked = socket2::SockRef::from(stream)
        .recv_with_flags(&mut [std::mem::MaybeUninit::uninit(); 1], flags);
    matches!(peeked, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(not(unix))]
fn is_silent(stream: &TcpStream) -> bool {
    // There is no MSG_DONTWAIT here.
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).is_ok()
        && matches!(peeked, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({:?})", self.stream.peer_addr().ok())
    }
}

/// The end of the chain.
#[derive(Debug)]
struct Boxed;

impl<In: Transport> Connector<In> for Boxed {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|line| -> Box<dyn Transport> { Box::new(line) }))
    }
}
