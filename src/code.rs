//! The codes that every call ends with: their numbers, names and sentences.

use std::ffi::CStr;
use std::fmt;

/// How a call ended. 1-19 usage errors; 20-39 the network; 40-69 Zoom; 70-79 the batch or a cancel; 99 a bug.
/// Numbers are only ever added, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Code {
    /// Zoom accepted the update, or sent the user that was read.
    Ok = 0,
    /// A required pointer of the C API is NULL.
    Null = 1,
    /// A string is not UTF-8.
    Utf8 = 2,
    /// An argument is empty, out of range or malformed.
    Argument = 3,
    /// No credentials are configured.
    Credentials = 4,
    /// The client was made before `fork()`: make a new one in the child.
    Forked = 5,
    /// A callback called its own client.
    Reentrant = 6,
    /// The host name could not be resolved.
    Resolve = 20,
    /// No connection could be made.
    Connect = 21,
    /// The TLS handshake failed, or the certificate is not trusted.
    Tls = 22,
    /// The time for the call ran out. [`Outcome::delivery`](crate::Outcome::delivery) says whether the update may have been
    /// applied.
    Timeout = 23,
    /// The proxy failed, or rejected the connection.
    Proxy = 24,
    /// The connection broke before a response came. The update may have been applied.
    Io = 25,
    /// The response is not one that Zoom sends: HTML, text, a redirect, too large.
    Protocol = 26,
    /// No access token could be obtained.
    Token = 40,
    /// Zoom rejected the access token.
    Unauthorized = 41,
    /// A scope or a permission is missing.
    Forbidden = 42,
    /// The user does not exist, or is not on this account.
    UserNotFound = 43,
    /// The status of this user can't be changed: a Zoom Room, or an admin.
    UserProtected = 44,
    /// The user has an upcoming Zoom Events event.
    UserBusy = 45,
    /// The account has reached its user limit.
    UserLimit = 46,
    /// Zoom's rate limit was reached, and the retries are used up.
    RateLimited = 47,
    /// A rate limit that lasts was reached, such as the daily limit.
    DailyLimit = 48,
    /// Zoom rejected the request for another reason.
    Rejected = 49,
    /// Zoom's server failed (5xx), and the retries are used up. The update may have been applied.
    Server = 50,
    /// Zoom accepted the update, but the user's status is not the wanted one: see
    /// [`Config::set_verify`](crate::Config::set_verify).
    NotVerified = 51,
    /// The server does not know this endpoint: check the API URL.
    Endpoint = 52,
    /// The call was cancelled, or the batch was stopped.
    Cancelled = 70,
    /// The batch ran to its end, and some users failed.
    Partial = 71,
    /// Too many events of started calls wait in the queue: nothing was started.
    QueueFull = 72,
    /// The system has no thread left: nothing was started.
    NoThread = 73,
    /// A bug in this library.
    Panic = 99,
}

impl Code {
    /// Every code, in the order of their numbers.
    pub const ALL: [Code; 32] = [
        Code::Ok,
        Code::Null,
        Code::Utf8,
        Code::Argument,
        Code::Credentials,
        Code::Forked,
        Code::Reentrant,
        Code::Resolve,
        Code::Connect,
        Code::Tls,
        Code::Timeout,
        Code::Proxy,
        Code::Io,
        Code::Protocol,
        Code::Token,
        Code::Unauthorized,
        Code::Forbidden,
        Code::UserNotFound,
        Code::UserProtected,
        Code::UserBusy,
        Code::UserLimit,
        Code::RateLimited,
        Code::DailyLimit,
        Code::Rejected,
        Code::Server,
        Code::NotVerified,
        Code::Endpoint,
        Code::Cancelled,
        Code::Partial,
        Code::QueueFull,
        Code::NoThread,
        Code::Panic,
    ];

    /// Returns the code with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.number() == number)
    }

    /// Returns the number, the same in every language.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// Returns the name in C, e.g. `ZUS_ERR_USER_NOT_FOUND`.
    pub fn name(self) -> &'static str {
        self.c_strings().0.to_str().unwrap_or_default()
    }

    /// Returns a sentence for people.
    pub fn text(self) -> &'static str {
        self.c_strings().1.to_str().unwrap_or_default()
    }

    /// Returns name and sentence as C wants them.
    pub(crate) fn c_strings(self) -> (&'static CStr, &'static CStr) {
        let (_, name, text) = NAMES[NAMES.iter().position(|n| n.0 == self).unwrap_or(0)];
        (name, text)
    }
}

/// Every code with its name and sentence, as C wants them.
const NAMES: [(Code, &CStr, &CStr); 32] = [
    (Code::Ok, c"ZUS_OK", c"done"),
    (Code::Null, c"ZUS_ERR_NULL", c"a required argument is NULL"),
    (Code::Utf8, c"ZUS_ERR_UTF8", c"a string is not valid UTF-8"),
    (
        Code::Argument,
        c"ZUS_ERR_ARGUMENT",
        c"an argument is empty, out of range or malformed",
    ),
    (
        Code::Credentials,
        c"ZUS_ERR_CREDENTIALS",
        c"no credentials are configured",
    ),
    (
        Code::Forked,
        c"ZUS_ERR_FORKED",
        c"this client was made before fork(); make a new one in the child process",
    ),
    (
        Code::Reentrant,
        c"ZUS_ERR_REENTRANT",
        c"a callback called its own client",
    ),
    (
        Code::Resolve,
        c"ZUS_ERR_RESOLVE",
        c"the host name could not be resolved",
    ),
    (
        Code::Connect,
        c"ZUS_ERR_CONNECT",
        c"no connection could be made",
    ),
    (
        Code::Tls,
        c"ZUS_ERR_TLS",
        c"the TLS handshake failed, or the certificate is not trusted",
    ),
    (
        Code::Timeout,
        c"ZUS_ERR_TIMEOUT",
        c"the time for the call ran out",
    ),
    (
        Code::Proxy,
        c"ZUS_ERR_PROXY",
        c"the proxy failed, or rejected the connection",
    ),
    (
        Code::Io,
        c"ZUS_ERR_IO",
        c"the connection broke before a response came",
    ),
    (
        Code::Protocol,
        c"ZUS_ERR_PROTOCOL",
        c"the response is not one that Zoom sends",
    ),
    (
        Code::Token,
        c"ZUS_ERR_TOKEN",
        c"no access token could be obtained",
    ),
    (
        Code::Unauthorized,
        c"ZUS_ERR_UNAUTHORIZED",
        c"Zoom rejected the access token",
    ),
    (
        Code::Forbidden,
        c"ZUS_ERR_FORBIDDEN",
        c"a scope or a permission is missing",
    ),
    (
        Code::UserNotFound,
        c"ZUS_ERR_USER_NOT_FOUND",
        c"the user does not exist or is not on this account",
    ),
    (
        Code::UserProtected,
        c"ZUS_ERR_USER_PROTECTED",
        c"the status of Zoom Rooms and admins cannot be changed",
    ),
    (
        Code::UserBusy,
        c"ZUS_ERR_USER_BUSY",
        c"the user has an upcoming Zoom Events event",
    ),
    (
        Code::UserLimit,
        c"ZUS_ERR_USER_LIMIT",
        c"the account has reached its user limit",
    ),
    (
        Code::RateLimited,
        c"ZUS_ERR_RATE_LIMITED",
        c"Zoom's rate limit was reached",
    ),
    (
        Code::DailyLimit,
        c"ZUS_ERR_DAILY_LIMIT",
        c"Zoom's daily limit was reached, or a rate limit that lasts more than a minute",
    ),
    (
        Code::Rejected,
        c"ZUS_ERR_REJECTED",
        c"Zoom rejected the request",
    ),
    (Code::Server, c"ZUS_ERR_SERVER", c"Zoom's server failed"),
    (
        Code::NotVerified,
        c"ZUS_ERR_NOT_VERIFIED",
        c"Zoom accepted the update, but it could not be verified",
    ),
    (
        Code::Endpoint,
        c"ZUS_ERR_ENDPOINT",
        c"the server does not know this endpoint: check the API URL",
    ),
    (
        Code::Cancelled,
        c"ZUS_ERR_CANCELLED",
        c"the call was cancelled",
    ),
    (
        Code::Partial,
        c"ZUS_ERR_PARTIAL",
        c"the batch ran to its end and some users failed",
    ),
    (
        Code::QueueFull,
        c"ZUS_ERR_QUEUE_FULL",
        c"the queue holds too many events that were not taken; nothing was started",
    ),
    (
        Code::NoThread,
        c"ZUS_ERR_NO_THREAD",
        c"the system has no thread left; nothing was started",
    ),
    (
        Code::Panic,
        c"ZUS_ERR_PANIC",
        c"a bug in this library; please report it",
    ),
];

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A usage error: a code, and what is wrong in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Error {
        Error::new(Code::Argument, message)
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns what is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what is wrong, or what the code means where there is no more to say.
    pub(crate) fn to_sentence(&self) -> &str {
        match self.message.as_str() {
            "" => self.code.text(),
            message => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
