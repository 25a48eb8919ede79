//! Servers that follow a script: an answer for each request, or whatever else a connection may meet with.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::abi::Config;

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
    /// Reads one; `None` when the connection ends first.
    pub fn read(stream: &mut BufReader<TcpStream>, connection: usize) -> Option<Request> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Request {
            at: Instant::now(),
            connection,
            head,
            body: String::new(),
        };
        let length = request.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        request.body = String::from_utf8_lossy(&body).into_owned();
        Some(request)
    }

    /// "" when there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    /// `PUT /v2/users/ada@example.com/status HTTP/1.1`
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

/// HTTP, with headers as lines that end in `\r\n`.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn json(status: &str, body: &str) -> String {
    answer(status, "Content-Type: application/json\r\n", body)
}

pub fn done() -> String {
    "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
}

/// What the token endpoint says.
pub fn token(token: &str, expires_in: u64) -> String {
    json(
        "200 OK",
        &format!(
            r#"{{"access_token":"{token}","token_type":"bearer","expires_in":{expires_in},"scope":"user:write:admin"}}"#
        ),
    )
}

pub struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Hands each connection, and its number, to `serve` on a thread of its own.
    pub fn raw(serve: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Server {
        Server::raw_on((Ipv4Addr::LOCALHOST, 0).into(), serve)
    }

    pub fn raw_on(
        address: SocketAddr,
        serve: impl Fn(usize, TcpStream) + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(number, stream));
            }
        });
        Server {
            address,
            requests: Arc::default(),
            connections,
        }
    }

    /// Answers each request with what `answer` gives for it; "" closes the connection instead.
    pub fn http(answer: impl Fn(&Request) -> String + Send + Sync + 'static) -> Server {
        Server::http_on((Ipv4Addr::LOCALHOST, 0).into(), answer)
    }

    pub fn http_on(
        address: SocketAddr,
        answer: impl Fn(&Request) -> String + Send + Sync + 'static,
    ) -> Server {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let server = Server::raw_on(address, move |number, stream| {
            let _ = stream.set_nodelay(true);
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            let mut stream = stream;
            while let Some(request) = Request::read(&mut reader, number) {
                kept.lock().unwrap().push(request.clone());
                let answer = answer(&request);
                if answer.is_empty() || stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Server { requests, ..server }
    }

    /// Answers the nth request with the nth answer, and with the last from then on.
    pub fn script(answers: Vec<String>) -> Server {
        let next = AtomicUsize::new(0);
        Server::http(move |_| {
            let nth = next.fetch_add(1, Ordering::SeqCst);
            answers[nth.min(answers.len() - 1)].clone()
        })
    }

    /// Accepts, and says nothing ever.
    pub fn silent() -> Server {
        Server::raw(|_, stream| hold(stream))
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    /// With a fixed token.
    pub fn with_token(&self) -> Config {
        let url = self.url();
        Config::new().urls(&url, &url).token("a-token")
    }

    /// With the token endpoint at `oauth`.
    pub fn with_oauth(&self, oauth: &Server) -> Config {
        let oauth = format!("http://{}/oauth/token", oauth.address);
        Config::new()
            .urls(&self.url(), &oauth)
            .oauth("account", "client", "secret")
    }
}

/// Keeps a connection open until the other side closes it, and says nothing.
pub fn hold(mut stream: TcpStream) {
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).is_ok_and(|read| read > 0) {}
}

/// A port where nothing answers at all: the backlog is full, so that the system drops what comes.
pub struct BlackHole {
    pub address: SocketAddr,
    _listener: socket2::Socket,
    _fill: Vec<socket2::Socket>,
}

impl BlackHole {
    pub fn new() -> BlackHole {
        BlackHole::on((Ipv4Addr::LOCALHOST, 0).into())
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
        let error = probe.expect_err("nothing answers");
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        BlackHole {
            address,
            _listener: listener,
            _fill: fill,
        }
    }
}
