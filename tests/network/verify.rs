//! Reading users, and updates that are verified by reading.

use super::common::abi::*;
use super::common::sandbox::Sandbox;
use super::common::server::{Server, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use zus::ffi::*;

#[test]
fn a_read_says_what_a_user_is() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().client();
    for (user, status, role) in [
        ("ada@example.com", ZUS_STATUS_ACTIVE, "2"),
        ("grace@example.com", ZUS_STATUS_INACTIVE, "2"),
        ("pending@example.com", ZUS_STATUS_PENDING, "2"),
        ("admin@example.com", ZUS_STATUS_ACTIVE, "1"),
        ("owner@example.com", ZUS_STATUS_ACTIVE, "0"),
    ] {
        let outcome = client.read(user).expect(ZUS_OK);
        assert_eq!(
            (outcome.user_status, outcome.http_status),
            (status, 200),
            "{user}"
        );
        assert_eq!((outcome.attempts, outcome.message.as_str()), (1, ""));
        let body: serde_json::Value = serde_json::from_slice(&outcome.body).unwrap();
        assert_eq!(
            (&body["email"], &body["role_id"]),
            (&user.into(), &role.into())
        );
    }
    let gone = client
        .read("nobody@example.com")
        .expect(ZUS_ERR_USER_NOT_FOUND);
    assert_eq!(
        (gone.user_status, gone.zoom_code),
        (ZUS_STATUS_UNKNOWN, 1001)
    );
    client.read("ada@example.com ").expect(ZUS_ERR_ARGUMENT);
    assert_eq!(sandbox.requests(), 0, "no update was sent");
}

#[test]
fn a_missing_scope_for_reading_is_named() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().token("no-read").client();
    let outcome = client.read("ada@example.com").expect(ZUS_ERR_FORBIDDEN);
    assert!(
        outcome.message.contains("user:read:user:admin"),
        "{}",
        outcome.message
    );
    assert!(outcome.is_fatal);
    client.deactivate("ada@example.com").expect(ZUS_OK);
}

#[test]
fn a_read_is_retried_and_its_token_refreshed_like_an_updates() {
    let server = Server::script(vec![
        json("503 Service Unavailable", ""),
        json(
            "401 Unauthorized",
            r#"{"code":124,"message":"Invalid access token."}"#,
        ),
        json("200 OK", r#"{"status":"inactive"}"#),
    ]);
    let config = server.with_token().retry(3, 1, 1);
    let client = config.token_fn(|_, _| Ok("t".into())).client();
    let outcome = client.read("a/b@example.com").expect(ZUS_OK);
    assert_eq!(
        (outcome.user_status, outcome.attempts),
        (ZUS_STATUS_INACTIVE, 3)
    );
    let request = &server.requests()[0];
    assert_eq!(request.line(), "GET /v2/users/a%2Fb@example.com HTTP/1.1");
    assert_eq!(request.header("accept"), "application/json");
    assert_eq!(request.header("content-length"), "");
    assert!(request.body.is_empty());
}

#[test]
fn many_users_are_read() {
    let sandbox = Sandbox::start(&["--users", "200"]);
    let mut users: Vec<String> = (1..=200)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    users.push("nobody@example.com".into());
    let mut read = BTreeMap::new();
    let code = sandbox
        .with_token()
        .client()
        .read_many(&users, |index, outcome| {
            read.insert(index, (outcome.code, outcome.user_status));
            0
        });
    assert_eq!(code, ZUS_ERR_PARTIAL);
    assert_eq!(read.len(), 201);
    let gone = read.remove(&200).unwrap();
    assert_eq!(gone, (ZUS_ERR_USER_NOT_FOUND, ZUS_STATUS_UNKNOWN));
    assert!(read.values().all(|r| *r == (ZUS_OK, ZUS_STATUS_ACTIVE)));
}

#[test]
fn an_update_is_done_when_the_user_shows_it() {
    let sandbox = Sandbox::start(&["--apply-after", "300"]);
    let client = sandbox.with_token().verify(20_000).client();
    let outcome = client.deactivate("ada@example.com").expect(ZUS_OK);
    assert_eq!(outcome.user_status, ZUS_STATUS_INACTIVE);
    assert_eq!(
        (outcome.http_status, outcome.attempts),
        (204, 1),
        "the update's"
    );
    assert_eq!(outcome.message, "");
    let ledger = sandbox.ledger();
    assert!(
        ledger["users"]["ada@example.com"]["reads"].as_u64() >= Some(2),
        "{ledger}"
    );
}

/// By the growing intervals alone, no read would come between 1.75 and 3.75 seconds.
#[test]
fn the_last_read_comes_at_the_end_of_the_wait() {
    let sandbox = Sandbox::start(&["--apply-after", "1900"]);
    let client = sandbox.with_token().verify(2_500).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
}

#[test]
fn an_update_that_does_not_show_is_not_verified() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().verify(700).client();
    let ghost = client
        .deactivate("ghost@example.com")
        .expect(ZUS_ERR_NOT_VERIFIED);
    assert_eq!(ghost.user_status, ZUS_STATUS_ACTIVE);
    assert_eq!(
        (ghost.http_status, ghost.attempts),
        (204, 1),
        "the update's"
    );
    assert!(
        ghost.message.ends_with("the user is still active"),
        "{}",
        ghost.message
    );
    assert!(!ghost.is_fatal);
    // A pending user ends the wait at once.
    let client = sandbox.with_token().verify(50_000).client();
    let pending = client
        .deactivate("pending@example.com")
        .expect(ZUS_ERR_NOT_VERIFIED);
    assert_eq!(pending.user_status, ZUS_STATUS_PENDING);
    assert!(
        pending.message.ends_with("the user is still pending"),
        "{}",
        pending.message
    );
    assert!(pending.took < Duration::from_secs(10), "{:?}", pending.took);
}

#[test]
fn an_update_whose_user_can_not_be_read_is_not_verified() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().token("no-read").verify(700).client();
    let outcome = client
        .deactivate("ada@example.com")
        .expect(ZUS_ERR_NOT_VERIFIED);
    assert!(
        outcome.message.contains("could not be read"),
        "{}",
        outcome.message
    );
    assert!(
        outcome.message.contains("user:read:user:admin"),
        "{}",
        outcome.message
    );
    // A failed update stays what it is, and nothing is read.
    client
        .deactivate("nobody@example.com")
        .expect(ZUS_ERR_USER_NOT_FOUND);
    assert_eq!(sandbox.ledger()["reads"], 1);
}

#[test]
fn a_clock_in_has_no_status_to_verify() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().verify(700).client();
    client
        .update("ada@example.com", ZUS_CLOCK_OUT, None)
        .expect(ZUS_OK);
    assert_eq!(sandbox.ledger()["reads"], 0);
}

#[test]
fn a_verification_ends_with_the_call() {
    let sandbox = Sandbox::start(&[]);
    let config = sandbox.with_token().timeouts(5_000, 1_200).verify(60_000);
    let outcome = config.client().deactivate("ghost@example.com");
    let outcome = outcome.expect(ZUS_ERR_NOT_VERIFIED);
    assert!(
        outcome.took < Duration::from_millis(5_000),
        "{:?}",
        outcome.took
    );
}

#[test]
fn a_missing_scope_for_reading_ends_a_batch_before_anybody_is_updated() {
    let sandbox = Sandbox::start(&["--users", "50"]);
    let users: Vec<String> = (1..=50)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let client = sandbox.with_token().token("no-read").verify(700).client();
    let mut told = Vec::new();
    let code = client.deactivate_many(&users, None, |index, outcome| {
        told.push((index, outcome.code, outcome.delivery));
        0
    });
    assert_eq!(code, ZUS_ERR_FORBIDDEN);
    assert_eq!(told, [(0, ZUS_ERR_FORBIDDEN, ZUS_DELIVERY_NOT_SENT)]);
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn users_who_wait_to_be_read_hold_up_nobody_else() {
    let sandbox = Sandbox::start(&[]);
    // Each shows its update after a second, and two are in flight: with a worker held each, that were 20 seconds.
    let users: Vec<String> = (1..=40).map(|n| format!("late-{n}@example.com")).collect();
    let client = sandbox.with_token().concurrency(2).verify(20_000).client();
    let begun = Instant::now();
    let mut done = 0;
    let code = client.deactivate_many(&users, None, |_, outcome| {
        done += i32::from(outcome.code == ZUS_OK && outcome.user_status == ZUS_STATUS_INACTIVE);
        0
    });
    assert_eq!((code, done), (ZUS_OK, 40));
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_batch_goes_on_after_an_update_that_is_not_verified() {
    let sandbox = Sandbox::start(&[]);
    let users = [
        "ada@example.com",
        "ghost@example.com",
        "pending@example.com",
        "linus@example.com",
    ];
    let client = sandbox.with_token().verify(300).client();
    let mut codes = BTreeMap::new();
    let code = client.deactivate_many(&users, None, |index, outcome| {
        codes.insert(index, outcome.code);
        0
    });
    assert_eq!(code, ZUS_ERR_PARTIAL);
    let codes: Vec<_> = codes.into_values().collect();
    assert_eq!(
        codes,
        [ZUS_OK, ZUS_ERR_NOT_VERIFIED, ZUS_ERR_NOT_VERIFIED, ZUS_OK]
    );
}

#[test]
fn a_cancel_ends_verifications_and_every_accepted_user_has_a_result() {
    let sandbox = Sandbox::start(&[]);
    let users: Vec<String> = (1..=20).map(|n| format!("ghost-{n}@example.com")).collect();
    let client = sandbox.with_token().verify(50_000).client();
    let cancel = Cancel::new();
    let mut told = Vec::new();
    let begun = Instant::now();
    let code = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            cancel.trigger();
        });
        client.deactivate_many(&users, Some(&cancel), |index, outcome| {
            told.push((index, outcome.code));
            0
        })
    });
    assert_eq!(code, ZUS_ERR_CANCELLED);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let accepted = sandbox.ledger()["users"]
        .as_object()
        .unwrap()
        .values()
        .filter(|u| u["applied"] == 1)
        .count();
    let verified = told
        .iter()
        .filter(|(_, code)| *code == ZUS_ERR_NOT_VERIFIED);
    assert_eq!(verified.count(), accepted);
}
