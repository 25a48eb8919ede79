//! Calls that don't wait: one event each, whatever happens.

use super::common::abi::*;
use super::common::child::{self, Child};
use super::common::sandbox::Sandbox;
use super::common::server::Server;
use std::collections::BTreeSet;
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use zus::ffi::*;

fn numbers(queue: &Queue, count: usize) -> Vec<(usize, Outcome)> {
    let events: Vec<_> = (0..count).map(|_| queue.result()).collect();
    assert!(queue.next(20).is_none(), "more events than calls");
    events
}

#[test]
fn each_started_call_has_one_event() {
    let sandbox = Sandbox::start(&["--users", "100"]);
    let client = sandbox.with_token().client();
    let queue = Queue::new();
    for n in 1..=100 {
        let user = format!("user{n:05}@example.com");
        assert_eq!(client.start(&user, None, &queue, n), ZUS_OK);
    }
    let events = numbers(&queue, 100);
    let seen: BTreeSet<usize> = events.iter().map(|(n, _)| *n).collect();
    assert_eq!(seen, (1..=100).collect());
    for (n, outcome) in events {
        assert_eq!(outcome.user_id, format!("user{n:05}@example.com"));
        outcome.expect(ZUS_OK);
    }
    assert_eq!(sandbox.requests(), 100);
}

#[test]
fn what_can_not_be_sent_is_an_event_too() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().client();
    let queue = Queue::new();
    assert_eq!(client.start("", None, &queue, 1), ZUS_OK);
    let user = c("ada@example.com");
    let start = |action, user: *const std::ffi::c_char, queue: *const zus_queue| {
        let nothing = std::ptr::null();
        // SAFETY: the handles are live, or NULL on purpose.
        unsafe {
            zus_update_status_start(client.0, user, action, nothing, queue, std::ptr::null_mut())
        }
    };
    assert_eq!(start(77, user.as_ptr(), queue.0), ZUS_OK);
    for (_, outcome) in numbers(&queue, 2) {
        outcome.expect(ZUS_ERR_ARGUMENT);
    }
    assert_eq!(
        start(ZUS_DEACTIVATE, std::ptr::null(), queue.0),
        ZUS_ERR_NULL
    );
    assert_eq!(
        start(ZUS_DEACTIVATE, user.as_ptr(), std::ptr::null()),
        ZUS_ERR_NULL
    );
    assert_eq!(
        start(ZUS_DEACTIVATE, c"\xff".as_ptr(), queue.0),
        ZUS_ERR_UTF8
    );
    assert!(queue.next(50).is_none(), "nothing was started");
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn reads_and_checks_are_started_too() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_oauth().client();
    let queue = Queue::new();
    let (user, nothing) = (c("pending@example.com"), std::ptr::null());
    // SAFETY: the handles are live.
    unsafe {
        let read = std::ptr::without_provenance_mut(1);
        let code = zus_get_user_status_start(client.0, user.as_ptr(), nothing, queue.0, read);
        assert_eq!(code, ZUS_OK);
        let check = std::ptr::without_provenance_mut(2);
        assert_eq!(
            zus_check_credentials_start(client.0, nothing, queue.0, check),
            ZUS_OK
        );
    }
    for (number, outcome) in numbers(&queue, 2) {
        let outcome = outcome.expect(ZUS_OK);
        match number {
            1 => assert_eq!(outcome.user_status, ZUS_STATUS_PENDING),
            _ => assert!(String::from_utf8_lossy(&outcome.body).contains("user:write:admin")),
        }
    }
}

#[test]
fn a_cancel_ends_a_call_in_flight_and_one_that_waits_for_a_worker() {
    let server = Server::silent();
    let client = server.with_token().concurrency(1).client();
    let queue = Queue::new();
    let (first, second) = (Cancel::new(), Cancel::new());
    assert_eq!(client.start("first", Some(&first), &queue, 1), ZUS_OK);
    assert_eq!(client.start("second", Some(&second), &queue, 2), ZUS_OK);
    std::thread::sleep(Duration::from_millis(300));
    for (number, cancel) in [(2, second), (1, first)] {
        let begun = Instant::now();
        cancel.trigger();
        let (ended, outcome) = queue.result();
        assert_eq!(ended, number);
        outcome.expect(ZUS_ERR_CANCELLED);
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
    assert!(queue.next(100).is_none());
    assert_eq!(server.connections(), 1, "the second was never sent");
    // One that was triggered before, and freed at once.
    let cancel = Cancel::new();
    cancel.trigger();
    assert_eq!(client.start("third", Some(&cancel), &queue, 3), ZUS_OK);
    drop(cancel);
    queue.result().1.expect(ZUS_ERR_CANCELLED);
}

#[test]
fn a_cancel_ends_a_call_that_waits_to_read_its_user_again() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().verify(60_000).client();
    let queue = Queue::new();
    let cancel = Cancel::new();
    let user = "ghost@example.com";
    assert_eq!(client.start(user, Some(&cancel), &queue, 1), ZUS_OK);
    // It reads at 0, 250, 750 and 1,750 ms, and next at 3,750.
    assert!(queue.next(2_300).is_none());
    let begun = Instant::now();
    cancel.trigger();
    queue.result().1.expect(ZUS_ERR_NOT_VERIFIED);
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(700), "{took:?}");
}

#[test]
fn freeing_the_client_cancels_and_waits_for_nothing() {
    let server = Server::silent();
    let client = server.with_token().concurrency(2).client();
    let queue = Queue::new();
    for n in 0..5 {
        assert_eq!(client.start("ada", None, &queue, n), ZUS_OK);
    }
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    drop(client);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    for (_, outcome) in numbers(&queue, 5) {
        outcome.expect(ZUS_ERR_CANCELLED);
    }
}

#[test]
fn cancel_started_waits_until_none_runs_and_the_client_goes_on() {
    let sandbox = Sandbox::start(&["--delay", "60000"]);
    let client = sandbox.with_token().client();
    let queue = Queue::new();
    for n in 0..5 {
        assert_eq!(client.start("ada@example.com", None, &queue, n), ZUS_OK);
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(client.cancel_started(60_000));
    for (_, outcome) in numbers(&queue, 5) {
        outcome.expect(ZUS_ERR_CANCELLED);
    }
    assert!(client.cancel_started(0), "none runs");
    assert_eq!(client.start("", None, &queue, 9), ZUS_OK);
    assert_eq!(queue.result().0, 9);
}

#[test]
fn a_stop_ends_what_was_not_sent_and_what_is_in_flight_finishes() {
    let sandbox = Sandbox::start(&["--delay", "500"]);
    let client = sandbox.with_token().concurrency(2).client();
    let queue = Queue::new();
    let (cancel, other) = (Cancel::new(), Cancel::new());
    for n in 0..10 {
        let started = client.start("ada@example.com", Some(&cancel), &queue, n);
        assert_eq!(started, ZUS_OK);
    }
    assert_eq!(
        client.start("grace@example.com", Some(&other), &queue, 10),
        ZUS_OK
    );
    std::thread::sleep(Duration::from_millis(200));
    client.stop_started(&cancel);
    let mut done = Vec::new();
    for (n, outcome) in numbers(&queue, 11) {
        match outcome.code {
            ZUS_OK => done.push(n),
            _ => {
                assert_eq!(outcome.expect(ZUS_ERR_CANCELLED).attempts, 0);
            }
        }
    }
    done.sort_unstable();
    assert_eq!(done, [0, 1, 10]);
    assert_eq!(client.start("", Some(&cancel), &queue, 11), ZUS_OK);
    queue.result().1.expect(ZUS_ERR_ARGUMENT);
}

#[test]
fn a_stop_ends_the_wait_for_a_first_slot() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().rate(1, 60_000).client();
    let (queue, cancel) = (Queue::new(), Cancel::new());
    for n in 0..5 {
        let started = client.start("ada@example.com", Some(&cancel), &queue, n);
        assert_eq!(started, ZUS_OK);
    }
    queue.result().1.expect(ZUS_OK);
    client.stop_started(&cancel);
    for (_, outcome) in numbers(&queue, 4) {
        outcome.expect(ZUS_ERR_CANCELLED);
    }
    assert_eq!(sandbox.requests(), 1);
}

#[test]
fn a_permission_that_users_in_a_row_all_lack_is_fatal_for_the_batch() {
    let sandbox = Sandbox::start(&[]);
    let fatal = |client: &Client| -> Vec<bool> {
        let queue = Queue::new();
        let call = |n| {
            let user = format!("answer-403+{n}@example.com");
            assert_eq!(client.start(&user, None, &queue, n), ZUS_OK);
            queue.result().1.expect(ZUS_ERR_FORBIDDEN).is_fatal
        };
        (0..6).map(call).collect()
    };
    let client = sandbox.with_token().client();
    assert_eq!(fatal(&client), [false, false, false, false, true, true]);
    client.deactivate("ada@example.com").expect(ZUS_OK);
    assert_eq!(fatal(&client), [false; 6], "this app may update others");
}

#[test]
fn waiting_for_a_slot_is_not_a_started_calls_time() {
    let sandbox = Sandbox::start(&[]);
    let config = sandbox.with_token().rate(2, 1_000).timeouts(1_000, 1_000);
    let client = config.client();
    let queue = Queue::new();
    for n in 0..6 {
        assert_eq!(client.start("ada@example.com", None, &queue, n), ZUS_OK);
    }
    for (_, outcome) in numbers(&queue, 6) {
        outcome.expect(ZUS_OK);
    }
}

#[test]
fn the_descriptor_is_readable_while_there_are_events() {
    let sandbox = Sandbox::start(&[]);
    let client = sandbox.with_token().client();
    let queue = Queue::new();
    let descriptor = queue.descriptor();
    assert!(descriptor >= 0);
    // SAFETY: the header says that it is ours.
    let watched = unsafe { UnixStream::from_raw_fd(descriptor as i32) };
    watched.set_nonblocking(true).unwrap();
    let is_readable = || {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        socket2::SockRef::from(&watched).peek(&mut byte).is_ok()
    };
    for round in 0..3 {
        assert!(!is_readable(), "{round}");
        assert_eq!(client.start("ada@example.com", None, &queue, 7), ZUS_OK);
        let until = Instant::now() + Duration::from_secs(30);
        while !is_readable() {
            assert!(Instant::now() < until, "it never became readable");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(queue.next(0).is_some());
        assert!(queue.next(0).is_none());
    }
}

#[test]
fn log_lines_and_token_requests_are_events_when_asked_for() {
    let sandbox = Sandbox::start(&[]);
    let queue = Queue::new();
    let config = sandbox
        .with_token()
        .events(&queue, ZUS_LOG_INFO + ZUS_EVENTS_TOKEN);
    let client = config.client();
    assert_eq!(client.start("ada@example.com", None, &queue, 1), ZUS_OK);
    let (mut lines, mut asked) = (Vec::new(), Vec::new());
    let outcome = loop {
        let event = queue.next(60_000).expect("an event");
        match event.kind() {
            ZUS_EVENT_LOG => lines.push(event.line()),
            ZUS_EVENT_TOKEN => {
                asked.push(event.rejected());
                assert_eq!(event.set_token("two words"), ZUS_ERR_ARGUMENT);
                let token = if asked.len() == 1 {
                    "expired"
                } else {
                    "sandbox-token"
                };
                assert_eq!(event.set_token(token), ZUS_OK);
                assert_eq!(event.set_token(token), ZUS_ERR_ARGUMENT, "a second reply");
            }
            _ => break event.result().unwrap().1,
        }
    };
    outcome.expect(ZUS_OK);
    assert_eq!(asked, [false, true]);
    assert!(
        lines
            .iter()
            .any(|(level, line)| *level == ZUS_LOG_INFO && line.contains("ada@example.com")),
        "{lines:?}"
    );
    // Freed without a reply, there is no token.
    let client = config.client();
    assert_eq!(client.start("ada@example.com", None, &queue, 2), ZUS_OK);
    let outcome = loop {
        let event = queue.next(60_000).expect("an event");
        if let Some((_, outcome)) = event.result() {
            break outcome;
        }
    };
    outcome.expect(ZUS_ERR_TOKEN);
}

#[test]
fn a_queue_that_is_not_emptied_refuses_the_next_call() {
    let server = Server::silent();
    let client = server.with_token().concurrency(1).client();
    let queue = Queue::new();
    for n in 0..65_536 {
        assert_eq!(client.start("ada", None, &queue, n), ZUS_OK);
    }
    assert_eq!(client.start("ada", None, &queue, 0), ZUS_ERR_QUEUE_FULL);
    assert!(client.cancel_started(60_000));
    let events = numbers(&queue, 65_536);
    let seen: BTreeSet<usize> = events.into_iter().map(|(n, _)| n).collect();
    assert_eq!(seen.len(), 65_536);
    assert_eq!(client.start("", None, &queue, 1), ZUS_OK);
    queue.result();
}

#[test]
fn a_child_of_fork_gets_forked_and_the_parent_loses_nothing() {
    let sandbox = Sandbox::start(&["--delay", "300"]);
    let said = Child::new("fork-started")
        .env("ZOOM_API_URL", &sandbox.api)
        .env("ZOOM_OAUTH_URL", &sandbox.oauth)
        .result();
    assert_eq!(said["child"], 0, "{said}");
    assert_eq!(said["parent"], 10, "{said}");
}

/// Ten calls are in flight when it forks.
pub fn fork_child() {
    let get = |name: &str| child::setting(name).unwrap();
    let config = Config::new().token("sandbox-token");
    let client = config
        .urls(&get("ZOOM_API_URL"), &get("ZOOM_OAUTH_URL"))
        .client();
    let queue = Queue::new();
    for n in 0..10 {
        assert_eq!(client.start("ada@example.com", None, &queue, n), ZUS_OK);
    }
    // SAFETY: the child calls the library and leaves.
    let process = unsafe { libc::fork() };
    if process == 0 {
        let forked = client.start("ada@example.com", None, &queue, 1) == ZUS_ERR_FORKED
            && queue.next(0).is_none()
            && queue.descriptor() == -1
            && client.cancel_started(0);
        drop(client);
        drop(queue);
        // SAFETY: it ends the child, and nothing else.
        unsafe { libc::_exit(i32::from(!forked)) };
    }
    let mut status = -1;
    // SAFETY: the place is ours.
    unsafe { libc::waitpid(process, &mut status, 0) };
    let done = (0..10).filter(|_| queue.result().1.code == ZUS_OK).count();
    child::say(&serde_json::json!({"child": status, "parent": done, "code": 0}));
}
