//! What differs from system to system: the trust store, the probe of an idle connection, waking a call that waits,
//! timeouts, threads, fork(). tests/platforms/run.sh runs this on each, against a sandbox that it has started; without
//! one (plain `cargo test`) the sandbox is started here.

#[path = "../common/mod.rs"]
mod common;

use std::net::TcpListener;
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use common::sandbox::Sandbox;
use common::server::{Certificate, DONE, Server, response};
use zus::{Action, Cancel, Client, Code, Config};

/// Emulators are slow to be woken. How soon it must be is tests/network's concern; here, that it is woken at all.
const SLACK: Duration = Duration::from_millis(500);

struct Urls {
    api: String,
    oauth: String,
}

struct Sandboxes {
    plain: Urls,
    tls: Urls,
    /// The CA that the TLS one's certificate comes from.
    ca: Vec<u8>,
    /// They end when this process does, and with it the pipes to their standard input.
    _running: Vec<Sandbox>,
}

fn sandboxes() -> &'static Sandboxes {
    static SANDBOXES: OnceLock<Sandboxes> = OnceLock::new();
    SANDBOXES.get_or_init(|| {
        let variable = |name: &str| std::env::var(name).expect(name);
        if std::env::var_os("ZUS_TEST_API").is_some() {
            let urls = |api: &str, oauth: &str| Urls {
                api: variable(api),
                oauth: variable(oauth),
            };
            return Sandboxes {
                plain: urls("ZUS_TEST_API", "ZUS_TEST_OAUTH"),
                tls: urls("ZUS_TEST_TLS_API", "ZUS_TEST_TLS_OAUTH"),
                ca: std::fs::read(variable("ZUS_TEST_CA")).expect("ZUS_TEST_CA is a file"),
                _running: Vec::new(),
            };
        }
        let certificate = Certificate::new();
        let plain = Sandbox::start(&[]);
        let tls = Sandbox::start_tls("platforms", &certificate);
        let urls = |sandbox: &Sandbox| Urls {
            api: sandbox.api.clone(),
            oauth: sandbox.oauth.clone(),
        };
        Sandboxes {
            plain: urls(&plain),
            tls: urls(&tls),
            ca: certificate.pem.into_bytes(),
            _running: vec![plain, tls],
        }
    })
}

fn config(urls: &Urls) -> Config {
    let mut config = Config::new();
    config.set_token("sandbox-token").unwrap();
    config.set_urls(Some(&urls.api), Some(&urls.oauth)).unwrap();
    config.set_rate(0, 1000).unwrap();
    config.set_retry(1, 1, 1).unwrap();
    config.set_proxy("").unwrap();
    config
}

fn client(config: &Config) -> Client {
    Client::new(config).unwrap()
}

fn urls(server: &Server) -> Urls {
    Urls {
        api: server.api(),
        oauth: server.oauth(),
    }
}

#[test]
fn a_user_is_updated_with_a_token_and_with_oauth() {
    let urls = &sandboxes().plain;
    let outcome = client(&config(urls)).update_status("ada@example.com", Action::Deactivate, None);
    assert_eq!(
        (outcome.code(), outcome.http_status()),
        (Code::Ok, 204),
        "{outcome:?}"
    );
    let mut config = config(urls);
    config
        .set_oauth("sandbox-account", "sandbox-client", "sandbox-secret")
        .unwrap();
    let outcome = client(&config).update_status("nobody@example.com", Action::Activate, None);
    assert_eq!(
        (outcome.code(), outcome.http_status(), outcome.zoom_code()),
        (Code::UserNotFound, 404, 1001),
        "{outcome:?}"
    );
}

#[test]
fn https_with_a_ca_certificate_of_ones_own() {
    let s = sandboxes();
    let mut config = config(&s.tls);
    config.set_ca_pem(&s.ca).unwrap();
    let client = client(&config);
    for _ in 0..2 {
        let outcome = client.update_status("ada@example.com", Action::Activate, None);
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
    }
}

/// The system's trust store is asked, and has never heard of this CA.
#[test]
fn https_with_the_systems_trust_store() {
    let outcome =
        client(&config(&sandboxes().tls)).update_status("ada@example.com", Action::Activate, None);
    assert_eq!(outcome.code(), Code::Tls, "{outcome:?}");
    assert_eq!(outcome.attempts(), 1);
}

#[test]
fn an_idle_connection_is_used_again() {
    let server = Server::done();
    let client = client(&config(&urls(&server)));
    for _ in 0..3 {
        let outcome = client.update_status("ada", Action::Activate, None);
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

/// The probe sees that the server has closed, so that nothing is lost on a dead connection.
#[test]
fn an_idle_connection_that_was_closed_is_not_used() {
    let server = Server::new(|connection| {
        connection.request();
        connection.send(DONE);
    });
    let client = client(&config(&urls(&server)));
    for _ in 0..3 {
        let outcome = client.update_status("ada", Action::Activate, None);
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
        assert_eq!(outcome.attempts(), 1);
        server.settle();
        thread::sleep(Duration::from_millis(50));
    }
}

/// The probe sees bytes that nobody asked for: they must not become the response to the next request.
#[test]
fn an_idle_connection_that_speaks_unasked_is_not_used() {
    let server = Server::new(|connection| {
        connection.request();
        connection.send(DONE);
        thread::sleep(Duration::from_millis(100));
        if connection.number == 0 {
            connection.send(response("404 Not Found", "", ""));
        }
        connection.request();
    });
    let client = client(&config(&urls(&server)));
    for _ in 0..2 {
        let outcome = client.update_status("ada", Action::Activate, None);
        assert_eq!(
            (outcome.code(), outcome.attempts()),
            (Code::Ok, 1),
            "{outcome:?}"
        );
        thread::sleep(Duration::from_millis(300));
    }
}

/// The thread that waits for a response is woken.
#[test]
fn a_cancel_ends_a_call_that_waits() {
    let (asked, is_asked) = mpsc::channel();
    let server = Server::new(move |connection| {
        connection.request();
        asked.send(()).unwrap();
        connection.request();
    });
    let client = client(&config(&urls(&server)));
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            let outcome = client.update_status("ada", Action::Activate, Some(&cancel));
            (outcome.code(), Instant::now())
        });
        is_asked.recv().unwrap();
        thread::sleep(Duration::from_millis(100));
        let triggered = Instant::now();
        cancel.trigger();
        let (code, ended) = call.join().unwrap();
        assert_eq!(code, Code::Cancelled);
        assert!(ended - triggered < SLACK, "after {:?}", ended - triggered);
    });
}

#[test]
fn a_call_never_outlasts_its_time() {
    let server = Server::silent();
    let mut config = config(&urls(&server));
    config.set_timeouts(200, 400).unwrap();
    let client = client(&config);
    let begun = Instant::now();
    let outcome = client.update_status("ada", Action::Activate, None);
    assert_eq!(outcome.code(), Code::Timeout, "{outcome:?}");
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_millis(390) && took < Duration::from_millis(400) + SLACK,
        "{took:?}"
    );
}

#[test]
fn a_refused_connection_and_an_unknown_host_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}/v2", listener.local_addr().unwrap());
    drop(listener);
    let refused = Urls {
        oauth: api.clone(),
        api,
    };
    let outcome = client(&config(&refused)).update_status("ada", Action::Activate, None);
    assert_eq!(outcome.code(), Code::Connect, "{outcome:?}");
    let unknown = Urls {
        api: "https://no-such-host.invalid/v2".into(),
        oauth: "https://no-such-host.invalid/oauth/token".into(),
    };
    let outcome = client(&config(&unknown)).update_status("ada", Action::Activate, None);
    assert_eq!(outcome.code(), Code::Resolve, "{outcome:?}");
}

#[test]
fn a_batch_on_threads() {
    let users: Vec<String> = (0..100)
        .map(|n| format!("answer-204-{n}@example.com"))
        .collect();
    let server = Server::done();
    let client = client(&config(&urls(&server)));
    let mut heard = vec![0; users.len()];
    let code = client.update_status_many(&users, Action::Deactivate, None, |index, outcome| {
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
        heard[index] += 1;
        true
    });
    assert_eq!(code, Code::Ok);
    assert!(heard.iter().all(|&times| times == 1));
}

#[cfg(unix)]
#[test]
fn a_client_from_before_fork_says_so() {
    let client = client(&config(&sandboxes().plain));
    // SAFETY: the child makes one call, which returns before it takes any lock, and leaves.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = client
            .update_status("ada@example.com", Action::Activate, None)
            .code();
        // SAFETY: leaves without running anything of the parent's.
        unsafe { libc::_exit(if code == Code::Forked { 7 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: our own child.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(
        (libc::WIFEXITED(status), libc::WEXITSTATUS(status)),
        (true, 7)
    );
    let outcome = client.update_status("ada@example.com", Action::Activate, None);
    assert_eq!(outcome.code(), Code::Ok, "the parent's goes on");
}
