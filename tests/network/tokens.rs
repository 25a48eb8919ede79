//! Server-to-server OAuth and the token provider.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use serde_json::json;

use crate::common::abi::*;
use crate::common::child::{self, Child};
use crate::common::sandbox::{CLIENT, Sandbox};
use crate::common::server::{self, DONE, Server};
use crate::common::{ms, timed};

/// All at once, each its own user.
fn deactivate_on(threads: usize, client: &Client) -> Vec<Outcome> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let calls: Vec<_> = (1..=threads)
            .map(|n| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    client.deactivate(&format!("user{n:05}@example.com"))
                })
            })
            .collect();
        calls.into_iter().map(|c| c.join().unwrap()).collect()
    })
}

fn all_done(outcomes: Vec<Outcome>) {
    for outcome in outcomes {
        outcome.expect(ZUS_OK);
    }
}

fn bearers(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let bearers = requests
        .iter()
        .map(|r| r.header("authorization").to_owned());
    bearers.collect()
}

#[test]
fn sixty_four_threads_cause_one_token_request() {
    let sandbox = Sandbox::start(&["--users", "64"]);
    let client = sandbox.with_oauth().client();
    all_done(deactivate_on(64, &client));
    assert_eq!(sandbox.token_requests(), 1, "cold");
    // Zoom rejects the token that all of them use.
    sandbox.expire_tokens();
    all_done(deactivate_on(64, &client));
    assert_eq!(sandbox.token_requests(), 2, "after a refusal");
}

#[test]
fn sixty_four_threads_cause_one_refresh() {
    let sandbox = Sandbox::start(&["--users", "64", "--token-life", "4"]);
    let client = sandbox.with_oauth().client();
    all_done(deactivate_on(64, &client));
    assert_eq!(sandbox.token_requests(), 1);
    // After half its life it is refreshed, while it is still valid.
    thread::sleep(ms(2200));
    all_done(deactivate_on(64, &client));
    assert_eq!(sandbox.token_requests(), 2);
}

#[test]
fn a_token_is_refreshed_a_minute_before_it_expires() {
    let (said, text) = Child::new("refresh").hosts("").run();
    assert_eq!(said, [json!([1, 1, 2, 2])], "{text}");
}

/// With a clock of its own: token requests after a call, after 3,530 s, after 3,545 s, and at once once more.
pub fn refresh_child() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_oauth().client();
    let counts = [0, 3530, 15, 0].map(|seconds| {
        child::advance(seconds);
        client.deactivate("ada@example.com").expect(ZUS_OK);
        sandbox.token_requests()
    });
    child::say(&json!(counts));
}

#[test]
fn nobody_else_waits_for_a_refresh() {
    let tokens = AtomicUsize::new(0);
    let oauth = Server::http(move |_| match tokens.fetch_add(1, Ordering::SeqCst) {
        0 => server::token("first", 4),
        _ => {
            thread::sleep(ms(1200));
            server::token("second", 4)
        }
    });
    let api = Server::done();
    let client = api.with_oauth(&oauth).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    thread::sleep(ms(2100));
    let outcomes = deactivate_on(8, &client);
    let waited = outcomes.iter().filter(|o| o.took > ms(1000)).count();
    assert_eq!(waited, 1, "{outcomes:?}");
    all_done(outcomes);
    assert_eq!(oauth.requests().len(), 2);
}

#[test]
fn a_failed_refresh_hurts_nobody_while_the_token_is_good() {
    let oauth = Server::script(vec![
        server::token("first", 4),
        server::json("503 Service Unavailable", "{}"),
    ]);
    let api = Server::done();
    let client = api.with_oauth(&oauth).retry(1, 1, 1).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    thread::sleep(ms(2100));
    client.deactivate("ada@example.com").expect(ZUS_OK);
    assert_eq!(oauth.requests().len(), 2);
    assert_eq!(bearers(&api), ["Bearer first", "Bearer first"]);
    // Once it has ended, there is no way round it.
    thread::sleep(ms(2100));
    client.deactivate("ada@example.com").expect(ZUS_ERR_TOKEN);
}

#[test]
fn the_token_request_is_the_documented_one() {
    // api_url would lead elsewhere: the configured base decides.
    let elsewhere = Server::done();
    let url = elsewhere.api();
    let oauth = Server::http(move |_| {
        let body = format!(r#"{{"access_token":"abc","expires_in":3599,"api_url":"{url}"}}"#);
        server::json("200 OK", &body)
    });
    let api = Server::done();
    let client = api
        .with_oauth(&oauth)
        .oauth("an account/+", "client", "secret:with=signs")
        .client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    let requests = oauth.requests();
    let [request] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(request.line(), "POST /oauth/token HTTP/1.1");
    // client:secret:with=signs
    assert_eq!(
        request.header("authorization"),
        "Basic Y2xpZW50OnNlY3JldDp3aXRoPXNpZ25z"
    );
    assert_eq!(
        request.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        request.body,
        "grant_type=account_credentials&account_id=an%20account%2F%2B"
    );
    assert_eq!(bearers(&api), ["Bearer abc"]);
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_rejected_token_request_says_why_and_is_not_retried() {
    let sandbox = Sandbox::start(&[]);
    let wrong_secret = sandbox
        .with_oauth()
        .oauth("sandbox-account", CLIENT, "wrong");
    let outcome = wrong_secret.client().deactivate("ada@example.com");
    let outcome = outcome.expect(ZUS_ERR_TOKEN);
    assert!(
        outcome.message.contains("invalid_client")
            && outcome
                .message
                .contains("Invalid client_id or client_secret"),
        "{}",
        outcome.message
    );
    assert_eq!(outcome.attempts, 0);
    let wrong_account = sandbox
        .with_oauth()
        .oauth("wrong", CLIENT, "sandbox-secret");
    let outcome = wrong_account.client().check_credentials();
    let outcome = outcome.expect(ZUS_ERR_TOKEN);
    assert!(
        outcome.message.contains("invalid_grant"),
        "{}",
        outcome.message
    );
    assert_eq!(sandbox.token_requests(), 2);
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn a_failing_token_endpoint_is_retried() {
    let sandbox = Sandbox::start(&[]);
    for (account, requests) in [
        ("answer-503-then-ok-2@example.com", 3),
        ("answer-cut-then-ok-1@example.com", 2),
        ("answer-429-then-ok-1@example.com", 2),
    ] {
        let before = sandbox.token_requests();
        let config = sandbox.with_oauth().retry(3, 1, 10);
        let client = config.oauth(account, CLIENT, "sandbox-secret").client();
        let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
        assert_eq!(outcome.attempts, 1, "token requests are not the user's");
        assert_eq!(sandbox.token_requests() - before, requests, "{account}");
    }
}

#[test]
fn a_response_without_a_token_is_a_token_error() {
    let api = Server::done();
    for (body, said) in [
        ("{}", "no access_token"),
        ("<html>Sign in</html>", "no access_token"),
        (r#"{"access_token":""}"#, "no access_token"),
        (r#"{"access_token":"two words"}"#, "malformed"),
    ] {
        let oauth = Server::script(vec![server::json("200 OK", body)]);
        let outcome = api
            .with_oauth(&oauth)
            .client()
            .deactivate("ada@example.com");
        let outcome = outcome.expect(ZUS_ERR_TOKEN);
        assert!(
            outcome.message.contains(said),
            "{body}: {}",
            outcome.message
        );
    }
    assert_eq!(api.connections(), 0);
}

#[test]
fn a_rejected_token_is_refreshed_once_and_the_update_retried_with_the_new_one() {
    let invalid = r#"{"code":124,"message":"Invalid access token."}"#;
    let expired = r#"{"code":401,"message":"Access token is expired."}"#;
    for (status, body) in [
        ("401 Unauthorized", invalid),
        ("400 Bad Request", invalid),
        ("401 Unauthorized", expired),
    ] {
        let oauth = Server::script(vec![server::token("old", 3600), server::token("new", 3600)]);
        let api = Server::http(move |request| match request.header("authorization") {
            "Bearer new" => DONE.to_owned(),
            _ => server::json(status, body),
        });
        let client = api.with_oauth(&oauth).retry(1, 1, 1).client();
        let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
        assert_eq!(outcome.attempts, 2);
        assert_eq!(bearers(&api), ["Bearer old", "Bearer new"]);
        client.deactivate("ada@example.com").expect(ZUS_OK);
        assert_eq!(oauth.requests().len(), 2);
    }
}

#[test]
fn a_second_rejection_is_permanent() {
    let sandbox = Sandbox::start(&[]);
    for user in ["answer-401-124@example.com", "answer-400-124@example.com"] {
        let client = sandbox.with_oauth().client();
        let before = sandbox.token_requests();
        let outcome = client.deactivate(user).expect(ZUS_ERR_UNAUTHORIZED);
        assert_eq!(outcome.attempts, 2);
        assert_eq!(sandbox.token_requests() - before, 2);
    }
    // A static token can't be refreshed.
    let outcome = sandbox.with_token().token("expired").client();
    let outcome = outcome.deactivate("ada@example.com");
    assert_eq!(outcome.expect(ZUS_ERR_UNAUTHORIZED).attempts, 1);
}

#[test]
fn a_missing_scope_is_permanent_at_once() {
    let sandbox = Sandbox::start(&["--scopes", "user:read:admin"]);
    let client = sandbox.with_oauth().client();
    for user in ["ada@example.com", "answer-104@example.com"] {
        let outcome = client.deactivate(user).expect(ZUS_ERR_FORBIDDEN);
        assert_eq!(outcome.attempts, 1);
        assert!(outcome.message.contains("scopes"), "{}", outcome.message);
    }
    assert_eq!(sandbox.token_requests(), 1);
    // Its body is no JSON: the quotes in it are not escaped.
    let client = sandbox.with_token().client();
    let outcome = client.deactivate("answer-4711@example.com");
    let outcome = outcome.expect(ZUS_ERR_FORBIDDEN);
    assert_eq!((outcome.attempts, outcome.zoom_code), (1, 4711));
    assert!(serde_json::from_slice::<serde_json::Value>(&outcome.body).is_err());
    assert!(outcome.message.contains("user:update:status:admin"));
}

#[test]
fn two_clients_with_the_same_credentials_keep_apart() {
    let sandbox = Sandbox::start(&[]);
    let config = sandbox.with_oauth();
    let (one, other) = (config.client(), config.client());
    one.deactivate("ada@example.com").expect(ZUS_OK);
    other.deactivate("linus@example.com").expect(ZUS_OK);
    assert_eq!(sandbox.token_requests(), 2);
    // One of them refreshes the token, for its own reasons.
    let refused = one.deactivate("answer-401-124@example.com");
    refused.expect(ZUS_ERR_UNAUTHORIZED);
    assert_eq!(sandbox.token_requests(), 3);
    let outcome = other.deactivate("linus@example.com").expect(ZUS_OK);
    assert_eq!(outcome.attempts, 1);
    drop(one);
    other.deactivate("linus@example.com").expect(ZUS_OK);
    assert_eq!(sandbox.token_requests(), 3);
}

#[test]
fn check_credentials_tells_of_the_token_but_not_the_token() {
    let sandbox = Sandbox::start(&[]);
    let outcome = sandbox.with_oauth().client().check_credentials();
    let outcome = outcome.expect(ZUS_OK);
    let said: serde_json::Value = serde_json::from_slice(&outcome.body).expect("JSON");
    assert_eq!(said["expires_in"], 3600);
    assert!(said["scope"].as_str().unwrap().contains("user:write:admin"));
    assert_eq!(said.get("access_token"), None);
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn the_token_provider_is_asked_once_and_again_after_a_rejection() {
    let api = Server::http(|request| match request.header("authorization") {
        "Bearer good" => DONE.to_owned(),
        _ => server::json(
            "401 Unauthorized",
            r#"{"code":124,"message":"Invalid access token."}"#,
        ),
    });
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let client = api.with_token().token_fn(move |refused, _| {
        kept.lock().unwrap().push(refused);
        Ok(if refused { "good" } else { "stale" }.to_owned())
    });
    let client = client.client();
    let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
    assert_eq!(outcome.attempts, 2);
    client.deactivate("ada@example.com").expect(ZUS_OK);
    assert_eq!(*asked.lock().unwrap(), [false, true]);
    assert_eq!(
        bearers(&api),
        ["Bearer stale", "Bearer good", "Bearer good"]
    );
}

#[test]
fn the_token_provider_may_ask_for_a_larger_buffer() {
    let api = Server::done();
    for length in [4096, 4097, 8192] {
        let capacities = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&capacities);
        let client = api.with_token().token_fn(move |_, capacity| {
            kept.lock().unwrap().push(capacity);
            Ok("t".repeat(length))
        });
        client.client().deactivate("ada@example.com").expect(ZUS_OK);
        let capacities = capacities.lock().unwrap().clone();
        assert_eq!(capacities.len(), if length > 4096 { 2 } else { 1 });
        assert!(*capacities.last().unwrap() >= length);
        let sent = bearers(&api).pop().unwrap();
        assert_eq!(sent.len(), "Bearer ".len() + length);
    }
    // Not without end, and not without bound.
    for length in [8193, usize::MAX] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let client = api.with_token().token_fn(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Err(length)
        });
        client
            .client()
            .deactivate("ada@example.com")
            .expect(ZUS_ERR_TOKEN);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
    let growing = api.with_token().token_fn(|_, capacity| Err(capacity + 1));
    growing
        .client()
        .deactivate("ada@example.com")
        .expect(ZUS_ERR_TOKEN);
}

#[test]
fn a_token_provider_without_a_usable_token_is_a_token_error() {
    let api = Server::done();
    for token in ["", "two words", "line\r\nX-Evil: 1", "caf\u{e9}"] {
        let client = api.with_token().token_fn(move |_, _| Ok(token.to_owned()));
        let outcome = client.client().deactivate("ada@example.com");
        assert_eq!(outcome.expect(ZUS_ERR_TOKEN).attempts, 0);
    }
    assert_eq!(api.connections(), 0);
}

#[test]
fn the_token_provider_is_called_one_at_a_time() {
    let api = Server::done();
    let (calls, inside) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let client = api.with_token().token_fn(move |_, _| {
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        thread::sleep(ms(100));
        inside.fetch_sub(1, Ordering::SeqCst);
        Ok(format!("token-{}", count.fetch_add(1, Ordering::SeqCst)))
    });
    let client = client.client();
    let (outcomes, took) = timed(|| deactivate_on(32, &client));
    all_done(outcomes);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(took < ms(3000), "{took:?}");
    let different: BTreeSet<String> = bearers(&api).into_iter().collect();
    assert_eq!(different.len(), 1);
}

/// The refresh is due after five seconds of ten, and the token endpoint fails then.
fn a_failing_refresh_fails_no_call(endpoint: impl Fn() -> String + Send + Sync + 'static) {
    let asked = AtomicUsize::new(0);
    let oauth = Server::http(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => server::token("a-token", 10),
        _ => endpoint(),
    });
    let api = Server::done();
    let client = api.with_oauth(&oauth).timeouts(1_000, 2_000).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    thread::sleep(ms(5_100));
    for _ in 0..5 {
        client.deactivate("ada@example.com").expect(ZUS_OK);
    }
    // One attempt, and no other for a while.
    assert_eq!(oauth.requests().len(), 2);
}

#[test]
fn a_refresh_that_hangs_fails_no_call_while_the_token_is_good() {
    a_failing_refresh_fails_no_call(|| {
        thread::sleep(ms(10_000));
        String::new()
    });
}

#[test]
fn a_refresh_that_fails_is_not_retried_by_each_call() {
    a_failing_refresh_fails_no_call(|| server::response("503 Service Unavailable", "", ""));
}

/// A batch in which Zoom rejects the token of user0 after `slow`, while a refresh takes `refresh`.
fn batch_with_a_rejection(slow: u64, refresh: u64, rate: u32) -> Vec<(usize, zus_code)> {
    let asked = AtomicUsize::new(0);
    let oauth = Server::http(move |_| {
        let n = asked.fetch_add(1, Ordering::SeqCst);
        thread::sleep(ms(if n == 0 { 0 } else { refresh }));
        server::token(&format!("token-{n}"), 3600)
    });
    let api = Server::http(move |request| {
        if !request.line().contains("/user0/") {
            return DONE.to_owned();
        }
        thread::sleep(ms(slow));
        server::json(
            "401 Unauthorized",
            r#"{"code":124,"message":"Access token is expired."}"#,
        )
    });
    let config = api.with_oauth(&oauth).timeouts(2_000, 2_000);
    let client = config.rate(rate, 1_000).concurrency(4).client();
    let users: Vec<_> = (0..20).map(|n| format!("user{n}")).collect();
    let mut failed = Vec::new();
    let mut heard = 0;
    let code = client.deactivate_many(&users, None, |n, outcome| {
        heard += 1;
        if outcome.code != ZUS_OK {
            failed.push((n, outcome.code));
        }
        0
    });
    assert_eq!((code, heard), (ZUS_ERR_PARTIAL, users.len()), "{failed:?}");
    failed
}

#[test]
fn a_refreshed_token_that_gets_no_slot_ends_no_batch() {
    // At two a second with four in flight, there is none within the third of a second that is left.
    let failed = batch_with_a_rejection(1_700, 0, 2);
    assert_eq!(failed, [(0, ZUS_ERR_TIMEOUT)]);
}

#[test]
fn a_user_whose_time_ends_during_a_refresh_ends_no_batch() {
    let failed = batch_with_a_rejection(1_700, 600, 20);
    assert_eq!(failed, [(0, ZUS_ERR_TIMEOUT)]);
}
