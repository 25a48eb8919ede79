//! Callers and servers that do what nobody should: NULL in each place, numbers at the edge, any byte in an id or a header,
//! calls cancelled at random from many threads, callbacks that panic or call back.
//!
//! `ZUS_LONG=1` lets the threads run for 60 s instead of 5.

#[path = "faults/caller.rs"]
mod caller;
#[path = "faults/server.rs"]
mod server;

use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use caller::{Config, c, ok, string};
use server::{DONE, Server, each, send};
use zus::ffi::{zus_code::*, *};

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
fn null_in_each_position() {
    let text = c"x".as_ptr();
    let server = Server::new(|s| each(s, |s, _| send(s, DONE)));
    let client = Config::new(&server.url()).client();
    unsafe {
        let config = zus_config_new();
        let null_config = null_mut();
        for code in [
            zus_config_set_token(null_config, text),
            zus_config_set_token(config, null()),
            zus_config_set_oauth(null_config, text, text, text),
            zus_config_set_oauth(config, null(), text, text),
            zus_config_set_oauth(config, text, null(), text),
            zus_config_set_oauth(config, text, text, null()),
            zus_config_set_token_provider(null_config, None, null_mut()),
            zus_config_set_token_provider(config, None, null_mut()),
            zus_config_set_urls(null_config, null(), null()),
            zus_config_set_encoding(null_config, ZUS_ENCODING_JSON),
            zus_config_set_timeouts(null_config, 1, 1),
            zus_config_set_retry(null_config, 1, 1, 1),
            zus_config_set_rate(null_config, 1, 1),
            zus_config_set_concurrency(null_config, 1),
            zus_config_set_proxy(null_config, c"".as_ptr()),
            zus_config_set_proxy(config, null()),
            zus_config_set_ca_pem(null_config, text.cast(), 1),
            zus_config_set_ca_pem(config, null(), 1),
            zus_config_set_ca_pem(config, null(), 0),
            zus_config_set_user_agent(null_config, text),
            zus_config_set_user_agent(config, null()),
            zus_config_set_log(null_config, 1, None, null_mut()),
            zus_client_new(config, null_mut()),
            zus_client_new(null(), null_mut()),
            zus_update_status(null(), text, ZUS_ACTIVATE, null(), null_mut()),
            zus_update_status(client.0, null(), ZUS_ACTIVATE, null(), null_mut()),
            zus_check_credentials(null(), null(), null_mut()),
            zus_update_status_many(null(), null(), 0, 1, null(), Some(go_on), null_mut()),
            zus_update_status_many(client.0, null(), 1, 1, null(), Some(go_on), null_mut()),
            zus_update_status_many(client.0, null(), 0, 1, null(), None, null_mut()),
            zus_result_code(null()),
        ] {
            assert_eq!(code, ZUS_ERR_NULL);
        }
        let mut made = client.0;
        assert_eq!(zus_client_new(null(), &mut made), ZUS_ERR_NULL);
        assert!(made.is_null(), "on failure it is set to NULL");
        assert_eq!(zus_client_new(config, &mut made), ZUS_ERR_CREDENTIALS);
        assert!(made.is_null());
        let mut result = std::ptr::dangling_mut();
        let code = zus_update_status(client.0, null(), ZUS_ACTIVATE, null(), &mut result);
        assert_eq!((code, result.is_null()), (ZUS_ERR_NULL, true));

        // NULL is allowed here.
        ok(zus_config_set_urls(config, null(), null()));
        ok(zus_config_set_log(config, 1, None, null_mut()));
        ok(zus_update_status(
            client.0,
            text,
            ZUS_ACTIVATE,
            null(),
            null_mut(),
        ));
        ok(zus_check_credentials(client.0, null(), null_mut()));
        ok(zus_update_status_many(
            client.0,
            null(),
            0,
            1,
            null(),
            Some(go_on),
            null_mut(),
        ));
        zus_cancel_trigger(null());
        zus_cancel_free(null_mut());
        zus_client_free(null_mut());
        zus_config_free(null_mut());
        zus_result_free(null_mut());

        // What is read from no result.
        for text in [
            zus_result_message(null()),
            zus_result_user_id(null()),
            zus_result_tracking_id(null()),
            zus_result_header(null(), text),
            zus_result_header(null(), null()),
            zus_result_body(null(), null_mut()),
        ] {
            assert_eq!(string(text), "");
        }
        let numbers = (
            zus_result_http_status(null()),
            zus_result_zoom_code(null()),
            zus_result_retry_after(null()),
            zus_result_attempts(null()),
        );
        assert_eq!(numbers, (0, 0, -1, 0));
        let mut result = null_mut();
        ok(zus_update_status(
            client.0,
            text,
            ZUS_ACTIVATE,
            null(),
            &mut result,
        ));
        assert_eq!(string(zus_result_header(result, null())), "");
        assert_eq!(string(zus_result_body(result, null_mut())), "");
        zus_result_free(result);
        zus_config_free(config);
    }
}

unsafe extern "C-unwind" fn go_on(_: *mut c_void, _: usize, _: *const zus_result) -> i32 {
    0
}

#[test]
fn numbers_at_the_edge() {
    const DAY: u32 = 86_400_000;
    let config = zus_config_new();
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
                zus_config_set_encoding(config, n),
                n == 0 || n == 1,
                "encoding",
            );
            check(
                zus_config_set_log(config, n, None, null_mut()),
                (1..=4).contains(&n),
                "log",
            );
            check(
                zus_config_set_concurrency(config, a),
                within(a, 256),
                "concurrency",
            );
            for &b in &edges {
                let good = within(a, DAY) && within(b, DAY);
                check(zus_config_set_timeouts(config, a, b), good, "timeouts");
                let good = a <= 1_000_000 && within(b, DAY);
                check(zus_config_set_rate(config, a, b), good, "rate");
                for &first in &edges {
                    let good = within(a, 100) && within(first, DAY) && (first..=DAY).contains(&b);
                    check(zus_config_set_retry(config, a, first, b), good, "retry");
                }
            }
        }
        // As large as it gets, it still works.
        let server = Server::new(|s| each(s, |s, _| send(s, DONE)));
        let config = Config(config);
        let url = c(&server.url());
        ok(zus_config_set_urls(config.0, url.as_ptr(), null()));
        ok(zus_config_set_proxy(config.0, c"".as_ptr()));
        ok(zus_config_set_token(
            config.0,
            c(&"t".repeat(8192)).as_ptr(),
        ));
        ok(zus_config_set_user_agent(
            config.0,
            c(&"a".repeat(256)).as_ptr(),
        ));
        ok(zus_config_set_timeouts(config.0, DAY, DAY));
        ok(zus_config_set_retry(config.0, 100, DAY, DAY));
        ok(zus_config_set_rate(config.0, 1_000_000, 1));
        ok(zus_config_set_concurrency(config.0, 256));
        let client = config.client();
        let answer = client.deactivate(&"ü".repeat(512));
        assert_eq!(answer.code, ZUS_OK, "{answer:?}");
        // One byte more is too much.
        for code in [
            zus_config_set_token(config.0, c(&"t".repeat(8193)).as_ptr()),
            zus_config_set_user_agent(config.0, c(&"a".repeat(257)).as_ptr()),
            zus_config_set_ca_pem(config.0, c"x".as_ptr().cast(), usize::MAX),
            client.deactivate(&"a".repeat(1025)).code,
        ] {
            assert_eq!(code, ZUS_ERR_ARGUMENT);
        }
        for action in [i32::MIN, -1, 0, 5, i32::MAX] {
            let code = zus_update_status(client.0, c"x".as_ptr(), action, null(), null_mut());
            assert_eq!(code, ZUS_ERR_ARGUMENT);
        }
        for code in [i32::MIN, -1, 7, 19, 98, 100, i32::MAX] {
            assert_eq!(string(zus_code_name(code)), "ZUS_ERR_UNKNOWN");
            assert!(!string(zus_code_text(code)).is_empty());
        }
    }
}

#[test]
fn a_setter_takes_any_bytes_and_what_it_refuses_changes_nothing() {
    let mut random = Random(1);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..3_000 {
        let config = Config::new("http://127.0.0.1:9");
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
    let config = Config::new("http://127.0.0.1:9");
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
    // A token function's token is checked as well.
    unsafe extern "C-unwind" fn evil(_: *mut c_void, _: i32, to: *mut c_char, _: usize) -> usize {
        let token = b"ab\r\nX-Evil: 1";
        unsafe { std::ptr::copy_nonoverlapping(token.as_ptr(), to.cast(), token.len()) };
        token.len()
    }
    let server = Server::new(|_| panic!("something was sent"));
    let config = Config::new(&server.url());
    ok(unsafe { zus_config_set_token_provider(config.0, Some(evil), null_mut()) });
    let answer = config.client().deactivate("x");
    assert_eq!((answer.code, answer.attempts), (ZUS_ERR_TOKEN, 0));
    assert!(!answer.message.contains("Evil"), "{}", answer.message);
    assert_eq!(server.accepted.load(Ordering::SeqCst), 0);
}

/// Every byte from 1 to 255 in an id: refused, or one path segment that decodes to the same.
#[test]
fn an_id_with_every_byte() {
    let last = Arc::<Mutex<String>>::default();
    let seen = last.clone();
    let server = Server::new(move |s| {
        each(s, |s, request| {
            *seen.lock().unwrap() = request.line;
            send(s, DONE)
        });
    });
    let client = Config::new(&server.url()).client();
    let mut sent = 0;
    for first in 1..=255u8 {
        for id in [
            vec![b'a', first, b'z'],
            vec![first],
            vec![b'a', 0xc3, first, b'z'],
            vec![b'.', first],
        ] {
            let id = CString::new(id).unwrap();
            last.lock().unwrap().clear();
            let answer = client.call(&id, null());
            let line = last.lock().unwrap().clone();
            match answer.code {
                ZUS_OK => {
                    sent += 1;
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
                    let blank = text.trim() != text || text == "." || text == "..";
                    assert!(blank || text.contains(char::is_control), "{id:?}");
                }
                other => panic!("{id:?}: {other:?}"),
            }
            assert_eq!(line.is_empty(), answer.code != ZUS_OK, "{id:?}");
        }
    }
    assert!(sent > 250, "{sent}");
}

/// Header names and values with every byte, from a server.
#[test]
fn headers_with_every_byte() {
    let next = Arc::<Mutex<Vec<u8>>>::default();
    let line = next.clone();
    let server = Server::new(move |s| {
        each(s, |s, _| {
            let line = line.lock().unwrap().clone();
            let answer = [b"HTTP/1.1 204 No Content\r\n", line.as_slice(), b"\r\n\r\n"];
            send(s, &answer.concat())
        });
    });
    let client = Config::new(&server.url()).client();
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
            match client.deactivate("x").code {
                ZUS_OK => fine += 1,
                ZUS_ERR_PROTOCOL => wrong += 1,
                other => panic!("{other:?} for {:?}", String::from_utf8_lossy(&line)),
            }
        }
    }
    assert!(fine > 700 && wrong > 20, "{fine} fine, {wrong} not HTTP");
    let _ = server.accepted;
}

#[test]
fn thirty_two_threads_while_cancelling_at_random() {
    let server = Server::new(|s| {
        let mut n = 0u64;
        each(s, |s, request| {
            n += 1;
            if request.user() == "slow" {
                thread::sleep(Duration::from_millis(30));
            }
            match n % 50 {
                13 => false,
                17 => send(s, b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"),
                _ => send(s, DONE),
            }
        });
    });
    let client = Config::new(&server.url()).attempts(3).total(5_000).client();
    let long = std::env::var_os("ZUS_LONG").is_some();
    let until = Instant::now() + Duration::from_secs(if long { 60 } else { 5 });
    let (done, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // The cancels in use, for a thread that raises them at random.
    let slots: Vec<Mutex<*mut zus_cancel>> = (0..32).map(|_| Mutex::new(null_mut())).collect();
    struct Slots<'a>(&'a [Mutex<*mut zus_cancel>]);
    unsafe impl Sync for Slots<'_> {}
    let slots = Slots(&slots);
    let slots = &slots;
    thread::scope(|scope| {
        for index in 0..32 {
            let (client, done, cancelled) = (&client, &done, &cancelled);
            scope.spawn(move || {
                let slots = slots;
                let mut random = Random(index as u64 + 1);
                while Instant::now() < until {
                    let cancel = zus_cancel_new();
                    *slots.0[index].lock().unwrap() = cancel;
                    let id = if random.below(4) == 0 {
                        c"slow"
                    } else {
                        c"fast"
                    };
                    let code = match random.below(8) {
                        0 => unsafe {
                            let ids = [id.as_ptr(); 5];
                            let f: zus_result_fn = Some(go_on);
                            zus_update_status_many(
                                client.0,
                                ids.as_ptr(),
                                5,
                                1,
                                cancel,
                                f,
                                null_mut(),
                            )
                        },
                        _ => client.call(id, cancel).code,
                    };
                    *slots.0[index].lock().unwrap() = null_mut();
                    unsafe { zus_cancel_free(cancel) };
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
        scope.spawn(move || {
            let slots = slots;
            let mut random = Random(99);
            while Instant::now() < until {
                let slot = slots.0[random.below(32) as usize].lock().unwrap();
                unsafe { zus_cancel_trigger(*slot) };
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
    assert_eq!(client.deactivate("fast").code, ZUS_OK);
    drop(client);
    server.settle();
}

/// However a batch ends, cancelled or stopped at any moment: who was sent is reported, once, so that a run can be resumed.
#[test]
fn a_batch_that_ends_early_reports_all_that_were_sent() {
    const COUNT: usize = 200;
    struct Report {
        seen: [u32; COUNT],
        stop_after: usize,
        calls: usize,
    }
    unsafe extern "C-unwind" fn note(u: *mut c_void, index: usize, _: *const zus_result) -> i32 {
        let report = unsafe { &mut *u.cast::<Report>() };
        report.seen[index] += 1;
        report.calls += 1;
        i32::from(report.calls == report.stop_after)
    }
    // By round: what one sent last may be read in the next.
    let received = Arc::<Mutex<Vec<(usize, usize)>>>::default();
    let list = received.clone();
    let server = Server::new(move |s| {
        each(s, |s, request| {
            let (round, n) = request.user().split_once('-').unwrap();
            let (round, n): (usize, usize) = (round.parse().unwrap(), n.parse().unwrap());
            list.lock().unwrap().push((round, n));
            thread::sleep(Duration::from_micros(500));
            // Some are never answered.
            n % 10 != 3 && send(s, DONE)
        });
    });
    let client = Config::new(&server.url()).attempts(2).client();
    let mut random = Random(5);
    let mut early = 0;
    for round in 0..60 {
        let ids: Vec<CString> = (0..COUNT).map(|n| c(&format!("{round}-{n}"))).collect();
        let ids: Vec<*const c_char> = ids.iter().map(|id| id.as_ptr()).collect();
        let by_cancel = round % 2 == 0;
        let mut report = Report {
            seen: [0; COUNT],
            stop_after: if by_cancel {
                usize::MAX
            } else {
                1 + random.below(150) as usize
            },
            calls: 0,
        };
        let cancel = zus_cancel_new();
        let after = Duration::from_micros(random.below(12_000));
        struct Cancel(*mut zus_cancel);
        unsafe impl Sync for Cancel {}
        let shared = &Cancel(cancel);
        let code = thread::scope(|scope| unsafe {
            if by_cancel {
                scope.spawn(move || {
                    let cancel = shared;
                    thread::sleep(after);
                    zus_cancel_trigger(cancel.0);
                });
            }
            let userdata = (&raw mut report).cast();
            zus_update_status_many(
                client.0,
                ids.as_ptr(),
                COUNT,
                1,
                cancel,
                Some(note),
                userdata,
            )
        });
        unsafe { zus_cancel_free(cancel) };
        assert!(
            [ZUS_ERR_CANCELLED, ZUS_ERR_PARTIAL].contains(&code),
            "{code:?}"
        );
        assert!(by_cancel || code == ZUS_ERR_CANCELLED);
        assert!(report.seen.iter().all(|n| *n <= 1), "one is reported twice");
        early += usize::from(report.calls < COUNT);
        // The server may still be reading what was sent last.
        thread::sleep(Duration::from_millis(2));
        for (_, n) in received.lock().unwrap().iter().filter(|(r, _)| *r == round) {
            assert_eq!(
                report.seen[*n], 1,
                "{round}-{n} was sent and is not reported"
            );
        }
    }
    assert!(early > 40, "{early} of 60 ended early");
}

/// Neither a caller's input nor a server's words can forge a line of a log.
#[test]
fn a_log_line_is_one_line() {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    unsafe extern "C-unwind" fn log(_: *mut c_void, _: i32, line: *const c_char) {
        LINES.lock().unwrap().push(unsafe { string(line) });
    }
    let server = Server::new(|s| {
        each(s, |s, _| {
            let body = r#"{"code":300,"message":"no\nINFO forged\r\u001b[2J"}"#;
            let head = format!("HTTP/1.1 400 No\r\nContent-Length: {}\r\n\r\n", body.len());
            send(s, &[head.as_bytes(), body.as_bytes()].concat())
        });
    });
    let config = Config::new(&server.url());
    ok(unsafe { zus_config_set_log(config.0, 4, Some(log), null_mut()) });
    let client = config.client();
    assert_eq!(client.deactivate("x").code, ZUS_ERR_REJECTED);
    assert_eq!(client.deactivate("x\nINFO forged").code, ZUS_ERR_ARGUMENT);
    let lines = LINES.lock().unwrap();
    assert!(
        lines.iter().any(|line| line.contains("forged")),
        "{lines:?}"
    );
    for line in lines.iter() {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

/// A callback that calls its own client gets ZUS_ERR_REENTRANT, and one that calls another works.
#[test]
fn callbacks_that_call_back() {
    struct Both {
        own: AtomicPtr<zus_client>,
        other: *mut zus_client,
        busy: AtomicUsize,
        good: AtomicUsize,
    }
    unsafe fn call_back(userdata: *mut c_void) {
        let both = unsafe { &*userdata.cast::<Both>() };
        let own = both.own.load(Ordering::SeqCst);
        let ids = [c"x".as_ptr()];
        unsafe {
            for code in [
                zus_update_status(own, ids[0], ZUS_ACTIVATE, null(), null_mut()),
                zus_check_credentials(own, null(), null_mut()),
                zus_update_status_many(own, ids.as_ptr(), 1, 1, null(), Some(go_on), null_mut()),
            ] {
                assert_eq!(code, ZUS_ERR_REENTRANT);
                both.busy.fetch_add(1, Ordering::SeqCst);
            }
            ok(zus_update_status(
                both.other,
                ids[0],
                ZUS_ACTIVATE,
                null(),
                null_mut(),
            ));
            both.good.fetch_add(1, Ordering::SeqCst);
        }
    }
    unsafe extern "C-unwind" fn token(u: *mut c_void, _: i32, to: *mut c_char, _: usize) -> usize {
        unsafe {
            call_back(u);
            *to = b't' as c_char;
        }
        1
    }
    unsafe extern "C-unwind" fn log(u: *mut c_void, _: i32, _: *const c_char) {
        unsafe { call_back(u) };
    }
    unsafe extern "C-unwind" fn result(u: *mut c_void, _: usize, _: *const zus_result) -> i32 {
        unsafe { call_back(u) };
        0
    }
    let server = Server::new(|s| each(s, |s, _| send(s, DONE)));
    let other = Config::new(&server.url()).client();
    let mut both = Both {
        own: AtomicPtr::default(),
        other: other.0,
        busy: AtomicUsize::default(),
        good: AtomicUsize::default(),
    };
    let userdata: *mut c_void = (&raw mut both).cast();
    let config = Config::new(&server.url());
    unsafe {
        ok(zus_config_set_token_provider(
            config.0,
            Some(token),
            userdata,
        ));
        ok(zus_config_set_log(config.0, 4, Some(log), userdata));
        let client = config.client();
        both.own.store(client.0, Ordering::SeqCst);
        let ids = [c"a".as_ptr(), c"b".as_ptr()];
        let many =
            zus_update_status_many(client.0, ids.as_ptr(), 2, 1, null(), Some(result), userdata);
        ok(many);
        assert_eq!(client.deactivate("c").code, ZUS_OK);
    }
    let busy = both.busy.load(Ordering::SeqCst);
    assert!(busy >= 3 * (1 + 2 + 3), "{busy}");
    assert_eq!(both.good.load(Ordering::SeqCst) * 3, busy);
}

/// Callbacks of Rust that panic: ZUS_ERR_PANIC, and the client goes on.
mod panics {
    use super::*;

    static PANIC: AtomicBool = AtomicBool::new(true);
    static CALLS: AtomicU32 = AtomicU32::new(0);

    fn panic_if_told() {
        CALLS.fetch_add(1, Ordering::SeqCst);
        if PANIC.load(Ordering::SeqCst) {
            // Without the hook: its message would only disturb.
            std::panic::resume_unwind(Box::new("from a callback"));
        }
    }

    unsafe extern "C-unwind" fn token(_: *mut c_void, _: i32, to: *mut c_char, _: usize) -> usize {
        panic_if_told();
        unsafe { *to = b't' as c_char };
        1
    }

    unsafe extern "C-unwind" fn log(_: *mut c_void, _: i32, _: *const c_char) {
        panic_if_told();
    }

    unsafe extern "C-unwind" fn result(_: *mut c_void, _: usize, _: *const zus_result) -> i32 {
        panic_if_told();
        0
    }

    #[test]
    fn callbacks_that_panic() {
        let server = Server::new(|s| each(s, |s, _| send(s, DONE)));
        let ids: Vec<CString> = (0..20).map(|n| c(&format!("user{n}"))).collect();
        let ids: Vec<*const c_char> = ids.iter().map(|id| id.as_ptr()).collect();
        let new = |with_token: bool, with_log: bool| {
            let config = Config::new(&server.url());
            unsafe {
                if with_token {
                    ok(zus_config_set_token_provider(
                        config.0,
                        Some(token),
                        null_mut(),
                    ));
                }
                if with_log {
                    ok(zus_config_set_log(config.0, 4, Some(log), null_mut()));
                }
            }
            config.client()
        };
        let many = |client: &caller::Client, f: zus_result_fn| unsafe {
            let count = ids.len();
            zus_update_status_many(client.0, ids.as_ptr(), count, 1, null(), f, null_mut())
        };
        let told = |panic| {
            PANIC.store(panic, Ordering::SeqCst);
            CALLS.swap(0, Ordering::SeqCst)
        };

        // The token function: until it has given a token, it is asked again.
        let client = new(true, false);
        for _ in 0..3 {
            told(true);
            assert_eq!(client.check_credentials().code, ZUS_ERR_PANIC);
            assert_eq!(client.deactivate("x").code, ZUS_ERR_PANIC);
            assert_eq!(many(&client, Some(go_on)), ZUS_ERR_PANIC);
            assert!(told(false) >= 3);
        }
        ok(client.check_credentials().code);
        ok(client.deactivate("x").code);
        ok(many(&client, Some(go_on)));
        assert_eq!(told(true), 1, "it has a token now");
        ok(client.deactivate("x").code);
        drop(client);

        // The log.
        for with_token in [false, true] {
            let client = new(with_token, true);
            for _ in 0..3 {
                told(true);
                assert_eq!(client.deactivate("x").code, ZUS_ERR_PANIC);
                assert_eq!(many(&client, Some(go_on)), ZUS_ERR_PANIC);
                assert!(told(false) >= 2);
                ok(client.deactivate("x").code);
                ok(many(&client, Some(go_on)));
            }
        }

        // The results of a batch.
        let client = new(false, false);
        for _ in 0..3 {
            told(true);
            assert_eq!(many(&client, Some(result)), ZUS_ERR_PANIC);
            assert_eq!(told(false), 1, "it is not called again");
            ok(many(&client, Some(result)));
            assert_eq!(CALLS.load(Ordering::SeqCst), 20);
            ok(client.deactivate("x").code);
        }
        drop(client);
        server.settle();
    }
}

/// Through the shared library, the panic of another Rust program's runtime is as foreign as a C++ exception: Rust can't
/// catch it, and says so and aborts instead of going on in an undefined state. The header forbids it.
#[cfg(target_os = "linux")]
mod foreign {
    use super::*;

    const CHILD: &str = "ZUS_TEST_FOREIGN_EXCEPTION";

    fn library() -> CString {
        let folder = std::env::var_os("ZUS_LIB_DIR").map(std::path::PathBuf::from);
        let folder = folder.unwrap_or_else(|| {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            let built = std::process::Command::new(env!("CARGO"))
                .args(["build", "--release", "--locked", "--lib", "--quiet"])
                .current_dir(root)
                .status();
            assert!(built.unwrap().success(), "cargo build --release failed");
            root.join("target/release")
        });
        c(folder.join("libzus.so").to_str().unwrap())
    }

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
            .env(CHILD, library().to_str().unwrap())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.signal(), Some(libc::SIGABRT), "{child:?}");
        assert!(errors.contains("foreign exception"), "{errors}");
    }
}
