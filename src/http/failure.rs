//! Why no response came, and where on the way.

use std::fmt;
use std::io;

use crate::code::Code;
use crate::limits::{Interruption, Limits};

/// A step of an exchange, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Resolve,
    Connect,
    /// The tunnel or the SOCKS dialogue, on an open connection to the proxy.
    Proxy,
    Tls,
    Send,
    /// Sent, and no byte of the response came yet.
    Await,
    Receive,
}

/// Why no response came.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub code: Code,
    pub message: String,
    /// The HTTP status, where a response came that could not be read to its end; else 0.
    pub status: u16,
    /// The request, or a part of it, may have reached the server.
    pub sent: bool,
    /// Another attempt may succeed.
    pub transient: bool,
    /// An idle connection turned out to be closed: retry at once on another.
    pub stale: bool,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            status: 0,
            sent: false,
            transient: false,
            stale: false,
        }
    }

    pub fn transient(code: Code, message: impl Into<String>) -> Failure {
        Failure {
            transient: true,
            ..Failure::new(code, message)
        }
    }
}

impl Failure {
    /// The connection broke before a byte of the response came.
    pub(super) fn is_broken_before_response(&self) -> bool {
        self.code == Code::Io
    }
}

/// What an exchange was doing when it failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub phase: Phase,
    pub limits: &'a Limits,
}

impl Step<'_> {
    /// Says what an error means in this step. A failure inside the error knows better where it happened.
    pub fn failed(self, error: ureq::Error) -> Failure {
        if self.limits.is_cancelled() {
            return self.interrupted(Interruption::Cancelled);
        }
        match error {
            ureq::Error::Other(inner) => match inner.downcast::<Failure>() {
                Ok(failure) => *failure,
                Err(other) => self.broken(&other.to_string()),
            },
            ureq::Error::ConnectProxyFailed(why) => proxy_refused(&why),
            ureq::Error::Io(e) => self.io(&e),
            e if self.phase < Phase::Send => self.malformed(Code::Proxy, &e),
            e => self.malformed(Code::Protocol, &e),
        }
    }

    fn io(self, error: &io::Error) -> Failure {
        let inner = error.get_ref();
        if let Some(why) = inner.and_then(|e| e.downcast_ref::<Interruption>()) {
            return self.interrupted(*why);
        }
        match inner.and_then(|e| e.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::Other(e)) if e.0.is::<Interruption>() => {
                let why = e.0.downcast_ref().expect("it is one");
                self.interrupted(*why)
            }
            Some(e) if self.phase <= Phase::Tls => Failure::new(Code::Tls, not_trusted(e)),
            Some(e) => self.broken(&e.to_string()),
            None => self.broken(&error.to_string()),
        }
    }

    /// The connection broke.
    fn broken(self, why: &str) -> Failure {
        let (code, message) = match self.phase {
            Phase::Resolve => (Code::Resolve, why.to_owned()),
            Phase::Connect => (Code::Connect, why.to_owned()),
            Phase::Proxy => {
                let message = format!("the connection to the proxy broke: {why}");
                (Code::Proxy, message)
            }
            Phase::Tls => {
                let message = format!("the connection broke during the TLS handshake: {why}");
                (Code::Connect, message)
            }
            Phase::Send | Phase::Await => (Code::Io, why.to_owned()),
            Phase::Receive => (Code::Protocol, format!("the response was cut short: {why}")),
        };
        Failure {
            sent: self.phase >= Phase::Send,
            ..Failure::transient(code, message)
        }
    }

    /// The other side sent something that is not valid here.
    fn malformed(self, code: Code, error: &ureq::Error) -> Failure {
        Failure {
            sent: self.phase >= Phase::Send,
            ..Failure::new(code, format!("the response is not valid HTTP: {error}"))
        }
    }

    /// The call has to end, or this attempt has.
    pub fn interrupted(self, why: Interruption) -> Failure {
        let sent = self.phase >= Phase::Send;
        if why != Interruption::TimedOut {
            return Failure {
                sent,
                ..Failure::new(Code::Cancelled, "")
            };
        }
        let given = self.limits.deadline - self.limits.since;
        let ms = given.as_millis();
        let what = match sent {
            true => "no complete response came",
            false => "no connection was ready",
        };
        Failure {
            sent,
            ..Failure::transient(Code::Timeout, format!("{what} within {ms} ms"))
        }
    }
}

/// Why the TLS handshake failed. An unknown issuer is most often a company's proxy that inspects TLS.
fn not_trusted(error: &rustls::Error) -> String {
    use rustls::CertificateError::UnknownIssuer;
    match error {
        rustls::Error::InvalidCertificate(UnknownIssuer) => format!(
            "{error}: no trusted CA certificate issued the server's; if a company's proxy inspects TLS, add its CA \
             certificate to those that are trusted: {TRUSTED}"
        ),
        _ => error.to_string(),
    }
}

/// Where certificates can be added; which of them counts depends on the program.
const TRUSTED: &str = match cfg!(all(unix, not(target_vendor = "apple"))) {
    true => "the system's trust store, the file in SSL_CERT_FILE, or those that the program sets",
    false => "the system's trust store, or those that the program sets",
};

/// The proxy responded to CONNECT, but not with 200. ureq's words for it end in the status code, twice: "responded 407/407".
fn proxy_refused(why: &str) -> Failure {
    let status = why.rsplit('/').next().and_then(|s| s.parse::<u16>().ok());
    let message = match status {
        Some(407) => "the proxy responded 407 to CONNECT: it needs a user name and password, or rejected those in its URL".to_owned(),
        Some(status) => format!("the proxy responded {status} to CONNECT"),
        None => why.to_owned(),
    };
    Failure {
        // The proxy can't reach the server right now.
        transient: matches!(status, Some(502..=504)),
        ..Failure::new(Code::Proxy, message)
    }
}

/// Our failures pass through ureq's hands as this.
impl From<Failure> for ureq::Error {
    fn from(failure: Failure) -> ureq::Error {
        ureq::Error::Other(Box::new(failure))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}
