//! The connections of one client: kept ones first, new ones where there is none.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport, time};
use zeroize::Zeroize;

use super::resolver::Names;
use super::transport::Dial;

/// A kept connection is closed after this long without use.
const IDLE: Duration = Duration::from_secs(60);

pub(super) struct Connections {
    settings: Config,
    names: Names,
    dial: Arc<Dial>,
    /// The most recently used last.
    kept: Mutex<Vec<Kept>>,
    most: usize,
}

/// A connection. Its buffers held tokens, ours and what Zoom's answers hold of them: they are wiped at the end.
pub(super) struct Line(pub Box<dyn Transport>);

impl Drop for Line {
    fn drop(&mut self) {
        let buffers = self.0.buffers();
        buffers.output().zeroize();
        let unread = buffers.input().len();
        buffers.input_consume(unread);
        buffers.input_append_buf().zeroize();
    }
}

struct Kept {
    line: Line,
    uri: Uri,
    since: Instant,
}

impl Connections {
    pub fn new(settings: Config, most: usize) -> Connections {
        let names = Names::default();
        Connections {
            settings,
            dial: Arc::new(Dial::new(names.clone())),
            names,
            kept: Mutex::default(),
            most,
        }
    }

    /// A connection to the server of `uri`.
    pub fn take(&self, uri: &Uri) -> Result<Line, ureq::Error> {
        while let Some(mut line) = self.take_kept(uri) {
            if line.0.is_open() {
                return Ok(line);
            }
        }
        self.connect(uri)
    }

    /// Keeps a connection for the next request to the server of `uri`.
    pub fn keep(&self, uri: Uri, mut line: Line) {
        if !line.0.is_open() {
            return;
        }
        let since = Instant::now();
        let mut kept = self.kept();
        if kept.len() >= self.most {
            kept.remove(0);
        }
        kept.push(Kept { line, uri, since });
    }

    fn take_kept(&self, uri: &Uri) -> Option<Line> {
        let now = Instant::now();
        let mut kept = self.kept();
        let old = kept.iter().take_while(|k| now - k.since > IDLE).count();
        kept.drain(..old);
        let same = |k: &Kept| k.uri.scheme() == uri.scheme() && same_host(&k.uri, uri);
        let at = kept.iter().rposition(same)?;
        Some(kept.remove(at).line)
    }

    fn connect(&self, uri: &Uri) -> Result<Line, ureq::Error> {
        let timeout = NextTimeout::default();
        let addrs = if self.is_proxied(uri) {
            self.names.empty() // the proxy looks it up
        } else {
            self.names.resolve(uri, &self.settings, timeout)?
        };
        let dial = Arc::clone(&self.dial);
        let details = ConnectionDetails {
            uri,
            addrs,
            config: &self.settings,
            request_level: false,
            resolver: &self.names,
            now: time::Instant::now(),
            timeout,
            current_time: Arc::new(time::Instant::now),
            // For the connection to a proxy.
            run_connector: Arc::new(move |details| {
                let line = dial.connect(details, None)?;
                line.ok_or(ureq::Error::ConnectionFailed)
            }),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        let line = self.dial.connect(&details, None)?;
        let line = Line(line.ok_or(ureq::Error::ConnectionFailed)?);
        if details.needs_tls() && !line.0.is_tls() {
            return Err(ureq::Error::TlsRequired);
        }
        Ok(line)
    }

    /// Whether requests to `uri` go through a proxy.
    pub fn is_proxied(&self, uri: &Uri) -> bool {
        self.settings
            .proxy()
            .is_some_and(|proxy| !proxy.is_no_proxy(uri))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies of one URL share their text, so a look at the pointer mostly does.
fn same_host(a: &Uri, b: &Uri) -> bool {
    let text = |uri: &Uri| uri.authority().map(|a| std::ptr::from_ref(a.as_str()));
    text(a) == text(b) || a.authority() == b.authority()
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections")
    }
}
