//! What the Rust tests share: the C API with owners for its handles, the sandbox, a server that follows a script, and
//! processes of their own for what a process has only one of: its environment, its name lookups, its fork().
#![allow(dead_code, unused_imports)] // each test takes what it needs

pub mod abi;
#[cfg(target_os = "linux")]
pub mod child;
pub mod sandbox;
pub mod server;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// No call outlasts its total time by more than this, and no cancelled call its cancel.
pub const PROMISED: Duration = Duration::from_millis(100);

/// A machine that does other things may be late for once: the best of three counts.
pub fn best_of_three(what: &str, bound: Duration, mut measure: impl FnMut() -> Duration) {
    let mut took = Vec::new();
    for _ in 0..3 {
        took.push(measure());
        if took.last() <= Some(&bound) {
            return;
        }
    }
    panic!("{what}: {took:?}, each over {bound:?}");
}

/// A test that can't run on this machine. In CI each can.
pub fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    // Not captured: tests/summary.sh counts these lines.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

pub fn timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = f();
    (value, start.elapsed())
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A directory for this test's files.
pub fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// `target/debug` or the like: where this test's library and examples are.
pub fn built() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    profile.to_owned()
}

/// libzus.so as it is delivered, or else as it was built with this test.
pub fn library() -> PathBuf {
    let directory =
        std::env::var_os("ZUS_LIB_DIR").map_or_else(|| built().join("deps"), Into::into);
    directory.join("libzus.so")
}
