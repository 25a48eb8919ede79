//! A server on loopback that does as told: a function per connection, and nothing that HTTP forbids is forbidden to it.
#![allow(dead_code)] // each test uses its part

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The answer of a Zoom that has done it.
pub const DONE: &[u8] = b"HTTP/1.1 204 No Content\r\nx-zm-trackingid: v=2.0;rid=WEB_1\r\n\r\n";

pub struct Server {
    pub address: SocketAddr,
    /// Connections accepted so far, and those still being served.
    pub accepted: Arc<AtomicUsize>,
    pub active: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn new(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Server {
        Server::on(TcpListener::bind("127.0.0.1:0").unwrap(), serve)
    }

    pub fn on(listener: TcpListener, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Server {
        let address = listener.local_addr().unwrap();
        let (accepted, active) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let stop = Arc::<AtomicBool>::default();
        let (count, running, end) = (accepted.clone(), active.clone(), stop.clone());
        let serve = Arc::new(serve);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                count.fetch_add(1, Ordering::SeqCst);
                running.fetch_add(1, Ordering::SeqCst);
                let (serve, running) = (serve.clone(), running.clone());
                thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    // A test that fails must not hang.
                    let long = Some(Duration::from_secs(20));
                    stream.set_read_timeout(long).unwrap();
                    stream.set_write_timeout(long).unwrap();
                    serve(stream);
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Server {
            address,
            accepted,
            active,
            stop,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    /// Waits until no connection is served any more.
    pub fn settle(&self) {
        let until = Instant::now() + Duration::from_secs(25);
        while self.active.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < until, "connections stay open");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn read(stream: &mut impl Read) -> Option<Request> {
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut part) {
                Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
                _ => return None,
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
        let mut body = bytes[end..].to_vec();
        let length = header(&head, "content-length").map_or(0, |n| n.parse::<usize>().unwrap());
        while body.len() < length {
            match stream.read(&mut part) {
                Ok(n) if n > 0 => body.extend_from_slice(&part[..n]),
                _ => return None,
            }
        }
        assert_eq!(body.len(), length, "more came than one request");
        let line = head.lines().next().unwrap().to_owned();
        Some(Request { line, head, body })
    }

    /// `NAME` of `/v2/users/NAME/status`
    pub fn user(&self) -> &str {
        let path = self.line.split(' ').nth(1).unwrap();
        path.rsplit('/').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (n, value) = line.split_once(':')?;
        n.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Answers each request of a connection, as long as `answer` says so.
pub fn each(mut stream: TcpStream, mut answer: impl FnMut(&mut TcpStream, Request) -> bool) {
    while let Some(request) = Request::read(&mut stream) {
        if !answer(&mut stream, request) {
            return;
        }
    }
}

/// Sends `bytes`; the client may have gone, which is its right.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).is_ok()
}

/// Closes with RST instead of FIN.
pub fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

/// Waits until the client closes.
pub fn until_closed(stream: &mut TcpStream) {
    let mut part = [0; 1024];
    while matches!(stream.read(&mut part), Ok(n) if n > 0) {}
    let _ = stream.shutdown(Shutdown::Both);
}
