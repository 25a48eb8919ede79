//! Log lines about running calls. Never a secret, at any level.

use std::fmt::Arguments;
use std::sync::{Arc, Mutex, PoisonError};

/// The level of a log line. Each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum LogLevel {
    /// The update of a user failed.
    Error = 1,
    /// An attempt failed, and another one follows.
    Warn = 2,
    /// A response came.
    Info = 3,
    /// A request was sent.
    Debug = 4,
}

impl LogLevel {
    /// The level with this number, if there is one.
    pub fn from_number(number: i32) -> Option<LogLevel> {
        [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
        ]
        .into_iter()
        .find(|level| *level as i32 == number)
    }
}

pub(crate) type Sink = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Where log lines go, and from which level on.
#[derive(Clone)]
pub(crate) struct LogSettings {
    pub level: LogLevel,
    pub sink: Option<Sink>,
}

pub(crate) struct Log {
    settings: LogSettings,
    /// Held while the sink runs, so that lines come one at a time per client.
    one: Mutex<()>,
}

impl Log {
    pub fn new(settings: LogSettings) -> Log {
        Log {
            settings,
            one: Mutex::new(()),
        }
    }

    /// Returns whether anybody receives lines of this level.
    pub fn enabled(&self, level: LogLevel) -> bool {
        self.settings.sink.is_some() && level <= self.settings.level
    }

    /// Formats only when somebody receives the line.
    pub fn write(&self, level: LogLevel, line: Arguments<'_>) {
        if !self.enabled(level) {
            return;
        }
        if let Some(sink) = &self.settings.sink {
            let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
            sink(level, &one_line(line.to_string()));
        }
    }
}

/// Escapes control characters: what a caller or a server says must not forge a line.
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
