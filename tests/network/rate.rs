//! The configured rate: shared by all threads, smooth, and lower for a while once Zoom refuses a request for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::abi::*;
use crate::common::sandbox::Sandbox;
use crate::common::server::{DONE, Server, response};
use crate::common::{ms, timed};

/// The most requests that arrived within any window of this length.
fn most_within(server: &Server, window: Duration) -> usize {
    let mut at: Vec<Instant> = server.requests().iter().map(|r| r.at).collect();
    at.sort();
    let mut most = 0;
    for (n, start) in at.iter().enumerate() {
        let within = at[n..].iter().take_while(|t| **t - *start < window);
        most = most.max(within.count());
    }
    most
}

/// Checks 50 a second. Requests that left evenly may be received unevenly by a busy machine: best of three.
fn is_smooth(what: &str, run: impl Fn(&Client)) {
    let mut bursts = Vec::new();
    for _ in 0..3 {
        let server = Server::done();
        let client = server.with_token().rate(50, 1000).concurrency(16).client();
        let (_, took) = timed(|| run(&client));
        assert_eq!(server.requests().len(), 60);
        // 60 slots have 59 intervals of 20 ms between them.
        assert!(took >= ms(59 * 20 - 10), "{what}: too fast, {took:?}");
        assert!(took < ms(5_000), "{what}: too slow, {took:?}");
        assert!(
            most_within(&server, ms(1000)) <= 51,
            "{what}: more than the rate"
        );
        // A tenth of a second's worth is 5.
        bursts.push(most_within(&server, ms(20)));
        if bursts.last() <= Some(&5) {
            return;
        }
    }
    panic!("{what}: {bursts:?} requests in 20 ms");
}

#[test]
fn single_calls_of_many_threads_share_one_smooth_rate() {
    is_smooth("single calls", |client| {
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        client.deactivate("ada@example.com").expect(ZUS_OK);
                    }
                });
            }
        });
    });
}

#[test]
fn a_batch_is_as_smooth() {
    is_smooth("a batch", |client| {
        let users: Vec<String> = (0..60).map(|n| format!("user{n}@example.com")).collect();
        assert_eq!(client.deactivate_many(&users, None, |_, _| 0), ZUS_OK);
    });
}

#[test]
fn a_batch_and_single_calls_share_the_rate() {
    is_smooth("both", |client| {
        thread::scope(|scope| {
            scope.spawn(|| {
                let users: Vec<String> = (0..40).map(|n| format!("user{n}@example.com")).collect();
                assert_eq!(client.deactivate_many(&users, None, |_, _| 0), ZUS_OK);
            });
            for _ in 0..20 {
                client.deactivate("ada@example.com").expect(ZUS_OK);
            }
        });
    });
}

#[test]
fn time_without_requests_saves_no_slots() {
    let server = Server::done();
    let client = server.with_token().rate(20, 1000).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    thread::sleep(ms(700));
    let ((), took) = timed(|| {
        for _ in 0..11 {
            client.deactivate("ada@example.com").expect(ZUS_OK);
        }
    });
    assert!(took >= ms(10 * 50 - 10), "{took:?}");
}

#[test]
fn retries_wait_for_a_slot_too() {
    let server = Server::http(|_| "");
    let client = server.with_token().rate(20, 1000).retry(8, 1, 1).client();
    let outcome = client.deactivate("ada@example.com").expect(ZUS_ERR_IO);
    assert_eq!(outcome.attempts, 8);
    assert!(outcome.took >= ms(7 * 50 - 10), "{:?}", outcome.took);
}

#[test]
fn two_clients_have_each_their_own_rate() {
    let server = Server::done();
    let config = server.with_token().rate(1, 60_000);
    for _ in 0..3 {
        let outcome = config.client().deactivate("ada@example.com").expect(ZUS_OK);
        assert!(outcome.took < ms(1_000));
    }
}

#[test]
fn a_rate_limit_slows_all_calls_down() {
    let sandbox = Sandbox::start(&["--users", "80", "--qps", "20"]);
    // Twice what the account may do.
    let client = sandbox.with_token().rate(40, 1000).retry(100, 1, 1);
    let client = client.concurrency(16).client();
    let users: Vec<String> = (1..=80)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let (code, took) = timed(|| {
        client.deactivate_many(&users, None, |_, outcome| {
            outcome.expect(ZUS_OK);
            0
        })
    });
    assert_eq!(code, ZUS_OK);
    let refused = sandbox.ledger()["rate_refused"].as_u64().unwrap();
    println!("{refused} refused in {took:?}");
    // Without slowing down nearly every other request is: 40 and more.
    assert!((1..=20).contains(&refused), "{refused} refused in {took:?}");
}

#[test]
fn a_rate_limit_slows_down_a_client_without_a_rate_too() {
    let sandbox = Sandbox::start(&["--users", "60", "--qps", "20"]);
    let client = sandbox.with_token().rate(0, 1000).retry(10, 50, 200);
    let client = client.concurrency(4).client();
    let users: Vec<String> = (1..=60)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let mut failed = 0;
    client.deactivate_many(&users, None, |_, outcome| {
        failed += i32::from(outcome.code != ZUS_OK);
        0
    });
    let refused = sandbox.ledger()["rate_refused"].as_u64().unwrap();
    println!("{refused} refused, {failed} failed");
    assert_eq!(failed, 0);
    assert!((1..=30).contains(&refused), "{refused}");
}

#[test]
fn a_call_cancelled_before_its_slot_gives_it_back() {
    let server = Server::done();
    let client = server.with_token().rate(1, 2_000).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    let cancel = Cancel::new();
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let outcome = client.update("grace@example.com", ZUS_DEACTIVATE, Some(&cancel));
                outcome.expect(ZUS_ERR_CANCELLED);
            });
        }
        thread::sleep(ms(200));
        cancel.trigger();
    });
    let outcome = client.deactivate("linus@example.com").expect(ZUS_OK);
    // Behind ten others it would be 22 s.
    assert!(outcome.took < ms(12_000), "{:?}", outcome.took);
}

#[test]
fn after_a_rate_limit_there_is_no_long_silence() {
    let count = AtomicUsize::new(0);
    let server = Server::http(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        5 => response("429 Too Many Requests", "X-RateLimit-Type: QPS\r\n", ""),
        _ => DONE.to_owned(),
    });
    let client = server.with_token().rate(8, 1_000).retry(4, 1, 1);
    let client = client.concurrency(32).client();
    let users: Vec<String> = (0..40).map(|n| format!("user{n}@example.com")).collect();
    assert_eq!(client.deactivate_many(&users, None, |_, _| 0), ZUS_OK);
    let at: Vec<Instant> = server.requests().iter().map(|r| r.at).collect();
    let silence = at.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    // Half a second; it would be four, if the slots of all who waited were lost.
    assert!(silence < ms(2_500), "{silence:?}");
}

/// The time of a user begins with its slot, and between two slots here is more than all of it.
#[test]
fn nobody_times_out_before_their_slot() {
    let server = Server::done();
    let client = server.with_token().rate(1, 700).timeouts(500, 500).client();
    let code = client.deactivate_many(&["ada@example.com"; 4], None, |_, outcome| {
        outcome.expect(ZUS_OK);
        0
    });
    assert_eq!(code, ZUS_OK);
}
