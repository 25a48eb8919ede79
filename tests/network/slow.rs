//! Each way for a call to be slow, for the tests of its time and of its cancel.

use std::io::{BufReader, Write};
use std::thread;

use crate::common::abi::*;
use crate::common::server::{BlackHole, Request, Server, answer, done, hold};
use crate::common::{ms, sandbox};

/// What is slow, and such a call.
pub type Way = (&'static str, fn() -> Slow);

/// A call that would take much longer than a second.
pub struct Slow {
    pub config: Config,
    pub user: &'static str,
    /// It is slow from its second call on.
    pub second: bool,
    /// What makes it slow.
    pub servers: Box<dyn Send>,
}

impl Slow {
    fn new(config: Config, servers: impl Send + 'static) -> Slow {
        Slow {
            config,
            user: "ada@example.com",
            second: false,
            servers: Box::new(servers),
        }
    }

    fn sandbox(user: &'static str) -> Slow {
        let sandbox = sandbox::Sandbox::start(&[]);
        Slow {
            user,
            ..Slow::new(sandbox.with_token(), sandbox)
        }
    }
}

/// A server that answers with these bytes at once, and then one at a time.
fn dripping(at_once: &'static str, drop: &'static str) -> Server {
    Server::raw(move |n, stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
        let mut stream = stream;
        Request::read(&mut reader, n);
        let mut sent = stream.write_all(at_once.as_bytes());
        while sent.is_ok() {
            thread::sleep(ms(200));
            sent = stream.write_all(drop.as_bytes());
        }
    })
}

fn dead_to(config: impl Fn(&BlackHole) -> Config) -> Slow {
    let hole = BlackHole::new();
    Slow::new(config(&hole), hole)
}

fn silent(config: impl Fn(&Server) -> Config) -> Slow {
    let server = Server::silent();
    Slow::new(config(&server), server)
}

fn to(api: &str) -> Config {
    Config::new().urls(api, api).token("a-token")
}

/// Slow while the connection is made: bounded by connect_ms as well.
pub const CONNECTING: &[Way] = &[
    ("no answer to a connection", || {
        dead_to(|hole| to(&format!("http://{}", hole.address)))
    }),
    ("no answer to the TLS handshake", || {
        silent(|server| to(&format!("https://{}", server.address)))
    }),
    ("an HTTP proxy that nobody answers at", || {
        dead_to(|hole| to("https://localhost:1").proxy(&format!("http://{}", hole.address)))
    }),
    ("an HTTP proxy that doesn't answer CONNECT", || {
        silent(|server| to("https://localhost:1").proxy(&format!("http://{}", server.address)))
    }),
    ("a SOCKS proxy that nobody answers at", || {
        dead_to(|hole| to("https://localhost:1").proxy(&format!("socks5://{}", hole.address)))
    }),
    ("a SOCKS proxy that doesn't answer", || {
        silent(|server| to("https://localhost:1").proxy(&format!("socks5://{}", server.address)))
    }),
    ("a proxy that tunnels to silence", || {
        let proxy = Server::raw(|n, stream| {
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            Request::read(&mut reader, n);
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            hold(stream);
        });
        let config = to("https://localhost:1").proxy(&format!("http://{}", proxy.address));
        Slow::new(config, proxy)
    }),
];

/// Slow once it is connected, or before that is tried.
pub const WAITING: &[Way] = &[
    ("no answer to a request", || {
        Slow::sandbox("answer-never@example.com")
    }),
    ("a head that drips", || {
        let server = dripping("HTTP/1.1 204 No Content\r\nX-Slow: ", "x");
        Slow::new(server.with_token(), server)
    }),
    ("a head of endless lines", || {
        let server = dripping("HTTP/1.1 204 No Content\r\n", "X-More: more\r\n");
        Slow::new(server.with_token(), server)
    }),
    ("endless interim answers", || {
        let server = dripping("", "HTTP/1.1 102 Processing\r\n\r\n");
        Slow::new(server.with_token(), server)
    }),
    ("a body that doesn't come", || {
        let server = dripping("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "");
        Slow::new(server.with_token(), server)
    }),
    ("a body that drips", || {
        let server = dripping("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", " ");
        Slow::new(server.with_token(), server)
    }),
    ("a body in chunks without end", || {
        let server = dripping(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\n \r\n",
        );
        Slow::new(server.with_token(), server)
    }),
    ("a token endpoint that doesn't answer", || {
        let (oauth, api) = (Server::silent(), Server::http(|_| done()));
        Slow::new(api.with_oauth(&oauth), (oauth, api))
    }),
    ("a token endpoint that is down for a while", || {
        let api = Server::http(|_| done());
        let oauth = Server::http(|_| answer("503 Unavailable", "Retry-After: 1\r\n", ""));
        Slow::new(api.with_oauth(&oauth).retry(100, 1, 1), (oauth, api))
    }),
    ("Retry-After, again and again", || {
        let server = Server::http(|_| answer("503 Unavailable", "Retry-After: 1\r\n", ""));
        Slow::new(server.with_token().retry(100, 1, 1), server)
    }),
    ("waits that double", || {
        let server = Server::http(|_| answer("503 Unavailable", "", ""));
        Slow::new(server.with_token().retry(100, 10_000, 10_000), server)
    }),
    ("many quick repeats", || {
        let server = Server::http(|_| String::new());
        Slow::new(server.with_token().retry(100, 60, 60), server)
    }),
    ("the configured rate", || {
        let server = Server::http(|_| done());
        Slow {
            second: true,
            ..Slow::new(server.with_token().rate(1, 3_000), server)
        }
    }),
];

/// Tests all ways at once, since each mostly waits.
pub fn each(ways: &[Way], test: impl Fn(&str, Slow) + Sync) {
    thread::scope(|scope| {
        let test = &test;
        let tests: Vec<_> = ways
            .iter()
            .map(|(what, slow)| scope.spawn(move || test(what, slow())))
            .collect();
        let failed = tests.into_iter().filter_map(|test| test.join().err());
        assert_eq!(failed.count(), 0, "some ways failed, see above");
    });
}
