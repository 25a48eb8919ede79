//! Which certificates are trusted: the caller's, or the system's trust store.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use crate::code::Error;
use crate::detached::Task;
use crate::environment::is_privileged;
use crate::limits::Limits;

/// Where systems keep their trust store, for programs that must not ask the environment.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
];

/// Reads CA certificates from PEM text.
pub(crate) fn parse_roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|_| Error::argument("the CA certificates are not valid PEM"))?;
        roots.add(certificate).map_err(|_| {
            Error::argument("a CA certificate in the PEM text is not a valid certificate")
        })?;
    }
    if roots.is_empty() {
        return Err(Error::argument("the PEM text holds no CERTIFICATE"));
    }
    Ok(roots)
}

/// Makes the verifier of server certificates.
pub(super) fn verifier(
    roots: Option<&Arc<RootCertStore>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let provider = Arc::clone(provider);
    if let Some(roots) = roots {
        return web_pki(Arc::clone(roots), provider);
    }
    if is_privileged() && cfg!(all(unix, not(target_vendor = "apple"))) {
        return web_pki(Arc::new(bundled_roots()), provider);
    }
    let verifier = rustls_platform_verifier::Verifier::new(provider)?;
    Ok(Arc::new(verifier))
}

fn web_pki(
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    let verifier = verifier.map_err(|e| rustls::Error::General(e.to_string()))?;
    Ok(verifier)
}

/// The system's trust store, without SSL_CERT_FILE and SSL_CERT_DIR.
fn bundled_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for bundle in BUNDLES {
        let Ok(certificates) = CertificateDer::pem_file_iter(bundle) else {
            continue;
        };
        roots.add_parsable_certificates(certificates.flatten());
        if !roots.is_empty() {
            break;
        }
    }
    roots
}

/// The system's clock. One that stands before 1970 is an error of the handshake.
#[derive(Debug)]
pub(super) struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(UnixTime::since_unix_epoch(now))
    }
}

/// A check that may use the network, within the limits of the call that waits for it. Windows may fetch revocation
/// lists for 10 s inside the check, and macOS does the same: neither the deadline nor a cancel ends that.
#[derive(Debug)]
pub(super) struct Bounded {
    pub verifier: Arc<dyn ServerCertVerifier>,
    pub limits: Limits,
}

impl ServerCertVerifier for Bounded {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = Arc::clone(&self.verifier);
        let end_entity = end_entity.clone().into_owned();
        let intermediates: Vec<_> = intermediates
            .iter()
            .map(|i| i.clone().into_owned())
            .collect();
        let server_name = server_name.to_owned();
        let ocsp = ocsp_response.to_vec();
        let task = Task::start("zus-verify", move || {
            verifier
                .verify_server_cert(&end_entity, &intermediates, &server_name, &ocsp, now)
                .map(|_| ())
        });
        let task = task.map_err(|e| rustls::Error::Other(OtherError(Arc::new(e))))?;
        match task.wait(&self.limits) {
            Ok(verified) => verified.map(|()| ServerCertVerified::assertion()),
            Err(why) => Err(rustls::Error::Other(OtherError(Arc::new(why)))),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::limits::Interruption;
    use std::thread;
    use std::time::{Duration, Instant};

    /// A check that takes ten seconds, as a revocation list may.
    #[derive(Debug)]
    struct Slow;

    impl ServerCertVerifier for Slow {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            thread::sleep(Duration::from_secs(10));
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            unreachable!()
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            unreachable!()
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    #[test]
    fn a_slow_certificate_check_ends_with_the_call() {
        let begun = Instant::now();
        for cancelled in [false, true] {
            let now = Instant::now();
            let cancel = Cancel::new();
            let bounded = Bounded {
                verifier: Arc::new(Slow),
                limits: Limits {
                    since: now,
                    deadline: now + Duration::from_millis(if cancelled { 60_000 } else { 50 }),
                    cancel: Some(cancel.clone()),
                    stop: None,
                    slots_are_free: false,
                },
            };
            if cancelled {
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(50));
                    cancel.trigger();
                });
            }
            let name = ServerName::try_from("api.zoom.us").unwrap();
            let certificate = CertificateDer::from(vec![0]);
            let checked = bounded.verify_server_cert(
                &certificate,
                &[],
                &name,
                &[],
                UnixTime::since_unix_epoch(Duration::ZERO),
            );
            let expected = match cancelled {
                true => Interruption::Cancelled,
                false => Interruption::TimedOut,
            };
            match checked {
                Err(rustls::Error::Other(e)) => {
                    assert_eq!(e.0.downcast_ref(), Some(&expected));
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
