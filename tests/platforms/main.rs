//! What differs from system to system: the trust store, the probe of a kept connection, waking a call that waits,
//! timeouts, threads, fork(). tests/platforms/run.sh runs this on each, against a sandbox that it has started; without
//! one (plain `cargo test`) the sandbox is started here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

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
    /// The authority that the TLS one's certificate comes from.
    ca: Vec<u8>,
}

fn sandboxes() -> &'static Sandboxes {
    static SANDBOXES: OnceLock<Sandboxes> = OnceLock::new();
    SANDBOXES.get_or_init(|| {
        let variable = |name: &str| std::env::var(name).expect(name);
        if std::env::var_os("ZUS_TEST_API").is_some() {
            return Sandboxes {
                plain: Urls {
                    api: variable("ZUS_TEST_API"),
                    oauth: variable("ZUS_TEST_OAUTH"),
                },
                tls: Urls {
                    api: variable("ZUS_TEST_TLS_API"),
                    oauth: variable("ZUS_TEST_TLS_OAUTH"),
                },
                ca: std::fs::read(variable("ZUS_TEST_CA")).expect("ZUS_TEST_CA is a file"),
            };
        }
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("platforms");
        std::fs::create_dir_all(&folder).expect("a directory");
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let ca = made.cert.pem().into_bytes();
        std::fs::write(&cert, &ca).expect("written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        let [cert, key] = [&cert, &key].map(|path| path.to_str().expect("UTF-8"));
        Sandboxes {
            plain: start_sandbox(&[]),
            tls: start_sandbox(&["--tls", cert, key]),
            ca,
        }
    })
}

/// It ends when this process does, and with it the pipe to its standard input.
fn start_sandbox(options: &[&str]) -> Urls {
    let test = std::env::current_exe().expect("the test has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = std::env::var_os("ZUS_SANDBOX").map_or_else(
        || {
            profile
                .join("examples/sandbox")
                .with_extension(std::env::consts::EXE_EXTENSION)
        },
        PathBuf::from,
    );
    let mut child: Child = Command::new(&program)
        .args(["--until-stdin-closes", "--quiet"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut printed = |name: &str| {
        let line = lines.find(|l| l.as_ref().is_ok_and(|l| l.starts_with(name)));
        let line = line.expect("the sandbox starts").expect("a line");
        line.split_once('=').expect("NAME=VALUE").1.to_owned()
    };
    let urls = Urls {
        api: printed("ZOOM_API_URL="),
        oauth: printed("ZOOM_OAUTH_URL="),
    };
    std::mem::forget(child);
    urls
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

/// One request, read to its end. Empty when the connection closes.
fn read_request(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).unwrap_or(0) == 0 {
            return String::new();
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Serves each connection with `serve`, which gets its number.
fn server(serve: impl Fn(usize, BufReader<TcpStream>) + Send + Sync + 'static) -> Urls {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(number, BufReader::new(stream.unwrap())));
        }
    });
    Urls {
        api: format!("{base}/v2"),
        oauth: format!("{base}/oauth/token"),
    }
}

const DONE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

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
fn https_with_an_authority_of_ones_own() {
    let s = sandboxes();
    let mut config = config(&s.tls);
    config.set_ca_pem(&s.ca).unwrap();
    let client = client(&config);
    for _ in 0..2 {
        let outcome = client.update_status("ada@example.com", Action::Activate, None);
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
    }
}

/// The system's trust store is asked, and has never heard of this authority.
#[test]
fn https_with_the_systems_trust_store() {
    let outcome =
        client(&config(&sandboxes().tls)).update_status("ada@example.com", Action::Activate, None);
    assert_eq!(outcome.code(), Code::Tls, "{outcome:?}");
    assert_eq!(outcome.attempts(), 1);
}

#[test]
fn a_kept_connection_is_used_again() {
    let (sender, connections) = mpsc::channel();
    let urls = server(move |number, mut stream| {
        while !read_request(&mut stream).is_empty() {
            sender.send(number).unwrap();
            stream.get_ref().write_all(DONE).unwrap();
        }
    });
    let client = client(&config(&urls));
    for _ in 0..3 {
        let outcome = client.update_status("ada", Action::Activate, None);
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
    }
    assert_eq!(connections.try_iter().collect::<Vec<_>>(), [0, 0, 0]);
}

/// The probe sees that the server has closed, so that nothing is lost on a dead connection.
#[test]
fn a_kept_connection_that_was_closed_is_not_used() {
    let (closed, is_closed) = mpsc::channel();
    let urls = server(move |_, mut stream| {
        read_request(&mut stream);
        stream.get_ref().write_all(DONE).unwrap();
        drop(stream);
        closed.send(()).unwrap();
    });
    let client = client(&config(&urls));
    for _ in 0..3 {
        let outcome = client.update_status("ada", Action::Activate, None);
        assert_eq!(outcome.code(), Code::Ok, "{outcome:?}");
        assert_eq!(outcome.attempts(), 1);
        is_closed.recv().unwrap();
        thread::sleep(Duration::from_millis(50));
    }
}

/// The probe sees bytes that nobody asked for: they must not become the answer to the next request.
#[test]
fn a_kept_connection_that_speaks_unasked_is_not_used() {
    let urls = server(|number, mut stream| {
        read_request(&mut stream);
        stream.get_ref().write_all(DONE).unwrap();
        thread::sleep(Duration::from_millis(100));
        if number == 0 {
            let lie = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            let _ = stream.get_ref().write_all(lie);
        }
        read_request(&mut stream);
    });
    let client = client(&config(&urls));
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

/// The thread that waits for an answer is woken.
#[test]
fn a_cancel_ends_a_call_that_waits() {
    let (asked, is_asked) = mpsc::channel();
    let urls = server(move |_, mut stream| {
        read_request(&mut stream);
        asked.send(()).unwrap();
        read_request(&mut stream);
    });
    let client = client(&config(&urls));
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            let outcome = client.update_status("ada", Action::Activate, Some(&cancel));
            (outcome.code(), Instant::now())
        });
        is_asked.recv().unwrap();
        thread::sleep(Duration::from_millis(100));
        let raised = Instant::now();
        cancel.trigger();
        let (code, ended) = call.join().unwrap();
        assert_eq!(code, Code::Cancelled);
        assert!(ended - raised < SLACK, "after {:?}", ended - raised);
    });
}

#[test]
fn a_call_never_outlasts_its_time() {
    let urls = server(|_, mut stream| {
        read_request(&mut stream);
        read_request(&mut stream);
    });
    let mut config = config(&urls);
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
fn a_refused_connection_and_an_unknown_name() {
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
    let urls = server(|_, mut stream| {
        while !read_request(&mut stream).is_empty() {
            stream.get_ref().write_all(DONE).unwrap();
        }
    });
    let client = client(&config(&urls));
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
    // SAFETY: the child makes one call, which answers before it takes any lock, and leaves.
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
