//! What happens on the way to Zoom and back: each failure is named for where it happened.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::abi::*;
use crate::common::child::{self, Child};
use crate::common::sandbox::{Sandbox, TOKEN};
use crate::common::server::{BlackHole, Certificate, Connection, DONE, Server};
use crate::common::{ms, scratch};
use crate::parts::Authority;

const USER: &str = "ada@example.com";

fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|n| n.trim() == name).count()
}

/// A TLS server that says DONE and then what `after` says, on each connection.
fn tls(
    certificate: &Certificate,
    after: impl Fn(&mut Connection, usize) + Send + Sync + 'static,
) -> Server {
    let served = AtomicUsize::new(0);
    Server::tls(certificate, move |connection: &mut Connection| {
        while connection.request().is_some() {
            connection.send(DONE);
            after(connection, served.fetch_add(1, Ordering::SeqCst));
        }
    })
}

#[test]
fn a_connection_that_tls_ends_while_idle_is_stale_and_not_a_tls_error() {
    let certificate = Certificate::new();
    let server = tls(&certificate, |connection, _| connection.close_notify());
    let config = server.with_token().ca_pem(&certificate.pem).retry(1, 1, 1);
    let client = config.client();
    for _ in 0..5 {
        client.deactivate(USER).expect(ZUS_OK);
    }
    assert_eq!(server.connections(), 5);
}

#[test]
fn what_nobody_asked_for_is_not_the_next_users_response() {
    const WRONG: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n{\"code\":1001}";
    // At once with the response, so that it lies in a buffer of ours; and a moment later.
    for later in [false, true] {
        let certificate = Certificate::new();
        let server = tls(&certificate, move |connection, _| {
            if later {
                thread::sleep(ms(50));
            }
            connection.send(WRONG);
        });
        let config = server.with_token().ca_pem(&certificate.pem);
        let client = config.client();
        for _ in 0..5 {
            client.deactivate(USER).expect(ZUS_OK);
            thread::sleep(ms(100));
        }
    }
}

#[test]
fn an_attempt_has_its_own_time_and_is_retried() {
    let first = AtomicUsize::new(0);
    let server = Server::new(move |connection: &mut Connection| {
        while connection.request().is_some() {
            match first.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    connection.until_closed();
                }
                _ => {
                    connection.send(DONE);
                }
            }
        }
    });
    let config = server.with_token().retry(3, 1, 1).attempt_timeout(300);
    let outcome = config.client().deactivate(USER).expect(ZUS_OK);
    assert_eq!(outcome.attempts, 2);
    assert!(outcome.took < Duration::from_secs(10), "{:?}", outcome.took);
    let silent = Server::silent();
    let config = silent.with_token().retry(2, 1, 1).attempt_timeout(300);
    let outcome = config.client().deactivate(USER).expect(ZUS_ERR_TIMEOUT);
    assert_eq!(outcome.attempts, 2);
    assert!(
        outcome.message.contains("within 300 ms"),
        "{}",
        outcome.message
    );
    // The token request has as much.
    let outcome = silent
        .with_oauth(&silent)
        .retry(2, 1, 1)
        .attempt_timeout(300);
    let outcome = outcome.client().deactivate(USER);
    assert!(outcome.took < Duration::from_secs(10), "{outcome:?}");
}

#[test]
fn a_black_hole_does_not_swallow_the_whole_time() {
    let hole = BlackHole::new();
    let url = format!("http://{}/v2", hole.address);
    let config = Config::new().token(TOKEN).urls(&url, &url).retry(2, 1, 1);
    let config = config.timeouts(60_000, 60_000).attempt_timeout(400);
    let outcome = config.client().deactivate(USER).expect(ZUS_ERR_TIMEOUT);
    assert_eq!(outcome.attempts, 2);
    assert_eq!(outcome.delivery, zus::ffi::ZUS_DELIVERY_NOT_SENT);
    assert!(outcome.took < Duration::from_secs(10), "{:?}", outcome.took);
}

#[test]
fn a_proxy_that_can_not_reach_the_server_is_retried() {
    let reject = |bytes: &'static [u8]| {
        Server::new(move |connection: &mut Connection| {
            connection.request();
            connection.send(bytes);
        })
    };
    for (bytes, attempts) in [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n".as_slice(), 3),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 3),
        (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", 3),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", 1),
    ] {
        let proxy = reject(bytes);
        let url = "https://api.test/v2";
        let config = Config::new().token(TOKEN).urls(url, url).retry(3, 1, 1);
        let config = config.proxy(&format!("http://127.0.0.1:{}", proxy.port()));
        let outcome = config.client().deactivate(USER).expect(ZUS_ERR_PROXY);
        assert_eq!(outcome.attempts, attempts, "{outcome:?}");
        // For a token, too.
        let requests = proxy.connections();
        let outcome = config.oauth("a", "c", "s").client().deactivate(USER);
        assert_eq!(
            proxy.connections() - requests,
            attempts as usize,
            "{outcome:?}"
        );
    }
    for (reply, attempts) in [(3u8, 3), (4, 3), (5, 3), (6, 3), (2, 1), (1, 1)] {
        let proxy = Server::new(move |connection: &mut Connection| {
            connection.send([5, 0]);
            connection.send([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]);
            connection.until_closed();
        });
        let url = "https://api.test/v2";
        let config = Config::new().token(TOKEN).urls(url, url).retry(3, 1, 1);
        let config = config.proxy(&format!("socks5://127.0.0.1:{}", proxy.port()));
        let outcome = config.client().deactivate(USER).expect(ZUS_ERR_PROXY);
        assert_eq!(outcome.attempts, attempts, "SOCKS {reply}: {outcome:?}");
    }
}

#[test]
fn one_look_up_is_in_flight_however_many_calls_wait() {
    let said = Child::new("look-ups")
        .hosts("slow.test=sleep:3000")
        .result();
    assert_eq!(said["most"], 1, "{said}");
    assert_eq!(said["timed_out"], 24, "{said}");
}

/// 24 calls, three times each, while the name server says nothing.
pub fn look_ups_child() {
    let url = "https://slow.test/v2";
    let config = Config::new().token(TOKEN).urls(url, url).retry(1, 1, 1);
    let client = config.timeouts(200, 200).client();
    let most = AtomicUsize::new(0);
    let timed_out: usize = thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let call = |_| {
                        let outcome = client.deactivate(USER);
                        most.fetch_max(threads("zus-resolve"), Ordering::SeqCst);
                        usize::from(outcome.code == ZUS_ERR_TIMEOUT)
                    };
                    (0..3).map(call).sum::<usize>()
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).sum()
    });
    child::say(&json!({"most": most.into_inner(), "timed_out": timed_out}));
}

#[test]
fn a_cancel_in_a_child_of_fork_leaves_the_parents_sockets_alone() {
    let sandbox = Sandbox::start(&["--delay", "1000"]);
    let api = sandbox.api.clone();
    let said = Child::new("fork-cancel").env("ZOOM_API_URL", &api).result();
    assert_eq!(said["name"], "ZUS_OK", "{said}");
}

/// Forks while a call waits for its response, and has the child trigger the call's cancel.
pub fn fork_cancel_child() {
    let url = child::setting("ZOOM_API_URL").unwrap();
    let client = Config::new().token(TOKEN).urls(&url, &url).client();
    let cancel = Cancel::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(ms(400));
            // SAFETY: the child triggers the cancel and leaves.
            let process = unsafe { libc::fork() };
            if process == 0 {
                cancel.trigger();
                // SAFETY: it ends the child, and nothing else.
                unsafe { libc::_exit(0) };
            }
            let mut status = -1;
            // SAFETY: the place is ours.
            unsafe { libc::waitpid(process, &mut status, 0) };
            assert_eq!(status, 0, "the child's trigger returned");
        });
        child::say_outcome(&client.update(USER, ZUS_DEACTIVATE, Some(&cancel)));
    });
}

#[test]
fn a_batch_without_threads_works_on_the_calling_one() {
    let sandbox = Sandbox::start(&["--users", "20"]);
    let said = Child::new("no-threads")
        .env("ZOOM_API_URL", &sandbox.api)
        .result();
    assert_eq!(said, json!({"code": 0, "done": 20, "elsewhere": 0}));
}

/// A batch where the system gives no thread any more.
pub fn no_threads_child() {
    let url = child::setting("ZOOM_API_URL").unwrap();
    let client = Config::new().token(TOKEN).urls(&url, &url).client();
    let users: Vec<String> = (1..=20)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    // No memory is left for another stack. root is bound by this, too.
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    let mut before = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the places are ours.
    unsafe {
        libc::getrlimit(libc::RLIMIT_AS, &mut before);
        let tight = libc::rlimit {
            rlim_cur: pages * 4096 + (1 << 20),
            rlim_max: before.rlim_max,
        };
        libc::setrlimit(libc::RLIMIT_AS, &tight);
    }
    let (mut done, mut elsewhere) = (0, 0);
    let here = thread::current().id();
    let code = client.deactivate_many(&users, None, |_, outcome| {
        done += i32::from(outcome.code == ZUS_OK);
        elsewhere += i32::from(thread::current().id() != here) + threads("zus-batch") as i32;
        0
    });
    // SAFETY: as above.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &before) };
    child::say(&json!({"code": code as i32, "done": done, "elsewhere": elsewhere}));
}

#[test]
fn a_privileged_program_does_not_trust_its_callers_environment() {
    // SAFETY: it has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return println!("skipped: only root can make a setuid program");
    }
    let authority = Authority::new("way-setuid");
    let sandbox = Sandbox::start(&authority.good().tls_options());
    let folder = scratch("way-setuid");
    let program = folder.join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = |mode: u32| {
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = Command::new(&program)
            .args(["--exact", "child", "--nocapture"])
            .env("ZUS_TEST_ROLE", "update")
            .env(
                "ZOOM_API_URL",
                format!("https://localhost:{}/v2", sandbox.port()),
            )
            .env(
                "ZOOM_OAUTH_URL",
                format!("https://localhost:{}/v2", sandbox.port()),
            )
            .env("ZOOM_ACCESS_TOKEN", TOKEN)
            .env("SSL_CERT_FILE", &authority.file)
            .uid(65_534)
            .output();
        output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
    };
    // The folders above may be closed to others.
    for folder in folder
        .ancestors()
        .take_while(|f| f.starts_with(env!("CARGO_MANIFEST_DIR")))
    {
        let mode = std::fs::metadata(folder).unwrap().permissions().mode();
        let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode | 0o5));
    }
    let plain = match run(0o755) {
        Ok(said) if said.contains("ZUS_OK") => said,
        other => return println!("skipped: another user can't run it here: {other:?}"),
    };
    assert!(plain.contains("ZUS_OK"), "{plain}");
    // Nothing was sent: the handshake failed.
    let setuid = run(0o4755).unwrap();
    assert!(setuid.contains("ZUS_ERR_TLS"), "{setuid}");
}

#[test]
fn retries_go_ahead_of_first_attempts_at_a_slow_rate() {
    // Each user of the first round needs a second slot (JSON), later than its time if it queued behind everybody.
    let sandbox = Sandbox::start(&["--users", "24", "--body", "json"]);
    let users: Vec<String> = (1..=24)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let config = sandbox.with_token().rate(8, 1_000).timeouts(1_000, 1_000);
    let mut codes = Vec::new();
    let code = config.client().deactivate_many(&users, None, |_, outcome| {
        codes.push((outcome.code, outcome.message));
        0
    });
    assert_eq!((code, codes.len()), (ZUS_OK, 24), "{codes:?}");
}

#[test]
fn the_rate_holds_after_a_slow_token() {
    // Everybody waits for the token; none of them may send at once when it comes.
    let sandbox = Sandbox::start(&["--users", "40", "--qps", "12", "--body", "json"]);
    let users: Vec<String> = (1..=40)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let tokens = Server::http(|_| {
        thread::sleep(ms(700));
        crate::common::server::token(TOKEN, 3600)
    });
    let config = sandbox.with_token().urls(&sandbox.api, &tokens.oauth());
    let config = config.oauth("a", "c", "s").rate(12, 1_000);
    let code = config.client().deactivate_many(&users, None, |_, _| 0);
    assert_eq!(code, ZUS_OK);
    assert_eq!(sandbox.ledger()["rate_refused"], 0);
}

#[test]
fn waiting_workers_are_quiet() {
    let sandbox = Sandbox::start(&["--users", "300"]);
    let users: Vec<String> = (1..=300)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let config = sandbox.with_token().rate(1, 10_000).concurrency(256);
    let (client, cancel) = (config.client(), Cancel::new());
    let switches = || -> u64 {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let status =
            tasks.filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("status")).ok());
        let workers = status.filter(|s| s.contains("Name:\tzus-batch"));
        let count = |s: String| {
            let line = s
                .lines()
                .find(|l| l.starts_with("voluntary_ctxt_switches"))
                .map(str::to_owned);
            line.and_then(|l| l.split('\t').nth(1)?.parse::<u64>().ok())
                .unwrap_or(0)
        };
        workers.map(count).sum()
    };
    /// A failed check must not leave the batch to its rate, which is a user in ten seconds.
    struct TriggerAtEnd<'a>(&'a Cancel);
    impl Drop for TriggerAtEnd<'_> {
        fn drop(&mut self) {
            self.0.trigger();
        }
    }
    thread::scope(|scope| {
        let batch = scope.spawn(|| client.deactivate_many(&users, Some(&cancel), |_, _| 0));
        let _end = TriggerAtEnd(&cancel);
        // Until all wait, which takes a busy machine a while.
        let quiet = (0..20).any(|_| {
            thread::sleep(ms(500));
            let before = switches();
            thread::sleep(ms(1_000));
            let woken = switches().saturating_sub(before);
            println!("256 waiting workers woke {woken} times in 1 s");
            before >= 256 && woken < 50
        });
        assert!(quiet, "waiting workers wake up");
        let begun = Instant::now();
        cancel.trigger();
        assert_eq!(batch.join().unwrap(), ZUS_ERR_CANCELLED);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    });
}

#[test]
fn a_clock_before_1970_is_a_tls_error() {
    let authority = Authority::new("way-clock");
    let sandbox = Sandbox::start(&authority.good().tls_options());
    let url = format!("https://localhost:{}/v2", sandbox.port());
    let said = Child::new("update")
        .hosts("")
        .env("ZUS_TEST_BEFORE_1970", "1")
        .env("ZOOM_API_URL", &url)
        .env("ZOOM_OAUTH_URL", &url)
        .env("ZOOM_ACCESS_TOKEN", TOKEN)
        .env("SSL_CERT_FILE", authority.file.to_str().unwrap())
        .result();
    assert_eq!(said["name"], "ZUS_ERR_TLS", "{said}");
}

#[test]
fn a_cold_batch_loads_the_trust_store_once() {
    let authority = Authority::new("way-trust");
    let mut options = vec!["--users", "64"];
    let good = authority.good();
    options.extend(good.tls_options());
    let sandbox = Sandbox::start(&options);
    let said = Child::new("trust-store")
        .hosts("")
        .env(
            "ZOOM_API_URL",
            &format!("https://localhost:{}/v2", sandbox.port()),
        )
        .env("SSL_CERT_FILE", authority.file.to_str().unwrap())
        .result();
    assert_eq!(said, json!({"code": 0, "loads": 1}));
}

/// Sixteen workers connect at once.
pub fn trust_store_child() {
    let url = child::setting("ZOOM_API_URL").unwrap();
    let client = Config::new().token(TOKEN).urls(&url, &url).client();
    let users: Vec<String> = (1..=64)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let code = client.deactivate_many(&users, None, |_, _| 0);
    // SAFETY: the symbol, when it is there, is the preloaded function.
    let loads = unsafe {
        let loads = libc::dlsym(libc::RTLD_DEFAULT, c"zus_test_trust_store_loads".as_ptr());
        assert!(!loads.is_null(), "not preloaded");
        let loads: extern "C" fn() -> i32 = std::mem::transmute(loads);
        loads()
    };
    child::say(&json!({"code": code as i32, "loads": loads}));
}

#[test]
fn one_users_missing_permission_blocks_nobody_else() {
    let sandbox = Sandbox::start(&["--users", "60"]);
    let mut users: Vec<String> = (1..=60)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    users.insert(0, "answer-403@example.com".into());
    let mut codes = Vec::new();
    let client = sandbox.with_token().client();
    let code = client.deactivate_many(&users, None, |_, outcome| {
        codes.push(outcome.code);
        0
    });
    assert_eq!((code, codes.len()), (ZUS_ERR_PARTIAL, 61));
    assert_eq!(codes.iter().filter(|c| **c == ZUS_OK).count(), 60);
}

#[test]
fn a_permission_that_the_first_users_all_lack_is_fatal_for_the_batch() {
    let sandbox = Sandbox::start(&[]);
    let users: Vec<String> = (1..=60)
        .map(|n| format!("answer-403+{n}@example.com"))
        .collect();
    let mut told = 0;
    let config = sandbox.with_token().concurrency(1);
    let code = config.client().deactivate_many(&users, None, |_, outcome| {
        assert_eq!(outcome.code, ZUS_ERR_FORBIDDEN);
        told += 1;
        0
    });
    assert_eq!((code, told), (ZUS_ERR_FORBIDDEN, 5));
    assert_eq!(sandbox.requests(), 5);
    // Not where the client knows that it may update others.
    let client = sandbox.with_token().client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    let code = client.deactivate_many(&users, None, |_, _| 0);
    assert_eq!(code, ZUS_ERR_PARTIAL);
}

#[test]
fn a_wrong_url_is_fatal_for_the_batch_and_settles_nobody() {
    let sandbox = Sandbox::start(&["--users", "60"]);
    let users: Vec<String> = (1..=60)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    let wrong = sandbox.api.replace("/v2", "/v3");
    let config = sandbox
        .with_token()
        .urls(&wrong, &sandbox.oauth)
        .concurrency(1);
    let mut told = Vec::new();
    let code = config.client().deactivate_many(&users, None, |_, outcome| {
        told.push((outcome.code, outcome.message));
        0
    });
    assert_eq!((code, told.len()), (ZUS_ERR_ENDPOINT, 1));
    assert!(told[0].1.contains("check the API URL"), "{}", told[0].1);
}

#[test]
fn a_short_retry_after_holds_back_the_whole_client() {
    let first = AtomicUsize::new(0);
    let server = Server::http(move |_| match first.fetch_add(1, Ordering::SeqCst) {
        0 => crate::common::server::response("429 Too Many Requests", "Retry-After: 2\r\n", ""),
        _ => DONE.to_owned(),
    });
    let client = server.with_token().retry(3, 1, 10_000).client();
    thread::scope(|scope| {
        scope.spawn(|| client.deactivate("first@example.com").expect(ZUS_OK));
        thread::sleep(ms(500));
        client.deactivate("second@example.com").expect(ZUS_OK);
    });
    let requests = server.requests();
    let waited = requests
        .iter()
        .find(|r| r.user() == "second@example.com")
        .unwrap();
    let waited = waited.at - requests[0].at;
    assert!(
        waited >= ms(1_950),
        "another call was sent after {waited:?}"
    );
}

#[test]
fn a_connect_that_nobody_accepts_sleeps_until_its_time() {
    let hole = BlackHole::new();
    let url = format!("http://{}/v2", hole.address);
    let config = Config::new().token(TOKEN).urls(&url, &url).retry(1, 1, 1);
    let client = config.timeouts(1_500, 1_500).client();
    let cpu = || -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = cpu();
    client.deactivate(USER).expect(ZUS_ERR_TIMEOUT);
    assert!(cpu() - before <= 10, "it did not sleep");
}
