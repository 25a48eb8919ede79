//! Long lists and low rates.

mod common;

use common::sandbox::Sandbox;
use zus::{Action, Client, Code, Config};

const USERS: usize = 100_000;

/// In kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// It costs memory for the users in flight, and nothing more.
#[test]
fn a_long_list_takes_no_memory() {
    let sandbox = Sandbox::start(&[]);
    let mut config = Config::new();
    config.set_token("sandbox-token").unwrap();
    config.set_urls(Some(&sandbox.api), None).unwrap();
    config.set_rate(0, 1000).unwrap();
    let client = Client::new(&config).unwrap();
    let ids = vec!["ada@example.com"; USERS];
    let (mut done, mut after_some, mut at_the_end) = (0, 0, 0);
    let code = client.update_status_many(&ids, Action::Deactivate, None, |_, outcome| {
        assert!(outcome.ok(), "{outcome:?}");
        done += 1;
        match done {
            1_000 => after_some = resident(),
            USERS => at_the_end = resident(),
            _ => {}
        }
        true
    });
    assert_eq!((code, done), (Code::Ok, USERS));
    let growth = at_the_end.saturating_sub(after_some);
    assert!(growth < 1024, "{growth} kB for {USERS} users");
}

/// The time of a user begins with its turn, and between two turns here is more than all of it.
#[test]
fn nobody_times_out_in_the_queue_for_a_turn() {
    let sandbox = Sandbox::start(&[]);
    let mut config = Config::new();
    config.set_token("sandbox-token").unwrap();
    config.set_urls(Some(&sandbox.api), None).unwrap();
    config.set_rate(1, 1500).unwrap();
    config.set_timeouts(1000, 1000).unwrap();
    let client = Client::new(&config).unwrap();
    let ids = ["ada@example.com"; 4];
    let code = client.update_status_many(&ids, Action::Deactivate, None, |_, outcome| {
        assert!(outcome.ok(), "{outcome:?}");
        true
    });
    assert_eq!(code, Code::Ok);
}
