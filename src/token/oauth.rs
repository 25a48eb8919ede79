//! The token request of server-to-server OAuth: `POST https://zoom.us/oauth/token`.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use ureq::http::uri::PathAndQuery;
use ureq::http::{HeaderValue, Method, Request};
use zeroize::Zeroizing;

use super::credentials::{OAuth, Settings};
use super::value::{Token, bearer, secret_header};
use crate::body::{Body, Format};
use crate::code::{Code, Error};
use crate::http::{Failure, Http, Response, header_text};
use crate::limits::{Interruption, Limits};
use crate::log::{Log, LogLevel};
use crate::retry::{Retry, RetryPolicy, is_transient, retry_after};
use crate::url::Url;

/// The life of a token in seconds, where a response doesn't say. Zoom's live an hour.
const LIFE: u64 = 3600;
const LIFE_MOST: u64 = 7 * 24 * 3600;
/// A token is refreshed this long before it expires, or half its life before when that is less.
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

pub(super) struct TokenRequest {
    url: Url,
    authorization: HeaderValue,
    body: String,
    user_agent: HeaderValue,
    retry: RetryPolicy,
    attempt_timeout: Duration,
}

impl TokenRequest {
    pub fn new(settings: &Settings, oauth: &OAuth) -> Result<TokenRequest, Error> {
        let pair = Zeroizing::new(format!(
            "{}:{}",
            oauth.client_id,
            oauth.client_secret.as_str()
        ));
        let basic = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
        let account = utf8_percent_encode(&oauth.account_id, NON_ALPHANUMERIC);
        Ok(TokenRequest {
            url: settings.url.clone(),
            authorization: secret_header("Basic ", &basic)
                .map_err(|_| Error::argument("the credentials are not a header value"))?,
            body: format!("grant_type=account_credentials&account_id={account}"),
            user_agent: settings.user_agent.clone(),
            retry: settings.retry,
            attempt_timeout: settings.attempt_timeout,
        })
    }

    /// Obtains a token. A refresh, while the old token still serves, is tried once.
    pub fn obtain(
        &self,
        number: u64,
        refresh: bool,
        http: &Http,
        log: &Log,
        limits: &Limits,
    ) -> Result<Token, Failure> {
        let mut retry = Retry::new(RetryPolicy {
            attempts: if refresh { 1 } else { self.retry.attempts },
            ..self.retry
        });
        loop {
            log.write(
                LogLevel::Debug,
                format_args!("POST {:?}: requests a token", self.url),
            );
            let asked = Instant::now();
            let (failed, after) = match self.attempt(number, asked, http, limits) {
                Ok(token) => {
                    log.write(LogLevel::Info, format_args!("obtained a token"));
                    return Ok(token);
                }
                Err(failed) => failed,
            };
            if failed.stale && retry.stale() {
                continue;
            }
            let failed = Failure {
                message: match failed.message.as_str() {
                    "" => "token request".into(),
                    why => format!("token request: {why}"),
                },
                // No user's request was.
                sent: false,
                ..failed
            };
            let wait = retry.wait(after).filter(|_| failed.transient);
            let at = match wait.map(|wait| Instant::now() + wait) {
                Some(at) if at < limits.deadline => at,
                _ => return Err(failed),
            };
            let ms = at.saturating_duration_since(Instant::now()).as_millis();
            log.write(
                LogLevel::Warn,
                format_args!("retries in {ms} ms: {}", failed.message),
            );
            limits.sleep_until(at).map_err(interrupted)?;
        }
    }

    /// One attempt. A failure comes with how long the server wants us to wait.
    fn attempt(
        &self,
        number: u64,
        asked: Instant,
        http: &Http,
        limits: &Limits,
    ) -> Result<Token, (Failure, Option<Duration>)> {
        let limits = limits.attempt(asked, self.attempt_timeout);
        let response = http.send(self.request(), &limits);
        read(number, asked, response.map_err(|failed| (failed, None))?)
    }

    fn request(&self) -> Request<&str> {
        let path = match self.url.path() {
            "" => PathAndQuery::from_static("/"),
            path => PathAndQuery::try_from(path).expect("the path of a URL is a path"),
        };
        let mut request = Request::new(self.body.as_str());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.with_path(path);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        headers.insert(CONTENT_LENGTH, self.body.len().into());
        request
    }
}

fn read(
    number: u64,
    asked: Instant,
    response: Response,
) -> Result<Token, (Failure, Option<Duration>)> {
    let bytes = Zeroizing::new(response.body);
    let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut take = |key| match body.as_object_mut().and_then(|o| o.remove(key)) {
        Some(Value::String(text)) => Zeroizing::new(text),
        _ => Zeroizing::default(),
    };
    let token = take("access_token");
    let _others = [take("refresh_token"), take("id_token")];
    let success = (200..300).contains(&response.status);
    if success && !token.is_empty() {
        return made(number, asked, &token, &body).map_err(|failure| (failure, None));
    }
    let body = match body {
        Value::Null => Body::read(&bytes),
        body => Body::from_json(&body),
    };
    let message = format!(
        "HTTP {}: {}",
        response.status,
        reason(success, &body, &bytes)
    );
    let failure = Failure {
        transient: is_transient(response.status) || response.status == 429,
        status: response.status,
        ..Failure::new(Code::Token, message)
    };
    let after = response.headers.get("retry-after");
    let after = after.and_then(|v| retry_after(&header_text(v)));
    let after = after.and_then(|s| u64::try_from(s).ok());
    Err((failure, after.map(Duration::from_secs)))
}

/// The token of a response.
fn made(number: u64, asked: Instant, token: &str, body: &Value) -> Result<Token, Failure> {
    let life = body
        .get("expires_in")
        .and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
    let life = Duration::from_secs(life.unwrap_or(LIFE).min(LIFE_MOST));
    let authorization = bearer(token).map_err(|e| {
        let why = format!("Zoom's token is malformed: {}", e.message());
        Failure::new(Code::Token, why)
    })?;
    Ok(Token {
        details: body.to_string(),
        refresh: Some(asked + life - REFRESH_BEFORE.min(life / 2)),
        expires: Some(asked + life),
        ..Token::endless(authorization, number)
    })
}

/// Why there is no token, in words. What isn't JSON is not shown where it may hold a token.
fn reason<'a>(success: bool, body: &'a Body, bytes: &[u8]) -> &'a str {
    const TOKEN: &[u8] = b"_token";
    let may_hold_token = success || bytes.windows(TOKEN.len()).any(|part| part == TOKEN);
    let hidden = body.format != Format::Json && may_hold_token;
    match body.message.as_str() {
        message if !hidden && !message.is_empty() => message,
        _ if success => "the response has no access_token",
        _ => "without a reason",
    }
}

/// The message when a wait for a token ended before there was one.
pub(super) fn interrupted(why: Interruption) -> Failure {
    match why {
        Interruption::TimedOut => Failure::new(Code::Timeout, "no token came in time"),
        Interruption::Cancelled | Interruption::Stopped => Failure::new(Code::Cancelled, ""),
    }
}
