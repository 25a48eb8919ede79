//! What is sent back: Zoom's responses, and those that a test orders by the user ID.
//!
//! `answer-NAME@example.com` gets the response NAME whatever its status is (`answer-NAME+ANYTHING@example.com` too, so
//! that tests can count apart). The same names serve as the account id of a token request: `answer-NAME`.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use serde_json::json;
use std::time::Duration;

pub type Body = Full<Bytes>;

pub struct Answer {
    /// What the log says and the ledger counts: the status, or `cut` and the like.
    pub label: String,
    /// Zoom's own code, for the log.
    pub code: Option<i32>,
    /// The update was carried out.
    pub applies: bool,
    pub wait: Duration,
    pub wire: Wire,
}

pub enum Wire {
    Http(Box<Http>),
    /// Bytes as no HTTP server would send them, `dripped` at one a second; then the connection is closed.
    Raw {
        at_once: Vec<u8>,
        dripped: Vec<u8>,
    },
    Never,
}

pub struct Http {
    status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    /// Carries a tracking id; a gateway in front of Zoom gives none.
    pub by_zoom: bool,
    /// Carries the usual X-RateLimit headers.
    pub usual_limits: bool,
}

const JSON: &str = "application/json;charset=UTF-8";
const TEXT: &str = "text/plain";
const HTML: &str = "text/html";

impl Http {
    pub fn response(self, more: &[(&'static str, String)]) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        if !self.content_type.is_empty() {
            response = response.header("content-type", self.content_type);
        }
        for (name, value) in self.headers.iter().chain(more) {
            response = response.header(*name, value);
        }
        response
            .body(Full::new(self.body))
            .expect("the sandbox's own headers are valid")
    }
}

impl Answer {
    pub fn http(
        status: u16,
        content_type: &'static str,
        body: impl Into<Bytes>,
        applies: bool,
    ) -> Self {
        Self {
            label: status.to_string(),
            code: None,
            applies,
            wait: Duration::ZERO,
            wire: Wire::Http(Box::new(Http {
                status,
                content_type,
                headers: Vec::new(),
                body: body.into(),
                by_zoom: true,
                usual_limits: true,
            })),
        }
    }

    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        let code = value["code"].as_i64().and_then(|code| code.try_into().ok());
        Self {
            code,
            ..Self::http(status, JSON, value.to_string(), false)
        }
    }

    pub fn error(status: u16, code: i32, message: &str) -> Self {
        Self::json(status, &json!({"code": code, "message": message}))
    }

    /// The general refusal, with the fields that are wrong.
    pub fn validation_failed(field: &str, message: &str) -> Self {
        let errors = json!([{"field": field, "message": message}]);
        Self::json(
            400,
            &json!({"code": 300, "message": "Validation Failed.", "errors": errors}),
        )
    }

    pub fn done() -> Self {
        Self::http(204, "", "", true)
    }

    fn raw(label: &str, at_once: impl Into<Vec<u8>>) -> Self {
        Self {
            label: label.to_owned(),
            code: None,
            applies: false,
            wait: Duration::ZERO,
            wire: Wire::Raw {
                at_once: at_once.into(),
                dripped: Vec::new(),
            },
        }
    }

    /// The connection ends without a byte.
    pub fn cut() -> Self {
        Self::raw("cut", "")
    }

    /// The update is carried out, if `applies`, but no response comes.
    pub fn cut_after(applies: bool) -> Self {
        Self {
            applies,
            ..Self::raw("cut-after", "")
        }
    }

    fn drip(at_once: &str, dripped: impl Into<Vec<u8>>) -> Self {
        Self {
            wire: Wire::Raw {
                at_once: at_once.into(),
                dripped: dripped.into(),
            },
            ..Self::raw("drip", "")
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Wire::Http(http) = &mut self.wire {
            http.headers.push((name, value.into()));
        }
        self
    }

    fn without_limits(mut self) -> Self {
        if let Wire::Http(http) = &mut self.wire {
            http.usual_limits = false;
        }
        self
    }

    /// As a gateway in front of Zoom sends it.
    fn by_gateway(mut self) -> Self {
        if let Wire::Http(http) = &mut self.wire {
            http.by_zoom = false;
            http.usual_limits = false;
        }
        self
    }

    /// As in the order's Postman collection: a 204 whose body is two quotes, and refusals without a body.
    /// HTTP has no body in a 204, so it goes out by hand, and the connection ends with it.
    pub fn in_postman_style(self) -> Self {
        let status = match &self.wire {
            Wire::Http(http) => http.status,
            _ => return self,
        };
        match status {
            204 => Self {
                applies: self.applies,
                ..Self::raw(
                    "204",
                    "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
                     Connection: close\r\n\r\n\"\"",
                )
            },
            400 | 404 => Self {
                code: self.code,
                ..Self::http(status, TEXT, "", false)
            },
            _ => self,
        }
    }
}

pub fn unauthorized() -> Answer {
    Answer::error(401, 124, "Invalid access token.")
}

/// Its body is not JSON: Zoom doesn't escape the quotes around the scopes.
pub fn missing_scope(status: u16) -> Answer {
    const BODY: &str = r#"{"code":4711,"message":"Invalid access token, does not contain scopes:["user:update:status:admin","user:write:admin"]."}"#;
    Answer {
        code: Some(4711),
        ..Answer::http(status, JSON, BODY, false)
    }
}

pub fn missing_read_scope(status: u16) -> Answer {
    const BODY: &str = r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[user:read:user,user:read:user:admin]."}"#;
    Answer {
        code: Some(4711),
        ..Answer::http(status, JSON, BODY, false)
    }
}

/// What Zoom says of a user.
pub fn user(id: &str, status: &str, role_id: &str, role: &str) -> Answer {
    let name = id.split_once('@').map_or(id, |(name, _)| name);
    Answer::json(
        200,
        &json!({
            "id": format!("id-of-{name}"), "email": id, "first_name": name, "last_name": "Example",
            "display_name": format!("{name} Example"), "type": 2, "status": status,
            "role_id": role_id, "role_name": role, "dept": "Sandbox",
            "last_login_time": "2026-11-20T08:15:00Z", "created_at": "2024-01-02T03:04:05Z",
        }),
    )
}

pub fn not_a_json_object() -> Answer {
    Answer::error(400, 300, "Request Body should be a valid JSON object.")
}

pub fn unsupported_media_type() -> Answer {
    Answer::json(415, &json!({"message": "Unsupported Media Type"}))
}

pub fn no_such_user(id: &str) -> Answer {
    Answer::error(404, 1001, &format!("User does not exist: {id}."))
}

pub fn protected_user() -> Answer {
    let message = "Zoom Room and Admin users' status cannot be activated or deactivated.";
    Answer::error(400, 200, message)
}

pub fn upcoming_event() -> Answer {
    let message = "You cannot deactivate this user because the user has an upcoming Zoom Events event scheduled.";
    Answer::error(400, 300, message)
}

pub fn seats_taken() -> Answer {
    let message = "Your request to activate the user was not approved at this time because your account has reached \
                   the permitted maximum number of 50 \"Basic\" users. Remove the existing \"Basic\" user(s) from \
                   your \"Users\" list or the \"Pending Users\" list before attempting to activate this user.";
    Answer::error(400, 3412, message)
}

pub fn basic_limit() -> Answer {
    let message = "Your request to activate the \"Basic\" user was not approved because you have already reached the \
                   maximum \"Basic\" user limit allowed in your account. For additional help regarding this issue, \
                   contact the Zoom Customer Support team.";
    Answer::error(400, 2033, message)
}

/// `limit`: what the headers say; without it there are none, as is also seen of Zoom.
pub fn too_many_a_second(limit: Option<usize>) -> Answer {
    let message =
        "You have reached the maximum per-second rate limit for this API. Try again later.";
    let answer = Answer::error(429, 429, message).without_limits();
    match limit {
        Some(limit) => answer
            .with("x-ratelimit-category", "Light")
            .with("x-ratelimit-type", "QPS")
            .with("x-ratelimit-limit", limit.to_string())
            .with("x-ratelimit-remaining", "0"),
        None => answer,
    }
}

pub fn too_many_a_day(limit: Option<u64>) -> Answer {
    let message = "You have reached the maximum daily rate limit for this API. Refer to the response header for \
                   details on when you can make another request.";
    let answer = Answer::error(429, 429, message).without_limits();
    match limit {
        Some(limit) => answer
            .with("x-ratelimit-category", "Light")
            .with("x-ratelimit-type", "Daily-limit")
            .with("x-ratelimit-limit", limit.to_string())
            .with("x-ratelimit-remaining", "0")
            .with("retry-after", next_midnight()),
        None => answer,
    }
}

/// When a daily limit ends, as Zoom writes it: `2020-05-31T00:00:00Z`.
fn next_midnight() -> String {
    const DAY: i64 = 86_400;
    let midnight = (jiff::Timestamp::now().as_second() / DAY + 1) * DAY;
    let midnight = jiff::Timestamp::from_second(midnight).expect("a time in this age");
    midnight.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn unavailable() -> Answer {
    Answer::http(503, "", "", false).by_gateway()
}

/// The response called `name`, for the `nth` request (from 0) that orders it.
pub fn canned(name: &str, nth: u64) -> Option<Answer> {
    const INVALID_KEY: &str = "Invalid api key or secret.";
    const NO_SCOPE: &str = "Invalid access token, does not contain scopes:[user:write:admin].";
    Some(match name {
        "200-empty" => Answer::http(200, TEXT, "", true),
        "200-braces" => Answer::http(200, JSON, "{}", true),
        "200-quotes" => Answer::http(200, JSON, "\"\"", true),
        "200-text" => Answer::http(200, TEXT, "OK", true),
        // A failure in spite of its status.
        "200-code" => Answer::error(200, 1001, "User does not exist."),
        "204" => Answer::done(),
        // Then the connection is closed, and nothing said so before.
        "204-closing" => Answer {
            applies: true,
            ..Answer::raw("204", "HTTP/1.1 204 No Content\r\n\r\n")
        },
        "300" => Answer::validation_failed("action", "Invalid field."),
        "1010" => Answer::error(400, 1010, "User does not belong to this account."),
        "1120" => Answer::error(400, 1120, "Invitation to this user was not found."),
        "200-credentials" => Answer::error(400, 200, INVALID_KEY),
        "401-124" => unauthorized(),
        "400-124" => Answer::error(400, 124, "Invalid access token."),
        "401-expired" => Answer::error(401, 401, "Access token is expired."),
        "4711" => missing_scope(400),
        "104" => Answer::error(400, 104, NO_SCOPE),
        "403" => Answer::error(403, 403, "No permission to change this user."),
        "429-qps" => too_many_a_second(Some(80)),
        "429-daily" => too_many_a_day(Some(6000)),
        "429-bare-qps" => too_many_a_second(None),
        "429-bare-daily" => too_many_a_day(None),
        "500" => Answer::error(500, 500, "Internal server error."),
        "502-html" => Answer::http(502, HTML, gateway_page("502 Bad Gateway"), false).by_gateway(),
        "503" => unavailable(),
        "504" => Answer::http(504, HTML, gateway_page("504 Gateway Time-out"), false).by_gateway(),
        "html" => Answer::http(200, HTML, gateway_page("Sign in"), false).by_gateway(),
        "redirect" => Answer::http(302, "", "", false)
            .by_gateway()
            .with("location", "/v2/moved"),
        "cut" => Answer::cut(),
        "cut-body" => Answer::raw("cut-body", CUT_BODY),
        "big" => Answer::http(200, JSON, big_body(), false),
        "garbage" => Answer::raw("garbage", "\x16\x03\x01 220 This is not HTTP.\r\n\r\n"),
        "drip" => Answer::drip("", "HTTP/1.1 204 No Content\r\n\r\n"),
        "drip-body" => Answer::drip(
            "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n",
            " ".repeat(600),
        ),
        "never" => Answer {
            label: "never".to_owned(),
            wire: Wire::Never,
            ..Answer::cut()
        },
        _ => return canned_with_number(name, nth),
    })
}

/// `slow-MS`, `retry-after-N` and `WHAT-then-ok-N`.
fn canned_with_number(name: &str, nth: u64) -> Option<Answer> {
    let (what, number) = name.rsplit_once('-')?;
    let number: u64 = number.parse().ok()?;
    // N failures, a success, and from the start again, so that a test can run twice.
    let fails = nth % number.checked_add(1)? < number;
    Some(match what {
        "slow" => Answer {
            wait: Duration::from_millis(number),
            ..Answer::done()
        },
        // Once, then done.
        "retry-after" if nth.is_multiple_of(2) => {
            unavailable().with("retry-after", number.to_string())
        }
        "retry-after" => Answer::done(),
        "503-then-ok" if fails => unavailable(),
        "429-then-ok" if fails => too_many_a_second(Some(80)),
        "cut-then-ok" if fails => Answer::cut(),
        "503-then-ok" | "429-then-ok" | "cut-then-ok" => Answer::done(),
        _ => return None,
    })
}

const CUT_BODY: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"code\":12";

fn gateway_page(title: &str) -> String {
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// 2 MiB of JSON.
fn big_body() -> String {
    const SIZE: usize = 2 * 1024 * 1024;
    const AROUND: &str = r#"{"padding":""}"#;
    format!(r#"{{"padding":"{}"}}"#, "x".repeat(SIZE - AROUND.len()))
}
