//! What is retried, how often, after how long; and what isn't.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};

use crate::common::abi::*;
use crate::common::ms;
use crate::common::sandbox::Sandbox;
use crate::common::server::{DONE, Server, response, token};

#[test]
fn transient_failures_are_retried_until_the_attempts_end() {
    let sandbox = Sandbox::start(&[]);
    for (user, code) in [
        ("answer-500@example.com", ZUS_ERR_SERVER),
        ("answer-502-html@example.com", ZUS_ERR_SERVER),
        ("answer-503@example.com", ZUS_ERR_SERVER),
        ("answer-504@example.com", ZUS_ERR_SERVER),
        ("answer-429-qps@example.com", ZUS_ERR_RATE_LIMITED),
        ("answer-429-bare-qps@example.com", ZUS_ERR_RATE_LIMITED),
        ("answer-cut@example.com", ZUS_ERR_IO),
        ("answer-cut-body@example.com", ZUS_ERR_PROTOCOL),
    ] {
        for attempts in [1, 3] {
            let before = sandbox.requests();
            let client = sandbox.with_token().retry(attempts, 1, 5).client();
            let outcome = client.deactivate(user).expect(code);
            assert_eq!(outcome.attempts, i32::try_from(attempts).unwrap(), "{user}");
            let sent = sandbox.requests() - before;
            assert_eq!(sent, u64::from(attempts), "{user}");
        }
    }
    // Four are the default.
    let client = Config::plain().proxy("").urls(&sandbox.api, &sandbox.oauth);
    let outcome = client.token("sandbox-token").client();
    let outcome = outcome.deactivate("answer-503@example.com");
    assert_eq!(outcome.expect(ZUS_ERR_SERVER).attempts, 4);
}

#[test]
fn a_retry_that_succeeds_is_a_success() {
    let sandbox = Sandbox::start(&[]);
    for (user, attempts) in [
        ("answer-503-then-ok-3@example.com", 4),
        ("answer-429-then-ok-1@example.com", 2),
        ("answer-cut-then-ok-2@example.com", 3),
    ] {
        let client = sandbox.with_token().retry(4, 1, 5).client();
        let outcome = client.deactivate(user).expect(ZUS_OK);
        assert_eq!(
            (outcome.attempts, &*outcome.message),
            (attempts, ""),
            "{user}"
        );
    }
    let server = Server::script(vec![
        response("408 Request Timeout", "", ""),
        DONE.to_owned(),
    ]);
    let outcome = server.with_token().client().deactivate("ada@example.com");
    assert_eq!(outcome.expect(ZUS_OK).attempts, 2);
}

#[test]
fn permanent_failures_are_not_retried() {
    let sandbox = Sandbox::start(&[]);
    for (user, code) in [
        ("nobody@example.com", ZUS_ERR_USER_NOT_FOUND),
        ("admin@example.com", ZUS_ERR_USER_PROTECTED),
        ("events@example.com", ZUS_ERR_USER_BUSY),
        ("answer-300@example.com", ZUS_ERR_REJECTED),
        ("answer-401-124@example.com", ZUS_ERR_UNAUTHORIZED),
        ("answer-4711@example.com", ZUS_ERR_FORBIDDEN),
        ("answer-403@example.com", ZUS_ERR_FORBIDDEN),
        ("answer-429-daily@example.com", ZUS_ERR_DAILY_LIMIT),
        ("answer-429-bare-daily@example.com", ZUS_ERR_DAILY_LIMIT),
        ("answer-html@example.com", ZUS_ERR_PROTOCOL),
        ("answer-redirect@example.com", ZUS_ERR_PROTOCOL),
        ("answer-garbage@example.com", ZUS_ERR_PROTOCOL),
        ("answer-big@example.com", ZUS_ERR_PROTOCOL),
    ] {
        // JSON, which is never sent again as anything else.
        let client = sandbox.with_token().json().client();
        assert_eq!(client.deactivate(user).expect(code).attempts, 1, "{user}");
    }
    for status in ["501 Not Implemented", "505 HTTP Version Not Supported"] {
        let server = Server::script(vec![response(status, "", "")]);
        let outcome = server.with_token().client().deactivate("ada@example.com");
        assert_eq!(outcome.expect(ZUS_ERR_SERVER).attempts, 1, "{status}");
    }
}

#[test]
fn a_refused_connection_is_retried() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let config = Config::new().urls(&url, &url).token("a-token");
    let outcome = config.retry(3, 1, 5).client().deactivate("ada@example.com");
    let outcome = outcome.expect(ZUS_ERR_CONNECT);
    assert_eq!(outcome.attempts, 3);
    assert!(outcome.message.contains("refused"), "{}", outcome.message);
}

#[test]
fn an_update_whose_response_is_lost_is_retried_since_that_does_no_harm() {
    let sandbox = Sandbox::start(&["--seed", "1", "--fault", "cut-after=0.5", "--users", "40"]);
    let client = sandbox.with_token().retry(20, 1, 5).client();
    let users: Vec<String> = (1..=40)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let mut attempts = 0;
    let code = client.deactivate_many(&users, None, |_, outcome| {
        attempts += u64::try_from(outcome.attempts).unwrap();
        0
    });
    assert_eq!(code, ZUS_OK);
    assert!(attempts > 40, "the faults didn't happen");
    let ledger = sandbox.ledger();
    assert_eq!(ledger["requests"], attempts);
    for user in &users {
        assert_eq!(ledger["users"][user]["status"], "inactive", "{user}");
    }
}

#[test]
fn waits_double_with_full_jitter_up_to_the_longest() {
    let server = Server::http(|_| response("503 Unavailable", "", ""));
    let config = server.with_token().retry(6, 40, 160);
    let client = config.client();
    let mut waits: Vec<Vec<Duration>> = Vec::new();
    for _ in 0..8 {
        let before = server.requests().len();
        client.deactivate("ada@example.com").expect(ZUS_ERR_SERVER);
        let at: Vec<Instant> = server.requests()[before..].iter().map(|r| r.at).collect();
        waits.push(at.windows(2).map(|pair| pair[1] - pair[0]).collect());
    }
    // A machine that is busy is late; it is never early.
    for (nth, most) in [40, 80, 160, 160, 160].into_iter().enumerate() {
        let mut nth: Vec<Duration> = waits.iter().map(|call| call[nth]).collect();
        nth.sort();
        let median = nth[4];
        assert!(median <= ms(most + 20), "wait of up to {most} ms: {nth:?}");
        // Eight random waits within a tenth of their range of each other: one in 10^6.
        assert!(nth[7] - nth[0] > ms(most / 10), "not random: {nth:?}");
    }
}

#[test]
fn retry_after_is_understood_in_all_its_spellings() {
    type Spelling = (&'static str, fn(Timestamp) -> String);
    let spellings: &[Spelling] = &[
        ("seconds", |_| "2".to_owned()),
        ("HTTP date", |at| {
            at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        }),
        ("ISO 8601", |at| {
            at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        }),
        ("a fraction", |at| {
            at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
        }),
        ("an offset", |at| {
            let there = at + Duration::from_secs(2 * 3600);
            there.strftime("%Y-%m-%dT%H:%M:%S+02:00").to_string()
        }),
        ("no offset", |at| {
            at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
        }),
        ("fraction and offset", |at| {
            let there = at - Duration::from_secs(5 * 3600 + 1800);
            there.strftime("%Y-%m-%dT%H:%M:%S.000-05:30").to_string()
        }),
    ];
    thread::scope(|scope| {
        for (name, spelling) in spellings {
            scope.spawn(move || {
                let first = AtomicBool::new(true);
                let server = Server::http(move |_| {
                    if !first.swap(false, Ordering::SeqCst) {
                        return DONE.to_owned();
                    }
                    let now = Timestamp::now().round(Unit::Second).unwrap();
                    let at = spelling(now + Duration::from_secs(2));
                    response("503 Unavailable", &format!("Retry-After: {at}\r\n"), "")
                });
                let client = server.with_token().retry(2, 1, 1).client();
                let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
                // To the second, for a date.
                assert!(
                    (ms(900)..ms(3500)).contains(&outcome.took),
                    "{name}: {:?}",
                    outcome.took
                );
                assert_eq!(outcome.attempts, 2, "{name}");
            });
        }
    });
}

#[test]
fn retry_after_that_is_absurd_is_clamped_or_ignored() {
    const WEEK: i64 = 604_800;
    for (value, seconds) in [
        ("99999999999999999999", WEEK),
        ("604801", WEEK),
        ("9999-12-31T23:59:59Z", WEEK),
        ("Fri, 31 Dec 9999 23:59:59 GMT", WEEK),
        ("0", 0),
        ("2020-05-31T00:00:00Z", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("-1", -1),
        ("soon", -1),
        ("1e9", -1),
        ("2020-13-45T99:00:00Z", -1),
        ("", -1),
    ] {
        let headers = format!("X-RateLimit-Type: Daily-limit\r\nRetry-After: {value}\r\n");
        let server = Server::script(vec![response("429 Too Many Requests", &headers, "")]);
        let outcome = server.with_token().client().deactivate("ada@example.com");
        let outcome = outcome.expect(ZUS_ERR_DAILY_LIMIT);
        assert_eq!(outcome.retry_after, seconds, "{value:?}");
        assert_eq!(outcome.attempts, 1);
    }
    // What isn't understood doesn't stop the retries.
    let headers = "Retry-After: soon\r\n";
    let server = Server::script(vec![
        response("503 Unavailable", headers, ""),
        DONE.to_owned(),
    ]);
    let outcome = server.with_token().client().deactivate("ada@example.com");
    assert_eq!(outcome.expect(ZUS_OK).attempts, 2);
}

#[test]
fn a_wait_that_ends_after_the_call_would_is_not_begun() {
    let headers = "Retry-After: 30\r\n";
    let server = Server::script(vec![response("503 Unavailable", headers, "")]);
    let client = server.with_token().timeouts(10_000, 20_000).client();
    let outcome = client.deactivate("ada@example.com").expect(ZUS_ERR_SERVER);
    assert!(outcome.took < ms(5_000), "{:?}", outcome.took);
    assert_eq!((outcome.attempts, outcome.retry_after), (1, 30));
}

#[test]
fn the_daily_limit_is_returned_at_once_with_its_end() {
    let sandbox = Sandbox::start(&["--daily", "2", "--users", "9"]);
    let client = sandbox.with_token().concurrency(1).client();
    let users: Vec<String> = (1..=9).map(|n| format!("user{n:05}@example.com")).collect();
    let mut codes = Vec::new();
    let code = client.deactivate_many(&users, None, |_, outcome| {
        codes.push(outcome.code);
        if outcome.code == ZUS_ERR_DAILY_LIMIT {
            assert!((0..=86_400).contains(&outcome.retry_after));
            assert_eq!(outcome.attempts, 1);
        }
        0
    });
    // Nobody after it would fare better.
    assert_eq!(code, ZUS_ERR_DAILY_LIMIT);
    assert_eq!(codes, [ZUS_OK, ZUS_OK, ZUS_ERR_DAILY_LIMIT]);
}

#[test]
fn an_idle_connection_that_breaks_under_a_request_is_no_failure() {
    // The server closes it as the next request comes: by a clean end, or by a reset.
    for reset in [false, true] {
        let breaks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&breaks);
        let server = Server::new(move |connection| {
            connection.request();
            connection.send(DONE);
            if connection.request().is_some() {
                count.fetch_add(1, Ordering::SeqCst);
            }
            if reset {
                connection.reset();
            }
        });
        let client = server.once().client();
        client.deactivate("ada@example.com").expect(ZUS_OK);
        for _ in 0..5 {
            let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
            assert_eq!(outcome.attempts, 2, "both requests count as sent");
        }
        assert_eq!(breaks.load(Ordering::SeqCst), 5);
    }
}

#[test]
fn an_idle_connection_that_breaks_under_a_token_request_is_no_failure() {
    let sandbox = Sandbox::start(&[]);
    let oauth = Server::new(|connection| {
        connection.request();
        connection.send(token("unknown", 3600));
        connection.request();
    });
    let client = sandbox.with_oauth().urls(&sandbox.api, &oauth.oauth());
    let client = client.retry(1, 1, 1).client();
    // The sandbox rejects that token, so it is refreshed, on the idle connection.
    let outcome = client.deactivate("ada@example.com");
    outcome.expect(ZUS_ERR_UNAUTHORIZED);
    assert_eq!(oauth.connections(), 2);
}

#[test]
fn the_encoding_is_changed_once_and_kept() {
    for rule in ["json", "json-400"] {
        let sandbox = Sandbox::start(&["--body", rule]);
        let client = sandbox.with_token().retry(1, 1, 1).client();
        let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
        assert_eq!(outcome.attempts, 2, "{rule}");
        let outcome = client.deactivate("linus@example.com").expect(ZUS_OK);
        assert_eq!(outcome.attempts, 1, "{rule}");
        assert_eq!(sandbox.ledger()["users"]["ada@example.com"]["applied"], 1);
    }
}

#[test]
fn json_is_not_kept_before_the_server_took_it() {
    // A gateway's hiccup, in front of a server that knows forms only.
    let count = AtomicUsize::new(0);
    let server = Server::http(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0 => response("400 Bad Request", "", ""),
        1 => response("503 Service Unavailable", "", ""),
        _ if request.header("content-type").starts_with("multipart/") => DONE.to_owned(),
        _ => response("415 Unsupported Media Type", "", ""),
    });
    let client = server.with_token().retry(1, 1, 1).client();
    client.deactivate("ada@example.com").expect(ZUS_ERR_SERVER);
    client.deactivate("ada@example.com").expect(ZUS_OK);
}
