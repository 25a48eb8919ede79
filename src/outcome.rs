//! HTTP answer + Zoom's JSON -> a code and what a result holds.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use ureq::http::HeaderMap;

use crate::code::{Code, Error};
use crate::http::{Failure, Response, header_text};
use crate::retry::retry_after;

/// What an update came to.
#[derive(Clone)]
pub struct Outcome {
    pub(crate) code: Code,
    pub(crate) http_status: u16,
    pub(crate) zoom_code: i32,
    pub(crate) message: String,
    pub(crate) user_id: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after: Option<i64>,
    pub(crate) attempts: u32,
    /// No further user can fare better: there is no token to be had.
    pub(crate) hopeless: bool,
}

impl Outcome {
    pub(crate) fn new(code: Code, message: String) -> Outcome {
        Outcome {
            code,
            http_status: 0,
            zoom_code: 0,
            message,
            user_id: String::new(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            retry_after: None,
            attempts: 0,
            hopeless: false,
        }
    }

    /// Whether it was done.
    pub fn ok(&self) -> bool {
        self.code == Code::Ok
    }

    /// What it came to.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status of the last answer; 0 when none came.
    pub fn http_status(&self) -> u16 {
        self.http_status
    }

    /// Zoom's own error code, or 0.
    pub fn zoom_code(&self) -> i32 {
        self.zoom_code
    }

    /// What went wrong, in words, with Zoom's. Empty when nothing did.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The user, as given.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// `x-zm-trackingid`, which Zoom's support asks for. Empty when there was none.
    pub fn tracking_id(&self) -> String {
        self.header("x-zm-trackingid").unwrap_or_default()
    }

    /// A header of the answer, by its name in any case. Several of one name are joined by ", ".
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.get_all(name).iter().map(header_text);
        let mut all = values.next()?.into_owned();
        for value in values {
            all.push_str(", ");
            all.push_str(&value);
        }
        Some(all)
    }

    /// The body of the answer, as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// After how many seconds from the answer on Zoom wants to be asked again.
    pub fn retry_after(&self) -> Option<i64> {
        self.retry_after
    }

    /// Attempts begun for this user, repeats included: requests sent, and connections that failed.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether it is the endpoint's own word on this user, which it gives only once it has understood the request.
    pub(crate) fn is_about_the_user(&self) -> bool {
        matches!(
            self.code,
            Code::Ok | Code::UserNotFound | Code::UserProtected | Code::UserBusy | Code::UserLimit
        )
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        let seconds = u64::try_from(self.retry_after?).ok()?;
        Some(Duration::from_secs(seconds))
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("code", &self.code)
            .field("http_status", &self.http_status)
            .field("zoom_code", &self.zoom_code)
            .field("message", &self.message)
            .field("user_id", &self.user_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Outcome {
        Outcome::new(error.code(), sentence(error.code(), error.message()))
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Outcome {
        let mut outcome = Outcome::new(failure.code, sentence(failure.code, &failure.message));
        outcome.http_status = failure.status;
        outcome
    }
}

/// What a code means, and what it was about this time.
pub(crate) fn sentence(code: Code, detail: &str) -> String {
    match detail {
        "" => code.text().to_owned(),
        detail => format!("{}: {detail}", code.text()),
    }
}

/// What the body of an answer says, in any of Zoom's spellings.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub code: i32,
    /// There is a code, though perhaps no number that we can show.
    pub failed: bool,
    pub message: String,
    /// The fields that a validation complains of.
    fields: Vec<String>,
}

pub(crate) fn read_body(body: &[u8]) -> Said {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => {
            let text = |keys: &[&str]| {
                keys.iter()
                    .find_map(|key| object.get(*key)?.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let codes = ["code", "errorCode"].map(|key| object.get(key).map_or(Some(0), number));
            let mut said = Said {
                code: codes.into_iter().flatten().find(|n| *n != 0).unwrap_or(0),
                failed: codes.iter().any(|code| *code != Some(0)),
                message: text(&["message", "error_message", "errorMessage", "reason"]),
                fields: Vec::new(),
            };
            let errors = object.get("errors").and_then(Value::as_array);
            for error in errors.into_iter().flatten() {
                let part = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
                let (field, message) = (part("field"), part("message"));
                said.fields.push(field.to_owned());
                said.message.push_str(&format!(" ({field}: {message})"));
            }
            said
        }
        Ok(_) => Said::default(),
        // Zoom's answer to a missing scope has unescaped quotes in it.
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let after = |key: &str| {
                let rest = text.split_once(key)?.1.trim_start();
                Some(rest.strip_prefix(':')?.trim_start())
            };
            let code = after("\"code\"").map_or(Some(0), |rest| {
                let rest = rest.trim_start_matches('"');
                let is_part = |c: char| c.is_ascii_digit() || c == '-';
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                rest[..end].parse().ok()
            });
            let message = after("\"message\"").map_or("", |rest| {
                rest.trim_start_matches('"')
                    .trim_end_matches(|c: char| c.is_whitespace() || "\"}".contains(c))
            });
            Said {
                code: code.unwrap_or(0),
                failed: code != Some(0),
                message: message.to_owned(),
                fields: Vec::new(),
            }
        }
    }
}

/// A code as a number, 0 for none; `None` for what is no such number.
fn number(value: &Value) -> Option<i32> {
    match value {
        Value::Null => Some(0),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok(),
        _ => i32::try_from(value.as_i64()?).ok(),
    }
}

/// An answer to `PUT /users/{userId}/status`.
pub(crate) struct Read {
    pub outcome: Outcome,
    /// The server takes this update only in another encoding. It changed nothing.
    pub wrong_encoding: bool,
}

pub(crate) fn read(response: Response) -> Read {
    let Response {
        status,
        headers,
        body,
    } = response;
    if (200..300).contains(&status) && body.is_empty() {
        let mut outcome = Outcome::new(Code::Ok, String::new());
        outcome.http_status = status;
        outcome.headers = headers;
        return Read {
            outcome,
            wrong_encoding: false,
        };
    }
    let said = if body.is_empty() {
        Said::default()
    } else {
        read_body(&body)
    };
    let html = is_html(&headers, &body);
    let code = classify(status, &said, html, &headers);
    let retry_after = headers
        .get("retry-after")
        .and_then(|value| retry_after(&header_text(value)));
    let message = if code == Code::Ok {
        String::new()
    } else {
        describe(code, status, &said, html, &headers)
    };
    Read {
        wrong_encoding: refuses_encoding(status, &said, html),
        outcome: Outcome {
            http_status: status,
            zoom_code: said.code,
            headers,
            body,
            retry_after,
            ..Outcome::new(code, message)
        },
    }
}

/// Codes decide; Zoom's messages are localized, so text decides only where Zoom gives nothing else.
fn classify(status: u16, said: &Said, html: bool, headers: &HeaderMap) -> Code {
    let success = (200..300).contains(&status);
    match status {
        429 if is_daily(headers, &said.message) => return Code::DailyLimit,
        429 => return Code::RateLimited,
        408 | 500.. => return Code::Server,
        407 => return Code::Proxy,
        200..300 if !said.failed && !html => return Code::Ok,
        300..400 => return Code::Protocol,
        _ => {}
    }
    match said.code {
        1001 | 1010 | 1120 => Code::UserNotFound,
        // The same code tells of wrong credentials.
        200 if said.message.contains("Invalid api key or secret") => Code::Unauthorized,
        200 => Code::UserProtected,
        300 if is_validation(said) => Code::Rejected,
        300 => Code::UserBusy,
        3412 | 2033 => Code::UserLimit,
        124 => Code::Unauthorized,
        104 | 201 | 4700 | 4711 => Code::Forbidden,
        429 => Code::RateLimited,
        0 if html => Code::Protocol,
        _ => match status {
            401 => Code::Unauthorized,
            403 => Code::Forbidden,
            _ if success || status >= 400 => Code::Rejected,
            _ => Code::Protocol,
        },
    }
}

/// 300 is an upcoming event for this call, and a general "Validation Failed." for every call.
fn is_validation(said: &Said) -> bool {
    !said.fields.is_empty()
        || said.message.starts_with("Validation Failed")
        || is_about_the_body(said)
}

fn is_about_the_body(said: &Said) -> bool {
    said.message.starts_with("Request Body")
}

/// Whether the server didn't understand how the action was sent. The action itself is always one it knows.
fn refuses_encoding(status: u16, said: &Said, html: bool) -> bool {
    match (status, said.code) {
        (415, _) => true,
        (400, 0) => !html && !said.failed,
        (400, 300) => is_about_the_body(said) || said.fields.iter().any(|f| f == "action"),
        _ => false,
    }
}

fn is_daily(headers: &HeaderMap, message: &str) -> bool {
    match headers.get("x-ratelimit-type") {
        Some(kind) => header_text(kind).to_ascii_lowercase().starts_with("daily"),
        None => message.to_ascii_lowercase().contains("daily"),
    }
}

fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    headers.get("content-type").is_some_and(|kind| {
        header_text(kind)
            .to_ascii_lowercase()
            .starts_with("text/html")
    }) && !body.is_empty()
        || body.trim_ascii_start().starts_with(b"<")
}

fn describe(code: Code, status: u16, said: &Said, html: bool, headers: &HeaderMap) -> String {
    let zoom = match said.code {
        0 => String::new(),
        code => format!(", Zoom code {code}"),
    };
    let mut text = format!("{} (HTTP {status}{zoom})", code.text());
    if !said.message.is_empty() {
        text.push_str(": ");
        text.push_str(said.message.trim());
    } else if (300..400).contains(&status) {
        let to = headers.get("location").map(header_text).unwrap_or_default();
        text.push_str(&format!(": a redirect to {to:?}, which is not followed"));
    } else if html {
        text.push_str(": an HTML page, as from a gateway or a proxy");
    } else if status == 404 && said.code == 0 {
        text.push_str(": no Zoom code came with it; is the API's URL right?");
    }
    text
}
