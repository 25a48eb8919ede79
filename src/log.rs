//! What the caller hears of a running call. Never a secret, at any level.

use std::fmt::Arguments;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::LogLevel;

pub(crate) type Sink = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Where log lines go, and from which level on.
pub(crate) struct Log {
    level: LogLevel,
    sink: Option<Sink>,
    /// One line at a time per client.
    one: Mutex<()>,
}

impl Log {
    pub fn new(level: LogLevel, sink: Option<Sink>) -> Log {
        Log {
            level,
            sink,
            one: Mutex::new(()),
        }
    }

    pub fn enabled(&self, level: LogLevel) -> bool {
        self.sink.is_some() && level <= self.level
    }

    /// Formats only when somebody listens.
    pub fn write(&self, level: LogLevel, line: Arguments<'_>) {
        if let Some(sink) = self.sink.as_ref().filter(|_| level <= self.level) {
            let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
            sink(level, &one_line(line.to_string()));
        }
    }
}

/// What a caller's input or a server says must not forge a line.
fn one_line(line: String) -> String {
    if !line.contains(char::is_control) {
        return line;
    }
    let escaped = line.chars().map(|c| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    });
    escaped.collect()
}
