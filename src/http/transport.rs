//! The socket. ureq's own transport sets a timeout and probes the socket several times a call, and sends head and
//! body apart; this one sets a timeout when it changes materially, probes when a kept connection is taken up
//! again, and sends once. Time and cancel come from `limits`.

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
                .chain(Join);
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
    /// In the pool, or about to go there.
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

    /// ureq asks when it puts a connection into the pool and again when it takes it out. The second time matters.
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

/// Sends head and body together: what is written waits until an answer is wanted.
#[derive(Debug)]
struct Join;

impl<In: Transport> Connector<In> for Join {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| -> Box<dyn Transport> {
            Box::new(Joined {
                inner,
                waiting: Vec::new(),
            })
        }))
    }
}

struct Joined<T: Transport> {
    inner: T,
    /// Written and not sent yet. It holds a token, as the transport's own buffer does: both are wiped at the end.
    waiting: Vec<u8>,
}

impl<T: Transport> Transport for Joined<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let written = &self.inner.buffers().output()[..amount];
        self.waiting.extend_from_slice(written);
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let mut sent = 0;
        while sent < self.waiting.len() {
            let output = self.inner.buffers().output();
            let amount = output.len().min(self.waiting.len() - sent);
            output[..amount].copy_from_slice(&self.waiting[sent..][..amount]);
            self.inner.transmit_output(amount, timeout)?;
            sent += amount;
        }
        self.waiting.clear();
        if self.inner.buffers().input_append_buf().is_empty() {
            limits::note(Trouble::HeadTooLarge);
            return Err(late());
        }
        let came = self.inner.await_input(timeout).map_err(broken)?;
        if came {
            // Here and not at the socket, where TLS says things of its own.
            limits::answered();
        }
        Ok(came)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// ureq takes these for the end of a body that tells no length. But a reset, or TLS without its close_notify, is how a
/// cut looks, and what is missing may be the error.
fn broken(e: ureq::Error) -> ureq::Error {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    match e {
        ureq::Error::Io(e)
            if matches!(
                e.kind(),
                ConnectionAborted | ConnectionReset | UnexpectedEof
            ) =>
        {
            io::Error::other(e).into()
        }
        e => e,
    }
}

impl<T: Transport> Drop for Joined<T> {
    fn drop(&mut self) {
        self.waiting.zeroize();
        let buffers = self.inner.buffers();
        buffers.output().zeroize();
        // All of it: what was read of an answer may hold a token.
        let unread = buffers.input().len();
        buffers.input_consume(unread);
        buffers.input_append_buf().zeroize();
    }
}

impl<T: Transport> fmt::Debug for Joined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Joined")
    }
}
