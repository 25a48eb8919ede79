//! `total_ms` bounds the whole call, whatever is slow in it; `connect_ms` one connection.

use std::thread;

use crate::common::abi::*;
use crate::common::child::Child;
use crate::common::server::{DONE, Server};
use crate::common::{PROMISED, best_of_three, ms};
use crate::slow::{CONNECTING, Slow, WAITING, each};

const TOTAL: u32 = 1_300;

#[test]
fn no_call_outlasts_its_total_time() {
    each(&[CONNECTING, WAITING].concat(), |what, slow| {
        let Slow {
            config,
            user,
            second,
            servers,
        } = slow;
        let config = config.timeouts(60_000, TOTAL);
        best_of_three(what, ms(TOTAL.into()) + PROMISED, || {
            let client = config.client();
            if second {
                client.deactivate(user).expect(ZUS_OK);
            }
            let outcome = client.deactivate(user);
            println!("{what}: {outcome:?}");
            assert!(!matches!(outcome.code, ZUS_OK | ZUS_ERR_PANIC), "{what}");
            assert!(!outcome.message.is_empty());
            outcome.took
        });
        drop(servers);
    });
}

#[test]
fn no_connection_outlasts_connect_ms() {
    each(CONNECTING, |what, slow| {
        let config = slow.config.timeouts(400, 60_000).retry(1, 1, 1);
        best_of_three(what, ms(400) + PROMISED, || {
            let outcome = config.client().deactivate(slow.user);
            let outcome = outcome.expect(ZUS_ERR_TIMEOUT);
            assert!(outcome.message.contains("400 ms"), "{}", outcome.message);
            assert!(outcome.took >= ms(390), "{what}: {:?}", outcome.took);
            outcome.took
        });
        drop(slow.servers);
    });
}

#[test]
fn a_connection_that_was_too_slow_is_retried() {
    let (_, slow) = CONNECTING[0];
    let slow = slow();
    let config = slow.config.timeouts(200, 60_000).retry(3, 1, 1);
    let outcome = config.client().deactivate(slow.user);
    assert_eq!(outcome.expect(ZUS_ERR_TIMEOUT).attempts, 3);
}

#[test]
fn a_name_lookup_that_hangs_is_bounded_too() {
    let look_up = |connect: &str, total: &str| {
        let said = Child::new("update")
            .hosts("slow.test=sleep:30000")
            .env("ZOOM_API_URL", "https://slow.test/v2")
            .env("ZOOM_OAUTH_URL", "https://slow.test/oauth/token")
            .env("ZOOM_ACCESS_TOKEN", "a-token")
            .env("ZUS_TEST_CONNECT_MS", connect)
            .env("ZUS_TEST_TOTAL_MS", total)
            .result();
        assert_eq!(said["name"], "ZUS_ERR_TIMEOUT", "{said}");
        ms(said["ms"].as_u64().unwrap())
    };
    best_of_three("total_ms", ms(700) + PROMISED, || look_up("10000", "700"));
    best_of_three("connect_ms", ms(400) + PROMISED, || look_up("400", "10000"));
}

#[test]
fn connect_ms_covers_the_name_and_the_handshake_together() {
    let silent = Server::silent();
    let url = format!("https://slow.test:{}/v2", silent.port());
    best_of_three("name and TLS", ms(900) + PROMISED, || {
        let said = Child::new("update")
            .hosts("slow.test=sleep:600,127.0.0.1")
            .env("ZOOM_API_URL", &url)
            .env("ZOOM_OAUTH_URL", &url)
            .env("ZOOM_ACCESS_TOKEN", "a-token")
            .env("ZUS_TEST_CONNECT_MS", "900")
            .result();
        assert_eq!(said["name"], "ZUS_ERR_TIMEOUT", "{said}");
        ms(said["ms"].as_u64().unwrap())
    });
}

#[test]
fn a_call_that_waits_for_a_slow_token_provider_ends_in_time() {
    let api = Server::done();
    let config = api.with_token().token_fn(|_, _| {
        thread::sleep(ms(3_000));
        Ok("slow".to_owned())
    });
    let client = config.timeouts(10_000, 500).client();
    thread::scope(|scope| {
        let first = scope.spawn(|| client.deactivate("ada@example.com"));
        thread::sleep(ms(100));
        best_of_three("another thread", ms(500) + PROMISED, || {
            let outcome = client.deactivate("linus@example.com");
            outcome.expect(ZUS_ERR_TIMEOUT).took
        });
        // It can't be ended in the caller's own code; but nothing is sent any more.
        first.join().unwrap().expect(ZUS_ERR_TIMEOUT);
    });
    assert_eq!(api.requests().len(), 0);
}

#[test]
fn a_batch_gives_each_user_its_own_total_time() {
    let api = Server::http(|request| {
        if request.line().contains("slow") {
            thread::sleep(ms(2_000));
        }
        DONE
    });
    let client = api.with_token().timeouts(10_000, 600).concurrency(2);
    let users = ["slow1", "ada", "grace", "slow2", "linus", "slow3"];
    let mut codes = [ZUS_OK; 6];
    let code = client.client().deactivate_many(&users, None, |n, outcome| {
        codes[n] = outcome.code;
        0
    });
    assert_eq!(code, ZUS_ERR_PARTIAL);
    for (user, code) in users.iter().zip(codes) {
        let slow = user.starts_with("slow");
        assert_eq!(code, if slow { ZUS_ERR_TIMEOUT } else { ZUS_OK }, "{user}");
    }
}
