//! A server that fails at every step of the exchange. Whatever it does, a call ends in time with the right code, the
//! next call on the client works, and nothing is left behind: no descriptor, no thread, no allocation.
//!
//! `ZUS_LONG=1` counts over 1,000 rounds of each fault instead of 1,000 of all.
#![cfg(target_os = "linux")] // counts in /proc

mod common;
#[path = "faults/count.rs"]
mod count;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use common::abi::*;
use common::sandbox::Sandbox;
use common::server::{Certificate, Connection, DONE, Server};
use count::Held;

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

/// 100 ms over the total time are promised; the rest is for a machine with other things to do.
const SLACK: Duration = Duration::from_millis(500);

/// What the server does instead of responding, once the request has come. True keeps the connection.
type Act = Arc<dyn Fn(&mut Connection) -> bool + Send + Sync>;

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
    check: fn(&Outcome),
}

fn fault(
    name: impl Into<String>,
    code: zus_code,
    act: impl Fn(&mut Connection) -> bool + Send + Sync + 'static,
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

/// Responds with these bytes and closes.
fn responds(name: &str, code: zus_code, bytes: impl Into<Vec<u8>>) -> Fault {
    let bytes = bytes.into();
    fault(name, code, move |s| {
        s.send(&bytes);
        false
    })
}

/// Responds with these bytes and keeps the connection.
fn keeps(name: &str, code: zus_code, bytes: impl Into<Vec<u8>>) -> Fault {
    let bytes = bytes.into();
    fault(name, code, move |s| s.send(&bytes))
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

    fn check(self, check: fn(&Outcome)) -> Fault {
        Fault { check, ..self }
    }
}

const LENGTH: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\
Content-Length: 28\r\n\r\n{\"code\":3412,\"message\":\"no\"}";
const CHUNKED: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{\"code\":3412,\"mes\r\nb\r\nsage\":\"no\"}\r\n0\r\n\r\n";

fn with_body(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
    response.extend_from_slice(body);
    response
}

/// The second response of "a late second response" was sent.
static IT_IS_THERE: AtomicBool = AtomicBool::new(false);

/// All but those that need their own server.
fn faults() -> Vec<Fault> {
    let mut all = vec![
        fault("accept and close", ZUS_ERR_IO, |_| false).at_once(),
        fault("accept and reset", ZUS_ERR_IO, |s| {
            s.reset();
            false
        })
        .or(ZUS_ERR_CONNECT)
        .at_once(),
        fault("close without a response", ZUS_ERR_IO, |_| false),
        fault("reset without a response", ZUS_ERR_IO, |s| {
            s.reset();
            false
        }),
        fault("a response before the request is read", ZUS_ERR_USER_NOT_FOUND, |s| {
            s.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{\"code\":1001}",
            );
            s.until_closed();
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
        all.push(responds(name, ZUS_ERR_PROTOCOL, bytes));
    }
    // Interim responses are passed over.
    for (name, bytes) in [
        ("100 first", &b"HTTP/1.1 100 Continue\r\n\r\n"[..]),
        ("103 with headers first", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        ("three interim responses", b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        all.push(keeps(name, ZUS_OK, [bytes, DONE.as_bytes()].concat()).check(|a| assert_eq!(a.http_status, 204)));
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
        all.push(responds(
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
    // What belongs to no response must not become the next one's.
    all.push(keeps(
        "204 with a body",
        ZUS_OK,
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
    ));
    all.push(keeps(
        "two responses at once",
        ZUS_OK,
        format!("{DONE}HTTP/1.1 500 Surplus\r\nContent-Length: 0\r\n\r\n"),
    ));
    all.push(
        fault("a late second response", ZUS_OK, |s| {
            s.send(DONE);
            sleep(Duration::from_micros(300));
            s.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
            IT_IS_THERE.store(true, Ordering::SeqCst);
            s.until_closed();
            false
        })
        // Once it is there it is noticed; what comes while the next request is sent can't be told from its response.
        .check(|_| {
            while !IT_IS_THERE.swap(false, Ordering::SeqCst) {
                sleep(Duration::from_millis(1));
            }
        }),
    );
    all.push(fault("kept alive, then reset", ZUS_OK, |s| {
        s.send(DONE);
        s.reset();
        false
    }));
    all.push(fault("kept alive, then closed", ZUS_OK, |s| {
        s.send(DONE);
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
            s.send(format!("{head}\r\n\r\n").as_bytes());
            assert_eq!(s.until_closed(), b"", "it was used again");
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
    all.push(responds(
        "a body up to the close",
        ZUS_OK,
        with_body("", b"{}"),
    ));
    all.push(fault("a body up to a reset", ZUS_ERR_PROTOCOL, |s| {
        s.send(with_body("", b"{"));
        sleep(Duration::from_millis(2));
        s.reset();
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
                a.message.contains("10250 bytes that are not text"),
                "{}",
                a.message
            );
        }),
    );
    // Cut after each byte.
    for (name, response, end) in [
        ("with a length", LENGTH, LENGTH.len()),
        // With the size of the last chunk it is all there.
        ("chunked", CHUNKED, CHUNKED.len() - 2),
    ] {
        for n in 1..end {
            all.push(responds(
                &format!("{name}, closed after byte {n}"),
                ZUS_ERR_PROTOCOL,
                &response[..n],
            ));
        }
        all.push(keeps(name, ZUS_ERR_USER_LIMIT, response));
    }
    all
}

/// A body of another length than it says: the connection ends with what was sent.
fn keeps_or_cuts(name: &str, code: zus_code, bytes: &[u8]) -> Fault {
    responds(&format!("Content-Length: {name}"), code, bytes)
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
        responds("100,000 headers", ZUS_ERR_PROTOCOL, many).slow(3_000),
        responds("1,000 headers within 32 KiB", ZUS_ERR_PROTOCOL, small).slow(3_000),
        responds("a header of 10 MB", ZUS_ERR_PROTOCOL, long).slow(3_000),
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
        fault("interim responses without end", ZUS_ERR_TIMEOUT, |s| {
            drip(s, b"", b"HTTP/1.1 102 Processing\r\n\r\n")
        })
        .slow(300),
        fault("a flood of interim responses", ZUS_ERR_TIMEOUT, |s| {
            let flood = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
            while s.send(&flood) {}
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
            s.until_closed();
            false
        })
        .slow(300),
        fault("half a response, then silence", ZUS_ERR_TIMEOUT, |s| {
            s.send(&LENGTH[..60]);
            s.until_closed();
            false
        })
        .slow(300),
    ]
}

fn flood(s: &mut Connection, begin: &str, again: &str) -> bool {
    s.send(with_body(
        "Transfer-Encoding: chunked\r\n",
        begin.as_bytes(),
    ));
    let again = again.repeat(10_000);
    while s.send(again.as_bytes()) {}
    false
}

fn drip(s: &mut Connection, begin: &[u8], drop: &[u8]) -> bool {
    s.send(begin);
    while s.send(drop) {
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
        let server = Server::new(move |connection| {
            let fault = now.lock().unwrap().clone();
            if let Some((true, act)) = fault {
                act(connection);
                return;
            }
            while let Some(request) = connection.request() {
                let goes_on = match request.user() {
                    "ok" => connection.send(DONE),
                    _ => {
                        let act = now.lock().unwrap().as_ref().unwrap().1.clone();
                        act(connection)
                    }
                };
                if !goes_on {
                    return;
                }
            }
        });
        Faulty { server, current }
    }

    /// The fault, and then a call that must work.
    fn round(&self, client: &Client, fault: &Fault) -> Outcome {
        *self.current.lock().unwrap() = Some((fault.at_once, fault.act.clone()));
        let outcome = client.deactivate("fault");
        *self.current.lock().unwrap() = None;
        let name = &fault.name;
        let fits = [fault.code, fault.or].contains(&outcome.code);
        assert!(fits, "{name}: {:?} expected: {outcome:?}", fault.code);
        let most = Duration::from_millis(fault.total_ms.into()) + SLACK;
        assert!(outcome.took < most, "{name}: {:?}", outcome.took);
        (fault.check)(&outcome);
        let next = client.deactivate("ok");
        assert_eq!(next.code, ZUS_OK, "after {name}: {next:?}");
        assert_eq!(next.http_status, 204, "after {name}: {next:?}");
        outcome
    }

    fn client(&self, fault: &Fault) -> Client {
        let ms = fault.total_ms;
        self.server.once().timeouts(ms, ms).client()
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
    nobody_listens();
    a_body_without_end();
    tls();
    oauth(&faulty);
    a_long_batch();
}

/// Making and freeing configurations and clients leaves nothing.
fn many_clients(faulty: &Faulty) {
    let round = || {
        let client = faulty.server.once().client();
        client.deactivate("ok").expect(ZUS_OK);
    };
    round();
    faulty.server.settle();
    let before = Held::now();
    (0..200).for_each(|_| round());
    faulty.server.settle();
    Held::no_more_than(before, "200 clients");
}

fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/v2");
    let config = Config::new().urls(&url, &url).token("a-token");
    let client = config.retry(1, 1, 1).client();
    let call = || drop(client.deactivate("ok").expect(ZUS_ERR_CONNECT));
    call();
    let before = Held::now();
    (0..1_000).for_each(|_| call());
    Held::no_more_than(before, "1,000 refused connections");
    let server = Server::http_on(address, |_| DONE);
    client.deactivate("ok").expect(ZUS_OK);
    drop(client);
    server.settle();
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
        let server = Server::new(move |connection| {
            while let Some(request) = connection.request() {
                if request.user() == "ok" {
                    connection.send(DONE);
                    continue;
                }
                connection.send(with_body(headers, b""));
                let chunked = headers.contains("chunked");
                let part = match chunked {
                    true => [&b"10000\r\n"[..], &[b'a'; 65_536], b"\r\n"].concat(),
                    false => vec![b'a'; 65_536],
                };
                while count.load(Ordering::SeqCst) < GIGABYTE {
                    let Some(n) = connection.send_some(&part) else {
                        return;
                    };
                    count.fetch_add(n, Ordering::SeqCst);
                }
            }
        });
        let client = server.once().client();
        let outcome = client.deactivate("fault");
        assert_eq!(outcome.code, ZUS_ERR_PROTOCOL, "{headers}: {outcome:?}");
        assert!(outcome.body.is_empty());
        client.deactivate("ok").expect(ZUS_OK);
        drop(client);
        server.settle();
        // The rest is what the kernel buffers.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 16 << 20, "{headers}: {sent} bytes were taken");
    }
}

/// A TLS server whose connection ends at any byte, with and without close_notify.
fn tls() {
    let certificate = Certificate::new();
    // What to send, whether to say close_notify, and after how many bytes to cut the wire.
    type Script = (String, bool, usize);
    let script = Arc::new(Mutex::<Script>::new((DONE.to_owned(), true, usize::MAX)));
    let now = script.clone();
    let pem = certificate.pem.clone();
    let server = Server::new(move |connection| {
        let (response, notify, most) = now.lock().unwrap().clone();
        connection.cut_after(most);
        connection.tls(&certificate);
        if connection.request().is_some() {
            connection.send(response);
            if notify {
                connection.close_notify();
            }
        }
    });
    let url = server.api().replace("http:", "https:");
    let config = server.once().urls(&url, &url).timeouts(5_000, 5_000);
    let client = config.ca_pem(&pem).client();
    let call = |response: &str, notify, most| {
        *script.lock().unwrap() = (response.to_owned(), notify, most);
        client.deactivate("ok")
    };
    let close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}";
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    for (response, notify, code) in [
        (DONE, true, ZUS_OK),
        (DONE, false, ZUS_OK),
        (length, false, ZUS_OK),
        (close, true, ZUS_OK),
        // Only close_notify tells that this is all, and not what an attacker let through.
        (close, false, ZUS_ERR_PROTOCOL),
        (&length[..length.len() - 1], true, ZUS_ERR_PROTOCOL),
        (&length[..length.len() - 1], false, ZUS_ERR_PROTOCOL),
    ] {
        let got = call(response, notify, usize::MAX);
        assert_eq!(got.code, code, "{response}, {notify}: {got:?}");
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

/// The token request meets the same faults, and no update is sent without a token.
fn oauth(faulty: &Faulty) {
    let api = Server::done();
    for fault in faults()
        .iter()
        .filter(|f| !f.name.contains("closed after byte"))
    {
        *faulty.current.lock().unwrap() = Some((fault.at_once, fault.act.clone()));
        let config = api.with_oauth(&faulty.server).retry(1, 1, 1);
        let outcome = config.timeouts(2_000, 2_000).client().deactivate("ok");
        // A response without a token; what is no response has its own code.
        let expected = match fault.code {
            ZUS_ERR_IO | ZUS_ERR_PROTOCOL if outcome.http_status == 0 => fault.code,
            _ => ZUS_ERR_TOKEN,
        };
        let fits = [expected, fault.or].contains(&outcome.code);
        assert!(fits, "{}: {expected:?} expected: {outcome:?}", fault.name);
        assert_eq!(outcome.attempts, 0);
    }
    assert_eq!(api.connections(), 0);
}

/// A batch costs memory for the users in flight, and nothing more.
fn a_long_batch() {
    const USERS: usize = 10_000;
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().client();
    let users = vec!["ada@example.com"; USERS];
    let (mut done, mut after_some, mut at_the_end) = (0, 0, 0);
    let code = client.deactivate_many(&users, None, |_, outcome| {
        outcome.expect(ZUS_OK);
        done += 1;
        match done {
            1_000 => after_some = Held::now().bytes,
            USERS => at_the_end = Held::now().bytes,
            _ => {}
        }
        0
    });
    assert_eq!((code, done), (ZUS_OK, USERS));
    let growth = at_the_end - after_some;
    assert!(growth < 64 * 1024, "{growth} bytes for {USERS} users");
}
