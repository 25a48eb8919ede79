//! The HTTP client: ureq with our transport and resolver. Above this module only `config` knows ureq's types, those of
//! a proxy and of certificates, and all know those of the `http` crate that it exports.

mod connections;
mod exchange;
pub(crate) mod limits;
pub(crate) mod proxy;
mod resolver;
mod socks;
mod transport;

use std::io;
use std::sync::Arc;

use ureq::Agent;
use ureq::http::{HeaderMap, HeaderValue, Request};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::transport::ShutdownHandle;

use self::connections::Connections;
use self::limits::{Limits, Trace, Trouble};
use crate::code::{Code, Error};
use crate::config::{Config, ProxyChoice};

/// A socket that can be shut down from another thread.
pub(crate) type Socket = Arc<dyn ShutdownHandle>;

/// The largest answer that is read. Zoom's are a few hundred bytes.
const BODY_MOST: usize = 1024 * 1024;
const BODY_USUAL: usize = 4 * 1024;
/// The largest head of an answer, and the unit in which a body is read.
const INPUT: usize = 32 * 1024;
/// Holds the largest head of a request: path, token and user agent are bounded by their checks.
const OUTPUT: usize = 16 * 1024;

pub(crate) struct Http {
    connections: Connections,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why no answer came.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub code: Code,
    pub message: String,
    /// The HTTP status, where an answer came that could not be read to its end; else 0.
    pub status: u16,
    /// Another attempt may succeed, and does no harm.
    pub again: bool,
    /// A kept connection turned out to be closed: try anew at once.
    pub stale: bool,
}

impl Http {
    pub fn new(config: &Config) -> Result<Http, Error> {
        let roots = match &config.roots {
            Some(roots) => RootCerts::Specific(Arc::clone(roots)),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let proxy = match &config.proxy {
            ProxyChoice::Environment => proxy::from_environment(config)?,
            ProxyChoice::None => None,
            ProxyChoice::Use(proxy) => Some(proxy.clone()),
        };
        let settings = Agent::config_builder()
            .proxy(proxy)
            .tls_config(tls)
            .input_buffer_size(INPUT)
            .output_buffer_size(OUTPUT)
            .user_agent(config.user_agent.to_str().unwrap_or_default())
            .build();
        // Threads of the caller's beside a batch keep their connections too.
        let connections = Connections::new(settings, config.concurrency.max(64));
        Ok(Http { connections })
    }

    /// Sends one request and reads its whole answer, within `limits`.
    pub fn send(&self, request: Request<&str>, limits: &Limits) -> Result<Answer, Failure> {
        let proxied = self.connections.is_proxied(request.uri());
        let (answer, trace) = limits::run(limits, || self.exchange(request));
        answer.map_err(|e| failure(&e, trace, limits, proxied))
    }

    fn exchange(&self, request: Request<&str>) -> Result<Answer, ureq::Error> {
        let uri = request.uri().clone();
        let (parts, content) = request.into_parts();
        let mut line = self.connections.take(&uri)?;
        let request = Request::from_parts(parts, ());
        let (answer, reusable) = exchange::exchange(&mut *line.0, request, content)?;
        if reusable {
            self.connections.keep(uri, line);
        }
        Ok(answer)
    }
}

/// What an error means, with what is known of when it came.
fn failure(error: &ureq::Error, trace: Trace, limits: &Limits, proxied: bool) -> Failure {
    let failure = |code, message: String, again| Failure {
        code,
        message,
        status: trace.status,
        again,
        stale: false,
    };
    if limits.cancelled() {
        return failure(Code::Cancelled, String::new(), false);
    }
    let through = |code| if proxied { Code::Proxy } else { code };
    match trace.trouble {
        Some(Trouble::Late) => {
            let why = if trace.connecting {
                "no connection was ready"
            } else {
                "no complete answer came"
            };
            return failure(Code::Timeout, why.into(), false);
        }
        Some(Trouble::ConnectLate) => {
            let ms = limits.connect.as_millis();
            return failure(
                Code::Timeout,
                format!("no connection was ready within {ms} ms"),
                true,
            );
        }
        Some(Trouble::Resolve(why)) => return failure(through(Code::Resolve), why, true),
        Some(Trouble::Connect(why)) => return failure(through(Code::Connect), why, true),
        Some(Trouble::HeadTooLarge) => {
            return failure(
                Code::Protocol,
                format!("its head is larger than {INPUT} bytes"),
                false,
            );
        }
        None => {}
    }
    if let Some(tls) = tls_error(error) {
        return failure(Code::Tls, tls, false);
    }
    match error {
        ureq::Error::Tls(why) => failure(Code::Tls, (*why).into(), false),
        ureq::Error::ConnectProxyFailed(why) => failure(Code::Proxy, why.clone(), false),
        ureq::Error::BodyExceedsLimit(most) => {
            failure(Code::Protocol, format!("larger than {most} bytes"), false)
        }
        ureq::Error::Io(e) if trace.connecting => {
            let why = format!("it broke while it was being made: {e}");
            failure(through(Code::Connect), why, true)
        }
        ureq::Error::Io(e) if trace.answered => {
            failure(Code::Protocol, format!("cut short: {e}"), true)
        }
        ureq::Error::Io(e) => Failure {
            stale: !trace.connected,
            ..failure(Code::Io, e.to_string(), true)
        },
        e if trace.connecting => failure(through(Code::Protocol), e.to_string(), false),
        e => failure(Code::Protocol, format!("not valid HTTP: {e}"), false),
    }
}

/// What rustls says, wherever ureq has put it.
fn tls_error(error: &ureq::Error) -> Option<String> {
    let io = match error {
        ureq::Error::Rustls(e) => return Some(e.to_string()),
        ureq::Error::Io(e) => e,
        _ => return None,
    };
    let mut inner = io
        .get_ref()
        .map(|e| e as &(dyn std::error::Error + 'static));
    while let Some(e) = inner {
        if let Some(tls) = e.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        inner = match e.downcast_ref::<io::Error>() {
            Some(io) => io
                .get_ref()
                .map(|e| e as &(dyn std::error::Error + 'static)),
            None => e.source(),
        };
    }
    None
}

/// A header's value as text; what isn't UTF-8 in it is replaced.
pub(crate) fn header_text(value: &HeaderValue) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}
