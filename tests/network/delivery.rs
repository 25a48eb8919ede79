//! Whether a request may have reached Zoom, over all its attempts.

use super::common::abi::*;
use super::common::server::{Connection, DONE, Server, json};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use zus::ffi::*;

/// Nobody listens there.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn one_attempt_says_what_is_known_of_it() {
    let user = "ada@example.com";
    let bodies = [
        (DONE.to_owned(), ZUS_OK, ZUS_DELIVERY_RESPONDED),
        (
            json("404 Not Found", r#"{"code":1001}"#),
            ZUS_ERR_USER_NOT_FOUND,
            ZUS_DELIVERY_RESPONDED,
        ),
        (
            json("429 Too Many Requests", r#"{"code":429}"#),
            ZUS_ERR_RATE_LIMITED,
            ZUS_DELIVERY_RESPONDED,
        ),
        // It may have been applied before the server failed, or behind whoever sent this.
        (
            json("500 Internal Server Error", ""),
            ZUS_ERR_SERVER,
            ZUS_DELIVERY_UNKNOWN,
        ),
        (
            json("200 OK", "Welcome"),
            ZUS_ERR_PROTOCOL,
            ZUS_DELIVERY_UNKNOWN,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned(),
            ZUS_ERR_PROTOCOL,
            ZUS_DELIVERY_UNKNOWN,
        ),
    ];
    for (body, code, delivery) in bodies {
        let server = Server::new(move |connection: &mut Connection| {
            connection.request();
            connection.send(&body);
        });
        let outcome = server.once().client().deactivate(user).expect(code);
        assert_eq!(outcome.delivery, delivery, "{outcome:?}");
    }
    let cut = Server::new(|connection: &mut Connection| {
        connection.request();
    });
    let outcome = cut.once().client().deactivate(user).expect(ZUS_ERR_IO);
    assert_eq!(outcome.delivery, ZUS_DELIVERY_UNKNOWN);
    let silent = Server::silent();
    let outcome = silent.once().timeouts(1_000, 300).client().deactivate(user);
    assert_eq!(
        outcome.expect(ZUS_ERR_TIMEOUT).delivery,
        ZUS_DELIVERY_UNKNOWN
    );
}

#[test]
fn an_update_that_was_not_sent_is_reported_as_not_sent() {
    let url = format!("http://127.0.0.1:{}/v2", closed_port());
    let config = || Config::new().token("t").urls(&url, &url).retry(1, 1, 1);
    let outcome = config()
        .client()
        .deactivate("ada@example.com")
        .expect(ZUS_ERR_CONNECT);
    assert_eq!(outcome.delivery, ZUS_DELIVERY_NOT_SENT);
    let outcome = config()
        .client()
        .deactivate(" ada")
        .expect(ZUS_ERR_ARGUMENT);
    assert_eq!(outcome.delivery, ZUS_DELIVERY_NOT_SENT);
    let cancel = Cancel::new();
    cancel.trigger();
    let outcome = config()
        .client()
        .update("ada", ZUS_DEACTIVATE, Some(&cancel));
    assert_eq!(
        outcome.expect(ZUS_ERR_CANCELLED).delivery,
        ZUS_DELIVERY_NOT_SENT
    );
    // The token request reached a server; no update did.
    let oauth = Server::http(|_| json("401 Unauthorized", r#"{"error":"invalid_client"}"#));
    let outcome = oauth
        .with_oauth(&oauth)
        .client()
        .deactivate("ada")
        .expect(ZUS_ERR_TOKEN);
    assert_eq!(outcome.delivery, ZUS_DELIVERY_NOT_SENT);
}

/// Attempts that end as the script says: `r` a 429, `5` a 503, `c` a cut, `d` done.
fn after(script: &'static str) -> Outcome {
    let next = AtomicUsize::new(0);
    let server = Server::new(move |connection: &mut Connection| {
        while connection.request().is_some() {
            let at = next.fetch_add(1, Ordering::SeqCst);
            match script.as_bytes()[at.min(script.len() - 1)] {
                b'r' => connection.send(json("429 Too Many Requests", r#"{"code":429}"#)),
                b'5' => connection.send(json("503 Service Unavailable", "")),
                b'd' => connection.send(DONE),
                _ => return,
            };
        }
    });
    let attempts = script.len().try_into().unwrap();
    server
        .with_token()
        .retry(attempts, 1, 1)
        .client()
        .deactivate("ada@example.com")
}

#[test]
fn an_earlier_attempt_counts_unless_a_response_says_what_is() {
    assert_eq!(after("cd").expect(ZUS_OK).delivery, ZUS_DELIVERY_RESPONDED);
    assert_eq!(
        after("c5").expect(ZUS_ERR_SERVER).delivery,
        ZUS_DELIVERY_UNKNOWN
    );
    assert_eq!(
        after("5r").expect(ZUS_ERR_RATE_LIMITED).delivery,
        ZUS_DELIVERY_RESPONDED
    );
    assert_eq!(
        after("rc").expect(ZUS_ERR_IO).delivery,
        ZUS_DELIVERY_UNKNOWN
    );
}
