//! TLS by rustls, with the system's trust store or the caller's certificates. ureq's own TLS connector hides the
//! handshake, the certificate check, and what rustls has read and not yet given out.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, LazyBuffers, NextTimeout, Transport, TransportAdapter, time,
};

use super::failure::{Failure, Phase, Step};
use super::socket::{INPUT, OUTPUT};
use super::trust::{self, Bounded, Clock};
use crate::code::Code;
use crate::limits::Limits;

/// On these systems a check of a certificate may use the network.
const CHECK_MAY_BLOCK: bool = cfg!(any(windows, target_vendor = "apple"));

/// What TLS needs to know. Its configuration is built once, by the first connection that needs it: loading the system's
/// trust store takes milliseconds, and may fail.
pub(super) struct Tls {
    /// Trusted instead of the system's trust store.
    roots: Option<Arc<RootCertStore>>,
    built: OnceCell<Built>,
}

struct Built {
    config: Arc<ClientConfig>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl Tls {
    pub fn new(roots: Option<Arc<RootCertStore>>) -> Tls {
        Tls {
            roots,
            built: OnceCell::new(),
        }
    }

    /// Puts TLS on a connection to the host of `uri`.
    pub fn wrap(
        &self,
        uri: &Uri,
        transport: Box<dyn Transport>,
        limits: &Limits,
    ) -> Result<Box<dyn Transport>, Failure> {
        let built = self.built.get_or_try_init(|| self.build())?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host)
            .map_err(|_| {
                Failure::new(
                    Code::Tls,
                    format!("no certificate can be for the host name {host:?}"),
                )
            })?
            .to_owned();
        let step = Step {
            phase: Phase::Tls,
            limits,
        };
        let mut tls = ClientConnection::new(self.bounded(built, limits), name)
            .map_err(|e| Failure::new(Code::Tls, e.to_string()))?;
        let mut below = TransportAdapter::new(transport, Arc::new(time::Instant::now));
        tls.complete_io(&mut below)
            .map_err(|e| step.failed(e.into()))?;
        Ok(Box::new(TlsTransport {
            stream: StreamOwned::new(tls, below),
            buffers: LazyBuffers::new(INPUT, OUTPUT),
        }))
    }

    /// Returns the configuration for one connection.
    fn bounded(&self, built: &Built, limits: &Limits) -> Arc<ClientConfig> {
        if self.roots.is_some() || !CHECK_MAY_BLOCK {
            return Arc::clone(&built.config);
        }
        let mut bounded = ClientConfig::clone(&built.config);
        let verifier = Bounded {
            verifier: Arc::clone(&built.verifier),
            limits: limits.clone(),
        };
        let verifier = Arc::new(verifier);
        bounded.dangerous().set_certificate_verifier(verifier);
        Arc::new(bounded)
    }

    fn build(&self) -> Result<Built, Failure> {
        let failed = |e: rustls::Error| {
            let message = format!("the trust store could not be used: {e}");
            Failure::new(Code::Tls, message)
        };
        let provider = Arc::new(default_provider());
        let verifier = trust::verifier(self.roots.as_ref(), &provider).map_err(failed)?;
        let config = ClientConfig::builder_with_details(provider, Arc::new(Clock))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier))
            .with_no_client_auth();
        Ok(Built {
            config: Arc::new(config),
            verifier,
        })
    }
}

/// A TLS connection as the layers above use it.
struct TlsTransport {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl TlsTransport {
    /// Reads what came since the last response (such as a session ticket), without waiting. False when plaintext came,
    /// with which the next response must not begin, or when the other side closed.
    fn is_drained(&mut self) -> bool {
        let StreamOwned { conn, sock } = &mut self.stream;
        while !sock.get_mut().buffers().input().is_empty() {
            if !matches!(conn.read_tls(sock), Ok(1..)) {
                return false;
            }
            if conn.process_new_packets().is_err() {
                return false;
            }
        }
        // It has no plaintext to give out, and the other side did not close.
        conn.wants_read()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.buffers.input().is_empty() && self.is_drained() && self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}
