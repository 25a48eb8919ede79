//! What a log is told, at which level; and that nothing anywhere tells a secret.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{panic, thread};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::common::abi::*;
use crate::common::child::{self, Child};
use crate::common::ms;
use crate::common::sandbox::Sandbox;
use crate::common::server::{self, BlackHole, DONE, Server, response};

const ERROR: i32 = 1;
const WARN: i32 = 2;
const INFO: i32 = 3;
const DEBUG: i32 = 4;

fn at(level: i32, lines: &[(i32, String)]) -> Vec<&str> {
    let lines = lines.iter().filter(|(l, _)| *l == level);
    lines.map(|(_, line)| line.as_str()).collect()
}

fn contains(lines: &[&str], parts: &[&str]) {
    let found = |line: &&&str| parts.iter().all(|part| line.contains(part));
    assert!(
        lines.iter().find(found).is_some(),
        "{parts:?} in {lines:#?}"
    );
}

#[test]
fn a_call_is_logged_from_request_to_response() {
    let sandbox = Sandbox::start(&[]);
    let (config, lines) = sandbox.with_oauth().retry(3, 1, 1).lines(DEBUG);
    let client = config.client();
    let outcome = client.deactivate("answer-503-then-ok-1@example.com");
    outcome.expect(ZUS_OK);
    let outcome = client.deactivate("no body@example.com");
    let outcome = outcome.expect(ZUS_ERR_USER_NOT_FOUND);
    let lines = lines.all();
    // What was sent: method, path with the user id, attempt.
    let sent = at(DEBUG, &lines);
    contains(&sent, &["POST", "/oauth/token"]);
    let path = "PUT /v2/users/answer-503-then-ok-1@example.com/status";
    contains(&sent, &[path, "deactivate", "attempt 1"]);
    contains(&sent, &[path, "deactivate", "attempt 2"]);
    contains(&sent, &["PUT /v2/users/no%20body@example.com/status"]);
    // What was responded: status, Zoom's code, tracking id, time.
    let responded = at(INFO, &lines);
    contains(&responded, &["503", " ms"]);
    contains(&responded, &["204", " ms"]);
    assert!(!outcome.tracking_id.is_empty());
    contains(&responded, &["404", "1001", &outcome.tracking_id, " ms"]);
    // What was waited for and why.
    let waits = at(WARN, &lines);
    contains(&waits, &["answer-503-then-ok-1@example.com", " ms", "503"]);
    assert_eq!(waits.len(), 1, "{waits:#?}");
    // Who failed for good.
    let failed = at(ERROR, &lines);
    contains(
        &failed,
        &[
            "deactivate no body@example.com",
            "ZUS_ERR_USER_NOT_FOUND",
            "1001",
        ],
    );
    assert_eq!(failed.len(), 1, "{failed:#?}");
}

#[test]
fn a_level_includes_those_above_it_and_none_below() {
    let sandbox = Sandbox::start(&[]);
    for level in [ERROR, WARN, INFO, DEBUG] {
        let (config, lines) = sandbox.with_token().retry(2, 1, 1).lines(level);
        let outcome = config.client().deactivate("answer-503@example.com");
        outcome.expect(ZUS_ERR_SERVER);
        let levels: BTreeSet<i32> = lines.all().iter().map(|(level, _)| *level).collect();
        assert_eq!(levels, (ERROR..=level).collect());
    }
}

#[test]
fn lines_come_one_at_a_time() {
    let sandbox = Sandbox::start(&["--users", "64"]);
    let inside = Mutex::new(());
    let config = sandbox.with_token().log(DEBUG, move |_, _| {
        let _alone = inside.try_lock().expect("nobody else is in here");
        thread::sleep(ms(1));
    });
    let client = config.client();
    let users: Vec<String> = (1..=64)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    assert_eq!(client.deactivate_many(&users, None, |_, _| 0), ZUS_OK);
}

/// Secrets that nothing else looks like, and all that can be made of them on the way.
const TOKEN: &str = "fixed-token-Zt7q";
const ISSUED: &str = "issued-token-Kp3w";
const GIVEN: &str = "given-token-Vb9x";
const CLIENT: &str = "a-client";
const SECRET: &str = "client-secret-Hn5r";
const PASSWORD: &str = "proxy-password-Mc8y";

fn secrets() -> Vec<String> {
    let plain = [TOKEN, ISSUED, GIVEN, SECRET, PASSWORD];
    let mut all: Vec<String> = plain.iter().map(|secret| (*secret).to_owned()).collect();
    for pair in [format!("{CLIENT}:{SECRET}"), format!("someone:{PASSWORD}")] {
        all.push(BASE64_STANDARD.encode(pair));
    }
    // A piece of one is too much as well.
    all.extend(
        plain
            .iter()
            .map(|secret| secret[secret.len() - 4..].to_owned()),
    );
    all
}

#[test]
fn no_log_line_shows_a_secret() {
    let (said, text) = Child::new("leaks").env("RUST_BACKTRACE", "full").run();
    let count = said[0]["lines"].as_u64().unwrap();
    assert!(count > 60, "{count} lines are no full run");
    for part in [
        "attempt 2",
        "ZUS_ERR_TOKEN",
        "ZUS_ERR_PROXY",
        "panicked",
        "Config {",
        "ureq_proto::",
        "rustls::",
    ] {
        assert!(text.contains(part), "{part:?} is missing: not a full run");
    }
    for secret in secrets() {
        let place = text.find(&secret).map(|at| {
            let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
            text[from..].lines().next()
        });
        assert_eq!(place, None, "{secret} is told");
    }
}

/// A run through everything that can go well or wrong, which prints all that there is to see of it.
pub fn leaks_child() {
    log::set_logger(&Dependencies).unwrap();
    // At Trace ureq-proto shows the wire, of which docs/credentials.md warns.
    log::set_max_level(log::LevelFilter::Debug);
    let lines = AtomicUsize::new(0);
    let lines: &'static AtomicUsize = Box::leak(Box::new(lines));
    let api = Server::done();
    let mut configs = Vec::new();
    // Each response that the API may give, to each kind of credentials.
    let responses = [
        DONE.to_owned(),
        server::json(
            "401 Unauthorized",
            r#"{"code":124,"message":"Invalid access token."}"#,
        ),
        server::json(
            "400 Bad Request",
            r#"{"code":4711,"message":"does not contain scopes:["a"]"}"#,
        ),
        server::json(
            "429 Too Many Requests",
            r#"{"code":429,"message":"maximum per-second rate"}"#,
        ),
        response("503 Service Unavailable", "Retry-After: 0\r\n", ""),
        response("407 Proxy Authentication Required", "", ""),
        response("302 Found", "Location: /elsewhere\r\n", ""),
        response("200 OK", "Content-Type: text/html\r\n", "<html>"),
        "garbage\r\n\r\n".to_owned(),
        String::new(),
    ];
    let issuer = Server::script(vec![server::token(ISSUED, 3600)]);
    let mut servers = Vec::new();
    for text in responses {
        let api = Server::script(vec![text]);
        configs.push(api.with_token().token(TOKEN));
        configs.push(api.with_oauth(&issuer).oauth("an-account", CLIENT, SECRET));
        configs.push(api.with_token().token_fn(|_, _| Ok(GIVEN.to_owned())));
        for scheme in ["http", "socks5"] {
            // A proxy that responds like that.
            let proxy = format!("{scheme}://someone:{PASSWORD}@{}", api.address);
            let secure = "https://localhost:1/v2";
            configs.push(
                Config::new()
                    .urls(secure, secure)
                    .token(TOKEN)
                    .proxy(&proxy),
            );
        }
        servers.push(api);
    }
    let (hole, silent) = (BlackHole::new(), Server::silent());
    for address in [hole.address, silent.address] {
        let url = format!("http://{address}");
        let config = || Config::new().urls(&url, &url);
        configs.push(config().token(TOKEN));
        configs.push(config().oauth("an-account", CLIENT, SECRET));
        let url = url.replace("http:", "https:");
        configs.push(config().urls(&url, &url).token(TOKEN));
    }
    // Token responses that aren't.
    for body in [
        r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#.to_owned(),
        format!(r#"{{"access_token":"{ISSUED} with a blank"}}"#),
        format!(r#"{{"access_token":"{ISSUED}\u0000"}}"#),
        format!(r#"{{"access_token":["{ISSUED}"]}}"#),
        format!(r#"{{"access_token":"{ISSUED}"#),
    ] {
        for status in ["200 OK", "401 Unauthorized"] {
            let oauth = Server::script(vec![server::json(status, &body)]);
            configs.push(api.with_oauth(&oauth).oauth("an-account", CLIENT, SECRET));
            servers.push(oauth);
        }
    }
    // Token providers that give no token.
    for suffix in [" and a space", "\n", "\u{e9}", &"x".repeat(9000)] {
        let token = format!("{GIVEN}{suffix}");
        configs.push(api.with_token().token_fn(move |_, _| Ok(token.clone())));
    }
    thread::scope(|scope| {
        for config in configs {
            scope.spawn(move || show_all(config, lines));
        }
    });
    debug_prints(&api);
    panics(&api);
    child::say(&serde_json::json!({"lines": lines.load(Ordering::SeqCst)}));
}

/// What the libraries below tell a Rust program.
struct Dependencies;

impl log::Log for Dependencies {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        println!("{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

fn show_all(config: Config, lines: &'static AtomicUsize) {
    let config = config.log(DEBUG, |level, line| {
        lines.fetch_add(1, Ordering::SeqCst);
        println!("{level} {line}");
    });
    let client = config.timeouts(300, 700).retry(2, 1, 1).client();
    println!("{:?}", client.check_credentials());
    println!("{:?}", client.deactivate("ada@example.com"));
    let code = client.deactivate_many(&["ada", " grace", "linus"], None, |_, outcome| {
        println!("{outcome:?}");
        0
    });
    println!("{code:?}");
}

/// The Rust API's, since C has none.
fn debug_prints(api: &Server) {
    let url = api.api();
    let mut config = zus::Config::new();
    config.set_urls(Some(&url), Some(&url)).unwrap();
    config.set_retry(1, 1, 1).unwrap();
    let mut show = |set: &dyn Fn(&mut zus::Config) -> Result<(), zus::Error>| {
        println!("{:?}", set(&mut config));
        println!("{config:?} {config:#?}");
        if let Ok(client) = zus::Client::new(&config) {
            println!("{client:?} {client:#?}");
            let outcome = client.update_status("ada", zus::Action::Activate, None);
            println!("{outcome:?} {outcome:#?}");
        }
    };
    show(&|c| c.set_token(TOKEN));
    show(&|c| c.set_oauth("an-account", CLIENT, SECRET));
    show(&|c| {
        c.set_token_provider(|_| Some(GIVEN.to_owned()));
        Ok(())
    });
    show(&|c| c.set_proxy(&format!("http://someone:{PASSWORD}@127.0.0.1:1")));
    // A value that a setter refuses is in no message either.
    show(&|c| c.set_token(&format!("{TOKEN} ")));
    show(&|c| c.set_token(&format!("{TOKEN}\u{e9}")));
    show(&|c| c.set_oauth("an-account", "a:client", SECRET));
    show(&|c| c.set_oauth("an-account", CLIENT, &format!("{SECRET}\n")));
    show(&|c| c.set_proxy(&format!("ftp://someone:{PASSWORD}@proxy")));
    show(&|c| c.set_proxy(&format!("http://someone:{PASSWORD}@pro xy")));
    show(&|c| c.set_urls(Some(&format!("https://someone:{PASSWORD}@api")), None));
    show(&|c| c.set_urls(Some(&format!("https://api?token={TOKEN}")), None));
    show(&|c| c.set_ca_pem(format!("-----BEGIN CERTIFICATE-----\n{SECRET}\n").as_bytes()));
}

/// A panic in the caller's own function passes through a call that holds secrets.
fn panics(api: &Server) {
    let client = |config: Config| {
        config
            .log(DEBUG, |_, _| panic!("a log that panics"))
            .client()
    };
    let oauth = Server::script(vec![server::token(ISSUED, 3600)]);
    for config in [
        api.with_token().token(TOKEN),
        api.with_oauth(&oauth).oauth("an-account", CLIENT, SECRET),
    ] {
        let call = panic::AssertUnwindSafe(|| client(config).deactivate("ada"));
        println!("{:?}", panic::catch_unwind(call));
    }
}
