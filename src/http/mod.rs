//! HTTP: one request, and one response or one failure that says where it happened.
//!
//! CONNECT, proxy URLs and the types of requests are ureq's, HTTP/1.1 is ureq-proto's, TLS is rustls's. The socket is
//! ours, since it must know the limits of the call that it serves.

mod connect;
mod connection;
mod failure;
mod http1;
pub(crate) mod proxy;
mod race;
mod resolver;
mod socket;
mod socks;
mod tls;
mod trust;

use std::borrow::Cow;

use ureq::http::{HeaderValue, Request};

use self::connect::Connector;
pub(crate) use self::connect::Settings;
use self::connection::Pool;
pub(crate) use self::failure::Failure;
use self::failure::{Phase, Step};
use self::http1::Exchange;
pub(crate) use self::http1::Response;
pub(crate) use self::trust::parse_roots;
use crate::limits::Limits;

pub(crate) struct Http {
    connector: Connector,
    pool: Pool,
}

impl Http {
    pub fn new(settings: &Settings) -> Http {
        Http {
            connector: Connector::new(settings),
            pool: Pool::new(settings.idle),
        }
    }

    /// Sends one request and reads its whole response, within `limits`.
    pub fn send(&self, request: Request<&str>, limits: &Limits) -> Result<Response, Failure> {
        let uri = request.uri().clone();
        let (parts, content) = request.into_parts();
        let mut connection = match self.pool.take(&uri) {
            Some(idle) => idle,
            None => self.connector.connect(&uri, limits)?,
        };
        connection.serve(limits).map_err(|why| {
            let step = Step {
                phase: Phase::Connect,
                limits,
            };
            step.interrupted(why)
        })?;
        let request = Request::from_parts(parts, ());
        let exchange = Exchange::new(&mut *connection.transport);
        match exchange.run(request, content, limits) {
            Ok((response, reusable)) => {
                if reusable {
                    self.pool.put(uri, connection);
                }
                Ok(response)
            }
            Err(failure) => Err(Failure {
                stale: connection.reused && failure.is_broken_before_response(),
                ..failure
            }),
        }
    }
}

/// A header's value as text; what isn't UTF-8 in it is replaced.
pub(crate) fn header_text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}
