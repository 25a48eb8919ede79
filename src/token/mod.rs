//! Access tokens: static, by OAuth, or from a token provider. Cached, and obtained once however many threads want one.

mod credentials;
mod oauth;
mod value;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

pub(crate) use self::credentials::{Credentials, OAuth, Provider, Settings};
use self::oauth::{TokenRequest, interrupted};
pub(crate) use self::value::{TOKEN_MOST, Token, bearer};
use crate::code::{Code, Error};
use crate::http::{Failure, Http};
use crate::limits::{Limits, Poll};
use crate::log::{Log, LogLevel};

/// After a refresh that failed, the next one begins after this time at the earliest.
const REFRESH_AGAIN: Duration = Duration::from_secs(5);
/// The tokens of one client.
pub(crate) struct Tokens {
    source: Source,
    cache: Mutex<Cache>,
}

enum Source {
    Static(Arc<Token>),
    OAuth(Box<TokenRequest>),
    Provider(Provider),
}

#[derive(Default)]
struct Cache {
    token: Option<Arc<Token>>,
    /// The last token was rejected.
    rejected: bool,
    /// Somebody is obtaining one.
    obtaining: bool,
    /// Threads that wait for it.
    waiting: Vec<Thread>,
    /// No refresh before this.
    not_before: Option<Instant>,
    /// Counts tokens that were asked for.
    number: u64,
    /// Why the token of that number could not be obtained, for the threads that waited for it.
    failed: Option<(u64, Failure)>,
}

/// What a caller that needs a token does.
enum Next {
    Use(Arc<Token>),
    Fail(Failure),
    /// Wait for the token of this number, which another thread is obtaining.
    Wait(u64),
    Obtain(Job),
}

/// A token to obtain.
#[derive(Clone, Copy)]
struct Job {
    number: u64,
    /// The last one was rejected.
    rejected: bool,
    /// The old token still serves.
    refresh: bool,
}

impl Cache {
    /// Returns the token, unless it has expired, or is to be refreshed and no thread does so yet.
    fn current(&self, now: Instant) -> Option<&Arc<Token>> {
        let token = self.token.as_ref()?;
        let due =
            token.refresh.is_some_and(|at| now >= at) && self.not_before.is_none_or(|at| now >= at);
        (!token.is_expired(now) && (!due || self.obtaining)).then_some(token)
    }

    /// Decides what a caller does who may have waited for the token of a number.
    fn next(&mut self, now: Instant, waited_for: Option<u64>) -> Next {
        if let Some(token) = self.current(now) {
            return Next::Use(Arc::clone(token));
        }
        match &self.failed {
            Some((number, failure)) if Some(*number) == waited_for => {
                return Next::Fail(failure.clone());
            }
            _ if self.obtaining => return Next::Wait(self.number),
            _ => {}
        }
        self.obtaining = true;
        self.number += 1;
        Next::Obtain(Job {
            number: self.number,
            rejected: self.rejected,
            refresh: self.token.as_ref().is_some_and(|t| !t.is_expired(now)),
        })
    }

    /// Takes what became of a job. Where a refresh failed and the old token still serves, returns that one.
    fn finish(
        &mut self,
        now: Instant,
        job: Job,
        obtained: &Result<Arc<Token>, Failure>,
    ) -> Option<Arc<Token>> {
        match obtained {
            Ok(token) => {
                self.token = Some(Arc::clone(token));
                self.rejected = false;
                self.not_before = None;
                self.failed = None;
            }
            // Another caller may have more time.
            Err(e) if e.code == Code::Cancelled => {}
            Err(_) if self.token.as_ref().is_some_and(|t| !t.is_expired(now)) => {
                self.not_before = Some(now + REFRESH_AGAIN);
                return self.token.clone();
            }
            Err(e) if e.code == Code::Timeout => {}
            Err(e) => self.failed = Some((job.number, e.clone())),
        }
        None
    }

    /// Zoom rejected this token: it is not used again.
    fn reject(&mut self, token: &Token) {
        if self
            .token
            .as_ref()
            .is_some_and(|t| t.number == token.number)
        {
            self.token = None;
            self.rejected = true;
        }
    }
}

impl Tokens {
    pub fn new(settings: &Settings) -> Result<Tokens, Error> {
        let source = match &settings.credentials {
            None => {
                return Err(Error::new(
                    Code::Credentials,
                    "set a token, OAuth credentials or a token provider first",
                ));
            }
            Some(Credentials::Token(authorization)) => {
                Source::Static(Arc::new(Token::endless(authorization.clone(), 0)))
            }
            Some(Credentials::OAuth(oauth)) => {
                Source::OAuth(Box::new(TokenRequest::new(settings, oauth)?))
            }
            Some(Credentials::Provider(provider)) => Source::Provider(Arc::clone(provider)),
        };
        Ok(Tokens {
            source,
            cache: Mutex::default(),
        })
    }

    /// Returns the token in use, unless it has expired or was rejected.
    pub fn cached(&self) -> Option<Arc<Token>> {
        match &self.source {
            Source::Static(token) => Some(Arc::clone(token)),
            _ => self.cache().current(Instant::now()).cloned(),
        }
    }

    /// Returns a token that has not expired and was not rejected: the cached one, or one that this call obtains or
    /// waits for.
    pub fn obtain(&self, http: &Http, log: &Log, limits: &Limits) -> Result<Arc<Token>, Failure> {
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        let mut waited_for = None;
        let next = limits.wait(|now| {
            let mut cache = self.cache();
            match cache.next(now, waited_for) {
                Next::Wait(number) => {
                    waited_for = Some(number);
                    cache.waiting.push(thread::current());
                    Poll::Later
                }
                next => Poll::Ready(next),
            }
        });
        match next.map_err(interrupted)? {
            Next::Use(token) => Ok(token),
            Next::Fail(failure) => Err(failure),
            Next::Obtain(job) => self.run(job, http, log, limits),
            Next::Wait(_) => unreachable!("it waited"),
        }
    }

    fn run(
        &self,
        job: Job,
        http: &Http,
        log: &Log,
        limits: &Limits,
    ) -> Result<Arc<Token>, Failure> {
        /// Whatever happens, the next caller may begin.
        struct Finish<'a>(&'a Tokens);
        impl Drop for Finish<'_> {
            fn drop(&mut self) {
                let mut cache = self.0.cache();
                cache.obtaining = false;
                cache.waiting.drain(..).for_each(|thread| thread.unpark());
            }
        }
        let finish = Finish(self);
        let obtained = match &self.source {
            Source::Static(token) => Ok(Arc::clone(token)),
            Source::OAuth(request) => {
                let limits = match job.refresh {
                    true => half(limits),
                    false => limits.clone(),
                };
                let token = request.obtain(job.number, job.refresh, http, log, &limits);
                token.map(Arc::new)
            }
            Source::Provider(provider) => provided(provider, job, limits).map(Arc::new),
        };
        let old = self.cache().finish(Instant::now(), job, &obtained);
        drop(finish);
        match (old, obtained) {
            (Some(old), Err(e)) => {
                log.write(
                    LogLevel::Warn,
                    format_args!(
                        "the refresh failed, and the old token is still used: {}",
                        e.message
                    ),
                );
                Ok(old)
            }
            (_, obtained) => obtained,
        }
    }

    /// Zoom rejected this token. Returns whether another one can be obtained.
    pub fn reject(&self, token: &Token) -> bool {
        if matches!(self.source, Source::Static(_)) {
            return false;
        }
        self.cache().reject(token);
        true
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While the old token serves, a refresh gets half of what is left of this call's time.
fn half(limits: &Limits) -> Limits {
    let now = Instant::now();
    limits.part(now, limits.deadline.saturating_duration_since(now) / 2)
}

fn provided(provider: &Provider, job: Job, limits: &Limits) -> Result<Token, Failure> {
    let failed = |why: String| Failure::new(Code::Token, why);
    let token = provider(job.rejected, limits).map_err(interrupted)?;
    let token = token.ok_or_else(|| failed("the token provider gave no token".into()))?;
    let token = std::str::from_utf8(&token)
        .map_err(|_| failed("the token provider's token is not UTF-8".into()))?;
    let authorization =
        bearer(token).map_err(|e| failed(format!("the token provider: {}", e.message())))?;
    Ok(Token::endless(authorization, job.number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::HeaderValue;

    fn token(now: Instant, number: u64, refresh: u64, expires: u64) -> Arc<Token> {
        Arc::new(Token {
            refresh: Some(now + Duration::from_secs(refresh)),
            expires: Some(now + Duration::from_secs(expires)),
            ..Token::endless(HeaderValue::from_static("Bearer t"), number)
        })
    }

    fn job(next: Next) -> Job {
        match next {
            Next::Obtain(job) => job,
            Next::Use(_) => panic!("used"),
            Next::Fail(e) => panic!("failed: {e}"),
            Next::Wait(_) => panic!("waits"),
        }
    }

    #[test]
    fn one_caller_obtains_a_token_and_the_others_wait_for_it() {
        let now = Instant::now();
        let mut cache = Cache::default();
        let first = job(cache.next(now, None));
        assert!(!first.refresh && !first.rejected);
        assert!(matches!(cache.next(now, None), Next::Wait(1)));
        let obtained = Ok(token(now, 1, 50, 60));
        assert!(cache.finish(now, first, &obtained).is_none());
        cache.obtaining = false;
        assert!(matches!(cache.next(now, Some(1)), Next::Use(t) if t.number == 1));
    }

    #[test]
    fn a_token_is_refreshed_before_it_expires_and_serves_meanwhile() {
        let now = Instant::now();
        let mut cache = Cache {
            token: Some(token(now, 0, 50, 60)),
            ..Cache::default()
        };
        let at = |s| now + Duration::from_secs(s);
        assert!(cache.current(at(49)).is_some());
        let refresh = job(cache.next(at(50), None));
        assert!(refresh.refresh);
        assert!(matches!(cache.next(at(51), None), Next::Use(_)), "others");
        let failed = Err(Failure::new(Code::Token, "no"));
        let old = cache.finish(at(52), refresh, &failed);
        assert_eq!(old.map(|t| t.number), Some(0));
        cache.obtaining = false;
        assert!(cache.current(at(56)).is_some(), "no other refresh at once");
        assert!(job(cache.next(at(57), None)).refresh);
        cache.obtaining = false;
        assert!(!job(cache.next(at(60), None)).refresh, "expired");
    }

    #[test]
    fn a_failure_is_shared_by_those_who_waited_for_it_and_by_nobody_later() {
        let now = Instant::now();
        let mut cache = Cache::default();
        let first = job(cache.next(now, None));
        cache.finish(now, first, &Err(Failure::new(Code::Token, "no")));
        cache.obtaining = false;
        assert!(matches!(cache.next(now, Some(1)), Next::Fail(_)));
        let second = job(cache.next(now, None));
        let late = Err(Failure::new(Code::Timeout, "too late for this one"));
        cache.finish(now, second, &late);
        cache.obtaining = false;
        assert_eq!(job(cache.next(now, Some(2))).number, 3, "has more time");
    }

    #[test]
    fn a_rejected_token_is_replaced_once() {
        let now = Instant::now();
        let mut cache = Cache {
            token: Some(token(now, 5, 50, 60)),
            ..Cache::default()
        };
        cache.reject(&token(now, 4, 50, 60));
        assert!(cache.current(now).is_some(), "an older one was rejected");
        cache.reject(&token(now, 5, 50, 60));
        assert!(cache.current(now).is_none());
        assert!(job(cache.next(now, None)).rejected);
    }
}
