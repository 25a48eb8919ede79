//! A server on loopback that follows a test's script: a function per connection, whose steps are the methods of
//! [`Connection`], or a response for each request. Nothing that HTTP forbids is forbidden to it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::abi::Config;

/// The response of a Zoom that has done it.
pub const DONE: &str = "HTTP/1.1 204 No Content\r\nx-zm-trackingid: v=2.0;rid=WEB_1\r\n\r\n";

/// HTTP, with headers as lines that end in `\r\n`.
pub fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn json(status: &str, body: &str) -> String {
    response(status, "Content-Type: application/json\r\n", body)
}

/// What the token endpoint responds.
pub fn token(token: &str, expires_in: u64) -> String {
    json(
        "200 OK",
        &format!(
            r#"{{"access_token":"{token}","token_type":"bearer","expires_in":{expires_in},"scope":"user:write:admin"}}"#
        ),
    )
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    /// The connection that it came on, from 0.
    pub connection: usize,
    pub head: String,
    pub body: String,
}

impl Request {
    /// `PUT /v2/users/ada@example.com/status HTTP/1.1`
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// `NAME` of `/v2/users/NAME/status`
    pub fn user(&self) -> &str {
        let path = self.line().split(' ').nth(1).unwrap_or_default();
        path.rsplit('/').nth(1).unwrap_or_default()
    }

    /// "" when there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.trim())
    }
}

/// What bytes travel over: TCP, TLS, or a wire that is cut.
trait Stream: Read + Write + Send {
    fn close_notify(&mut self) {}
}

impl Stream for TcpStream {}

impl Stream for StreamOwned<ServerConnection, Box<dyn Stream>> {
    fn close_notify(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
    }
}

/// One connection, and the steps of a script. A step that fails because the client has gone, which is its right, says so.
pub struct Connection {
    /// From 0.
    pub number: usize,
    tcp: TcpStream,
    stream: Box<dyn Stream>,
}

impl Connection {
    fn new(number: usize, tcp: TcpStream) -> Connection {
        let _ = tcp.set_nodelay(true);
        // A test that fails must not hang.
        let long = Some(Duration::from_secs(20));
        tcp.set_read_timeout(long).expect("a timeout");
        tcp.set_write_timeout(long).expect("a timeout");
        let stream = Box::new(tcp.try_clone().expect("a handle"));
        Connection {
            number,
            tcp,
            stream,
        }
    }

    /// Reads one request; `None` when the connection ends first.
    pub fn request(&mut self) -> Option<Request> {
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        let mut wanted = None;
        loop {
            if wanted.is_none()
                && let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n")
            {
                let head = String::from_utf8(bytes.drain(..end + 4).collect()).expect("ASCII");
                let request = Request {
                    at: Instant::now(),
                    connection: self.number,
                    head,
                    body: String::new(),
                };
                let length = request.header("content-length").parse().unwrap_or(0);
                wanted = Some((request, length));
            }
            if let Some((request, length)) = &mut wanted
                && bytes.len() >= *length
            {
                assert_eq!(bytes.len(), *length, "more came than one request");
                request.body = String::from_utf8_lossy(&bytes).into_owned();
                return Some(request.clone());
            }
            match self.stream.read(&mut part) {
                Ok(n @ 1..) => bytes.extend_from_slice(&part[..n]),
                _ => return None,
            }
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let sent = self.stream.write_all(bytes.as_ref());
        sent.and_then(|()| self.stream.flush()).is_ok()
    }

    /// As much of it as the client takes now.
    pub fn send_some(&mut self, bytes: &[u8]) -> Option<usize> {
        self.stream.write(bytes).ok()
    }

    /// Reads until the client closes, and says what it read.
    pub fn until_closed(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut part = [0; 4096];
        while let Ok(n @ 1..) = self.stream.read(&mut part) {
            all.extend_from_slice(&part[..n]);
        }
        all
    }

    /// Nothing more is sent, while the client may go on.
    pub fn close_sending(&mut self) {
        let _ = self.tcp.shutdown(Shutdown::Write);
    }

    /// From here on TLS, with this certificate.
    pub fn tls(&mut self, certificate: &Certificate) {
        let connection = ServerConnection::new(Arc::clone(&certificate.config)).expect("a server");
        let tcp = self.tcp.try_clone().expect("a handle");
        let below = std::mem::replace(&mut self.stream, Box::new(tcp));
        self.stream = Box::new(StreamOwned::new(connection, below));
    }

    /// TLS's own end; without it a close may be an attacker's.
    pub fn close_notify(&mut self) {
        self.stream.close_notify();
    }

    /// The wire is cut once so many more bytes were sent.
    pub fn cut_after(&mut self, left: usize) {
        let stream = self.tcp.try_clone().expect("a handle");
        self.stream = Box::new(Cut { stream, left });
    }

    /// Closes with RST instead of FIN.
    pub fn reset(&mut self) {
        let linger = Some(Duration::ZERO);
        socket2::SockRef::from(&self.tcp)
            .set_linger(linger)
            .expect("a flag");
    }

    /// Leads on to `target` until either side closes, and hands `sees` what comes from the client.
    pub fn tunnel(&mut self, target: SocketAddr, mut sees: impl FnMut(&[u8])) {
        let Ok(mut there) = TcpStream::connect(target) else {
            return;
        };
        // In turns, since a TLS stream is one for both directions.
        let short = Some(Duration::from_millis(1));
        self.tcp.set_read_timeout(short).expect("a timeout");
        there.set_read_timeout(short).expect("a timeout");
        let mut part = [0; 16_384];
        let open = |read: std::io::Result<usize>| match read {
            Ok(0) => None,
            Ok(n) => Some(n),
            Err(e) => matches!(
                e.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            )
            .then_some(0),
        };
        loop {
            let Some(n) = open(self.stream.read(&mut part)) else {
                return;
            };
            sees(&part[..n]);
            if there.write_all(&part[..n]).is_err() {
                return;
            }
            let Some(n) = open(there.read(&mut part)) else {
                return;
            };
            if n > 0 && !self.send(&part[..n]) {
                return;
            }
        }
    }
}

/// A wire that ends after so many bytes.
struct Cut {
    stream: TcpStream,
    left: usize,
}

impl Stream for Cut {}

impl Read for Cut {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(into)
    }
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = bytes.len().min(self.left);
        self.left -= n;
        if n == 0 && !bytes.is_empty() {
            let _ = self.stream.shutdown(Shutdown::Both);
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.stream.write(&bytes[..n])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A certificate for loopback that vouches for itself.
#[derive(Clone)]
pub struct Certificate {
    pub pem: String,
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    pub fn new() -> Certificate {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(hosts).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("they fit");
        // Full soon, so that the server's own memory stays as it is.
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(8);
        Certificate {
            pem: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            config: Arc::new(config),
        }
    }
}

pub struct Server {
    pub address: SocketAddr,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Request>>>,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Server {
    /// Runs `script` for each connection, on a thread of its own; at its end the connection is closed.
    pub fn new(script: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
        Server::on(ANY, script)
    }

    pub fn on(
        address: SocketAddr,
        script: impl Fn(&mut Connection) + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (accepted, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let ended = Arc::<AtomicBool>::default();
        let (count, serving, end) = (accepted.clone(), open.clone(), ended.clone());
        let script = Arc::new(script);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let number = count.fetch_add(1, Ordering::SeqCst);
                serving.fetch_add(1, Ordering::SeqCst);
                let (script, serving) = (script.clone(), serving.clone());
                thread::spawn(move || {
                    script(&mut Connection::new(number, stream));
                    serving.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Server {
            address,
            scheme: "http",
            requests: Arc::default(),
            accepted,
            open,
            ended,
            thread: Some(thread),
        }
    }

    /// The same over TLS.
    pub fn tls(
        certificate: &Certificate,
        script: impl Fn(&mut Connection) + Send + Sync + 'static,
    ) -> Server {
        let certificate = certificate.clone();
        let mut server = Server::new(move |connection| {
            connection.tls(&certificate);
            script(connection);
        });
        server.scheme = "https";
        server
    }

    /// Sends for each request what `respond` gives, and keeps the request; "" closes the connection instead.
    pub fn http<R: AsRef<[u8]>>(respond: impl Fn(&Request) -> R + Send + Sync + 'static) -> Server {
        Server::http_on(ANY, respond)
    }

    pub fn http_on<R: AsRef<[u8]>>(
        address: SocketAddr,
        respond: impl Fn(&Request) -> R + Send + Sync + 'static,
    ) -> Server {
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let kept = requests.clone();
        let mut server = Server::on(address, move |connection| {
            while let Some(request) = connection.request() {
                kept.lock().unwrap().push(request.clone());
                let response = respond(&request);
                if response.as_ref().is_empty() || !connection.send(response) {
                    return;
                }
            }
        });
        server.requests = requests;
        server
    }

    /// Sends the nth response to the nth request, and the last from then on.
    pub fn script(responses: Vec<String>) -> Server {
        let next = AtomicUsize::new(0);
        Server::http(move |_| {
            let nth = next.fetch_add(1, Ordering::SeqCst);
            responses[nth.min(responses.len() - 1)].clone()
        })
    }

    /// Does each update, and keeps the requests.
    pub fn done() -> Server {
        Server::http(|_| DONE)
    }

    /// Accepts, and says nothing ever.
    pub fn silent() -> Server {
        Server::new(|connection| {
            connection.until_closed();
        })
    }

    /// A proxy that leads every CONNECT to `target`, unless `refuse` has a response to it. It keeps the CONNECTs.
    pub fn proxy(
        target: SocketAddr,
        refuse: impl Fn(&Request) -> Option<String> + Send + Sync + 'static,
    ) -> Server {
        Server::proxy_with(None, target, refuse)
    }

    /// The same over TLS.
    pub fn proxy_with(
        certificate: Option<&Certificate>,
        target: SocketAddr,
        refuse: impl Fn(&Request) -> Option<String> + Send + Sync + 'static,
    ) -> Server {
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let kept = requests.clone();
        let script = move |connection: &mut Connection| {
            let Some(request) = connection.request() else {
                return;
            };
            kept.lock().unwrap().push(request.clone());
            match refuse(&request) {
                Some(refusal) => drop(connection.send(refusal)),
                None => {
                    connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
                    connection.tunnel(target, |_| {});
                }
            }
        };
        let mut server = match certificate {
            Some(certificate) => Server::tls(certificate, script),
            None => Server::new(script),
        };
        server.requests = requests;
        server
    }

    /// What `http` and `proxy` kept.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many were accepted so far.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Waits until no connection is open any more.
    pub fn settle(&self) {
        let until = Instant::now() + Duration::from_secs(25);
        while self.open.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < until, "connections stay open");
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn api(&self) -> String {
        format!("{}/v2", self.origin())
    }

    pub fn oauth(&self) -> String {
        format!("{}/oauth/token", self.origin())
    }

    /// With a static token.
    pub fn with_token(&self) -> Config {
        let config = Config::new().urls(&self.api(), &self.oauth());
        config.token("a-token")
    }

    /// With the token endpoint at `oauth`.
    pub fn with_oauth(&self, oauth: &Server) -> Config {
        let config = Config::new().urls(&self.api(), &oauth.oauth());
        config.oauth("account", "client", "secret")
    }

    /// With a static token, one attempt and two seconds.
    pub fn once(&self) -> Config {
        self.with_token().retry(1, 1, 5).timeouts(2_000, 2_000)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A port where nothing responds at all: the backlog is full, so that the system drops what comes.
#[cfg(target_os = "linux")]
pub struct BlackHole {
    pub address: SocketAddr,
    _listener: socket2::Socket,
    _fill: Vec<socket2::Socket>,
}

#[cfg(target_os = "linux")]
impl BlackHole {
    pub fn new() -> BlackHole {
        BlackHole::on(ANY)
    }

    pub fn on(address: SocketAddr) -> BlackHole {
        let socket = || {
            socket2::Socket::new(
                socket2::Domain::for_address(address),
                socket2::Type::STREAM,
                None,
            )
            .expect("a socket")
        };
        let listener = socket();
        listener.bind(&address.into()).expect("a port");
        listener.listen(0).expect("it listens");
        let address = listener.local_addr().expect("an address");
        let fill = (0..4)
            .map(|_| {
                let filler = socket();
                filler.set_nonblocking(true).expect("a flag");
                let _ = filler.connect(&address);
                filler
            })
            .collect();
        let address = address.as_socket().expect("an IP address");
        // It takes a moment; and a test on a hole that isn't one would prove nothing.
        let timeout = Duration::from_millis(50);
        for _ in 0..20 {
            if TcpStream::connect_timeout(&address, timeout).is_err() {
                break;
            }
        }
        let probe = TcpStream::connect_timeout(&address, timeout);
        let error = probe.expect_err("nothing responds");
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        BlackHole {
            address,
            _listener: listener,
            _fill: fill,
        }
    }
}
