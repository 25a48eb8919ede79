//! One update, from token to result: the loop of attempts.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::cancel::Cancel;
use crate::code::{Code, Error};
use crate::config::{Config, LogLevel};
use crate::http::Http;
use crate::http::limits::{Limits, Stop};
use crate::log::Log;
use crate::outcome::{self, Outcome};
use crate::pace::Pace;
use crate::request::{Action, Body, Requests, check_user_id};
use crate::retry::{Retry, is_passing};
use crate::token::{Credentials, Tokens, stopped};

/// Updates users. Share it between threads; making one sends nothing.
pub struct Client {
    config: Config,
    http: Http,
    requests: Requests,
    tokens: Tokens,
    pace: Pace,
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
            config.set_token_provider(Arc::new(move |refused| {
                in_callback(id, || provider(refused))
            }));
        }
        Ok(Client {
            http: Http::new(&config)?,
            requests: Requests::new(&config.api, &config.user_agent, config.body),
            tokens: Tokens::new(&config)?,
            pace: Pace::new(config.interval),
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
            return Outcome::from(Error::new(code, ""));
        }
        self.update(user_id, action, &self.limits(cancel, None))
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

    /// Users in flight at once: not more than get their turns in half of a call's time, or the last would time out.
    pub(crate) fn concurrency(&self) -> usize {
        let Some(interval) = self.config.interval else {
            return self.config.concurrency;
        };
        let turns = self.config.total.as_nanos() / (2 * interval.as_nanos()).max(1);
        let turns = usize::try_from(turns).unwrap_or(usize::MAX);
        self.config.concurrency.min(turns.max(1))
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Before any lock: is this a process and a place that may call?
    pub(crate) fn ready(&self) -> Result<(), Code> {
        let code = if std::process::id() != self.process {
            Code::Forked
        } else if IN_CALLBACK.with_borrow(|ids| ids.contains(&self.id)) {
            Code::Busy
        } else {
            return Ok(());
        };
        Err(code)
    }

    pub(crate) fn update(&self, user_id: &str, action: Action, limits: &Limits) -> Outcome {
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

    fn attempts(&self, user_id: &str, action: Action, limits: &Limits) -> Outcome {
        let uri = self.requests.uri(user_id);
        let mut body = self.requests.body();
        let mut retry = Retry::new(self.config.retry);
        let mut renewed = false;
        let mut attempts = 0;
        // What the last attempt came to, for when time runs out before the next.
        let mut last: Option<Outcome> = None;
        loop {
            let stop = |last: Option<Outcome>, stop| Outcome {
                attempts,
                ..self.stopped(last, stop)
            };
            let token = match self.tokens.get(&self.http, &self.log, limits) {
                Ok(token) => token,
                Err(failure) => {
                    return Outcome {
                        attempts,
                        hopeless: failure.code != Code::Cancelled,
                        ..Outcome::from(failure)
                    };
                }
            };
            if let Err(why) = self.pace.turn(limits) {
                return stop(last, why);
            }
            attempts += 1;
            let headers = token
                .headers
                .get_or_init(|| self.requests.headers(&token.authorization));
            let request = self.requests.update_status(&uri, action, body, headers);
            self.log.write(
                LogLevel::Debug,
                format_args!(
                    "PUT {} action={} ({}), attempt {attempts}",
                    uri.path(),
                    action.as_str(),
                    body.name()
                ),
            );
            let sent = self.log.enabled(LogLevel::Info).then(Instant::now);
            let mut again;
            let mut outcome = match self.http.send(request, limits) {
                Ok(answer) => {
                    let read = outcome::read(answer);
                    let outcome = read.outcome;
                    self.log_answer(&outcome, sent);
                    if read.wrong_encoding && body == Body::Form {
                        body = Body::Json;
                        self.log.write(
                            LogLevel::Info,
                            format_args!("the form is refused; once more as JSON"),
                        );
                        continue;
                    }
                    if !read.wrong_encoding && body == Body::Json {
                        self.requests.stay_with_json();
                    }
                    if outcome.code == Code::Unauthorized && !renewed && self.tokens.refused(&token)
                    {
                        renewed = true;
                        last = Some(outcome);
                        continue;
                    }
                    again = is_passing(outcome.http_status);
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
                return self.stopped(Some(outcome), why);
            }
            last = Some(outcome);
        }
    }

    /// The call ends before its next attempt.
    fn stopped(&self, last: Option<Outcome>, stop: Stop) -> Outcome {
        match (last, stop) {
            // It was sent, and the batch ends: what the last attempt came to is what there is to say.
            (Some(last), Stop::Halted | Stop::Late) => last,
            (Some(last), Stop::Cancelled) => Outcome {
                code: Code::Cancelled,
                message: format!("{}, after {}", Code::Cancelled.text(), last.message),
                ..last
            },
            (None, Stop::Late) => Outcome::from(Error::new(
                Code::Timeout,
                "the configured rate left no turn for this request",
            )),
            (None, Stop::Cancelled | Stop::Halted) => Outcome::from(stopped(stop)),
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
