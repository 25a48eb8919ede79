//! Each way for a call to be slow, for the tests of its time and of its cancel.

use std::thread;

use crate::common::abi::*;
use crate::common::server::{BlackHole, Server, response};
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

/// A server that responds with these bytes at once, and then one at a time.
fn dripping(at_once: &'static str, drop: &'static str) -> Server {
    Server::new(move |connection| {
        connection.request();
        let mut goes_on = connection.send(at_once);
        while goes_on {
            thread::sleep(ms(200));
            goes_on = connection.send(drop);
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
    ("no response to a connection", || {
        dead_to(|hole| to(&format!("http://{}", hole.address)))
    }),
    ("no response to the TLS handshake", || {
        silent(|server| to(&format!("https://{}", server.address)))
    }),
    ("an HTTP proxy where nobody responds", || {
        dead_to(|hole| to("https://localhost:1").proxy(&format!("http://{}", hole.address)))
    }),
    ("an HTTP proxy that doesn't respond CONNECT", || {
        silent(|server| to("https://localhost:1").proxy(&format!("http://{}", server.address)))
    }),
    ("a SOCKS proxy where nobody responds", || {
        dead_to(|hole| to("https://localhost:1").proxy(&format!("socks5://{}", hole.address)))
    }),
    ("a SOCKS proxy that doesn't respond", || {
        silent(|server| to("https://localhost:1").proxy(&format!("socks5://{}", server.address)))
    }),
    ("a proxy that tunnels to silence", || {
        let proxy = Server::new(|connection| {
            connection.request();
            connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
            connection.until_closed();
        });
        let config = to("https://localhost:1").proxy(&format!("http://{}", proxy.address));
        Slow::new(config, proxy)
    }),
];

/// Slow once it is connected, or before that is tried.
pub const WAITING: &[Way] = &[
    ("no response to a request", || {
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
    ("endless interim responses", || {
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
    ("a token endpoint that doesn't respond", || {
        let (oauth, api) = (Server::silent(), Server::done());
        Slow::new(api.with_oauth(&oauth), (oauth, api))
    }),
    ("a token endpoint that is down for a while", || {
        let api = Server::done();
        let oauth = Server::http(|_| response("503 Unavailable", "Retry-After: 1\r\n", ""));
        Slow::new(api.with_oauth(&oauth).retry(100, 1, 1), (oauth, api))
    }),
    ("Retry-After, again and again", || {
        let server = Server::http(|_| response("503 Unavailable", "Retry-After: 1\r\n", ""));
        Slow::new(server.with_token().retry(100, 1, 1), server)
    }),
    ("waits that double", || {
        let server = Server::http(|_| response("503 Unavailable", "", ""));
        Slow::new(server.with_token().retry(100, 10_000, 10_000), server)
    }),
    ("many quick retries", || {
        let server = Server::http(|_| "");
        Slow::new(server.with_token().retry(100, 60, 60), server)
    }),
    ("the configured rate", || {
        let server = Server::done();
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
