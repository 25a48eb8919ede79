//! One update, from token to result: the loop of attempts.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::code::{Code, Error};
use crate::config::{Config, LogLevel};
use crate::http::Http;
use crate::http::limits::{Limits, Stop};
use crate::log::Log;
use crate::outcome::{FatalForBatch, Outcome};
use crate::pace::Pace;
use crate::request::{Action, Encoding, Requests, check_user_id};
use crate::response;
use crate::retry::{Retry, is_transient};
use crate::token::{Credentials, Tokens};

/// Longer than any list takes.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Updates users. Share it between threads; making one sends nothing.
pub struct Client {
    config: Config,
    http: Http,
    requests: Requests,
    tokens: Tokens,
    pace: Pace,
    /// A user got a response that only this endpoint gives: the API URL is right.
    endpoint_is_known: AtomicBool,
    log: Log,
    /// The process that made it. After fork() the child would share connections with its parent.
    process: u32,
    /// Tells clients apart for callbacks.
    id: u64,
}

thread_local! {
    /// The clients whose callbacks run on this thread.
    static IN_CALLBACK: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Runs a callback of the client with this id.
pub(crate) fn in_callback<T>(id: u64, callback: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            IN_CALLBACK.with_borrow_mut(|ids| ids.pop());
        }
    }
    IN_CALLBACK.with_borrow_mut(|ids| ids.push(id));
    let _leave = Leave;
    callback()
}

impl Client {
    /// A client with a copy of this configuration.
    pub fn new(config: &Config) -> Result<Client, Error> {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let mut config = config.clone();
        if let Some(sink) = config.log.take() {
            config.log = Some(Arc::new(move |level, line: &str| {
                in_callback(id, || sink(level, line));
            }));
        }
        if let Some(Credentials::Callback(provider)) = config
            .credentials
            .take_if(|c| matches!(c, Credentials::Callback(_)))
        {
            config.set_provider(Arc::new(move |refused| {
                in_callback(id, || provider(refused))
            }));
        }
        Ok(Client {
            http: Http::new(&config)?,
            requests: Requests::new(&config.api, &config.user_agent, config.encoding),
            tokens: Tokens::new(&config)?,
            pace: Pace::new(config.interval),
            endpoint_is_known: AtomicBool::new(false),
            log: Log::new(config.log_level, config.log.take()),
            process: std::process::id(),
            id,
            config,
        })
    }

    /// Updates one user and waits for the answer. `user_id` is an id, an e-mail address, or `me` for user-level apps.
    /// Returns within the configured total time, whatever happens.
    pub fn update_status(&self, user_id: &str, action: Action, cancel: Option<&Cancel>) -> Outcome {
        if let Err(code) = self.ready() {
            return Outcome {
                user_id: user_id.to_owned(),
                ..Outcome::from(Error::new(code, ""))
            };
        }
        self.update(user_id, action, self.limits(cancel, None))
    }

    /// Gets a token and touches nobody. The outcome's body is what Zoom said of the token, without the token itself;
    /// empty for a fixed token or a token function, of which nothing can be learnt without a call.
    pub fn check_credentials(&self, cancel: Option<&Cancel>) -> Outcome {
        if let Err(code) = self.ready() {
            return Outcome::from(Error::new(code, ""));
        }
        let limits = self.limits(cancel, None);
        match self.tokens.get(&self.http, &self.log, &limits) {
            Ok(token) => Outcome {
                body: token.details.as_bytes().to_vec(),
                ..Outcome::new(Code::Ok, String::new())
            },
            Err(failure) => Outcome::from(failure),
        }
    }

    pub(crate) fn limits(&self, cancel: Option<&Cancel>, halt: Option<&Cancel>) -> Limits {
        Limits {
            deadline: Instant::now() + self.config.total,
            connect: self.config.connect,
            cancel: cancel.cloned(),
            halt: halt.cloned(),
        }
    }

    /// Users in flight at once.
    pub(crate) fn concurrency(&self) -> usize {
        self.config.concurrency
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Before any lock: is this a process and a place that may call?
    pub(crate) fn ready(&self) -> Result<(), Code> {
        let code = if std::process::id() != self.process {
            Code::Forked
        } else if IN_CALLBACK.with_borrow(|ids| ids.contains(&self.id)) {
            Code::Reentrant
        } else {
            return Ok(());
        };
        Err(code)
    }

    pub(crate) fn update(&self, user_id: &str, action: Action, limits: Limits) -> Outcome {
        let mut outcome = match check_user_id(user_id) {
            Ok(()) => self.attempts(user_id, action, limits),
            Err(e) => Outcome::from(e),
        };
        // With room for the NUL that C wants.
        outcome.user_id = String::with_capacity(user_id.len() + 1);
        outcome.user_id.push_str(user_id);
        if !outcome.ok() {
            let what = outcome.message.as_str();
            self.log.write(
                LogLevel::Error,
                format_args!("{} {user_id}: {}: {what}", action.as_str(), outcome.code),
            );
        }
        outcome
    }

    fn attempts(&self, user_id: &str, action: Action, mut limits: Limits) -> Outcome {
        let uri = self.requests.uri(user_id);
        let mut encoding = self.requests.encoding();
        let mut retry = Retry::new(self.config.retry);
        let mut renewed = false;
        let mut attempts = 0;
        // What the last attempt came to, for when time runs out before the next.
        let mut last: Option<Outcome> = None;
        loop {
            let token = match self.tokens.get(&self.http, &self.log, &limits) {
                Ok(token) => token,
                Err(failure) => {
                    return Outcome {
                        attempts,
                        fatal: match failure.code {
                            Code::Cancelled => FatalForBatch::No,
                            // Others have more time left, when this user's was spent on an attempt.
                            Code::Timeout if attempts > 0 => FatalForBatch::No,
                            _ => FatalForBatch::Yes,
                        },
                        ..Outcome::from(failure)
                    };
                }
            };
            if let Err(why) = self.turn(&mut limits, attempts == 0) {
                return Outcome {
                    attempts,
                    ..self.stopped(last, why, &limits)
                };
            }
            attempts += 1;
            let headers = token
                .headers
                .get_or_init(|| self.requests.headers(&token.authorization));
            let request = self.requests.update_status(&uri, action, encoding, headers);
            self.log.write(
                LogLevel::Debug,
                format_args!(
                    "PUT {} action={} ({}), attempt {attempts}",
                    uri.path(),
                    action.as_str(),
                    encoding.name()
                ),
            );
            let sent = self.log.enabled(LogLevel::Info).then(Instant::now);
            let mut again;
            let mut outcome = match self.http.send(request, &limits) {
                Ok(answer) => {
                    let known = self.endpoint_is_known.load(Ordering::Relaxed);
                    let outcome = response::read(answer, known);
                    self.log_answer(&outcome, sent);
                    if !known && outcome.is_about_the_user() {
                        self.endpoint_is_known.store(true, Ordering::Relaxed);
                    }
                    if encoding == Encoding::Form && outcome.needs_json() {
                        encoding = Encoding::Json;
                        self.log.write(
                            LogLevel::Info,
                            format_args!("the form is refused; once more as JSON"),
                        );
                        continue;
                    }
                    if encoding == Encoding::Json && outcome.is_about_the_user() {
                        self.requests.stay_with_json();
                    }
                    if outcome.code == Code::Unauthorized && !renewed && self.tokens.refused(&token)
                    {
                        renewed = true;
                        last = Some(outcome);
                        continue;
                    }
                    again = is_transient(outcome.http_status);
                    if outcome.code == Code::RateLimited {
                        self.pace.refused();
                        again = true;
                    }
                    outcome
                }
                Err(failure) => {
                    if failure.stale && retry.stale() {
                        continue;
                    }
                    again = failure.again;
                    Outcome::from(failure)
                }
            };
            outcome.attempts = attempts;
            let wait = if again {
                retry.wait(outcome.wait())
            } else {
                None
            };
            let at = match wait.and_then(|wait| Instant::now().checked_add(wait)) {
                Some(at) if at < limits.deadline => at,
                _ => return outcome,
            };
            let ms = at.saturating_duration_since(Instant::now()).as_millis();
            self.log.write(
                LogLevel::Warn,
                format_args!(
                    "{} {user_id}: again in {ms} ms: {}",
                    action.as_str(),
                    outcome.message
                ),
            );
            if let Err(why) = limits.sleep_until(at) {
                return self.stopped(Some(outcome), why, &limits);
            }
            last = Some(outcome);
        }
    }

    /// Waits for this attempt's turn. A user of a batch waits for its first one as long as that takes: its time begins
    /// with it, or a low rate would let those at the end of the queue time out.
    fn turn(&self, limits: &mut Limits, first: bool) -> Result<(), Stop> {
        if !first || limits.halt.is_none() {
            return self.pace.turn(limits);
        }
        limits.deadline += FOREVER;
        self.pace.turn(limits)?;
        limits.deadline = Instant::now() + self.config.total;
        Ok(())
    }

    /// The call ends before its next attempt.
    fn stopped(&self, last: Option<Outcome>, stop: Stop, limits: &Limits) -> Outcome {
        let code = match stop {
            Stop::Late => Code::Timeout,
            Stop::Cancelled | Stop::Halted => Code::Cancelled,
        };
        match last {
            // It was sent, and what the last attempt came to is what there is to say; but not that a token was
            // refused which has been renewed since.
            Some(last) if stop != Stop::Cancelled && last.code != Code::Unauthorized => last,
            Some(last) => Outcome {
                code,
                message: format!("{}, after {}", code.text(), last.message),
                fatal: FatalForBatch::of(code),
                ..last
            },
            // There is time left, but no turn in it.
            None if stop == Stop::Late && Instant::now() < limits.deadline => {
                let why = "the configured rate left no turn for this request";
                Outcome::from(Error::new(code, why))
            }
            None => Outcome::from(Error::new(code, "")),
        }
    }

    fn log_answer(&self, outcome: &Outcome, sent: Option<Instant>) {
        if let Some(sent) = sent {
            self.log.write(
                LogLevel::Info,
                format_args!(
                    "HTTP {}, Zoom code {}, tracking id {:?}, {} ms",
                    outcome.http_status,
                    outcome.zoom_code,
                    outcome.tracking_id(),
                    sent.elapsed().as_millis()
                ),
            );
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.config).finish()
    }
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Client>();
};
