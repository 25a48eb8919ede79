//! The wire: method, path, headers and bodies of the one request that we make.

use std::sync::atomic::{AtomicBool, Ordering};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use ureq::http::uri::PathAndQuery;
use ureq::http::{HeaderMap, HeaderValue, Method, Request, Uri};

use crate::code::{Code, Error};
use crate::url::Url;

// The parts' content is ours, so one boundary fits all. The part is the one that curl sends.
macro_rules! boundary {
    () => {
        "------------------------d6f1bd1f0ad4ec87"
    };
}
macro_rules! form {
    ($action:literal) => {
        concat!(
            "--",
            boundary!(),
            "\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\n",
            $action,
            "\r\n--",
            boundary!(),
            "--\r\n"
        )
    };
}
/// What to do with the user. The words are Zoom's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Action {
    /// Let a deactivated user log in again. Licences are not said to come back.
    Activate = 1,
    /// Block the login and remove all licences.
    Deactivate = 2,
    /// Clock the user in.
    ClockIn = 3,
    /// Clock the user out.
    ClockOut = 4,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 4] = [
        Action::Activate,
        Action::Deactivate,
        Action::ClockIn,
        Action::ClockOut,
    ];

    /// The action with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Action> {
        Action::ALL.into_iter().find(|a| *a as i32 == number)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Activate => "activate",
            Action::Deactivate => "deactivate",
            Action::ClockIn => "clock_in",
            Action::ClockOut => "clock_out",
        }
    }

    fn form(self) -> &'static str {
        match self {
            Action::Activate => form!("activate"),
            Action::Deactivate => form!("deactivate"),
            Action::ClockIn => form!("clock_in"),
            Action::ClockOut => form!("clock_out"),
        }
    }

    fn json(self) -> &'static str {
        match self {
            Action::Activate => r#"{"action":"activate"}"#,
            Action::Deactivate => r#"{"action":"deactivate"}"#,
            Action::ClockIn => r#"{"action":"clock_in"}"#,
            Action::ClockOut => r#"{"action":"clock_out"}"#,
        }
    }
}

/// How `action` travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Encoding {
    /// multipart/form-data; where the server refuses that encoding, JSON from then on.
    Form = 0,
    /// application/json
    Json = 1,
}

impl Encoding {
    /// The body with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Encoding> {
        [Encoding::Form, Encoding::Json]
            .into_iter()
            .find(|b| *b as i32 == number)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Form => "form",
            Encoding::Json => "JSON",
        }
    }
}

const FORM: &str = concat!("multipart/form-data; boundary=", boundary!());

/// What stays of a user id in a path segment; everything else is percent-encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// The longest user id, in bytes of UTF-8.
const USER_ID_MOST: usize = 1024;

/// Whether `user_id` can be sent. Blanks around it are the commonest cause of "user does not exist".
pub(crate) fn check_user_id(user_id: &str) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::new(Code::Argument, what));
    // Nearly all are plain ASCII, where there is little to look for.
    let plain = user_id.bytes().all(|b| b.is_ascii_graphic());
    if user_id.is_empty() {
        wrong("the user id is empty".into())
    } else if user_id.len() > USER_ID_MOST {
        wrong(format!(
            "the user id is longer than {USER_ID_MOST} bytes: {:.40}...",
            user_id
        ))
    } else if !plain && user_id.contains(char::is_control) {
        wrong(format!("the user id has a control character: {user_id:?}"))
    } else if !plain && user_id.trim() != user_id {
        wrong(format!(
            "the user id begins or ends with a blank: {user_id:?}"
        ))
    } else if user_id == "." || user_id == ".." {
        wrong(format!("the user id cannot be {user_id:?}"))
    } else {
        Ok(())
    }
}

/// Makes requests. What doesn't depend on the user is made once: for a client, or for a token.
pub(crate) struct Requests {
    api: Url,
    /// `/v2/users/`
    users: String,
    host: HeaderValue,
    user_agent: HeaderValue,
    use_json: AtomicBool,
}

/// The headers that go with a token, for each action and body.
pub(crate) struct Headers([[HeaderMap; Action::ALL.len()]; 2]);

impl Requests {
    pub fn new(api: &Url, user_agent: &HeaderValue, encoding: Encoding) -> Requests {
        let host = api.authority().as_str();
        Requests {
            api: api.clone(),
            users: format!("{}/users/", api.path()),
            host: HeaderValue::from_str(host).expect("a host is a header value"),
            user_agent: user_agent.clone(),
            use_json: AtomicBool::new(encoding == Encoding::Json),
        }
    }

    /// The encoding in use.
    pub fn encoding(&self) -> Encoding {
        if self.use_json.load(Ordering::Relaxed) {
            Encoding::Json
        } else {
            Encoding::Form
        }
    }

    /// The server takes JSON only: stay with it.
    pub fn stay_with_json(&self) {
        self.use_json.store(true, Ordering::Relaxed);
    }

    /// `{base}/users/{userId}/status`
    pub fn uri(&self, user_id: &str) -> Uri {
        const STATUS: &str = "/status";
        // The exact size, where nothing is encoded, spares a reallocation.
        let mut path = String::with_capacity(self.users.len() + user_id.len() + STATUS.len());
        path.push_str(&self.users);
        path.extend(utf8_percent_encode(user_id, SEGMENT));
        path.push_str(STATUS);
        let path = PathAndQuery::try_from(path).expect("a percent-encoded path is a path");
        self.api.with_path(path)
    }

    /// What every request with this token carries.
    pub fn headers(&self, authorization: &HeaderValue) -> Headers {
        let headers = |content_type: &'static str, content: fn(Action) -> &'static str| {
            Action::ALL.map(|action| {
                let mut headers = HeaderMap::with_capacity(8);
                // With host and length given, ureq has none to work out.
                headers.insert(HOST, self.host.clone());
                headers.insert(AUTHORIZATION, authorization.clone());
                headers.insert(USER_AGENT, self.user_agent.clone());
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                headers.insert(CONTENT_LENGTH, content(action).len().into());
                headers
            })
        };
        Headers([
            headers(FORM, Action::form),
            headers("application/json", Action::json),
        ])
    }

    /// One request, ready to send.
    pub fn update_status(
        &self,
        uri: &Uri,
        action: Action,
        encoding: Encoding,
        headers: &Headers,
    ) -> Request<&'static str> {
        let mut request = Request::new(match encoding {
            Encoding::Form => action.form(),
            Encoding::Json => action.json(),
        });
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.0[encoding as usize][action as usize - 1].clone();
        request
    }
}
