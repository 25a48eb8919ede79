//! Where a bearer token comes from: fixed, OAuth, or a callback. Cached, and fetched once however many threads want it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use ureq::http::uri::PathAndQuery;
use ureq::http::{HeaderValue, Method, Request};
use zeroize::Zeroizing;

use crate::body::{Body, Format};
use crate::code::{Code, Error};
use crate::config::{Config, LogLevel, RetryPolicy, Url, check_text};
use crate::http::limits::{Limits, Stop};
use crate::http::{Answer, Failure, Http};
use crate::log::Log;
use crate::request::{Headers, uri};
use crate::retry::{Retry, is_transient, retry_after};

/// Gives a token; told whether the last one was refused.
pub(crate) type Provider = Arc<dyn Fn(bool) -> Option<Zeroizing<Vec<u8>>> + Send + Sync>;

/// A token is renewed this long before it ends, or half its life before when that is less.
const RENEW_BEFORE: Duration = Duration::from_secs(60);
/// After a renewal that failed, the old token serves at least this long before another is tried.
const RENEW_AGAIN: Duration = Duration::from_secs(5);
/// What Zoom's tokens live, where an answer doesn't say.
const LIFE: u64 = 3600;
/// The longest token, in bytes. Zoom's have some hundreds.
pub(crate) const TOKEN_MOST: usize = 8 * 1024;

/// What the caller gave us to get tokens with.
#[derive(Clone)]
pub(crate) enum Credentials {
    Token(HeaderValue),
    OAuth {
        account_id: String,
        client_id: String,
        client_secret: Arc<Zeroizing<String>>,
    },
    Callback(Provider),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Token(_) => "Token(..)",
            Credentials::OAuth { .. } => "OAuth(..)",
            Credentials::Callback(_) => "Callback(..)",
        })
    }
}

/// The value of an Authorization header. Its memory is wiped when the last copy of it goes.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    check_text("token", token, TOKEN_MOST)?;
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::argument(
            "the token has a blank or a character that no token has",
        ));
    }
    secret_header("Bearer ", token).map_err(|_| Error::argument("the token is not a header value"))
}

fn secret_header(scheme: &str, secret: &str) -> Result<HeaderValue, ureq::http::Error> {
    let mut value = Zeroizing::new(Vec::with_capacity(scheme.len() + secret.len()));
    value.extend_from_slice(scheme.as_bytes());
    value.extend_from_slice(secret.as_bytes());
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(value))?;
    header.set_sensitive(true);
    Ok(header)
}

/// The tokens of one client.
pub(crate) struct Tokens {
    source: Source,
    state: Mutex<State>,
    done: Condvar,
}

enum Source {
    Fixed(Arc<Token>),
    OAuth(TokenRequest),
    Callback(Provider),
}

pub(crate) struct Token {
    pub authorization: HeaderValue,
    /// What requests with it carry, once one was made.
    pub headers: OnceLock<Headers>,
    /// What Zoom said of it, without the token itself: JSON, or empty.
    pub details: String,
    /// From when on a new one is fetched, while this one still serves others.
    renew: Option<Instant>,
    ends: Option<Instant>,
    /// Tells tokens apart without looking at them.
    number: u64,
}

impl Token {
    /// One of which nothing is known.
    fn endless(authorization: HeaderValue, number: u64) -> Token {
        Token {
            authorization,
            headers: OnceLock::new(),
            details: String::new(),
            renew: None,
            ends: None,
            number,
        }
    }

    fn ended(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| now >= ends)
    }
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    refused: bool,
    fetching: bool,
    /// No renewal before this.
    not_before: Option<Instant>,
    /// Fetches begun.
    fetches: u64,
    /// How the fetch of that number failed, for those who waited for it.
    failed: Option<(u64, Failure)>,
}

impl Tokens {
    pub fn new(config: &Config) -> Result<Tokens, Error> {
        let source = match &config.credentials {
            None => {
                return Err(Error::new(
                    Code::Credentials,
                    "set a token, OAuth credentials or a token provider first",
                ));
            }
            Some(Credentials::Token(authorization)) => {
                Source::Fixed(Arc::new(Token::endless(authorization.clone(), 0)))
            }
            Some(Credentials::OAuth {
                account_id,
                client_id,
                client_secret,
            }) => Source::OAuth(TokenRequest::new(
                config,
                account_id,
                client_id,
                client_secret,
            )?),
            Some(Credentials::Callback(provider)) => Source::Callback(Arc::clone(provider)),
        };
        Ok(Tokens {
            source,
            state: Mutex::default(),
            done: Condvar::new(),
        })
    }

    /// A token that is good for all we know.
    pub fn get(&self, http: &Http, log: &Log, limits: &Limits) -> Result<Arc<Token>, Failure> {
        if let Source::Fixed(token) = &self.source {
            return Ok(token.clone());
        }
        let mut state = self.state();
        let mut waited_for = None;
        loop {
            let now = Instant::now();
            if let Some(token) = &state.token {
                let due = token.renew.is_some_and(|renew| now >= renew)
                    && state.not_before.is_none_or(|at| now >= at);
                if !token.ended(now) && (!due || state.fetching) {
                    return Ok(token.clone());
                }
            }
            if let (Some(fetch), Some((failed, failure))) = (waited_for, &state.failed)
                && fetch == *failed
            {
                return Err(failure.clone());
            }
            if !state.fetching {
                break;
            }
            limits.check().map_err(stopped)?;
            waited_for = Some(state.fetches);
            state = self
                .done
                .wait_timeout(state, limits.slice())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.fetching = true;
        state.fetches += 1;
        let number = state.fetches;
        let refused = state.refused;
        let now = Instant::now();
        let mut limits = limits.clone();
        // While the old token serves, a renewal gets one try, and half of what is left of this call's time.
        let renewal = state.token.as_ref().is_some_and(|token| !token.ended(now));
        if renewal {
            limits.deadline -= limits.deadline.saturating_duration_since(now) / 2;
        }
        drop(state);

        // Whatever happens to the fetch, the next one may begin.
        struct Finish<'a>(&'a Tokens);
        impl Drop for Finish<'_> {
            fn drop(&mut self) {
                self.0.state().fetching = false;
                self.0.done.notify_all();
            }
        }
        let finish = Finish(self);
        let fetched = match &self.source {
            Source::OAuth(request) => {
                let attempts = if renewal { 1 } else { request.retry.attempts };
                let fetched = request.fetch(number, attempts, http, log, &limits);
                fetched.map(Arc::new)
            }
            Source::Callback(provider) => from_callback(provider, refused, number).map(Arc::new),
            Source::Fixed(token) => Ok(token.clone()),
        };
        let mut state = self.state();
        if let (Err(e), Some(old)) = (&fetched, &state.token)
            && !old.ended(Instant::now())
            && e.code != Code::Cancelled
        {
            let (old, why) = (Arc::clone(old), e.message.as_str());
            state.not_before = Some(Instant::now() + RENEW_AGAIN);
            drop(state); // the caller's log function runs without it
            log.write(
                LogLevel::Warn,
                format_args!("the renewal failed, the old token serves on: {why}"),
            );
            return Ok(old);
        }
        match &fetched {
            Ok(token) => {
                state.token = Some(Arc::clone(token));
                state.refused = false;
                state.not_before = None;
                state.failed = None;
            }
            // Another caller may have more time.
            Err(e) if matches!(e.code, Code::Timeout | Code::Cancelled) => {}
            Err(e) => state.failed = Some((number, e.clone())),
        }
        drop(state);
        drop(finish);
        fetched
    }

    /// Zoom refused this token. Whether another one can be had; when it is already there, it is used.
    pub fn refused(&self, token: &Token) -> bool {
        if matches!(self.source, Source::Fixed(_)) {
            return false;
        }
        let mut state = self.state();
        if state
            .token
            .as_ref()
            .is_some_and(|t| t.number == token.number)
        {
            state.token = None;
            state.refused = true;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped(stop: Stop) -> Failure {
    let (code, message) = match stop {
        Stop::Late => (Code::Timeout, "no token came in time"),
        Stop::Cancelled | Stop::Halted => (Code::Cancelled, ""),
    };
    failure(code, message.into())
}

fn failure(code: Code, message: String) -> Failure {
    Failure {
        code,
        message,
        status: 0,
        again: false,
        stale: false,
    }
}

fn from_callback(provider: &Provider, refused: bool, number: u64) -> Result<Token, Failure> {
    let none = |why: String| failure(Code::Token, why);
    let token = provider(refused).ok_or_else(|| none("the token function gave none".into()))?;
    let token = std::str::from_utf8(&token)
        .map_err(|_| none("the token function's token is not UTF-8".into()))?;
    let authorization =
        bearer(token).map_err(|e| none(format!("the token function: {}", e.message())))?;
    Ok(Token::endless(authorization, number))
}

/// `POST https://zoom.us/oauth/token`: server-to-server OAuth.
struct TokenRequest {
    url: Url,
    authorization: HeaderValue,
    body: String,
    user_agent: HeaderValue,
    retry: RetryPolicy,
}

impl TokenRequest {
    fn new(
        config: &Config,
        account_id: &str,
        client_id: &str,
        client_secret: &str,
    ) -> Result<TokenRequest, Error> {
        let pair = Zeroizing::new(format!("{client_id}:{client_secret}"));
        let basic = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
        let account = utf8_percent_encode(account_id, NON_ALPHANUMERIC);
        Ok(TokenRequest {
            url: config.oauth.clone(),
            authorization: secret_header("Basic ", &basic)
                .map_err(|_| Error::argument("the credentials are no header value"))?,
            body: format!("grant_type=account_credentials&account_id={account}"),
            user_agent: config.user_agent.clone(),
            retry: config.retry,
        })
    }

    fn fetch(
        &self,
        number: u64,
        attempts: u32,
        http: &Http,
        log: &Log,
        limits: &Limits,
    ) -> Result<Token, Failure> {
        let mut retry = Retry::new(RetryPolicy {
            attempts,
            ..self.retry
        });
        loop {
            log.write(
                LogLevel::Debug,
                format_args!("POST {:?}: a token", self.url),
            );
            let asked = Instant::now();
            let (failed, after) = match http.send(self.request(), limits) {
                Ok(answer) => match self.read(number, asked, answer) {
                    Ok(token) => {
                        log.write(LogLevel::Info, format_args!("got a token"));
                        return Ok(token);
                    }
                    Err(failed) => failed,
                },
                Err(failed) => (failed, None),
            };
            if failed.stale && retry.stale() {
                continue;
            }
            let failed = Failure {
                message: match failed.message.as_str() {
                    "" => "token request".into(),
                    why => format!("token request: {why}"),
                },
                ..failed
            };
            let wait = match retry.wait(after).filter(|_| failed.again) {
                Some(wait) if Instant::now() + wait < limits.deadline => wait,
                _ => return Err(failed),
            };
            log.write(
                LogLevel::Warn,
                format_args!("again in {} ms: {}", wait.as_millis(), failed.message),
            );
            limits.sleep_until(Instant::now() + wait).map_err(stopped)?;
        }
    }

    fn request(&self) -> Request<&str> {
        let path = match self.url.path() {
            "" => PathAndQuery::from_static("/"),
            path => PathAndQuery::try_from(path).expect("the path of a URL is a path"),
        };
        let mut request = Request::new(self.body.as_str());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri(self.url.scheme(), self.url.authority(), path);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        headers.insert(CONTENT_LENGTH, self.body.len().into());
        request
    }

    /// The failure comes with how long the server wants us to wait.
    fn read(
        &self,
        number: u64,
        asked: Instant,
        answer: Answer,
    ) -> Result<Token, (Failure, Option<Duration>)> {
        let body = Zeroizing::new(answer.body);
        let mut said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut take = |key| match said.as_object_mut().and_then(|o| o.remove(key)) {
            Some(Value::String(text)) => Zeroizing::new(text),
            _ => Zeroizing::default(),
        };
        let token = take("access_token");
        let _others = [take("refresh_token"), take("id_token")];
        let success = (200..300).contains(&answer.status);
        if success && !token.is_empty() {
            let life = said
                .get("expires_in")
                .and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
            let life = Duration::from_secs(life.unwrap_or(LIFE).min(7 * 24 * 3600));
            let authorization = bearer(&token).map_err(|e| {
                let why = format!("Zoom's token is malformed: {}", e.message());
                (failure(Code::Token, why), None)
            })?;
            return Ok(Token {
                details: said.to_string(),
                renew: Some(asked + life - RENEW_BEFORE.min(life / 2)),
                ends: Some(asked + life),
                ..Token::endless(authorization, number)
            });
        }
        let body_says = match said {
            Value::Null => Body::read(&body),
            said => Body::from_json(&said),
        };
        let why = match (success, body_says.format, body_says.message.as_str()) {
            // What isn't JSON may hold a token.
            (true, format, _) if format != Format::Json => "the response has no access_token",
            (true, _, "") => "the response has no access_token",
            (false, _, "") => "without a reason",
            (_, _, message) => message,
        };
        let failure = Failure {
            again: is_transient(answer.status) || answer.status == 429,
            status: answer.status,
            ..failure(Code::Token, format!("HTTP {}: {why}", answer.status))
        };
        let after = answer.headers.get("retry-after");
        let after = after.and_then(|v| retry_after(&crate::http::header_text(v)));
        let after = after.and_then(|s| u64::try_from(s).ok());
        Err((failure, after.map(Duration::from_secs)))
    }
}
