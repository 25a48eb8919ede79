//! The attempts of one request, from token to outcome.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::code::{Code, Error};
use crate::limits::{Interruption, Limits};
use crate::log::LogLevel;
use crate::outcome::{Delivery, FatalForBatch, Outcome};
use crate::rate::{Slot, SlotFor};
use crate::request::{Encoding, Operation};
use crate::response;
use crate::retry::{Retry, is_transient};
use crate::token::Token;

/// Longer than any batch takes.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A request for one user in progress.
pub(crate) struct Attempts<'a> {
    client: &'a Client,
    user_id: &'a str,
    operation: Operation,
    uri: ureq::http::Uri,
    limits: &'a mut Limits,
    /// `Retry` when the user's time has begun already.
    slot_for: SlotFor,
    retry: Retry,
    encoding: Encoding,
    /// The token was rejected once, and another one was obtained.
    new_token: bool,
    attempts: u32,
    /// Whether the attempts before the last one may have been applied.
    delivery: Delivery,
    /// The outcome of the last attempt: the result, when the time runs out before the next one.
    last: Option<Outcome>,
}

/// What follows an attempt.
enum Next {
    /// Its outcome is the request's.
    Done,
    /// Another attempt at once, which is not counted as a retry.
    AtOnce,
    /// Another attempt after a wait, where attempts and time are left.
    Retry,
}

impl<'a> Attempts<'a> {
    pub fn new(
        client: &'a Client,
        user_id: &'a str,
        operation: Operation,
        slot_for: SlotFor,
        limits: &'a mut Limits,
    ) -> Attempts<'a> {
        Attempts {
            client,
            user_id,
            operation,
            uri: client.requests.uri(user_id, operation),
            limits,
            slot_for,
            retry: Retry::new(client.retry),
            encoding: client.requests.encoding(),
            new_token: false,
            attempts: 0,
            delivery: Delivery::NotSent,
            last: None,
        }
    }

    pub fn run(mut self) -> Outcome {
        let mut outcome = self.until_done();
        outcome.attempts = self.attempts;
        outcome.add_delivery(self.delivery);
        outcome
    }

    fn until_done(&mut self) -> Outcome {
        loop {
            let (token, now) = match self.may_send() {
                Ok(may_send) => may_send,
                Err(outcome) => return *outcome,
            };
            let (mut outcome, next) = self.attempt(&token, now);
            if matches!(next, Next::Done) {
                return outcome;
            }
            outcome.add_delivery(self.delivery);
            self.delivery = outcome.delivery;
            match next {
                Next::Done => return outcome,
                Next::AtOnce => {
                    if outcome.code == Code::Unauthorized {
                        self.last = Some(outcome);
                    }
                    continue;
                }
                Next::Retry => {}
            }
            let wait = self.retry.wait(outcome.wait());
            let at = match wait.and_then(|wait| Instant::now().checked_add(wait)) {
                Some(at) if at < self.limits.deadline => at,
                _ => return outcome,
            };
            self.log_retry(at, &outcome);
            self.last = Some(outcome);
            if let Err(why) = self.limits.sleep_until(at) {
                return self.interrupted(why);
            }
        }
    }

    /// Waits until an attempt may begin: for a token, then for a slot. When the token expired during the wait for the
    /// slot, the call obtains another token and then waits for another slot: without that, all calls that waited for
    /// the token would send at once.
    fn may_send(&mut self) -> Result<(Arc<Token>, Instant), Box<Outcome>> {
        let token = self.token()?;
        let slot = self.slot()?;
        if !slot.waited {
            return Ok((token, slot.now));
        }
        if let Some(token) = self.client.tokens.cached() {
            return Ok((token, slot.now));
        }
        let token = self.token()?;
        Ok((token, self.slot()?.now))
    }

    fn token(&self) -> Result<Arc<Token>, Box<Outcome>> {
        let client = self.client;
        let token = client.tokens.obtain(&client.http, &client.log, self.limits);
        token.map_err(|failure| {
            Box::new(Outcome {
                fatal: match failure.code {
                    Code::Cancelled => FatalForBatch::No,
                    // This user spent time on an attempt, so the other users have more time left for a token.
                    Code::Timeout if self.attempts > 0 => FatalForBatch::No,
                    _ => FatalForBatch::Yes,
                },
                ..Outcome::from(failure)
            })
        })
    }

    /// Waits for a slot. In a batch this wait does not count as the user's time: with a low rate, the users at the end
    /// of the queue would time out. A user's time begins with the first slot.
    fn slot(&mut self) -> Result<Slot, Box<Outcome>> {
        let rate = &self.client.rate;
        let slot_for = match self.attempts {
            0 => self.slot_for,
            _ => SlotFor::Retry,
        };
        if !self.limits.slots_are_free {
            let acquired = rate.acquire(slot_for, self.limits);
            return acquired.map_err(|why| Box::new(self.interrupted(why)));
        }
        let begun = Instant::now();
        let patient = Limits {
            deadline: begun + FOREVER,
            ..self.limits.clone()
        };
        let slot = rate.acquire(slot_for, &patient);
        let slot = slot.map_err(|why| Box::new(self.interrupted(why)))?;
        self.limits.deadline = match slot_for {
            SlotFor::First => slot.now + self.client.total,
            SlotFor::Retry => self.limits.deadline + slot.now.saturating_duration_since(begun),
        };
        Ok(slot)
    }

    /// One attempt, within its own time.
    fn attempt(&mut self, token: &Token, now: Instant) -> (Outcome, Next) {
        self.attempts += 1;
        let requests = &self.client.requests;
        let headers = token
            .headers
            .get_or_init(|| requests.headers(&token.authorization));
        let request = requests.request(&self.uri, self.operation, self.encoding, headers);
        self.log_request();
        let limits = self.limits.attempt(now, self.client.attempt_timeout);
        match self.client.http.send(request, &limits) {
            Ok(response) => {
                let known = self.client.endpoint_is_known();
                let outcome = match self.operation {
                    Operation::Update(_) => response::read(response, known),
                    Operation::Read => response::read_user(response, known),
                };
                self.log_response(&outcome, now);
                let next = self.after_response(&outcome, token);
                (outcome, next)
            }
            Err(failure) => {
                let next = match failure.transient {
                    _ if failure.stale && self.retry.stale() => Next::AtOnce,
                    true => Next::Retry,
                    false => Next::Done,
                };
                (Outcome::from(failure), next)
            }
        }
    }

    fn after_response(&mut self, outcome: &Outcome, token: &Token) -> Next {
        let client = self.client;
        let is_form = self.encoding == Encoding::Form && self.operation != Operation::Read;
        if is_form && outcome.needs_json() {
            self.encoding = Encoding::Json;
            let line = format_args!(
                "{}: the server does not understand the form, and the update is sent again as JSON",
                self.user_id
            );
            client.log.write(LogLevel::Info, line);
            return Next::AtOnce;
        }
        if outcome.is_about_the_user() {
            client.learn_endpoint();
            if self.encoding == Encoding::Json {
                client.requests.stay_with_json();
            }
        }
        if outcome.code == Code::Unauthorized && !self.new_token && client.tokens.reject(token) {
            self.new_token = true;
            return Next::AtOnce;
        }
        if outcome.code == Code::RateLimited {
            client.rate.reject(outcome.wait());
            return Next::Retry;
        }
        match is_transient(outcome.http_status) {
            true => Next::Retry,
            false => Next::Done,
        }
    }

    /// The call ends before its next attempt.
    fn interrupted(&mut self, why: Interruption) -> Outcome {
        let code = match why {
            Interruption::TimedOut => Code::Timeout,
            Interruption::Cancelled | Interruption::Stopped => Code::Cancelled,
        };
        match self.last.take() {
            // A request was sent, so the outcome of the last attempt is the result. An exception is a rejected token:
            // another one has replaced it.
            Some(last) if why != Interruption::Cancelled && last.code != Code::Unauthorized => last,
            Some(last) => Outcome {
                code,
                message: format!("{}, after {}", code.text(), last.message),
                fatal: FatalForBatch::of(code),
                ..last
            },
            // There is time left, but the next slot comes after it.
            None if why == Interruption::TimedOut && Instant::now() < self.limits.deadline => {
                let why = "the rate limit left no slot for this request in time";
                Outcome::from(Error::new(code, why))
            }
            None => Outcome::from(Error::new(code, "")),
        }
    }

    fn log_request(&self) {
        if !self.client.log.enabled(LogLevel::Debug) {
            return;
        }
        let (method, path, attempt) = (self.operation.method(), self.uri.path(), self.attempts);
        let how = match self.operation {
            Operation::Read => String::new(),
            Operation::Update(action) => {
                format!(" action={} ({})", action.as_str(), self.encoding.name())
            }
        };
        self.client.log.write(
            LogLevel::Debug,
            format_args!("{method} {path}{how}, attempt {attempt}"),
        );
    }

    fn log_response(&self, outcome: &Outcome, begun: Instant) {
        if !self.client.log.enabled(LogLevel::Info) {
            return;
        }
        self.client.log.write(
            LogLevel::Info,
            format_args!(
                "{} {}: HTTP {}, Zoom code {}, tracking id {:?}, {} ms",
                self.operation.name(),
                self.user_id,
                outcome.http_status,
                outcome.zoom_code,
                outcome.tracking_id(),
                begun.elapsed().as_millis()
            ),
        );
    }

    fn log_retry(&self, at: Instant, outcome: &Outcome) {
        let ms = at.saturating_duration_since(Instant::now()).as_millis();
        self.client.log.write(
            LogLevel::Warn,
            format_args!(
                "{} {}: retries in {ms} ms: {}",
                self.operation.name(),
                self.user_id,
                outcome.message
            ),
        );
    }
}
