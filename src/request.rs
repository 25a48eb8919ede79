//! The wire: method, path, headers and bodies of the one request that we make.

use std::sync::atomic::{AtomicBool, Ordering};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use ureq::http::uri::PathAndQuery;
use ureq::http::{HeaderMap, HeaderValue, Method, Request, Uri};

use crate::code::Error;
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
    /// Lets a deactivated user log in again. Zoom does not say that the licenses come back.
    Activate = 1,
    /// Blocks the login and removes all licenses.
    Deactivate = 2,
    /// Clocks the user in.
    ClockIn = 3,
    /// Clocks the user out.
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

    /// Returns the action with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Action> {
        Action::ALL.into_iter().find(|a| *a as i32 == number)
    }

    /// Returns the word on the wire.
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

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `PUT {base}/users/{userId}/status`
    Update(Action),
    /// `GET {base}/users/{userId}`
    Read,
}

impl Operation {
    /// The word for it in log lines.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Update(action) => action.as_str(),
            Operation::Read => "read",
        }
    }

    pub fn method(self) -> Method {
        match self {
            Operation::Update(_) => Method::PUT,
            Operation::Read => Method::GET,
        }
    }
}

/// The encoding of the request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Encoding {
    /// multipart/form-data; where the server does not understand it, JSON from then on.
    Form = 0,
    /// application/json
    Json = 1,
}

impl Encoding {
    /// Returns the encoding with this number, if there is one.
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

const JSON: &str = "application/json";
const FORM: &str = concat!("multipart/form-data; boundary=", boundary!());

/// The characters of a user ID that a path segment keeps; all others are percent-encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// The longest user ID, in bytes of UTF-8.
const USER_ID_MOST: usize = 1024;

/// Checks whether `user_id` can be sent. Leading or trailing whitespace is the most common cause of "user does not
/// exist". An invisible character makes it another ID, and the response to that looks as if the user were gone
/// already.
pub(crate) fn check_user_id(user_id: &str) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::argument(what));
    if user_id.is_empty() {
        return wrong("the user ID is empty".into());
    }
    if user_id.len() > USER_ID_MOST {
        return wrong(format!(
            "the user ID is longer than {USER_ID_MOST} bytes: {user_id:.40}..."
        ));
    }
    if user_id == "." || user_id == ".." {
        return wrong(format!("the user ID cannot be {user_id:?}"));
    }
    // Nearly all are visible ASCII, where there is nothing to look for.
    if user_id.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let bad = user_id.chars().find_map(|c| Some((c, unsendable(c)?)));
    if let Some((c, kind)) = bad {
        let number = u32::from(c);
        return wrong(format!(
            "the user ID has the {kind} U+{number:04X}, remove it: {user_id:?}"
        ));
    }
    let place = match (user_id.starts_with(' '), user_id.ends_with(' ')) {
        (false, false) => return Ok(()),
        (true, _) => "leading",
        (false, true) => "trailing",
    };
    wrong(format!("the user ID has {place} whitespace: {user_id:?}"))
}

/// The kind of a character that no user ID has.
fn unsendable(c: char) -> Option<&'static str> {
    if c.is_control() {
        Some("control character")
    } else if is_format(c) {
        Some("invisible character")
    } else if c != ' ' && c.is_whitespace() {
        Some("whitespace character")
    } else {
        None
    }
}

/// Unicode's category Cf, as of Unicode 16.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}'
    )
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

/// The headers that go with a token: for each encoding and action, and for reading.
pub(crate) struct Headers {
    update: [[HeaderMap; Action::ALL.len()]; 2],
    read: HeaderMap,
}

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

    pub fn uri(&self, user_id: &str, operation: Operation) -> Uri {
        let end = match operation {
            Operation::Update(_) => "/status",
            Operation::Read => "",
        };
        // The exact size, where nothing is encoded, spares a reallocation.
        let mut path = String::with_capacity(self.users.len() + user_id.len() + end.len());
        path.push_str(&self.users);
        path.extend(utf8_percent_encode(user_id, SEGMENT));
        path.push_str(end);
        let path = PathAndQuery::try_from(path).expect("a percent-encoded path is a path");
        self.api.with_path(path)
    }

    /// What every request with this token carries.
    pub fn headers(&self, authorization: &HeaderValue) -> Headers {
        let mut read = HeaderMap::with_capacity(8);
        // With these two set, ureq-proto doesn't have to find them out.
        read.insert(HOST, self.host.clone());
        read.insert(AUTHORIZATION, authorization.clone());
        read.insert(USER_AGENT, self.user_agent.clone());
        // Without it, Zoom may send errors as XML.
        read.insert(ACCEPT, HeaderValue::from_static(JSON));
        let update = |content_type: &'static str, content: fn(Action) -> &'static str| {
            Action::ALL.map(|action| {
                let mut headers = read.clone();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                headers.insert(CONTENT_LENGTH, content(action).len().into());
                headers
            })
        };
        Headers {
            update: [update(FORM, Action::form), update(JSON, Action::json)],
            read,
        }
    }

    /// Makes one request, ready to send.
    pub fn request(
        &self,
        uri: &Uri,
        operation: Operation,
        encoding: Encoding,
        headers: &Headers,
    ) -> Request<&'static str> {
        let (content, headers) = match operation {
            Operation::Read => ("", &headers.read),
            Operation::Update(action) => {
                let content = match encoding {
                    Encoding::Form => action.form(),
                    Encoding::Json => action.json(),
                };
                let headers = &headers.update[encoding as usize][action as usize - 1];
                (content, headers)
            }
        };
        let mut request = Request::new(content);
        *request.method_mut() = operation.method();
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_can_be_sent() {
        for id in [
            "me",
            "KDcuGIm1QgePTO8WbOqwIQ",
            "ada@example.com",
            "a/../b?c#d%2e+e@example.com",
            "zoë@example.com",
            "花子@example.com",
            "Ada Lovelace",
            "...",
            "👩",
        ] {
            assert_eq!(check_user_id(id), Ok(()), "{id:?}");
        }
        assert_eq!(check_user_id(&"x".repeat(USER_ID_MOST)), Ok(()));
    }

    #[test]
    fn the_message_says_what_is_wrong_with_an_id() {
        let long = "x".repeat(USER_ID_MOST + 1);
        for (id, message) in [
            ("", "the user ID is empty"),
            (long.as_str(), "the user ID is longer than 1024 bytes: xxxx"),
            (".", r#"the user ID cannot be ".""#),
            ("..", r#"the user ID cannot be "..""#),
            (
                " ada@example.com",
                r#"the user ID has leading whitespace: " ada@example.com""#,
            ),
            (
                "ada@example.com ",
                r#"the user ID has trailing whitespace: "ada@example.com ""#,
            ),
            (" ", "the user ID has leading whitespace"),
            (
                "ada\n",
                r#"the user ID has the control character U+000A, remove it: "ada\n""#,
            ),
            ("a\u{7f}", "control character U+007F"),
            ("a\u{85}b", "control character U+0085"),
            ("\u{200e}ada@example.com", "invisible character U+200E"),
            ("ada@example.com\u{feff}", "invisible character U+FEFF"),
            ("a\u{e0001}", "invisible character U+E0001"),
            ("a\u{a0}b", "whitespace character U+00A0"),
            ("ada@example.com\u{3000}", "whitespace character U+3000"),
        ] {
            let error = check_user_id(id).expect_err(id);
            assert_eq!(error.code(), crate::code::Code::Argument, "{id:?}");
            assert!(
                error.message().contains(message),
                "{id:?}: {}",
                error.message()
            );
        }
    }

    /// Every format character and every whitespace character outside ASCII, wherever it stands: counted, so that no
    /// range is too narrow or too wide.
    #[test]
    fn no_invisible_character_can_be_sent() {
        let rejected = |c: &char| {
            let ids = [format!("{c}ada"), format!("a{c}da"), format!("ada{c}")];
            let all = ids.iter().filter(|id| check_user_id(id).is_err()).count();
            assert!(all == 0 || all == 3, "{c:?}");
            all == 3
        };
        let all: Vec<char> = ('\u{80}'..=char::MAX).filter(rejected).collect();
        let kind = |kind: &str| all.iter().filter(|c| unsendable(**c) == Some(kind)).count();
        // Unicode 16 has 170 format characters and, outside ASCII and its controls, 18 of White_Space.
        assert_eq!(kind("invisible character"), 170);
        assert_eq!(kind("whitespace character"), 18);
        assert_eq!(kind("control character"), 32);
        assert_eq!(all.len(), 170 + 18 + 32);
    }
}
