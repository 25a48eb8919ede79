//! Names to addresses: looked up on a thread of its own, so that a slow name server can't outlast the call, and
//! kept for a minute, so that a warm call looks nothing up.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::limits::{self, Trouble};

/// How long a name is taken to stay where it is.
const KEPT: Duration = Duration::from_secs(60);
/// The thread needs little: getaddrinfo and its modules.
const STACK: usize = 256 * 1024;

/// The names looked up by one client: Zoom's API, its token endpoint, perhaps a proxy.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<Vec<Name>>>);

struct Name {
    authority: Authority,
    until: Instant,
    addresses: ResolvedSocketAddrs,
}

impl Name {
    fn is(&self, authority: &Authority) -> bool {
        // Copies share their text, so a look at the pointer mostly does.
        std::ptr::eq(self.authority.as_str(), authority.as_str()) || self.authority == *authority
    }
}

impl Names {
    /// An address of this name didn't answer: look it up anew.
    pub fn forget(&self, uri: &Uri) {
        if let Some(authority) = uri.authority() {
            self.names().retain(|name| !name.is(authority));
        }
    }

    fn names(&self) -> MutexGuard<'_, Vec<Name>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let authority = uri.authority().ok_or(ureq::Error::HostNotFound)?;
        if let Some(name) = self.names().iter().find(|name| name.is(authority))
            && Instant::now() < name.until
        {
            return Ok(name.addresses.clone());
        }
        let port = port_of(uri);
        let host = authority.host();
        let mut addresses = self.empty();
        for address in limits::connecting(|| look_up(host, port))?
            .into_iter()
            .take(16)
        {
            addresses.push(address);
        }
        self.forget(uri);
        self.names().push(Name {
            authority: authority.clone(),
            until: Instant::now() + KEPT,
            addresses: addresses.clone(),
        });
        Ok(addresses)
    }
}

/// The port of a URL, or its scheme's.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(match uri.scheme() {
        Some(s) if *s == Scheme::HTTPS => 443,
        Some(s) if *s == Scheme::HTTP => 80,
        _ => 1080, // a SOCKS proxy
    })
}

fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, ureq::Error> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let name = host.to_owned();
    let found = on_thread(move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
    let why = match found {
        Ok(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
        Ok(Ok(_)) => "it has no address".to_owned(),
        Ok(Err(e)) => e.to_string(),
        Err(None) => return Err(late()),
        Err(Some(e)) => e.to_string(),
    };
    limits::note(Trouble::Resolve(format!("{host}: {why}")));
    Err(ureq::Error::HostNotFound)
}

/// Runs what can't be interrupted on its own thread, and waits for it as long as the call may.
/// `Err(None)`: the time was up or the call was cancelled; the thread ends by itself.
fn on_thread<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Option<io::Error>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let handle = thread::Builder::new()
        .name("zus-resolve".into())
        .stack_size(STACK)
        .spawn(move || {
            let _ = sender.send(f());
        })
        .map_err(Some)?;
    let value = loop {
        match receiver.recv_timeout(limits::slice_left().ok_or(None)?) {
            Err(RecvTimeoutError::Timeout) => {}
            done => break done.map_err(|_| None)?,
        }
    };
    // It is done but for its exit: leave no thread behind.
    let _ = handle.join();
    Ok(value)
}

pub(super) fn late() -> ureq::Error {
    ureq::Error::Timeout(ureq::Timeout::Global)
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}
