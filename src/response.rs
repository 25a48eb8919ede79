//! What a response to `PUT /users/{userId}/status` means.

use ureq::http::HeaderMap;

use crate::body::{Body, Format, one_line};
use crate::code::Code;
use crate::http::{Answer, header_text};
use crate::outcome::{Delivery, FatalForBatch, Outcome};
use crate::retry::retry_after;

/// A limit that lasts longer than this many seconds ends a batch; a shorter one is waited for.
const LIMIT_WAITED_FOR: i64 = 60;
/// The longest part of a redirect's target that is shown, in characters.
const LOCATION_MOST: usize = 200;

/// What a response means. `endpoint_is_known`: a user of this client got a response that only this endpoint gives (see
/// [`Outcome::is_about_the_user`]); then a 404 without a Zoom code isn't the URL's fault.
pub(crate) fn read(answer: Answer, endpoint_is_known: bool) -> Outcome {
    let Answer {
        status,
        headers,
        body: bytes,
    } = answer;
    let mut outcome = Outcome::new(Code::Ok, String::new());
    outcome.delivery = Delivery::Responded;
    outcome.http_status = status;
    if !(is_success(status) && bytes.is_empty()) {
        let body = Body::read(&bytes);
        outcome.retry_after = headers
            .get("retry-after")
            .and_then(|value| retry_after(&header_text(value)));
        outcome.code = classify(
            status,
            &body,
            &headers,
            outcome.retry_after,
            endpoint_is_known,
        );
        outcome.zoom_code = body.code;
        outcome.fatal = match outcome.code {
            Code::Forbidden if is_about_the_app(&body) => FatalForBatch::Yes,
            code => FatalForBatch::of(code),
        };
        match outcome.code {
            Code::Ok => {}
            // A failed server may have applied it, and so may the one behind whoever sent this.
            Code::Server | Code::Protocol => outcome.delivery = Delivery::Unknown,
            Code::Proxy => outcome.delivery = Delivery::NotSent,
            _ => {}
        }
        outcome.message = describe(outcome.code, status, &body, &headers);
    }
    outcome.headers = headers;
    outcome.body = bytes;
    outcome
}

impl Outcome {
    /// Whether the server may not have understood a form, so that the same update is worth sending as JSON: it changed
    /// nothing, and it said nothing definite about the user, the token, a scope, a limit or the endpoint.
    pub(crate) fn needs_json(&self) -> bool {
        match self.http_status {
            400 | 415 | 422 => matches!(self.code, Code::Rejected | Code::Protocol),
            500 => {
                let message = Folded::new(&self.message);
                message.has_any(&["content type", "content-type", "media type", "multipart/"])
            }
            _ => false,
        }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Codes decide. Zoom translates its messages, so words decide only where one code has several meanings.
fn classify(
    status: u16,
    body: &Body,
    headers: &HeaderMap,
    retry_after: Option<i64>,
    endpoint_is_known: bool,
) -> Code {
    let message = Folded::new(&body.message);
    let limit = || {
        if limit_lasts(headers, &message, retry_after) {
            Code::DailyLimit
        } else {
            Code::RateLimited
        }
    };
    match status {
        429 => return limit(),
        // Zoom's first API said its rate limit with 403.
        403 if names_rate_limit(&message) => return limit(),
        408 | 500.. => return Code::Server,
        407 => return Code::Proxy,
        ..200 | 300..400 => return Code::Protocol,
        200..300 if is_success_body(body) => return Code::Ok,
        _ => {}
    }
    match body.code {
        1001 => Code::UserNotFound,
        // Other calls say it of groups and invitations.
        1010 | 1120 if message.has("user") => Code::UserNotFound,
        200 => not_allowed(status, &message),
        300 if message.has("zoom events") => Code::UserBusy,
        2033 | 2034 | 2038 | 3412 => Code::UserLimit,
        124 => Code::Unauthorized,
        104 | 201 | 4700 | 4711 | 5411 => Code::Forbidden,
        429 => limit(),
        2300 if !endpoint_is_known => Code::Endpoint,
        0 => without_code(status, body.format, endpoint_is_known),
        _ => match status {
            401 => Code::Unauthorized,
            403 => Code::Forbidden,
            _ => Code::Rejected,
        },
    }
}

/// Of a false success nobody would learn: whatever else came with it isn't one.
fn is_success_body(body: &Body) -> bool {
    matches!(body.format, Format::Empty | Format::Json) && !body.is_error
}

/// Zoom code 200 is "not allowed" everywhere. On this endpoint it is documented for Zoom Rooms and admins.
fn not_allowed(status: u16, message: &Folded) -> Code {
    if message.has("invalid api key or secret") {
        Code::Unauthorized
    } else if message.has_any(&[
        "no permission",
        "no privilege",
        "does not contain",
        "paid account",
    ]) {
        Code::Forbidden
    } else {
        match status {
            401 => Code::Unauthorized,
            403 => Code::Forbidden,
            _ => Code::UserProtected,
        }
    }
}

/// A failure without a Zoom code: Zoom's own, or one of whatever stands before it.
fn without_code(status: u16, format: Format, endpoint_is_known: bool) -> Code {
    match (status, format) {
        (404, _) if !endpoint_is_known => Code::Endpoint,
        (_, Format::Html) => Code::Protocol,
        // The guest network's welcome; "error code: 1020" of the CDN.
        (200..300 | 403, Format::Text) => Code::Protocol,
        (200..300, Format::Xml | Format::MalformedJson | Format::Json) => Code::Rejected,
        (401, _) => Code::Unauthorized,
        (403, _) => Code::Forbidden,
        _ => Code::Rejected,
    }
}

fn names_rate_limit(message: &Folded) -> bool {
    message.has("rate limit") || message.has("maximum") && message.has("requests")
}

/// A limit that lasts, such as the daily one: more than a minute to wait, or Zoom says which limit it is.
fn limit_lasts(headers: &HeaderMap, message: &Folded, retry_after: Option<i64>) -> bool {
    if retry_after.is_some_and(|seconds| seconds > LIMIT_WAITED_FOR) {
        return true;
    }
    match headers.get("x-ratelimit-type") {
        Some(kind) => header_text(kind).to_ascii_lowercase().starts_with("daily"),
        None => message.has("daily"),
    }
}

/// A missing scope or plan is missing for every user. Any other permission may be missing for one.
fn is_about_the_app(body: &Body) -> bool {
    matches!(body.code, 104 | 201 | 4700 | 4711)
        || Folded::new(&body.message).has_any(&["paid account", "does not contain scope"])
}

/// What happened, the numbers, and what the response says.
fn describe(code: Code, status: u16, body: &Body, headers: &HeaderMap) -> String {
    if code == Code::Ok {
        return String::new();
    }
    let mut text = format!("{} (HTTP {status}", code.text());
    if body.code != 0 {
        text.push_str(&format!(", Zoom code {}", body.code));
    }
    text.push(')');
    let location = headers
        .get("location")
        .filter(|_| (300..400).contains(&status));
    if let Some(location) = location {
        let location = one_line(&header_text(location), LOCATION_MOST);
        text.push_str(&format!(
            ": a redirect to {location:?}, which is not followed"
        ));
    } else if body.format == Format::Html {
        text.push_str(": an HTML page, as a gateway or a proxy sends it");
        if !body.message.is_empty() {
            text.push_str(&format!(": {:?}", body.message));
        }
    } else if !body.message.is_empty() {
        text.push_str(": ");
        text.push_str(&body.message);
    }
    text
}

/// A message in which to look for words in any case.
struct Folded(String);

impl Folded {
    fn new(message: &str) -> Folded {
        Folded(message.to_ascii_lowercase())
    }

    fn has(&self, words: &str) -> bool {
        self.0.contains(words)
    }

    fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.has(words))
    }
}
