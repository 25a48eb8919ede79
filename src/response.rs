//! What a response means: to `PUT /users/{userId}/status`, and to `GET /users/{userId}`.

use serde_json::Value;
use ureq::http::HeaderMap;

use crate::body::{Body, Format, one_line};
use crate::code::Code;
use crate::http::{Response, header_text};
use crate::outcome::{Delivery, FatalForBatch, Outcome, UserStatus};
use crate::retry::retry_after;

/// The granular scope; the classic user:write:admin and user:read:admin cover it.
const READ_SCOPE: &str = "user:read:user:admin";
/// A limit that lasts longer than this many seconds ends a batch; a shorter one is waited for.
const LIMIT_WAITED_FOR: i64 = 60;
/// The longest part of a redirect's target that is shown, in characters.
const LOCATION_MOST: usize = 200;

/// What a response means. `endpoint_is_known`: a user of this client got a response that only this endpoint gives (see
/// [`Outcome::is_about_the_user`]); then a 404 without a Zoom code isn't the URL's fault.
pub(crate) fn read(response: Response, endpoint_is_known: bool) -> Outcome {
    let Response {
        status,
        headers,
        body: bytes,
    } = response;
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
            // A server that failed may have applied the update, and so may the server behind the gateway that sent
            // this.
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

/// What a response to a read means. Only JSON with a status says what the user is.
pub(crate) fn read_user(response: Response, endpoint_is_known: bool) -> Outcome {
    let mut outcome = read(response, endpoint_is_known);
    match outcome.code {
        Code::Ok => match user_status(&outcome.body) {
            Some(status) => outcome.user_status = status,
            None => {
                outcome.code = Code::Protocol;
                outcome.message = format!(
                    "{} (HTTP {}): it has no status of a user",
                    outcome.code.text(),
                    outcome.http_status
                );
            }
        },
        // These say why a status can't be changed.
        Code::UserProtected => outcome.code = Code::Forbidden,
        Code::UserBusy | Code::UserLimit => outcome.code = Code::Rejected,
        _ => {}
    }
    if outcome.code == Code::Forbidden && !outcome.message.contains(READ_SCOPE) {
        outcome.message = format!("{} (reading needs the scope {READ_SCOPE})", outcome.message);
    }
    outcome
}

fn user_status(body: &[u8]) -> Option<UserStatus> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(match body.get("status")?.as_str()? {
        "active" => UserStatus::Active,
        "inactive" => UserStatus::Inactive,
        "pending" => UserStatus::Pending,
        _ => UserStatus::Unknown,
    })
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
        // Other calls use this code for groups and invitations.
        1010 | 1120 if message.has("user") => Code::UserNotFound,
        200 => not_allowed(status, &message),
        300 if message.has("zoom events") => Code::UserBusy,
        2033 | 2034 | 2038 | 3412 => Code::UserLimit,
        124 => Code::Unauthorized,
        104 | 201 | 4700 | 4711 | 5411 => Code::Forbidden,
        429 => limit(),
        2300 if !endpoint_is_known => Code::Endpoint,
        404 if status == 404 && !endpoint_is_known => Code::Endpoint,
        0 => without_code(status, body.format, endpoint_is_known),
        _ => match status {
            401 => Code::Unauthorized,
            403 => Code::Forbidden,
            _ => Code::Rejected,
        },
    }
}

/// Nobody would notice a false success, so a 2xx that also says something else is a failure.
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

/// A failure without a Zoom code: from Zoom, or from a gateway before it.
fn without_code(status: u16, format: Format, endpoint_is_known: bool) -> Code {
    match (status, format) {
        (404, _) if !endpoint_is_known => Code::Endpoint,
        (_, Format::Html) => Code::Protocol,
        // The guest network's welcome; "error code: 1020" of the CDN.
        (200..300, Format::Text) | (403, Format::Text | Format::Xml) => Code::Protocol,
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

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::HeaderName;

    fn read_with(status: u16, headers: &[(&str, &str)], body: &str, known: bool) -> Outcome {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                name.parse::<HeaderName>().unwrap(),
                value.parse().expect(value),
            );
        }
        let received = Response {
            status,
            headers: map,
            body: body.into(),
        };
        read(received, known)
    }

    fn zoom(status: u16, code: i32, message: &str) -> Outcome {
        let body = serde_json::json!({ "code": code, "message": message });
        read_with(status, &[], &body.to_string(), false)
    }

    /// Each row of Zoom's documentation, as JSON and as XML.
    #[test]
    fn what_the_users_api_documents() {
        let rows = include_str!("../tests/data/users-errors.tsv");
        let rows = rows.lines().filter(|line| !line.starts_with('#')).skip(1);
        let mut count = 0;
        for row in rows {
            let [status, code, expected, message, _] =
                row.split('\t').collect::<Vec<_>>().try_into().expect(row);
            let (status, code): (u16, i32) = (status.parse().unwrap(), code.parse().unwrap());
            let escaped = message.replace('&', "&amp;").replace('<', "&lt;");
            let xml = format!("<result><code>{code}</code><message>{escaped}</message></result>");
            let xml = read_with(status, &[], &xml, false);
            for outcome in [zoom(status, code, message), xml] {
                let name = outcome.code.name().trim_start_matches("ZUS_ERR_");
                assert_eq!(name, expected, "{row}");
                assert_eq!(outcome.zoom_code, code);
                assert!(
                    outcome.message.ends_with(message),
                    "{row}: {}",
                    outcome.message
                );
                assert_eq!(outcome.delivery, Delivery::Responded);
            }
            count += 1;
        }
        assert_eq!(count, 153);
    }

    #[test]
    fn a_read_is_done_only_with_a_status() {
        let read = |status, body: &str| {
            let headers = HeaderMap::new();
            let body = body.into();
            let response = Response {
                status,
                headers,
                body,
            };
            read_user(response, false)
        };
        for (body, code, status) in [
            (r#"{"status":"active"}"#, Code::Ok, UserStatus::Active),
            (r#"{"status":"inactive"}"#, Code::Ok, UserStatus::Inactive),
            (r#"{"status":"pending"}"#, Code::Ok, UserStatus::Pending),
            (r#"{"status":"asleep"}"#, Code::Ok, UserStatus::Unknown),
            (r#"{"status":1}"#, Code::Protocol, UserStatus::Unknown),
            (r#"{"id":"x"}"#, Code::Protocol, UserStatus::Unknown),
            ("", Code::Protocol, UserStatus::Unknown),
            ("[]", Code::Protocol, UserStatus::Unknown),
            ("Welcome", Code::Protocol, UserStatus::Unknown),
        ] {
            let outcome = read(200, body);
            assert_eq!(
                (outcome.code, outcome.user_status),
                (code, status),
                "{body}"
            );
        }
        let scope =
            r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[x]."}"#;
        let scope = read(400, scope);
        assert_eq!(scope.code, Code::Forbidden);
        assert!(scope.message.contains(READ_SCOPE), "{}", scope.message);
        let gone = read(404, r#"{"code":1001,"message":"User does not exist"}"#);
        assert_eq!(gone.code, Code::UserNotFound);
        assert_eq!(
            read(400, r#"{"code":200,"message":"?"}"#).code,
            Code::Forbidden
        );
    }

    #[test]
    fn codes_with_several_meanings() {
        use Code::*;
        use FatalForBatch::{No, Suspected, Yes};
        for (status, code, message, expected, fatal) in [
            (
                400,
                200,
                "Zoom Room and Admin users' status cannot be activated or deactivated.",
                UserProtected,
                No,
            ),
            (400, 200, "ステータスを変更できません", UserProtected, No),
            (400, 200, "", UserProtected, No),
            (400, 200, "No permission.", Forbidden, Suspected),
            (
                400,
                200,
                "No permission to change this user.",
                Forbidden,
                Suspected,
            ),
            (400, 200, "No privilege.", Forbidden, Suspected),
            (
                400,
                200,
                "Does not contain permissions [User:Edit].",
                Forbidden,
                Suspected,
            ),
            (
                400,
                200,
                "Only available for Paid account, 7.",
                Forbidden,
                Yes,
            ),
            (
                400,
                200,
                "Invalid access token, does not contain scopes:[user:write].",
                Forbidden,
                Yes,
            ),
            (400, 200, "Invalid api key or secret.", Unauthorized, Yes),
            (401, 200, "ungültig", Unauthorized, Yes),
            (403, 200, "verboten", Forbidden, Suspected),
            (
                400,
                300,
                "You cannot deactivate this user because the user has an upcoming Zoom Events scheduled.",
                UserBusy,
                No,
            ),
            (
                400,
                300,
                "Dieser Benutzer hat eine bevorstehende Zoom Events Veranstaltung.",
                UserBusy,
                No,
            ),
            (
                400,
                300,
                "Dieser Benutzer hat eine Veranstaltung.",
                Rejected,
                No,
            ),
            (400, 300, "Validation Failed.", Rejected, No),
            (400, 300, "", Rejected, No),
            (400, 1010, "User not found.", UserNotFound, No),
            (400, 1010, "", Rejected, No),
            (400, 1120, "Invitation not found.", Rejected, No),
            (401, 4711, "does not contain scopes", Forbidden, Yes),
            (400, 104, "", Forbidden, Yes),
            (400, 201, "", Forbidden, Yes),
            (400, 4700, "", Forbidden, Yes),
            (400, 5411, "", Forbidden, Suspected),
            (403, 403, "No permission.", Forbidden, Suspected),
            (400, 124, "", Unauthorized, Yes),
            (401, 31337, "", Unauthorized, Yes),
            (400, 429, "", RateLimited, No),
            (
                400,
                2300,
                "This API endpoint is not recognized.",
                Endpoint,
                Yes,
            ),
            (404, 404, "no Route matched", Endpoint, Yes),
            (400, 404, "no", Rejected, No),
            (400, 9999, "", Rejected, No),
        ] {
            let outcome = zoom(status, code, message);
            let row = format!("{status} {code} {message}: {}", outcome.message);
            assert_eq!((outcome.code, outcome.fatal), (expected, fatal), "{row}");
            // HTTP 2xx with an error in it is the same error.
            let success = zoom(200, code, message);
            assert_ne!(success.code, Ok, "{row}");
        }
    }

    #[test]
    fn responses_without_a_zoom_code() {
        use Code::*;
        const PAGE: &str = "<html><title>Sign in</title></html>";
        const WELCOME: &str = "Welcome to the guest network";
        for (status, body, code, message) in [
            (204, "", Ok, ""),
            (200, " \n", Ok, ""),
            (204, "\"\"", Ok, ""),
            (299, r#"{"code":0,"message":"done"}"#, Ok, ""),
            (
                200,
                WELCOME,
                Protocol,
                "(HTTP 200): Welcome to the guest network",
            ),
            (200, "OK", Protocol, "OK"),
            (
                200,
                PAGE,
                Protocol,
                r#"an HTML page, as a gateway or a proxy sends it: "Sign in""#,
            ),
            (200, "<result/>", Protocol, "HTML"),
            (200, r#"{"message":"no"}"#, Rejected, "no"),
            (200, r#"{"x":"a"b"}"#, Protocol, r#"{"x":"a"b"}"#),
            (
                200,
                "<result><message>no</message></result>",
                Rejected,
                "no",
            ),
            (199, "", Protocol, "(HTTP 199)"),
            (
                302,
                PAGE,
                Protocol,
                r#"a redirect to "/a b", which is not followed"#,
            ),
            (400, "", Rejected, "(HTTP 400)"),
            (400, "Bad request", Rejected, "(HTTP 400): Bad request"),
            (400, PAGE, Protocol, "HTML"),
            (401, "", Unauthorized, ""),
            (401, "Unauthorized", Unauthorized, "Unauthorized"),
            (401, PAGE, Protocol, "HTML"),
            (
                403,
                "error code: 1020",
                Protocol,
                "(HTTP 403): error code: 1020",
            ),
            (403, "Blocked.\nRay ID 7", Protocol, "Blocked."),
            (403, PAGE, Protocol, "Sign in"),
            (403, "", Forbidden, ""),
            (403, r#"{"message":"no"}"#, Forbidden, "no"),
            (404, "", Endpoint, "check the API URL (HTTP 404)"),
            (
                404,
                PAGE,
                Endpoint,
                "check the API URL (HTTP 404): an HTML page",
            ),
            (404, "404 page not found", Endpoint, "404 page not found"),
            (
                404,
                r#"{"message":"no Route matched"}"#,
                Endpoint,
                "no Route matched",
            ),
            (407, PAGE, Proxy, "HTML"),
            (408, "", Server, ""),
            (409, "", Rejected, ""),
            (
                500,
                r#"{"code":1001,"message":"x"}"#,
                Server,
                "Zoom code 1001): x",
            ),
            (520, "error code: 520", Server, "error code: 520"),
            (501, "", Server, ""),
        ] {
            let outcome = read_with(status, &[("location", "/a  b")], body, false);
            let row = format!("{status} {body}: {}", outcome.message);
            assert_eq!(outcome.code, code, "{row}");
            assert!(outcome.message.contains(message), "{row}");
            assert_eq!(outcome.message.is_empty(), code == Ok, "{row}");
            let delivery = match code {
                Server | Protocol => Delivery::Unknown,
                Proxy => Delivery::NotSent,
                _ => Delivery::Responded,
            };
            assert_eq!(outcome.delivery, delivery, "{row}");
            assert_eq!(outcome.body, body.as_bytes());
        }
    }

    #[test]
    fn a_known_endpoint_is_not_doubted() {
        for (status, body, code) in [
            (404, "", Code::Rejected),
            (404, r#"{"message":"no Route matched"}"#, Code::Rejected),
            (404, "<html></html>", Code::Protocol),
            (404, r#"{"code":1001}"#, Code::UserNotFound),
            (400, r#"{"code":2300}"#, Code::Rejected),
        ] {
            let outcome = read_with(status, &[], body, true);
            assert_eq!(
                (outcome.code, outcome.fatal),
                (code, FatalForBatch::No),
                "{body}"
            );
        }
    }

    #[test]
    fn limits() {
        use Code::*;
        const QPS: &str =
            "You have reached the maximum per-second rate limit for this API. Try again later.";
        const DAILY: &str = "You have reached the maximum daily rate limit for this API.";
        for (status, headers, message, code) in [
            (429, &[][..], "", RateLimited),
            (429, &[], QPS, RateLimited),
            (429, &[], DAILY, DailyLimit),
            (429, &[("x-ratelimit-type", "QPS")], DAILY, RateLimited),
            (429, &[("x-ratelimit-type", "Daily-limit")], QPS, DailyLimit),
            (429, &[("retry-after", "60")], QPS, RateLimited),
            (429, &[("retry-after", "61")], QPS, DailyLimit),
            (
                429,
                &[("retry-after", "3600"), ("x-ratelimit-type", "QPS")],
                QPS,
                DailyLimit,
            ),
            (
                429,
                &[("retry-after", "2999-01-01T00:00:00Z")],
                "",
                DailyLimit,
            ),
            (
                429,
                &[("retry-after", "1999-01-01T00:00:00Z")],
                "",
                RateLimited,
            ),
            (
                403,
                &[],
                "You have reached the maximum number of API requests.",
                RateLimited,
            ),
            (
                403,
                &[],
                "Maximum API requests reached for today, the daily limit.",
                DailyLimit,
            ),
            (
                403,
                &[("retry-after", "600")],
                "API rate limit exceeded",
                DailyLimit,
            ),
            (403, &[], "No permission.", Forbidden),
        ] {
            let json = serde_json::json!({ "code": status, "message": message }).to_string();
            let outcome = read_with(status, headers, &json, false);
            assert_eq!(outcome.code, code, "{headers:?} {message}");
            let fatal = outcome.fatal == FatalForBatch::Yes;
            assert_eq!(fatal, code == DailyLimit, "{headers:?} {message}");
        }
    }

    #[test]
    fn when_the_form_is_sent_again_as_json() {
        let json = |code: i32, message: &str| format!(r#"{{"code":{code},"message":"{message}"}}"#);
        for (status, body, expected) in [
            (400, String::new(), true),
            (415, String::new(), true),
            (422, String::new(), true),
            (400, "Bad Request".into(), true),
            (415, "<html></html>".into(), true),
            (415, r#"{"message":"Unsupported Media Type"}"#.into(), true),
            (422, r#"{"detail":[{"msg":"field required"}]}"#.into(), true),
            (
                400,
                json(300, "Request Body should be a valid JSON object."),
                true,
            ),
            (400, json(300, "Unsupported Content Type"), true),
            (400, json(300, "Missing parameters: action."), true),
            (400, json(300, "Invalid parameter: action."), true),
            (400, json(300, "Validation Failed."), true),
            (
                400,
                "<result><code>300</code><message>Validation Failed.</message></result>".into(),
                true,
            ),
            (400, json(9999, "new"), true),
            (
                500,
                json(
                    500,
                    "Content type 'multipart/form-data;boundary=-' not supported",
                ),
                true,
            ),
            (500, "Unsupported Media Type".into(), true),
            (500, json(500, "Internal server error."), false),
            (502, json(502, "Content type"), false),
            (400, json(300, "an upcoming Zoom Events scheduled"), false),
            (400, json(200, ""), false),
            (400, json(1001, ""), false),
            (400, json(1010, "User not found"), false),
            (400, json(3412, ""), false),
            (400, json(124, ""), false),
            (400, json(4711, ""), false),
            (400, json(429, ""), false),
            (400, json(2300, ""), false),
            (401, String::new(), false),
            (403, String::new(), false),
            (404, String::new(), false),
            (405, String::new(), false),
            (413, String::new(), false),
            (200, json(300, "Unsupported Content Type"), false),
            (204, String::new(), false),
        ] {
            let outcome = read_with(status, &[], &body, false);
            assert_eq!(outcome.needs_json(), expected, "{status} {body}");
        }
    }

    /// The rule that nothing else may break.
    #[test]
    fn only_a_2xx_without_an_error_is_ok() {
        for status in 100..=999 {
            for body in ["", "{}", "\"\"", "OK", "<html>", r#"{"code":1}"#] {
                let ok = (200..300).contains(&status) && ["", "{}", "\"\""].contains(&body);
                let outcome = read_with(status, &[], body, false);
                assert_eq!(outcome.ok(), ok, "{status} {body}");
            }
        }
    }
}
