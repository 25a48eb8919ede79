//! The socket. ureq's own transport sets a timeout and probes the socket several times a call; this one sets a
//! timeout when it changes materially, and probes when a kept connection is taken up again. Time and cancel come
//! from `limits`.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Registry, Token};
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
use super::resolver::{Names, late};
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

/// Connects to the first address that answers. The next one is tried beside those before it when they have failed or
/// have been silent for a while.
fn race(uri: &Uri, addresses: &[SocketAddr]) -> Result<TcpStream, ureq::Error> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(addresses.len().max(1));
    let mut rest = addresses.iter().copied();
    let mut next = Instant::now();
    let mut pending: Vec<(SocketAddr, mio::net::TcpStream)> = Vec::new();
    let mut failures = Vec::new();
    loop {
        while pending.is_empty() || Instant::now() >= next {
            let Some(address) = rest.next() else { break };
            match begin(address, poll.registry()) {
                Ok(stream) => pending.push((address, stream)),
                Err(e) => failures.push(format!("{address}: {e}")),
            }
            next = Instant::now() + STAGGER;
        }
        if pending.is_empty() {
            let host = uri.host().unwrap_or_default();
            limits::note(Trouble::Connect(format!("{host}: {}", failures.join("; "))));
            return Err(ureq::Error::ConnectionFailed);
        }
        let mut left = limits::slice_left().ok_or_else(late)?;
        if rest.len() > 0 {
            left = left.min(next.saturating_duration_since(Instant::now()));
        }
        match poll.poll(&mut events, Some(left)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e.into()),
            _ => {}
        }
        for i in (0..pending.len()).rev() {
            match is_connected(&pending[i].1) {
                Ok(false) => {}
                Ok(true) => {
                    let stream = TcpStream::from(pending.swap_remove(i).1);
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
                Err(e) => {
                    let (address, _) = pending.swap_remove(i);
                    failures.push(format!("{address}: {e}"));
                    next = Instant::now();
                }
            }
        }
    }
}

fn begin(address: SocketAddr, registry: &Registry) -> io::Result<mio::net::TcpStream> {
    let mut stream = mio::net::TcpStream::connect(address)?;
    registry.register(&mut stream, Token(0), Interest::WRITABLE)?;
    Ok(stream)
}

/// Whether it is by now; an error when it won't be.
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
