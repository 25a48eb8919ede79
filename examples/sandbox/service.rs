//! From a request to its response, and the line about it.

use crate::Sandbox;
use crate::answers::{self, Answer, Body, Wire};
use crate::options::{BodyRule, Fault};
use crate::state::{self, Action};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// More than any request here has.
const MOST_BODY: usize = 64 * 1024;

/// Ends the connection, after these bytes, instead of a response by hyper.
#[derive(Debug)]
pub struct Unanswered {
    pub at_once: Vec<u8>,
    pub dripped: Vec<u8>,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends here on purpose")
    }
}

impl std::error::Error for Unanswered {}

pub async fn answer(
    sandbox: Rc<Sandbox>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Unanswered> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    if let Some(command) = path.strip_prefix("/sandbox/") {
        return Ok(control(&sandbox, &head.method, command));
    }
    let is_id = |id: &&str| !id.is_empty() && !id.contains('/');
    let below_users = path.strip_prefix("/v2/users/");
    let user = below_users
        .and_then(|rest| rest.strip_suffix("/status"))
        .filter(is_id);
    let read_user = below_users.filter(is_id);
    let mut entry = Entry::begin(&sandbox, &head, began, user.is_some());
    let Ok(body) = Limited::new(body, MOST_BODY).collect().await else {
        let answer = Answer::error(413, 413, "Request Entity Too Large");
        return entry.end(answer).await;
    };
    let body = body.to_bytes();
    let answer = match user {
        Some(id) if head.method == Method::PUT => {
            update(&sandbox, &head, id, &body, began, &mut entry)
        }
        Some(_) => Answer::error(405, 405, "Request method is not supported."),
        None if path == "/oauth/token" && head.method == Method::POST => {
            token(&sandbox, &head, &body, &mut entry)
        }
        None if head.method == Method::GET && read_user.is_some() => {
            read(&sandbox, &head, read_user.unwrap_or_default(), began)
        }
        None => Answer::error(404, 2300, "This API endpoint is not recognized."),
    };
    entry.end(answer).await
}

/// For tests: what came, and what is to happen.
fn control(sandbox: &Sandbox, method: &Method, command: &str) -> Response<Body> {
    let answer = match (method.as_str(), command) {
        ("GET", "ledger") => Answer::json(200, &sandbox.state.borrow().ledger()),
        ("POST", "expire-tokens") => {
            sandbox.state.borrow_mut().expire_tokens();
            Answer::done()
        }
        ("POST", "stop") => {
            sandbox.stop.notify_one();
            Answer::done()
        }
        _ => Answer::error(
            404,
            404,
            "GET /sandbox/ledger, POST /sandbox/expire-tokens, POST /sandbox/stop",
        ),
    };
    match answer.wire {
        Wire::Http(http) => http.response(&[]),
        _ => unreachable!("a control response is HTTP"),
    }
}

/// PUT /v2/users/{id}/status
fn update(
    sandbox: &Sandbox,
    head: &Parts,
    id: &str,
    body: &[u8],
    began: Instant,
    entry: &mut Entry<'_>,
) -> Answer {
    let options = &sandbox.options;
    let id = percent_decode_str(id).decode_utf8_lossy();
    let sent = Sent::read(header(head, CONTENT_TYPE), body);
    entry.note = Some(sent.note());

    let mut state = sandbox.state.borrow_mut();
    match sent.encoding {
        Encoding::Form => state.count().forms += 1,
        Encoding::Json => state.count().jsons += 1,
        Encoding::Other => {}
    }
    let nth = state.receive(&id, options);
    let fault = state.fault(options);
    match fault {
        Some(Fault::Unavailable) => return answers::unavailable(),
        Some(Fault::RateLimited) => {
            return answers::too_many_a_second(Some(state::shown_limit(options)));
        }
        Some(Fault::RateLimitedBare) => return answers::too_many_a_second(None),
        Some(Fault::Cut) => return Answer::cut(),
        Some(Fault::CutAfter | Fault::Delay(_)) | None => {}
    }
    let bearer = credentials(head, "bearer");
    let refused = state
        .authorize(bearer, false, options)
        .or_else(|| state.limit(began, options));
    let mut answer = match refused {
        Some(refusal) => refusal,
        None => match sent.action(options.body) {
            Err(refusal) => refusal,
            Ok(action) => {
                let canned = state::canned_name(&id).and_then(|name| answers::canned(name, nth));
                let answer = canned.unwrap_or_else(|| state.decide(&id, action, options));
                if answer.applies {
                    state.apply(&id, action, began, options);
                }
                answer
            }
        },
    };
    if options.postman {
        answer = answer.in_postman_style();
    }
    match fault {
        Some(Fault::CutAfter) => answer = Answer::cut_after(answer.applies),
        Some(Fault::Delay(delay)) => answer.wait += delay,
        _ => {}
    }
    answer.wait += options.delay;
    answer
}

/// GET /v2/users/{id}
fn read(sandbox: &Sandbox, head: &Parts, id: &str, began: Instant) -> Answer {
    let options = &sandbox.options;
    let id = percent_decode_str(id).decode_utf8_lossy();
    let mut state = sandbox.state.borrow_mut();
    let nth = state.receive_read(&id, options);
    let bearer = credentials(head, "bearer");
    let refused = state
        .authorize(bearer, true, options)
        .or_else(|| state.limit(began, options));
    if let Some(refusal) = refused {
        return refusal;
    }
    let canned = state::canned_name(&id).and_then(|name| answers::canned(name, nth));
    match canned {
        // Its good response is the user, after its wait.
        Some(answer) if !answer.applies => answer,
        Some(answer) => Answer {
            wait: answer.wait,
            ..state.read(&id, began, options)
        },
        None => state.read(&id, began, options),
    }
}

/// POST /oauth/token
fn token(sandbox: &Sandbox, head: &Parts, body: &[u8], entry: &mut Entry<'_>) -> Answer {
    fn refused(status: u16, reason: &str, error: &str) -> Answer {
        Answer::json(status, &json!({"reason": reason, "error": error}))
    }
    let mut state = sandbox.state.borrow_mut();
    state.count().token_requests += 1;

    let is_form = media_type(header(head, CONTENT_TYPE)) == "application/x-www-form-urlencoded";
    let form = if is_form { form(body) } else { Vec::new() };
    let field = |wanted: &str| {
        let found = form.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    entry.note = Some(field("grant_type").to_owned());

    let expected = format!("{}:{}", state::CLIENT_ID, state::CLIENT_SECRET);
    let given = credentials(head, "basic").and_then(|given| BASE64.decode(given).ok());
    if given.as_deref() != Some(expected.as_bytes()) {
        let reason = "Invalid client_id or client_secret";
        return refused(401, reason, "invalid_client");
    }
    if field("grant_type") != "account_credentials" {
        return refused(400, "unsupported grant type", "unsupported_grant_type");
    }
    let account = field("account_id");
    let mut wait = Duration::ZERO;
    if let Some(name) = state::canned_name(account) {
        let nth = state.receive(account, &sandbox.options);
        match answers::canned(name, nth) {
            // Its good response is a token, after its wait.
            Some(answer) if answer.label == "204" => wait = answer.wait,
            Some(answer) => return answer,
            None => return refused(400, "Bad Request", "invalid_grant"),
        }
    } else if account != state::ACCOUNT_ID {
        return refused(400, "Bad Request", "invalid_grant");
    }
    let token = state.new_token(&sandbox.options);
    let answer = Answer::json(
        200,
        &json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": sandbox.options.token_life,
            "scope": sandbox.options.scopes,
            "api_url": sandbox.origin,
        }),
    );
    Answer { wait, ..answer }
}

/// The body of an update.
struct Sent {
    encoding: Encoding,
    media_type: String,
    /// `None` for a body that is not of its type, or has no action.
    action: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Form,
    Json,
    Other,
}

impl Sent {
    fn read(content_type: &str, body: &[u8]) -> Self {
        let media_type = media_type(content_type);
        let (encoding, action) = match media_type.as_str() {
            "multipart/form-data" => (Encoding::Form, form_data_action(content_type, body)),
            "application/json" => (Encoding::Json, json_action(body)),
            _ => (Encoding::Other, None),
        };
        Self {
            encoding,
            media_type,
            action,
        }
    }

    /// For the log: `action=deactivate (form)`.
    fn note(&self) -> String {
        let action = self.action.as_deref().unwrap_or("?").escape_default();
        let encoding = match self.encoding {
            Encoding::Form => "form",
            Encoding::Json => "json",
            Encoding::Other if self.media_type.is_empty() => "no content type",
            Encoding::Other => &self.media_type,
        };
        format!("action={action} ({encoding})")
    }

    fn action(&self, rule: BodyRule) -> Result<Action, Answer> {
        match (self.encoding, rule) {
            (Encoding::Other, _) | (Encoding::Form, BodyRule::Json) => {
                return Err(answers::unsupported_media_type());
            }
            (Encoding::Form, BodyRule::Json400) => return Err(answers::not_a_json_object()),
            (Encoding::Form, BodyRule::JsonBare) => return Err(Answer::http(400, "", "", false)),
            (Encoding::Form, BodyRule::Any) | (Encoding::Json, _) => {}
        }
        match &self.action {
            Some(action) => Action::named(action)
                .ok_or_else(|| Answer::validation_failed("action", "Invalid field.")),
            None if self.encoding == Encoding::Json => Err(answers::not_a_json_object()),
            None => Err(Answer::validation_failed("action", "Field is required.")),
        }
    }
}

fn json_action(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let object = body.as_object()?;
    // An object without a usable action fails validation, later.
    let action = object.get("action").and_then(Value::as_str);
    Some(action.unwrap_or_default().to_owned())
}

/// The value of the part named `action`, of a body that is whole.
fn form_data_action(content_type: &str, body: &[u8]) -> Option<String> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let body = std::str::from_utf8(body).ok()?;
    let delimiter = format!("--{boundary}");
    let (parts, _) = body.split_once(&format!("{delimiter}--"))?;
    parts.split(&delimiter).find_map(|part| {
        let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let named = head.lines().any(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("content-disposition:") && line.contains("; name=\"action\"")
        });
        named.then_some(value.strip_suffix("\r\n")?.to_owned())
    })
}

/// The fields of application/x-www-form-urlencoded.
fn form(body: &[u8]) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    String::from_utf8_lossy(body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn header(head: &Parts, name: hyper::header::HeaderName) -> &str {
    let value = head.headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// What follows the scheme in `Authorization: SCHEME ...`.
fn credentials<'a>(head: &'a Parts, wanted: &str) -> Option<&'a str> {
    let (scheme, credentials) = header(head, AUTHORIZATION).split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then_some(credentials)
}

fn media_type(content_type: &str) -> String {
    let end = content_type.find(';').unwrap_or(content_type.len());
    content_type[..end].trim().to_ascii_lowercase()
}

/// One request in the ledger and the log. Dropped before its end, it says that the caller left.
struct Entry<'a> {
    sandbox: &'a Sandbox,
    began: Instant,
    request: String,
    note: Option<String>,
    is_update: bool,
    ended: bool,
}

impl<'a> Entry<'a> {
    fn begin(sandbox: &'a Sandbox, head: &Parts, began: Instant, is_update: bool) -> Self {
        if is_update {
            let mut state = sandbox.state.borrow_mut();
            let ledger = state.count();
            ledger.requests += 1;
            ledger.in_flight += 1;
            ledger.most_in_flight = ledger.most_in_flight.max(ledger.in_flight);
        }
        Self {
            sandbox,
            began,
            request: format!("{} {}", head.method, head.uri.path()),
            note: None,
            is_update,
            ended: false,
        }
    }

    async fn end(mut self, answer: Answer) -> Result<Response<Body>, Unanswered> {
        if matches!(answer.wire, Wire::Never) {
            std::future::pending::<()>().await;
        }
        if !answer.wait.is_zero() {
            // From the request's arrival on.
            tokio::time::sleep_until((self.began + answer.wait).into()).await;
        }
        self.write(&answer.label, answer.code);
        match answer.wire {
            Wire::Http(http) => {
                let mut state = self.sandbox.state.borrow_mut();
                let mut headers = Vec::new();
                if http.by_zoom {
                    headers.push(("x-zm-trackingid", state.tracking_id()));
                }
                if self.is_update && http.usual_limits && self.sandbox.options.limit_headers {
                    headers.extend(state.limit_headers(&self.sandbox.options));
                }
                Ok(http.response(&headers))
            }
            Wire::Raw { at_once, dripped } => Err(Unanswered { at_once, dripped }),
            Wire::Never => unreachable!("it waits for ever"),
        }
    }

    fn write(&mut self, label: &str, code: Option<i32>) {
        self.ended = true;
        if self.is_update {
            let mut state = self.sandbox.state.borrow_mut();
            let ledger = state.count();
            ledger.in_flight -= 1;
            ledger.rate_refused += u64::from(label == "429");
            *ledger.responses.entry(label.to_owned()).or_default() += 1;
        }
        if self.sandbox.options.quiet {
            return;
        }
        let note = self.note.as_deref().unwrap_or_default();
        let space = if note.is_empty() { "" } else { "  " };
        let code = code.map_or(String::new(), |code| format!("/{code}"));
        let ms = self.began.elapsed().as_millis();
        let request = &self.request;
        let line = format!("{request}{space}{note}  ->  {label}{code}  {ms} ms");
        self.sandbox.log.line(line);
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.write("left", None);
        }
    }
}
