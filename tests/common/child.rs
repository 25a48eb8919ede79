//! This test program once more, as a process of its own: with its own environment, name lookups and clock.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::abi::Outcome;

/// Which part the child plays.
const ROLE: &str = "ZUS_TEST_ROLE";
/// Before what the child has to say, on a line of its own.
const MARK: &str = "the child says: ";

/// The part that this process plays, if it is a child.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub fn say(value: &Value) {
    println!("\n{MARK}{value}");
}

pub fn say_outcome(outcome: &Outcome) {
    say(&json!({
        "code": outcome.code as i32,
        "name": format!("{:?}", outcome.code),
        "message": outcome.message,
        "attempts": outcome.attempts,
        "ms": u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
    }));
}

pub struct Child(Command);

impl Child {
    /// The test called `child` plays `role`, without any proxy of this environment.
    pub fn new(role: &str) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("the test has a path"));
        command
            .args(["child", "--exact", "--nocapture"])
            .env(ROLE, role)
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .stdin(Stdio::null());
        for name in ["http", "https", "all", "no"] {
            command.env_remove(format!("{name}_proxy"));
            command.env_remove(format!("{name}_proxy").to_uppercase());
        }
        Child(command)
    }

    pub fn env(mut self, name: &str, value: &str) -> Child {
        self.0.env(name, value);
        self
    }

    pub fn envs<'a>(mut self, variables: impl IntoIterator<Item = &'a (&'a str, String)>) -> Child {
        for (name, value) in variables {
            self.0.env(name, value);
        }
        self
    }

    /// Looks names up as told: `name=ADDRESS,ADDRESS;name=sleep:MS,ADDRESS`. The clock can be moved, see `advance`.
    pub fn hosts(self, hosts: &str) -> Child {
        self.env("LD_PRELOAD", preload().to_str().expect("UTF-8"))
            .env("ZUS_TEST_HOSTS", hosts)
    }

    /// What it said, and all that it wrote besides.
    pub fn run(mut self) -> (Vec<Value>, String) {
        let output = self.0.output().expect("the child runs");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(output.status.success(), "{}:\n{text}", output.status);
        let said = text.lines().filter_map(|line| line.strip_prefix(MARK));
        let said = said.map(|line| serde_json::from_str(line).expect("JSON"));
        (said.collect(), text)
    }

    /// The one thing that it said.
    pub fn result(self) -> Value {
        let (mut said, text) = self.run();
        assert_eq!(said.len(), 1, "{text}");
        said.remove(0)
    }
}

/// Moves the clock of a child with `hosts` forward.
pub fn advance(seconds: i64) {
    // SAFETY: the symbol, when it is there, is this function of ours.
    unsafe {
        let advance = libc::dlsym(libc::RTLD_DEFAULT, c"zus_test_advance".as_ptr());
        assert!(!advance.is_null(), "not preloaded");
        let advance: extern "C" fn(i64) = std::mem::transmute(advance);
        advance(seconds);
    }
}

/// preload.c, compiled.
fn preload() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = super::scratch("preload").join(format!("preload-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/preload.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&library)
            .args([source, "-ldl"])
            .status()
            .expect("a C compiler");
        assert!(compiled.success());
        library
    })
}
