//! The HTTP client: ureq with our transport and resolver. Nothing above this module knows ureq's types but those of
//! the `http` crate that it exports.

pub(crate) mod limits;
pub(crate) mod proxy;
mod resolver;
mod socks;
mod transport;

use std::io::{self, Read};
use std::sync::Arc;

use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, HeaderValue, Request, StatusCode};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::transport::ShutdownHandle;

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
/// A kept connection is closed after this long without use, in seconds.
const IDLE: u64 = 60;

pub(crate) struct Http {
    agent: Agent,
    proxied: bool,
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
        let proxied = proxy.is_some();
        // Threads of the caller's beside a batch keep their connections too.
        let kept = config.concurrency.max(64);
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(tls)
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept)
            .max_idle_age(std::time::Duration::from_secs(IDLE))
            .input_buffer_size(INPUT)
            .output_buffer_size(OUTPUT)
            .max_response_header_size(INPUT)
            .user_agent(config.user_agent.to_str().unwrap_or_default())
            .accept(AutoHeaderValue::None)
            .build();
        let names = resolver::Names::default();
        let agent = Agent::with_parts(settings, transport::Dial::new(names.clone()), names);
        Ok(Http { agent, proxied })
    }

    /// Sends one request and reads its whole answer, within `limits`.
    pub fn send(&self, request: Request<&str>, limits: &Limits) -> Result<Answer, Failure> {
        let (answer, trace) = limits::run(limits, || self.exchange(request));
        answer.map_err(|e| self.failure(&e, trace, limits))
    }

    fn exchange(&self, request: Request<&str>) -> Result<Answer, ureq::Error> {
        let (parts, mut body) = self.agent.run(request)?.into_parts();
        let mut content = Vec::new();
        // 204 has no body by definition.
        if parts.status != StatusCode::NO_CONTENT && body.content_length() != Some(0) {
            // Zoom's answers fit: growing would leave parts of a token in what is freed.
            content.reserve(BODY_USUAL);
            let mut reader = body.as_reader().take(BODY_MOST as u64 + 1);
            reader.read_to_end(&mut content)?;
            if content.len() > BODY_MOST {
                return Err(ureq::Error::BodyExceedsLimit(BODY_MOST as u64));
            }
        }
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: content,
        })
    }

    fn failure(&self, error: &ureq::Error, trace: Trace, limits: &Limits) -> Failure {
        let failure = |code, message: String, again| Failure {
            code,
            message,
            again,
            stale: false,
        };
        if limits.cancelled() {
            return failure(Code::Cancelled, String::new(), false);
        }
        let through = |code| if self.proxied { Code::Proxy } else { code };
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
