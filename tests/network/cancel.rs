//! `zus_cancel_trigger` ends a call within 100 ms wherever it is, and hurts no other call.

use std::thread;
use std::time::{Duration, Instant};

use crate::common::abi::*;
use crate::common::child::Child;
use crate::common::sandbox::Sandbox;
use crate::common::server::{Server, token};
use crate::common::{PROMISED, best_of_three, ms};
use crate::slow::{CONNECTING, Slow, WAITING, each};

/// How long `call` goes on after the trigger while it waits.
fn cancelled(what: &str, call: impl FnOnce(&Cancel) -> Outcome + Send) -> Duration {
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let call = scope.spawn(|| (call(&cancel), Instant::now()));
        thread::sleep(ms(400));
        assert!(!call.is_finished(), "{what}: it ended before the cancel");
        let triggered = Instant::now();
        cancel.trigger();
        let (outcome, ended) = call.join().expect("no panic");
        assert_eq!(outcome.code, ZUS_ERR_CANCELLED, "{what}: {outcome:?}");
        ended - triggered
    })
}

#[test]
fn a_cancel_ends_a_call_wherever_it_is() {
    each(&[CONNECTING, WAITING].concat(), |what, slow| {
        let Slow {
            config,
            user,
            second,
            servers,
        } = slow;
        best_of_three(what, PROMISED, || {
            let client = config.client();
            if second {
                client.deactivate(user).expect(ZUS_OK);
            }
            cancelled(what, |cancel| {
                client.update(user, ZUS_DEACTIVATE, Some(cancel))
            })
        });
        drop(servers);
    });
}

#[test]
fn a_cancel_ends_a_name_lookup() {
    best_of_three("a lookup", ms(300) + PROMISED, || {
        let said = Child::new("update")
            .hosts("slow.test=sleep:30000")
            .env("ZOOM_API_URL", "https://slow.test/v2")
            .env("ZOOM_OAUTH_URL", "https://slow.test/oauth/token")
            .env("ZOOM_ACCESS_TOKEN", "a-token")
            .env("ZUS_TEST_CANCEL_MS", "300")
            .result();
        assert_eq!(said["name"], "ZUS_ERR_CANCELLED", "{said}");
        ms(said["ms"].as_u64().unwrap())
    });
}

#[test]
fn a_cancel_ends_the_wait_for_another_threads_token() {
    let (oauth, api) = (Server::silent(), Server::done());
    let client = api.with_oauth(&oauth).timeouts(10_000, 2_500).client();
    thread::scope(|scope| {
        scope.spawn(|| client.deactivate("ada@example.com").expect(ZUS_ERR_TIMEOUT));
        thread::sleep(ms(100));
        best_of_three("the waiting thread", PROMISED, || {
            cancelled("a wait", |cancel| {
                client.update("linus@example.com", ZUS_DEACTIVATE, Some(cancel))
            })
        });
    });
}

#[test]
fn a_token_is_obtained_for_the_others_when_its_caller_is_cancelled() {
    let oauth = Server::http(|_| {
        thread::sleep(ms(700));
        token("a-token", 3600)
    });
    let api = Server::done();
    let client = api.with_oauth(&oauth).client();
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| client.update("ada", ZUS_DEACTIVATE, Some(&cancel)));
        thread::sleep(ms(100));
        let second = scope.spawn(|| client.deactivate("linus@example.com"));
        thread::sleep(ms(100));
        cancel.trigger();
        first.join().unwrap().expect(ZUS_ERR_CANCELLED);
        second.join().unwrap().expect(ZUS_OK);
    });
}

#[test]
fn a_triggered_cancel_stays_so_and_nothing_is_sent() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_oauth().client();
    let cancel = Cancel::new();
    cancel.trigger();
    cancel.trigger();
    for _ in 0..3 {
        let outcome = client.update("ada@example.com", ZUS_DEACTIVATE, Some(&cancel));
        assert_eq!(outcome.expect(ZUS_ERR_CANCELLED).attempts, 0);
    }
    let outcome = client.check_credentials_with(Some(&cancel));
    outcome.expect(ZUS_ERR_CANCELLED);
    let code = client.deactivate_many(&["ada@example.com"], Some(&cancel), |_, _| {
        panic!("nobody was sent")
    });
    assert_eq!(code, ZUS_ERR_CANCELLED);
    assert_eq!((sandbox.requests(), sandbox.token_requests()), (0, 0));
    // The client itself is none the worse, and neither are other clients with that cancel.
    client.deactivate("ada@example.com").expect(ZUS_OK);
}

#[test]
fn other_calls_on_the_client_go_on() {
    let sandbox = Sandbox::start(&["--users", "16"]);
    let client = sandbox.with_token().client();
    // Connections for all, so that the cancelled call uses one that others had and will have.
    let warm = |client: &Client| {
        thread::scope(|scope| {
            for n in 1..=16 {
                let user = format!("user{n:05}@example.com");
                scope.spawn(move || client.deactivate(&user).expect(ZUS_OK));
            }
        });
    };
    warm(&client);
    for _ in 0..5 {
        let cancels: Vec<Cancel> = (0..8).map(|_| Cancel::new()).collect();
        thread::scope(|scope| {
            let client = &client;
            let ended: Vec<_> = cancels
                .iter()
                .map(|cancel| {
                    scope.spawn(move || {
                        client.update("answer-never@example.com", ZUS_DEACTIVATE, Some(cancel))
                    })
                })
                .collect();
            let others: Vec<_> = (0..8)
                .map(|_| scope.spawn(move || client.deactivate("answer-slow-300@example.com")))
                .collect();
            thread::sleep(ms(100));
            cancels.iter().for_each(Cancel::trigger);
            for call in ended {
                call.join().unwrap().expect(ZUS_ERR_CANCELLED);
            }
            for call in others {
                assert_eq!(call.join().unwrap().expect(ZUS_OK).attempts, 1);
            }
        });
        warm(&client);
    }
}

#[test]
fn a_cancel_that_was_used_before_leaves_the_idle_connection_alone() {
    let api = Server::done();
    let client = api.with_token().client();
    let cancel = Cancel::new();
    let outcome = client.update("ada", ZUS_DEACTIVATE, Some(&cancel));
    outcome.expect(ZUS_OK);
    cancel.trigger();
    assert_eq!(client.deactivate("ada").expect(ZUS_OK).attempts, 1);
    assert_eq!(api.connections(), 1, "the connection was shut down");
}
