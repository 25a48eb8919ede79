//! Callers and servers that do what nobody should: numbers at the edge, any byte in an id or a header, calls cancelled at
//! random from many threads, callbacks that panic or call back. tests/c/arguments.c has NULL in each place.
//!
//! `ZUS_SECONDS` says how long the threads run; 2 without it.

mod common;

use std::collections::HashSet;
use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use common::abi::*;
use common::server::{DONE, Server, response};
use zus::ffi::*;

/// xorshift64*: the same run each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A C string of up to `most` bytes.
    fn text(&mut self, most: u64) -> CString {
        let length = self.below(most + 1);
        let bytes: Vec<u8> = (0..length).map(|_| 1 + self.below(255) as u8).collect();
        CString::new(bytes).unwrap()
    }
}

#[test]
fn numbers_at_the_edge() {
    const DAY: u32 = 86_400_000;
    let config = Config::plain();
    let check = |code, good: bool, what: &str| {
        let expected = if good { ZUS_OK } else { ZUS_ERR_ARGUMENT };
        assert_eq!(code, expected, "{what}");
    };
    let edges = [
        0,
        1,
        2,
        100,
        101,
        256,
        257,
        1_000_000,
        1_000_001,
        DAY,
        DAY + 1,
    ];
    let edges = edges
        .into_iter()
        .chain([i32::MAX as u32, 1 << 31, u32::MAX]);
    let edges: Vec<u32> = edges.collect();
    let within = |n, most| (1..=most).contains(&n);
    unsafe {
        for &a in &edges {
            let n = a as i32;
            check(
                zus_config_set_encoding(config.0, n),
                n == 0 || n == 1,
                "encoding",
            );
            check(
                zus_config_set_log(config.0, n, None, null_mut()),
                (1..=4).contains(&n),
                "log",
            );
            check(
                zus_config_set_concurrency(config.0, a),
                within(a, 256),
                "concurrency",
            );
            for &b in &edges {
                let good = within(a, DAY) && within(b, DAY);
                check(zus_config_set_timeouts(config.0, a, b), good, "timeouts");
                let good = a <= 1_000_000 && within(b, DAY);
                check(zus_config_set_rate(config.0, a, b), good, "rate");
                for &first in &edges {
                    let good = within(a, 100) && within(first, DAY) && (first..=DAY).contains(&b);
                    check(zus_config_set_retry(config.0, a, first, b), good, "retry");
                }
            }
        }
    }
    // As large as it gets, it still works.
    let server = Server::done();
    let config = server.with_token().token(&"t".repeat(8192));
    let config = config.timeouts(DAY, DAY).retry(100, DAY, DAY);
    let config = config.rate(1_000_000, 1).concurrency(256);
    let agent = c(&"a".repeat(256));
    // SAFETY: live handles and NUL-ended strings.
    ok(unsafe { zus_config_set_user_agent(config.0, agent.as_ptr()) });
    let client = config.client();
    client.deactivate(&"\u{fc}".repeat(512)).expect(ZUS_OK);
    // One byte more is too much.
    // SAFETY: live handles and NUL-ended strings.
    unsafe {
        for code in [
            zus_config_set_token(config.0, c(&"t".repeat(8193)).as_ptr()),
            zus_config_set_user_agent(config.0, c(&"a".repeat(257)).as_ptr()),
            zus_config_set_ca_pem(config.0, c"x".as_ptr().cast(), usize::MAX),
            client.deactivate(&"a".repeat(1025)).code,
        ] {
            assert_eq!(code, ZUS_ERR_ARGUMENT);
        }
        for code in [i32::MIN, -1, 7, 19, 98, 100, i32::MAX] {
            assert_eq!(text(zus_code_name(code)), "ZUS_ERR_UNKNOWN");
            assert!(!text(zus_code_text(code)).is_empty());
        }
    }
    for action in [i32::MIN, -1, 0, 5, i32::MAX] {
        client.update("x", action, None).expect(ZUS_ERR_ARGUMENT);
    }
}

/// Where nothing is sent to.
fn nowhere() -> Config {
    let url = "http://127.0.0.1:9/v2";
    Config::new().urls(url, url).token("a-token").retry(1, 1, 1)
}

#[track_caller]
fn ok(code: zus_code) {
    assert_eq!(code, ZUS_OK);
}

#[test]
fn a_setter_takes_any_bytes_and_what_it_refuses_changes_nothing() {
    let mut random = Random(1);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..3_000 {
        let config = nowhere();
        let texts: Vec<CString> = (0..3).map(|_| random.text(40)).collect();
        let text = |n: usize| texts[n].as_ptr();
        let code = unsafe {
            match round % 7 {
                0 => zus_config_set_token(config.0, text(0)),
                1 => zus_config_set_oauth(config.0, text(0), text(1), text(2)),
                2 => zus_config_set_urls(config.0, text(0), text(1)),
                3 => zus_config_set_proxy(config.0, text(0)),
                4 => zus_config_set_user_agent(config.0, text(0)),
                5 => {
                    let pem = texts[0].as_bytes();
                    zus_config_set_ca_pem(config.0, pem.as_ptr(), pem.len())
                }
                _ => zus_config_set_log(config.0, random.next() as i32, None, null_mut()),
            }
        };
        match code {
            ZUS_OK => taken += 1,
            ZUS_ERR_UTF8 | ZUS_ERR_ARGUMENT => refused += 1,
            other => panic!("{other:?} for {texts:?}"),
        }
        drop(config.client());
    }
    assert!(
        taken > 0 && refused > 1_000,
        "{taken} taken, {refused} refused"
    );
}

#[test]
fn nothing_can_be_smuggled_into_a_header() {
    let config = nowhere();
    for byte in (1..=0x20u8).chain(0x7f..=0xff) {
        for text in [
            [b"ab".as_slice(), &[byte], b"cd"].concat(),
            [b"ab", [byte].as_slice()].concat(),
            [b"ab\r\nX-Evil: 1", [byte].as_slice()].concat(),
        ] {
            let text = CString::new(text).unwrap();
            let code = unsafe { zus_config_set_token(config.0, text.as_ptr()) };
            assert!(
                [ZUS_ERR_ARGUMENT, ZUS_ERR_UTF8].contains(&code),
                "{text:?}: {code:?}"
            );
        }
    }
    for text in [
        c"a\r\nX-Evil: 1",
        c"a\nb",
        c"a\rb",
        c"a\tb",
        c"a\x7fb",
        c"a\xc2\x85b",
    ] {
        unsafe {
            for code in [
                zus_config_set_user_agent(config.0, text.as_ptr()),
                zus_config_set_oauth(config.0, text.as_ptr(), c"x".as_ptr(), c"x".as_ptr()),
                zus_config_set_oauth(config.0, c"x".as_ptr(), text.as_ptr(), c"x".as_ptr()),
                zus_config_set_oauth(config.0, c"x".as_ptr(), c"x".as_ptr(), text.as_ptr()),
                zus_config_set_urls(config.0, text.as_ptr(), null()),
                zus_config_set_proxy(config.0, text.as_ptr()),
            ] {
                assert_eq!(code, ZUS_ERR_ARGUMENT, "{text:?}");
            }
        }
    }
    // A token provider's token is checked as well.
    let server = Server::done();
    let config = server.once();
    let client = config.token_fn(|_, _| Ok("ab\r\nX-Evil: 1".to_owned()));
    let outcome = client.client().deactivate("x").expect(ZUS_ERR_TOKEN);
    assert_eq!((outcome.attempts, server.connections()), (0, 0));
    assert!(!outcome.message.contains("Evil"), "{}", outcome.message);
}

/// Every byte from 1 to 255 in an id: refused, or one path segment that decodes to the same.
#[test]
fn an_id_with_every_byte() {
    let server = Server::done();
    let client = server.once().client();
    let mut sent = 0;
    for first in 1..=255u8 {
        for id in [
            vec![b'a', first, b'z'],
            vec![first],
            vec![b'a', 0xc3, first, b'z'],
            vec![b'.', first],
        ] {
            let id = CString::new(id).unwrap();
            let outcome = client.update_c(&id, ZUS_DEACTIVATE, None);
            match outcome.code {
                ZUS_OK => {
                    sent += 1;
                    let requests = server.requests();
                    let line = requests[sent - 1].line();
                    let rest = line.strip_prefix("PUT /v2/users/");
                    let segment = rest.and_then(|r| r.strip_suffix("/status HTTP/1.1"));
                    let segment = segment.unwrap_or_else(|| panic!("{id:?}: {line}"));
                    assert!(!segment.contains(['/', '?', '#', ' ']), "{id:?}: {line}");
                    let decoded: Vec<u8> = percent_encoding::percent_decode_str(segment).collect();
                    assert_eq!(decoded, id.as_bytes(), "{line}");
                }
                ZUS_ERR_UTF8 => assert!(id.to_str().is_err(), "{id:?}"),
                ZUS_ERR_ARGUMENT => {
                    let text = id.to_str().unwrap();
                    let whitespace = text.trim() != text || text == "." || text == "..";
                    assert!(whitespace || text.contains(char::is_control), "{id:?}");
                }
                other => panic!("{id:?}: {other:?}"),
            }
        }
    }
    assert!(sent > 250, "{sent}");
    assert_eq!(server.requests().len(), sent, "what is refused is not sent");
}

/// Header names and values with every byte, from a server.
#[test]
fn headers_with_every_byte() {
    let next = Arc::<Mutex<Vec<u8>>>::default();
    let line = next.clone();
    let server = Server::http(move |_| {
        let line = line.lock().unwrap().clone();
        [b"HTTP/1.1 204 No Content\r\n", line.as_slice(), b"\r\n\r\n"].concat()
    });
    let client = server.once().client();
    let (mut fine, mut wrong) = (0, 0);
    for byte in 0..=255u8 {
        for line in [
            [b"x-a".as_slice(), &[byte], b": v"].concat(),
            [b"x-zm-trackingid: a", [byte].as_slice(), b"z"].concat(),
            [b"retry-after: ", [byte].as_slice()].concat(),
            [b"content-type: text/", [byte].as_slice()].concat(),
        ] {
            *next.lock().unwrap() = line.clone();
            // Reads all strings, which must be UTF-8.
            let outcome = client.deactivate("x");
            match outcome.code {
                ZUS_OK => fine += 1,
                ZUS_ERR_PROTOCOL => wrong += 1,
                other => panic!("{other:?} for {:?}", String::from_utf8_lossy(&line)),
            }
            outcome.header("content-type");
        }
    }
    assert!(fine > 700 && wrong > 20, "{fine} fine, {wrong} not HTTP");
}

#[test]
fn thirty_two_threads_while_cancelling_at_random() {
    let server = Server::new(|connection| {
        let mut n = 0u64;
        while let Some(request) = connection.request() {
            n += 1;
            if request.user() == "slow" {
                thread::sleep(Duration::from_millis(30));
            }
            match n % 50 {
                13 => return,
                17 => connection.send(response("503 Unavailable", "", "")),
                _ => connection.send(DONE),
            };
        }
    });
    let config = server.once().retry(3, 1, 5).timeouts(5_000, 5_000);
    let client = config.client();
    let seconds = std::env::var("ZUS_SECONDS").map_or(2, |s| s.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let (done, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // The cancels in use, for a thread that triggers them at random.
    let slots: Vec<Mutex<Option<Arc<Cancel>>>> = (0..32).map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for (index, slot) in slots.iter().enumerate() {
            let (client, done, cancelled) = (&client, &done, &cancelled);
            scope.spawn(move || {
                let mut random = Random(index as u64 + 1);
                while Instant::now() < until {
                    let cancel = Arc::new(Cancel::new());
                    *slot.lock().unwrap() = Some(cancel.clone());
                    let id = if random.below(4) == 0 { "slow" } else { "fast" };
                    let code = match random.below(8) {
                        0 => client.deactivate_many(&[id; 5], Some(&cancel), |_, _| 0),
                        _ => client.update(id, ZUS_DEACTIVATE, Some(&cancel)).code,
                    };
                    *slot.lock().unwrap() = None;
                    match code {
                        ZUS_OK => done.fetch_add(1, Ordering::Relaxed),
                        ZUS_ERR_CANCELLED => cancelled.fetch_add(1, Ordering::Relaxed),
                        // Three attempts in a row can fail.
                        ZUS_ERR_IO | ZUS_ERR_SERVER | ZUS_ERR_PARTIAL => 0,
                        other => panic!("{other:?}"),
                    };
                }
            });
        }
        let slots = &slots;
        scope.spawn(move || {
            let mut random = Random(99);
            while Instant::now() < until {
                let slot = slots[random.below(32) as usize].lock().unwrap();
                if let Some(cancel) = &*slot {
                    cancel.trigger();
                }
                drop(slot);
                thread::sleep(Duration::from_micros(random.below(2_000)));
            }
        });
    });
    let (done, cancelled) = (done.into_inner(), cancelled.into_inner());
    assert!(
        done > 100 && cancelled > 100,
        "{done} done, {cancelled} cancelled"
    );
    println!("{done} done, {cancelled} cancelled");
    client.deactivate("fast").expect(ZUS_OK);
    drop(client);
    server.settle();
}

/// Calls are started, cancelled and waited for, and clients, queues and cancels freed, at random from eight threads: each call
/// has one event.
#[test]
fn started_calls_at_random() {
    let server = Server::new(|connection| {
        while let Some(request) = connection.request() {
            match request.user() {
                "hang" => while connection.request().is_some() {},
                "slow" => thread::sleep(Duration::from_millis(20)),
                _ => {}
            }
            connection.send(DONE);
        }
    });
    let queue = Queue::new();
    let config = || server.once().concurrency(4).timeouts(2_000, 500);
    let asking = || config().events(&queue, ZUS_LOG_DEBUG + ZUS_EVENTS_TOKEN);
    let client = config().client();
    let seconds = std::env::var("ZUS_SECONDS").map_or(2, |s| s.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let pending: Mutex<HashSet<usize>> = Mutex::default();
    let counter = AtomicUsize::new(1);
    let (ended, readers) = (AtomicUsize::new(0), AtomicBool::new(true));
    let start = |client: &Client, random: &mut Random, cancel: Option<&Cancel>| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let user = ["fast", "slow", "hang", ""][random.below(4) as usize];
        pending.lock().unwrap().insert(number);
        assert_eq!(client.start(user, cancel, &queue, number), ZUS_OK);
    };
    let read = |random: &mut Random| {
        let Some(event) = queue.next(random.below(50) as u32) else {
            return false;
        };
        match event.result() {
            Some((number, outcome)) => {
                assert!(pending.lock().unwrap().remove(&number), "{number} again");
                let fine = [ZUS_OK, ZUS_ERR_CANCELLED, ZUS_ERR_ARGUMENT, ZUS_ERR_TIMEOUT];
                assert!(
                    fine.contains(&outcome.code) || outcome.code == ZUS_ERR_TOKEN,
                    "{outcome:?}"
                );
                ended.fetch_add(1, Ordering::Relaxed);
            }
            None if event.kind() == ZUS_EVENT_TOKEN && random.below(2) == 0 => {
                assert_eq!(event.set_token("a-token"), ZUS_OK);
            }
            None => {}
        }
        true
    };
    thread::scope(|scope| {
        for index in 0..2 {
            let (read, readers) = (&read, &readers);
            scope.spawn(move || {
                let mut random = Random(1000 + index);
                while read(&mut random) || readers.load(Ordering::SeqCst) {}
            });
        }
        let starters: Vec<_> = (0..8)
            .map(|index| {
                let (client, config, asking, start, queue) =
                    (&client, &config, &asking, &start, &queue);
                scope.spawn(move || {
                    let mut random = Random(index + 1);
                    while Instant::now() < until {
                        let cancel = Cancel::new();
                        match random.below(8) {
                            0 => {
                                let own = match random.below(2) {
                                    0 => config().client(),
                                    _ => asking().client(),
                                };
                                for _ in 0..random.below(10) {
                                    start(&own, &mut random, Some(&cancel));
                                }
                                thread::sleep(Duration::from_micros(random.below(3_000)));
                                match random.below(3) {
                                    0 => own.stop_started(&cancel),
                                    1 => _ = own.cancel_started(random.below(50) as u32),
                                    _ => {}
                                }
                            }
                            1 => {
                                let queue = Queue::new();
                                for n in 0..random.below(10) as usize {
                                    assert_eq!(client.start("fast", None, &queue, n), ZUS_OK);
                                }
                                while random.below(4) != 0 {
                                    drop(queue.next(random.below(5) as u32));
                                }
                            }
                            2 => cancel.trigger(),
                            3 => {
                                // SAFETY: the handle is live.
                                unsafe { zus_queue_wake(queue.0) };
                            }
                            4 if random.below(50) == 0 => {
                                client.cancel_started(0);
                            }
                            _ => {}
                        }
                        for _ in 0..random.below(4) {
                            start(client, &mut random, Some(&cancel));
                        }
                        thread::sleep(Duration::from_micros(random.below(20_000)));
                        match random.below(4) {
                            0 => client.stop_started(&cancel),
                            1 | 2 => cancel.trigger(),
                            _ => {}
                        }
                    }
                })
            })
            .collect();
        for starter in starters {
            starter.join().unwrap();
        }
        assert!(client.cancel_started(60_000));
        let until = Instant::now() + Duration::from_secs(60);
        while !pending.lock().unwrap().is_empty() {
            assert!(Instant::now() < until, "{:?}", pending.lock().unwrap());
            thread::sleep(Duration::from_millis(10));
        }
        readers.store(false, Ordering::SeqCst);
    });
    assert!(queue.next(0).is_none());
    let (started, ended) = (counter.into_inner() - 1, ended.into_inner());
    assert!(started > 100 && ended == started, "{ended} of {started}");
    println!("{started} calls");
    drop(client);
    server.settle();
}

/// However a batch ends, cancelled or stopped at any moment: whoever was sent is reported, once, so that a run can be resumed.
#[test]
fn a_batch_that_ends_early_reports_all_that_were_sent() {
    const COUNT: usize = 200;
    // By round: what one sent last may be read in the next.
    let received = Arc::<Mutex<Vec<(usize, usize)>>>::default();
    let list = received.clone();
    let server = Server::http(move |request| {
        let (round, n) = request.user().split_once('-').unwrap();
        let (round, n): (usize, usize) = (round.parse().unwrap(), n.parse().unwrap());
        list.lock().unwrap().push((round, n));
        thread::sleep(Duration::from_micros(500));
        // Some never get a response.
        if n % 10 == 3 { "" } else { DONE }
    });
    let client = server.once().retry(2, 1, 5).client();
    let mut random = Random(5);
    let mut early = 0;
    for round in 0..60 {
        let ids: Vec<String> = (0..COUNT).map(|n| format!("{round}-{n}")).collect();
        let by_cancel = round % 2 == 0;
        let stop_after = if by_cancel {
            usize::MAX
        } else {
            1 + random.below(150) as usize
        };
        let after = Duration::from_micros(random.below(12_000));
        let cancel = Cancel::new();
        let (mut seen, mut calls) = ([0; COUNT], 0);
        let code = thread::scope(|scope| {
            if by_cancel {
                scope.spawn(|| {
                    thread::sleep(after);
                    cancel.trigger();
                });
            }
            client.deactivate_many(&ids, Some(&cancel), |index, outcome| {
                assert!(outcome.attempts > 0, "reported, and never sent");
                seen[index] += 1;
                calls += 1;
                i32::from(calls == stop_after)
            })
        });
        assert!(
            [ZUS_ERR_CANCELLED, ZUS_ERR_PARTIAL].contains(&code),
            "{code:?}"
        );
        assert!(by_cancel || code == ZUS_ERR_CANCELLED);
        assert!(seen.iter().all(|n| *n <= 1), "one is reported twice");
        early += usize::from(calls < COUNT);
        // The server may still be reading what was sent last.
        thread::sleep(Duration::from_millis(2));
        for (_, n) in received.lock().unwrap().iter().filter(|(r, _)| *r == round) {
            assert_eq!(seen[*n], 1, "{round}-{n} was sent and is not reported");
        }
    }
    assert!(early > 40, "{early} of 60 ended early");
}

/// Neither a caller's input nor a server's words can forge a line of a log.
#[test]
fn a_log_line_is_one_line() {
    let server = Server::http(|_| {
        let body = r#"{"code":300,"message":"no\nINFO forged\r\u001b[2J"}"#;
        response("400 No", "", body)
    });
    let (config, lines) = server.once().lines(4);
    let client = config.client();
    client.deactivate("x").expect(ZUS_ERR_REJECTED);
    client.deactivate("x\nINFO forged").expect(ZUS_ERR_ARGUMENT);
    let lines = lines.all();
    assert!(
        lines.iter().any(|(_, line)| line.contains("forged")),
        "{lines:?}"
    );
    for (_, line) in lines {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

/// A callback that calls its own client gets ZUS_ERR_REENTRANT, and one that calls another works.
#[test]
fn a_callback_may_call_any_client_but_its_own() {
    struct Both {
        own: OnceLock<Client>,
        other: Client,
        refused: AtomicUsize,
        done: AtomicUsize,
    }
    impl Both {
        fn call(&self) {
            let own = self.own.get().expect("it is made");
            for code in [
                own.deactivate("x").code,
                own.check_credentials().code,
                own.deactivate_many(&["x"], None, |_, _| panic!("not called")),
            ] {
                assert_eq!(code, ZUS_ERR_REENTRANT);
                self.refused.fetch_add(1, Ordering::SeqCst);
            }
            self.other.deactivate("x").expect(ZUS_OK);
            self.done.fetch_add(1, Ordering::SeqCst);
        }
    }
    let server = Server::done();
    let both = Arc::new(Both {
        own: OnceLock::new(),
        other: server.once().client(),
        refused: AtomicUsize::default(),
        done: AtomicUsize::default(),
    });
    let (token, log) = (both.clone(), both.clone());
    let config = server.once().token_fn(move |_, _| {
        token.call();
        Ok("t".to_owned())
    });
    let config = config.log(4, move |_, _| log.call());
    let own = both.own.get_or_init(|| config.client());
    let code = own.deactivate_many(&["a", "b"], None, |_, outcome| {
        outcome.expect(ZUS_OK);
        both.call();
        0
    });
    ok(code);
    // Afterwards it is itself again.
    own.deactivate("c").expect(ZUS_OK);
    let refused = both.refused.load(Ordering::SeqCst);
    assert!(refused >= 3 * (1 + 2 + 3), "{refused}");
    assert_eq!(both.done.load(Ordering::SeqCst) * 3, refused);
}

/// A callback of Rust that panics: ZUS_ERR_PANIC, and the client goes on.
#[test]
fn a_callback_that_panics_is_a_code_and_the_client_goes_on() {
    static PANIC: AtomicBool = AtomicBool::new(true);
    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn callback() {
        CALLS.fetch_add(1, Ordering::SeqCst);
        if PANIC.load(Ordering::SeqCst) {
            // Without the hook: its message would only disturb.
            std::panic::resume_unwind(Box::new("from a callback"));
        }
    }
    let server = Server::done();
    let ids: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
    let new = |with_token: bool, with_log: bool| {
        let mut config = server.once();
        if with_token {
            config = config.token_fn(|_, _| {
                callback();
                Ok("t".to_owned())
            });
        }
        if with_log {
            config = config.log(4, |_, _| callback());
        }
        config.client()
    };
    let many = |client: &Client| client.deactivate_many(&ids, None, |_, _| 0);
    let told = |panic| {
        PANIC.store(panic, Ordering::SeqCst);
        CALLS.swap(0, Ordering::SeqCst)
    };

    // The token provider: until it has given a token, it is asked again.
    let client = new(true, false);
    for _ in 0..3 {
        told(true);
        client.check_credentials().expect(ZUS_ERR_PANIC);
        client.deactivate("x").expect(ZUS_ERR_PANIC);
        assert_eq!(many(&client), ZUS_ERR_PANIC);
        assert!(told(false) >= 3);
    }
    client.check_credentials().expect(ZUS_OK);
    client.deactivate("x").expect(ZUS_OK);
    ok(many(&client));
    assert_eq!(told(true), 1, "it has a token now");
    client.deactivate("x").expect(ZUS_OK);
    drop(client);

    // The log.
    for with_token in [false, true] {
        let client = new(with_token, true);
        for _ in 0..3 {
            told(true);
            client.deactivate("x").expect(ZUS_ERR_PANIC);
            assert_eq!(many(&client), ZUS_ERR_PANIC);
            assert!(told(false) >= 2);
            client.deactivate("x").expect(ZUS_OK);
            ok(many(&client));
        }
    }

    // The results of a batch.
    let client = new(false, false);
    let results = || {
        client.deactivate_many(&ids, None, |_, _| {
            callback();
            0
        })
    };
    for _ in 0..3 {
        told(true);
        assert_eq!(results(), ZUS_ERR_PANIC);
        assert_eq!(told(false), 1, "it is not called again");
        ok(results());
        assert_eq!(CALLS.load(Ordering::SeqCst), 20);
        client.deactivate("x").expect(ZUS_OK);
    }
    drop(client);
    server.settle();
}

/// Through the shared library, the panic of another Rust program's runtime is as foreign as a C++ exception: Rust can't
/// catch it, and says so and aborts instead of going on in an undefined state. The header forbids it.
#[cfg(target_os = "linux")]
mod foreign {
    use super::*;

    const CHILD: &str = "ZUS_TEST_FOREIGN_EXCEPTION";

    unsafe extern "C-unwind" fn log(_: *mut c_void, _: i32, _: *const c_char) {
        std::panic::resume_unwind(Box::new("from another runtime"));
    }

    /// Run by the test below in a process of its own.
    #[test]
    fn child() {
        let Some(path) = std::env::var_os(CHILD) else {
            return;
        };
        let path = c(path.to_str().unwrap());
        unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            assert!(!handle.is_null(), "{path:?} can't be loaded");
            let get = |name: &std::ffi::CStr| {
                let at = libc::dlsym(handle, name.as_ptr());
                assert!(!at.is_null(), "{name:?}");
                at
            };
            // Declared as by a caller who has the header only.
            type Any = *mut c_void;
            type Log = unsafe extern "C-unwind" fn(Any, i32, *const c_char);
            type New = extern "C" fn() -> Any;
            type SetText = extern "C" fn(Any, *const c_char) -> i32;
            type SetLog = extern "C" fn(Any, i32, Log, Any) -> i32;
            type NewClient = extern "C" fn(Any, *mut Any) -> i32;
            type Update = extern "C" fn(Any, *const c_char, i32, Any, *mut Any) -> i32;
            let new: New = std::mem::transmute(get(c"zus_config_new"));
            let set_token: SetText = std::mem::transmute(get(c"zus_config_set_token"));
            let set_log: SetLog = std::mem::transmute(get(c"zus_config_set_log"));
            let new_client: NewClient = std::mem::transmute(get(c"zus_client_new"));
            let update: Update = std::mem::transmute(get(c"zus_update_status"));
            let config = new();
            assert_eq!(set_token(config, c"token".as_ptr()), 0);
            assert_eq!(set_log(config, 4, log, null_mut()), 0);
            let mut client = null_mut();
            assert_eq!(new_client(config, &mut client), 0);
            // It is refused before anything is sent, and the log hears of it.
            let code = update(client, c"..".as_ptr(), 1, null_mut(), null_mut());
            println!("it went on, with code {code}");
        }
    }

    #[test]
    fn a_foreign_exception_ends_the_process_and_says_so() {
        use std::os::unix::process::ExitStatusExt;
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "foreign::child",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, common::library())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.signal(), Some(libc::SIGABRT), "{child:?}");
        assert!(errors.contains("foreign exception"), "{errors}");
    }
}
