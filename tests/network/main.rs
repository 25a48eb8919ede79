//! Credentials, retries, time, cancel, rate, proxies, TLS, logs and threads, through the C API on real sockets.
#![cfg(target_os = "linux")] // preload.c and the full backlog are Linux'

#[path = "../common/mod.rs"]
mod common;

mod cancel;
mod delivery;
mod logging;
mod parts;
mod proxies;
mod rate;
mod retries;
mod slow;
mod started;
mod threads;
mod time;
mod tls;
mod tokens;
mod verify;
mod way;

use common::abi::*;
use common::child::{self, Child};
use common::sandbox::{Sandbox, TOKEN};

/// The other tests' child processes are this test with a role. Without one it tries the simplest.
#[test]
fn child() {
    match child::role().as_deref() {
        None => {
            let sandbox = Sandbox::start(&[]);
            let said = Child::new("update")
                .env("ZOOM_API_URL", &sandbox.api)
                .env("ZOOM_OAUTH_URL", &sandbox.oauth)
                .env("ZOOM_ACCESS_TOKEN", TOKEN)
                .result();
            assert_eq!(said["name"], "ZUS_OK", "{said}");
            assert_eq!(sandbox.requests(), 1);
        }
        Some("update") => update(),
        Some("refresh") => tokens::refresh_child(),
        Some("leaks") => logging::leaks_child(),
        Some("fork") => threads::fork_child(),
        Some("look-ups") => way::look_ups_child(),
        Some("fork-cancel") => way::fork_cancel_child(),
        Some("trust-store") => way::trust_store_child(),
        Some("no-threads") => way::no_threads_child(),
        Some("fork-started") => started::fork_child(),
        Some(other) => panic!("no role {other}"),
    }
}

/// One update, or a check of the credentials, as the environment says: the proxy's variables and the CA's among it.
fn update() {
    let get = |name: &str| child::setting(name);
    let need = |name: &str| get(name).unwrap_or_else(|| panic!("{name} is not set"));
    let number = |name: &str| get(name).map(|n| n.parse::<u32>().expect("a number"));
    let mut config = Config::plain()
        .rate(0, 1000)
        .retry(number("ZUS_TEST_ATTEMPTS").unwrap_or(1), 1, 10)
        .timeouts(
            number("ZUS_TEST_CONNECT_MS").unwrap_or(10_000),
            number("ZUS_TEST_TOTAL_MS").unwrap_or(20_000),
        )
        .urls(&need("ZOOM_API_URL"), &need("ZOOM_OAUTH_URL"));
    config = match get("ZOOM_ACCESS_TOKEN") {
        Some(token) => config.token(&token),
        None => config.oauth(
            &need("ZOOM_ACCOUNT_ID"),
            &need("ZOOM_CLIENT_ID"),
            &need("ZOOM_CLIENT_SECRET"),
        ),
    };
    if let Some(file) = get("ZUS_TEST_CA") {
        config = config.ca_pem(&std::fs::read_to_string(file).expect("the CA"));
    }
    if let Some(proxy) = get("ZUS_TEST_PROXY") {
        config = config.proxy(&proxy);
    }
    let client = match config.try_client() {
        Ok(client) => client,
        Err(code) => return child::say(&serde_json::json!({"name": format!("{code:?}")})),
    };
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        if let Some(ms) = number("ZUS_TEST_CANCEL_MS") {
            let cancel = &cancel;
            scope.spawn(move || {
                std::thread::sleep(common::ms(ms.into()));
                cancel.trigger();
            });
        }
        child::say_outcome(&client.update("ada@example.com", ZUS_DEACTIVATE, Some(&cancel)));
    });
}
