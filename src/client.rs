//! The client: what its calls share, and who may call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::code::{Code, Error};
use crate::config::Config;
use crate::http::Http;
use crate::limits::Limits;
use crate::log::Log;
use crate::outcome::{FatalForBatch, Outcome};
use crate::rate::RateLimiter;
use crate::reentrancy::ClientId;
use crate::request::Requests;
use crate::retry::RetryPolicy;
use crate::token::{Credentials, Tokens};

/// So many missing permissions in a row are the app's.
const SUSPICIOUS: usize = 5;

/// Updates users. Share it between threads; making one sends nothing.
pub struct Client {
    pub(crate) http: Http,
    pub(crate) requests: Requests,
    pub(crate) tokens: Tokens,
    pub(crate) rate: RateLimiter,
    pub(crate) log: Log,
    pub(crate) retry: RetryPolicy,
    /// How long an update is verified.
    pub(crate) verify: Option<Duration>,
    /// A user got a response that only this endpoint gives: the API URL is right.
    endpoint_is_known: AtomicBool,
    /// Users in a row who lacked a permission, which may be the app's or theirs alone.
    suspected: AtomicUsize,
    /// For a call with everything in it.
    pub(crate) total: Duration,
    /// For one attempt.
    pub(crate) attempt_timeout: Duration,
    /// Users in flight at once in a batch.
    pub(crate) concurrency: usize,
    /// The process that made it. After fork() the child would share connections with its parent.
    process: u32,
    id: ClientId,
    config: Config,
}

impl Client {
    /// Makes a client with a copy of this configuration.
    pub fn new(config: &Config) -> Result<Client, Error> {
        let id = ClientId::new();
        let config = guard_callbacks(config.clone(), id);
        Ok(Client {
            http: Http::new(&config.http()?),
            requests: config.requests(),
            tokens: Tokens::new(&config.token())?,
            rate: RateLimiter::new(config.interval),
            log: Log::new(config.log.clone()),
            verify: config.verify,
            endpoint_is_known: AtomicBool::new(false),
            suspected: AtomicUsize::new(0),
            retry: config.retry,
            total: config.total,
            attempt_timeout: config.attempt_timeout(),
            concurrency: config.concurrency,
            process: std::process::id(),
            id,
            config,
        })
    }

    pub(crate) fn limits(&self, cancel: Option<&Cancel>, stop: Option<&Cancel>) -> Limits {
        let now = Instant::now();
        Limits {
            since: now,
            deadline: now + self.total,
            cancel: cancel.cloned(),
            stop: stop.cloned(),
            slots_are_free: stop.is_some(),
        }
    }

    /// Checks, before any lock, that this process and this thread may make a call.
    pub(crate) fn check_caller(&self) -> Result<(), Code> {
        if self.is_forked() {
            Err(Code::Forked)
        } else if self.id.is_calling_back() {
            Err(Code::Reentrant)
        } else {
            Ok(())
        }
    }

    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    pub(crate) fn endpoint_is_known(&self) -> bool {
        self.endpoint_is_known.load(Ordering::Relaxed)
    }

    pub(crate) fn learn_endpoint(&self) {
        // Read first: a write would take the cache line from the other threads.
        if !self.endpoint_is_known() {
            self.endpoint_is_known.store(true, Ordering::Relaxed);
        }
    }

    /// Decides whether a missing permission is the app's: where several users in a row lack it, and no user of this client
    /// ever got a response that only this endpoint gives. One user whom the app may not change blocks nobody else.
    pub(crate) fn judge(&self, outcome: &mut Outcome) {
        if outcome.fatal != FatalForBatch::Suspected {
            self.suspected.store(0, Ordering::Relaxed);
        } else if self.suspected.fetch_add(1, Ordering::Relaxed) + 1 >= SUSPICIOUS
            && !self.endpoint_is_known()
        {
            outcome.fatal = FatalForBatch::Yes;
        }
    }

    /// Runs a callback of the caller's, which must not call this client.
    pub(crate) fn call_back<T>(&self, callback: impl FnOnce() -> T) -> T {
        self.id.call_back(callback)
    }
}

/// Makes callbacks of a configuration fail when they call their own client.
fn guard_callbacks(mut config: Config, id: ClientId) -> Config {
    if let Some(sink) = config.log.sink.take() {
        config.log.sink = Some(Arc::new(move |level, line: &str| {
            id.call_back(|| sink(level, line));
        }));
    }
    if let Some(Credentials::Provider(provider)) = &config.credentials {
        let provider = Arc::clone(provider);
        config.set_provider(Arc::new(move |rejected, limits| {
            id.call_back(|| provider(rejected, limits))
        }));
    }
    config
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
