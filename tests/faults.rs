//! A server that fails at every step of the exchange. Whatever it does, a call ends in time with the right code, the
//! next call on the client works, and nothing is left behind: no descriptor, no thread, no allocation.
//!
//! `ZUS_LONG=1` counts over 1,000 rounds of each fault instead of 1,000 of all.
#![cfg(target_os = "linux")] // counts in /proc

#[path = "faults/caller.rs"]
mod caller;
#[path = "faults/count.rs"]
mod count;
#[path = "faults/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use caller::{Answer, Client, Config};
use count::Held;
use server::{DONE, Server, each, reset, send, until_closed};
use zus::ffi::zus_code::{self, *};

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

/// 100 ms over the total time are promised; the rest is for a machine with other things to do.
const SLACK: Duration = Duration::from_millis(500);

/// What the server does instead of answering, once the request has come. True keeps the connection.
type Act = Arc<dyn Fn(&mut TcpStream) -> bool + Send + Sync>;

struct Fault {
    name: String,
    /// The code that it must give, or, where the kernel decides, the other that it may.
    code: zus_code,
    or: zus_code,
    act: Act,
    /// Before the request was read.
    at_once: bool,
    total_ms: u32,
    /// Over within a few milliseconds: fit for a thousand rounds.
    quick: bool,
    check: fn(&Answer),
}

fn fault(
    name: impl Into<String>,
    code: zus_code,
    act: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static,
) -> Fault {
    Fault {
        name: name.into(),
        code,
        or: code,
        act: Arc::new(act),
        at_once: false,
        total_ms: 5_000,
        quick: true,
        check: |_| {},
    }
}

/// Answers with these bytes and closes.
fn answers(name: &str, code: zus_code, bytes: impl Into<Vec<u8>>) -> Fault {
    let bytes = bytes.into();
    fault(name, code, move |s| {
        send(s, &bytes);
        false
    })
}

/// Answers with these bytes and keeps the connection.
fn keeps(name: &str, code: zus_code, bytes: impl Into<Vec<u8>>) -> Fault {
    let bytes = bytes.into();
    fault(name, code, move |s| send(s, &bytes))
}

impl Fault {
    fn at_once(self) -> Fault {
        Fault {
            at_once: true,
            ..self
        }
    }

    fn or(self, or: zus_code) -> Fault {
        Fault { or, ..self }
    }

    /// Ends by the call's total time.
    fn slow(self, total_ms: u32) -> Fault {
        Fault {
            total_ms,
            quick: false,
            ..self
        }
    }

    fn check(self, check: fn(&Answer)) -> Fault {
        Fault { check, ..self }
    }
}

const LENGTH: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\
Content-Length: 28\r\n\r\n{\"code\":3412,\"message\":\"no\"}";
const CHUNKED: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{\"code\":3412,\"mes\r\nb\r\nsage\":\"no\"}\r\n0\r\n\r\n";

fn with_body(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// The second answer of "a late second answer" was sent.
static IT_IS_THERE: AtomicBool = AtomicBool::new(false);

/// All but those that need their own server.
fn faults() -> Vec<Fault> {
    let mut all = vec![
        fault("accept and close", ZUS_ERR_IO, |_| false).at_once(),
        fault("accept and reset", ZUS_ERR_IO, |s| {
            reset(s);
            false
        })
        .or(ZUS_ERR_CONNECT)
        .at_once(),
        fault("close without an answer", ZUS_ERR_IO, |_| false),
        fault("reset without an answer", ZUS_ERR_IO, |s| {
            reset(s);
            false
        }),
        fault("an answer before the request is read", ZUS_ERR_USER_NOT_FOUND, |s| {
            send(
                s,
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{\"code\":1001}",
            );
            until_closed(s);
            false
        })
        .at_once(),
    ];
    // Not HTTP.
    for (name, bytes) in [
        ("garbage", &b"\x00\x01\x02\xff\xfe\r\n\r\n\x80\x81"[..]),
        (
            "garbage without an end",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ),
        ("HTTP/0.9", b"<html>hello</html>"),
        ("HTTP/0.9 with lines", b"hello\r\nthere\r\n\r\n"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("HTTP/2", b"HTTP/2 200\r\n\r\n"),
        ("HTTP/3.7", b"HTTP/3.7 200 OK\r\n\r\n"),
        ("no status", b"HTTP/1.1 \r\n\r\n"),
        ("status 99", b"HTTP/1.1 99 Low\r\n\r\n"),
        ("status of four digits", b"HTTP/1.1 2000 High\r\n\r\n"),
        ("negative status", b"HTTP/1.1 -20 Minus\r\n\r\n"),
        (
            "a header without a colon",
            b"HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
        ),
        (
            "a header without a name",
            b"HTTP/1.1 200 OK\r\n: value\r\n\r\n",
        ),
        ("a NUL in a header", b"HTTP/1.1 200 OK\r\nx-a: a\0b\r\n\r\n"),
        (
            "a switch of protocols",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ),
    ] {
        all.push(answers(name, ZUS_ERR_PROTOCOL, bytes));
    }
    // Interim answers are passed over.
    for (name, bytes) in [
        ("100 first", &b"HTTP/1.1 100 Continue\r\n\r\n"[..]),
        ("103 with headers first", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        ("three interim answers", b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        all.push(keeps(name, ZUS_OK, [bytes, DONE].concat()).check(|a| assert_eq!(a.status, 204)));
    }
    // Chunks.
    for (name, chunks) in [
        ("a size that is no number", "zz\r\nab\r\n0\r\n\r\n"),
        ("a negative size", "-1\r\na\r\n0\r\n\r\n"),
        ("no size", "\r\na\r\n0\r\n\r\n"),
        ("a size over 64 bits", "1ffffffffffffffff\r\na\r\n0\r\n\r\n"),
        ("a chunk longer than its size", "2\r\nabcdef\r\n0\r\n\r\n"),
        ("a huge chunk, cut", "7fffffff\r\nabc"),
        ("no last chunk", "2\r\n{}\r\n"),
        (
            "a size that never ends",
            "00000000000000000000000000000000000000000000000000000000",
        ),
    ] {
        let bytes = with_body("Transfer-Encoding: chunked\r\n", chunks.as_bytes());
        all.push(answers(
            &format!("chunked: {name}"),
            ZUS_ERR_PROTOCOL,
            bytes,
        ));
    }
    // Lengths.
    for (name, code, headers, body) in [
        (
            "too large",
            ZUS_ERR_PROTOCOL,
            "Content-Length: 1000\r\n",
            "{}",
        ),
        (
            "too small",
            ZUS_OK,
            "Content-Length: 2\r\n",
            "{}HTTP/1.1 500 Smuggled\r\n\r\n",
        ),
        (
            "twice, different",
            ZUS_ERR_PROTOCOL,
            "Content-Length: 2\r\nContent-Length: 4\r\n",
            "{}  ",
        ),
        (
            "a list",
            ZUS_ERR_PROTOCOL,
            "Content-Length: 2, 4\r\n",
            "{}  ",
        ),
        ("negative", ZUS_ERR_PROTOCOL, "Content-Length: -2\r\n", "{}"),
        (
            "with a sign",
            ZUS_ERR_PROTOCOL,
            "Content-Length: +2\r\n",
            "{}",
        ),
        (
            "no number",
            ZUS_ERR_PROTOCOL,
            "Content-Length: two\r\n",
            "{}",
        ),
        (
            "over 64 bits",
            ZUS_ERR_PROTOCOL,
            "Content-Length: 36893488147419103234\r\n",
            "{}",
        ),
    ] {
        all.push(keeps_or_cuts(
            name,
            code,
            &with_body(headers, body.as_bytes()),
        ));
    }
    // What belongs to no answer must not become the next one's.
    all.push(keeps(
        "204 with a body",
        ZUS_OK,
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
    ));
    all.push(keeps(
        "two answers at once",
        ZUS_OK,
        [DONE, b"HTTP/1.1 500 Surplus\r\nContent-Length: 0\r\n\r\n"].concat(),
    ));
    all.push(
        fault("a late second answer", ZUS_OK, |s| {
            send(s, DONE);
            sleep(Duration::from_micros(300));
            send(
                s,
                b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
            );
            IT_IS_THERE.store(true, Ordering::SeqCst);
            until_closed(s);
            false
        })
        // Once it is there it is noticed; what comes while the next request is sent can't be told from its answer.
        .check(|_| {
            while !IT_IS_THERE.swap(false, Ordering::SeqCst) {
                sleep(Duration::from_millis(1));
            }
        }),
    );
    all.push(fault("kept alive, then reset", ZUS_OK, |s| {
        send(s, DONE);
        reset(s);
        false
    }));
    all.push(fault("kept alive, then closed", ZUS_OK, |s| {
        send(s, DONE);
        false
    }));
    all.push(keeps(
        "204 that says it has a body",
        ZUS_OK,
        b"HTTP/1.1 204 No Content\r\nContent-Length: 100\r\n\r\n".to_vec(),
    ));
    all.push(keeps(
        "304 that says it has a body",
        ZUS_ERR_PROTOCOL,
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n".to_vec(),
    ));
    // Said to close, and kept open: the client must not use it again.
    for head in [
        "HTTP/1.1 204 No Content\r\nConnection: close",
        "HTTP/1.0 204 No Content",
    ] {
        all.push(fault(format!("not to be kept: {head}"), ZUS_OK, move |s| {
            send(s, format!("{head}\r\n\r\n").as_bytes());
            let mut part = [0; 100];
            let n = s.read(&mut part).unwrap_or(0);
            assert_eq!(n, 0, "it was used again");
            false
        }));
    }
    all.push(keeps(
        "trailers",
        ZUS_OK,
        with_body(
            "Transfer-Encoding: chunked\r\n",
            b"2\r\n{}\r\n0\r\nx: y\r\nz: 1\r\n\r\n",
        ),
    ));
    // A body that ends with its connection: only a proper end is one.
    all.push(answers(
        "a body up to the close",
        ZUS_OK,
        with_body("", b"{}"),
    ));
    all.push(fault("a body up to a reset", ZUS_ERR_PROTOCOL, |s| {
        send(s, &with_body("", b"{"));
        sleep(Duration::from_millis(2));
        reset(s);
        false
    }));
    // Compressed though nobody asked: bytes like any others. 10 MB of zeros in 10 KB would be a bomb to who unpacks it.
    let packed: Vec<u8> = [
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03".to_vec(),
        vec![0x55; 10_240],
    ]
    .concat();
    let headers = format!(
        "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
        packed.len()
    );
    all.push(
        keeps("gzip", ZUS_ERR_PROTOCOL, with_body(&headers, &packed)).check(|a| {
            assert_eq!(a.body.len(), 10_250);
            assert_eq!(a.body[..2], *b"\x1f\x8b");
            assert!(
                a.message.contains("10250 bytes that are no text"),
                "{}",
                a.message
            );
        }),
    );
    // Cut after each byte.
    for (name, answer, end) in [
        ("with a length", LENGTH, LENGTH.len()),
        // With the size of the last chunk it is all there.
        ("chunked", CHUNKED, CHUNKED.len() - 2),
    ] {
        for n in 1..end {
            all.push(answers(
                &format!("{name}, closed after byte {n}"),
                ZUS_ERR_PROTOCOL,
                &answer[..n],
            ));
        }
        all.push(keeps(name, ZUS_ERR_USER_LIMIT, answer));
    }
    all
}

/// A body of another length than it says: the connection ends with what was sent.
fn keeps_or_cuts(name: &str, code: zus_code, bytes: &[u8]) -> Fault {
    answers(&format!("Content-Length: {name}"), code, bytes)
}

/// Those that take their time, and those that are large.
fn slow_faults() -> Vec<Fault> {
    let mut many = b"HTTP/1.1 200 OK\r\n".to_vec();
    for n in 0..100_000 {
        many.extend_from_slice(format!("x-{n}: {n}\r\n").as_bytes());
    }
    many.extend_from_slice(b"\r\n");
    let long = [&b"HTTP/1.1 200 OK\r\nx: "[..], &vec![b'a'; 10_000_000]].concat();
    let mut small = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_vec();
    for n in 0..1_000 {
        small.extend_from_slice(format!("x-{n}: {n}\r\n").as_bytes());
    }
    small.extend_from_slice(b"\r\n");
    vec![
        answers("100,000 headers", ZUS_ERR_PROTOCOL, many).slow(3_000),
        answers("1,000 headers within 32 KiB", ZUS_ERR_PROTOCOL, small).slow(3_000),
        answers("a header of 10 MB", ZUS_ERR_PROTOCOL, long).slow(3_000),
        fault("a drip of headers", ZUS_ERR_TIMEOUT, |s| {
            drip(s, b"HTTP/1.1 200 OK\r\n", b"x: y\r\n")
        })
        .slow(300),
        fault("a drip of body", ZUS_ERR_TIMEOUT, |s| {
            drip(
                s,
                b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
                b"a",
            )
        })
        .slow(300),
        fault("a drip of chunks", ZUS_ERR_TIMEOUT, |s| {
            drip(
                s,
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"1\r\na\r\n",
            )
        })
        .slow(300),
        fault("interim answers without end", ZUS_ERR_TIMEOUT, |s| {
            drip(s, b"", b"HTTP/1.1 102 Processing\r\n\r\n")
        })
        .slow(300),
        fault("a flood of interim answers", ZUS_ERR_TIMEOUT, |s| {
            let flood = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
            while send(s, &flood) {}
            false
        })
        .slow(300),
        fault("an endless extension of a chunk", ZUS_ERR_PROTOCOL, |s| {
            flood(s, "2;", "extension=value;")
        })
        .slow(2_000),
        // Read over without being kept, as long as the call may.
        fault("endless trailers", ZUS_ERR_TIMEOUT, |s| {
            flood(s, "2\r\n{}\r\n0\r\n", "x: y\r\n")
        })
        .slow(300),
        fault("half-open", ZUS_ERR_TIMEOUT, |s| {
            until_closed(s);
            false
        })
        .slow(300),
        fault("half an answer, then silence", ZUS_ERR_TIMEOUT, |s| {
            send(s, &LENGTH[..60]);
            until_closed(s);
            false
        })
        .slow(300),
    ]
}

fn flood(s: &mut TcpStream, begin: &str, again: &str) -> bool {
    send(
        s,
        &with_body("Transfer-Encoding: chunked\r\n", begin.as_bytes()),
    );
    let again = again.repeat(10_000);
    while send(s, again.as_bytes()) {}
    false
}

fn drip(s: &mut TcpStream, begin: &[u8], drop: &[u8]) -> bool {
    send(s, begin);
    while send(s, drop) {
        sleep(Duration::from_millis(20));
    }
    false
}

/// Does what the current fault says to everybody but the user `ok`.
struct Faulty {
    server: Server,
    current: Arc<Mutex<Option<(bool, Act)>>>,
}

impl Faulty {
    fn new() -> Faulty {
        let current = Arc::<Mutex<Option<(bool, Act)>>>::default();
        let now = current.clone();
        let server = Server::new(move |mut stream| {
            let fault = now.lock().unwrap().clone();
            if let Some((true, act)) = fault {
                act(&mut stream);
                return;
            }
            each(stream, |stream, request| match request.user() {
                "ok" => send(stream, DONE),
                _ => {
                    let act = now.lock().unwrap().as_ref().unwrap().1.clone();
                    act(stream)
                }
            });
        });
        Faulty { server, current }
    }

    /// The fault, and then a call that must work.
    fn round(&self, client: &Client, fault: &Fault) -> Answer {
        *self.current.lock().unwrap() = Some((fault.at_once, fault.act.clone()));
        let answer = client.deactivate("fault");
        *self.current.lock().unwrap() = None;
        let name = &fault.name;
        let fits = [fault.code, fault.or].contains(&answer.code);
        assert!(fits, "{name}: {:?} expected: {answer:?}", fault.code);
        let most = Duration::from_millis(fault.total_ms.into()) + SLACK;
        assert!(answer.took < most, "{name}: {:?}", answer.took);
        (fault.check)(&answer);
        let next = client.deactivate("ok");
        assert_eq!(next.code, ZUS_OK, "after {name}: {next:?}");
        assert_eq!(next.status, 204, "after {name}: {next:?}");
        answer
    }

    fn client(&self, fault: &Fault) -> Client {
        Config::new(&self.server.url())
            .total(fault.total_ms)
            .client()
    }
}

/// One test, since it counts what the whole process holds.
#[test]
fn every_fault_has_its_code_and_leaves_nothing_behind() {
    let faulty = Faulty::new();
    let all = faults();
    let (one, client) = (&all[0], faulty.client(&all[0]));
    for fault in &all {
        faulty.round(&client, fault);
    }

    // A thousand rounds: everything twice first, so that all is as large as it gets.
    let rounds = |faults: &[&Fault], count: usize, what: &str| {
        for n in 0..2 * faults.len() {
            faulty.round(&client, faults[n % faults.len()]);
        }
        faulty.round(&client, one);
        let before = Held::now();
        for n in 0..count {
            faulty.round(&client, faults[n % faults.len()]);
        }
        faulty.round(&client, one);
        Held::no_more_than(before, what);
    };
    let quick: Vec<&Fault> = all.iter().filter(|f| f.quick).collect();
    rounds(&quick, 1_000, "1,000 rounds of all");
    if std::env::var_os("ZUS_LONG").is_some() {
        for fault in &quick {
            rounds(&[fault], 1_000, &fault.name);
        }
    }
    drop(client);
    faulty.server.settle();

    for fault in slow_faults() {
        let client = faulty.client(&fault);
        faulty.round(&client, &fault);
        let before = Held::now();
        faulty.round(&client, &fault);
        Held::no_more_than(before, &fault.name);
    }
    faulty.server.settle();

    many_clients(&faulty);
    what_is_repeated(&faulty);
    nobody_listens();
    nobody_accepts();
    a_body_without_end();
    tls();
    oauth(&faulty);
}

/// Making and freeing configurations and clients leaves nothing.
fn many_clients(faulty: &Faulty) {
    let round = || {
        let client = Config::new(&faulty.server.url()).client();
        assert_eq!(client.deactivate("ok").code, ZUS_OK);
    };
    round();
    faulty.server.settle();
    let before = Held::now();
    (0..200).for_each(|_| round());
    faulty.server.settle();
    Held::no_more_than(before, "200 clients");
}

/// What may succeed a moment later is tried again, and nothing else.
fn what_is_repeated(faulty: &Faulty) {
    let client = Config::new(&faulty.server.url()).attempts(3).client();
    for (fault, attempts) in [
        (fault("close", ZUS_ERR_IO, |_| false).at_once(), 3),
        (answers("cut short", ZUS_ERR_PROTOCOL, &LENGTH[..70]), 3),
        (answers("garbage", ZUS_ERR_PROTOCOL, "garbage\r\n\r\n"), 1),
        (keeps("refused", ZUS_ERR_USER_LIMIT, LENGTH), 1),
    ] {
        let answer = faulty.round(&client, &fault);
        assert_eq!(answer.attempts, attempts, "{}: {answer:?}", fault.name);
    }
}

fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Config::new(&format!("http://{address}")).client();
    let call = || {
        let answer = client.deactivate("ok");
        assert_eq!(answer.code, ZUS_ERR_CONNECT, "{answer:?}");
    };
    call();
    let before = Held::now();
    (0..1_000).for_each(|_| call());
    Held::no_more_than(before, "1,000 refused connections");
    let server = Server::on(TcpListener::bind(address).unwrap(), |s| {
        each(s, |s, _| send(s, DONE));
    });
    assert_eq!(client.deactivate("ok").code, ZUS_OK);
    drop(client);
    server.settle();
}

/// A full backlog: the connection is never made.
fn nobody_accepts() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let listener: TcpListener = socket.into();
    listener.set_nonblocking(true).unwrap();
    for (connect, total) in [(150, 5_000), (5_000, 150)] {
        // Fills the backlog until nobody gets in any more, twice in a row.
        let (mut waiting, mut refused) = (Vec::new(), 0);
        while refused < 2 {
            match TcpStream::connect_timeout(&address, Duration::from_millis(400)) {
                Ok(stream) => {
                    waiting.push(stream);
                    refused = 0;
                }
                Err(_) => refused += 1,
            }
            assert!(waiting.len() < 50, "the backlog has no end");
        }
        let client = Config::new(&format!("http://{address}"))
            .connect(connect, total)
            .client();
        let answer = client.deactivate("ok");
        assert_eq!(answer.code, ZUS_ERR_TIMEOUT, "{answer:?}");
        let most = Duration::from_millis(150) + SLACK;
        assert!(answer.took < most, "{connect}, {total}: {answer:?}");
        while listener.accept().is_ok() {}
    }
}

/// A gigabyte is not read, and not waited for.
fn a_body_without_end() {
    const GIGABYTE: usize = 1 << 30;
    for headers in [
        "Content-Length: 1073741824\r\n",
        "Transfer-Encoding: chunked\r\n",
        "",
    ] {
        let sent = Arc::<AtomicUsize>::default();
        let count = sent.clone();
        let server = Server::new(move |s| {
            each(s, |s, request| {
                if request.user() == "ok" {
                    return send(s, DONE);
                }
                send(s, &with_body(headers, b""));
                let chunked = headers.contains("chunked");
                let part = match chunked {
                    true => [&b"10000\r\n"[..], &[b'a'; 65_536], b"\r\n"].concat(),
                    false => vec![b'a'; 65_536],
                };
                while count.load(Ordering::SeqCst) < GIGABYTE {
                    let Ok(n) = s.write(&part) else { break };
                    count.fetch_add(n, Ordering::SeqCst);
                }
                false
            });
        });
        let client = Config::new(&server.url()).client();
        let answer = client.deactivate("fault");
        assert_eq!(answer.code, ZUS_ERR_PROTOCOL, "{headers}: {answer:?}");
        assert!(answer.body.is_empty());
        assert_eq!(client.deactivate("ok").code, ZUS_OK);
        drop(client);
        server.settle();
        // The rest is what the kernel buffers.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 16 << 20, "{headers}: {sent} bytes were taken");
    }
}

/// A TLS server whose connection ends at any byte, with and without close_notify.
fn tls() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    // Full soon, so that the server's own memory stays as it is.
    config.session_storage = rustls::server::ServerSessionMemoryCache::new(8);
    let config = Arc::new(config);
    // What to answer, whether to say close_notify, and after how many bytes to cut the wire.
    type Script = (Vec<u8>, bool, usize);
    let script = Arc::new(Mutex::<Script>::new((DONE.to_vec(), true, usize::MAX)));
    let now = script.clone();
    let server = Server::new(move |stream| {
        let (answer, notify, most) = now.lock().unwrap().clone();
        let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut wire = Cut { stream, left: most };
        let mut tls = rustls::Stream::new(&mut connection, &mut wire);
        if server::Request::read(&mut tls).is_some() {
            let _ = tls.write_all(&answer).and_then(|()| tls.flush());
            if notify {
                connection.send_close_notify();
                let _ = connection.complete_io(&mut wire);
            }
        }
    });
    let url = format!("https://{}/v2", server.address);
    let client = Config::new(&url).ca(&made.cert.pem()).total(5_000).client();
    let call = |answer: &[u8], notify, most| {
        *script.lock().unwrap() = (answer.to_vec(), notify, most);
        client.deactivate("ok")
    };
    let close = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}";
    let length = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    for (answer, notify, code) in [
        (DONE, true, ZUS_OK),
        (DONE, false, ZUS_OK),
        (&length[..], false, ZUS_OK),
        (&close[..], true, ZUS_OK),
        // Only close_notify tells that this is all, and not what an attacker let through.
        (&close[..], false, ZUS_ERR_PROTOCOL),
        (&length[..length.len() - 1], true, ZUS_ERR_PROTOCOL),
        (&length[..length.len() - 1], false, ZUS_ERR_PROTOCOL),
    ] {
        let got = call(answer, notify, usize::MAX);
        assert_eq!(
            got.code,
            code,
            "{}, {notify}: {got:?}",
            String::from_utf8_lossy(answer)
        );
    }
    assert_eq!(call(DONE, true, usize::MAX).code, ZUS_OK);
    let cut_everywhere = || {
        let step = if cfg!(debug_assertions) { 40 } else { 1 };
        let codes = (0..2_000).step_by(step).map(|n| {
            let got = call(DONE, true, n);
            let fits = [
                ZUS_OK,
                ZUS_ERR_TLS,
                ZUS_ERR_CONNECT,
                ZUS_ERR_IO,
                ZUS_ERR_PROTOCOL,
            ];
            assert!(fits.contains(&got.code), "cut after {n} bytes: {got:?}");
            got.code
        });
        let codes: Vec<_> = codes.collect();
        assert_eq!(call(DONE, true, usize::MAX).code, ZUS_OK);
        codes
    };
    // Twice: the first fills rustls's cache of sessions.
    let codes = cut_everywhere();
    let before = Held::now();
    cut_everywhere();
    Held::no_more_than(before, "TLS cut at every byte");
    assert_eq!(codes[0], ZUS_ERR_CONNECT);
    assert!(
        codes.contains(&ZUS_ERR_IO) && codes.last() == Some(&ZUS_OK),
        "{codes:?}"
    );
    assert_eq!(call(DONE, true, usize::MAX).code, ZUS_OK);
    Held::no_more_than(before, "TLS cut at every byte");
    drop(client);
    server.settle();
}

/// A stream that ends after so many bytes written.
struct Cut {
    stream: TcpStream,
    left: usize,
}

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
            let _ = self.stream.shutdown(std::net::Shutdown::Both);
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.stream.write(&bytes[..n])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The token request meets the same faults, and no update is sent without a token.
fn oauth(faulty: &Faulty) {
    let updates = Arc::<AtomicUsize>::default();
    let count = updates.clone();
    let api = Server::new(move |s| {
        each(s, |s, _| {
            count.fetch_add(1, Ordering::SeqCst);
            send(s, DONE)
        });
    });
    for fault in faults()
        .iter()
        .filter(|f| !f.name.contains("closed after byte"))
    {
        *faulty.current.lock().unwrap() = Some((fault.at_once, fault.act.clone()));
        let client = Config::new(&api.url())
            .oauth(
                &format!("http://{}/oauth/token", faulty.server.address),
                "secret",
            )
            .client();
        let answer = client.deactivate("ok");
        // An answer without a token; what is no answer has its own code.
        let expected = match fault.code {
            ZUS_ERR_IO | ZUS_ERR_PROTOCOL if answer.status == 0 => fault.code,
            _ => ZUS_ERR_TOKEN,
        };
        let fits = [expected, fault.or].contains(&answer.code);
        assert!(fits, "{}: {expected:?} expected: {answer:?}", fault.name);
        assert_eq!(answer.attempts, 0);
        drop(client);
    }
    assert_eq!(updates.load(Ordering::SeqCst), 0);
}
