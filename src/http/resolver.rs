//! Host names to addresses: looked up on a thread of its own, so that a slow name server can't outlast the call, and
//! remembered for a minute, so that a warm call looks nothing up.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};

use super::failure::Failure;
use crate::code::Code;
use crate::detached::Task;
use crate::limits::Limits;

/// How long the addresses of a host name are used.
const VALID: Duration = Duration::from_secs(60);
/// More addresses than this are not tried.
const MOST: usize = 16;

/// The host names of one client: Zoom's API, its token endpoint, perhaps a proxy.
#[derive(Clone, Default)]
pub(super) struct Resolver(Arc<Mutex<Vec<Entry>>>);

struct Entry {
    authority: Authority,
    state: State,
}

enum State {
    /// One look-up is in flight, however many calls wait for it.
    LookingUp(Task<Result<Vec<SocketAddr>, String>>),
    Known {
        addresses: Vec<SocketAddr>,
        until: Instant,
    },
}

impl Entry {
    fn is(&self, authority: &Authority) -> bool {
        // Copies share their text, so comparing the pointers is mostly enough.
        std::ptr::eq(self.authority.as_str(), authority.as_str()) || self.authority == *authority
    }
}

impl Resolver {
    /// Returns the addresses of the host of `uri`.
    pub fn resolve(&self, uri: &Uri, limits: &Limits) -> Result<Vec<SocketAddr>, ureq::Error> {
        let authority = uri.authority().ok_or(ureq::Error::HostNotFound)?;
        let host = authority.host();
        let port = port_of(uri);
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let failed = |why| Failure::transient(Code::Resolve, format!("{host}: {why}"));
        let task = match self.known_or_task(authority, port) {
            Ok(Found::Known(addresses)) => return Ok(addresses),
            Ok(Found::Task(task)) => task,
            Err(e) => return Err(failed(e.to_string()).into()),
        };
        let found = task.wait(limits).map_err(io::Error::other)?;
        let addresses = match found {
            Ok(addresses) if addresses.is_empty() => Err("it has no address".to_owned()),
            found => found,
        };
        self.finish(authority, addresses.as_deref().ok());
        addresses.map_err(|why| failed(why).into())
    }

    /// Forgets the addresses of a host: none of them could be connected to.
    pub fn forget(&self, uri: &Uri) {
        if let Some(authority) = uri.authority() {
            let known = |e: &Entry| e.is(authority) && matches!(e.state, State::Known { .. });
            self.entries().retain(|e| !known(e));
        }
    }

    fn known_or_task(&self, authority: &Authority, port: u16) -> io::Result<Found> {
        let mut entries = self.entries();
        let now = Instant::now();
        match entries.iter().find(|e| e.is(authority)).map(|e| &e.state) {
            Some(State::Known { addresses, until }) if now < *until => {
                return Ok(Found::Known(addresses.clone()));
            }
            // A finished task is not used: all calls that waited for it ended earlier, and nobody knows when it
            // finished.
            Some(State::LookingUp(task)) if !task.is_done() => {
                return Ok(Found::Task(task.clone()));
            }
            _ => {}
        }
        let host = authority.host().to_owned();
        let task = Task::start("zus-resolve", move || {
            let found = (host.as_str(), port).to_socket_addrs();
            found
                .map(|all| all.take(MOST).collect())
                .map_err(|e| e.to_string())
        })?;
        let state = State::LookingUp(task.clone());
        put(&mut entries, authority, Some(state));
        Ok(Found::Task(task))
    }

    fn finish(&self, authority: &Authority, addresses: Option<&[SocketAddr]>) {
        let state = addresses.map(|addresses| State::Known {
            addresses: addresses.to_vec(),
            until: Instant::now() + VALID,
        });
        put(&mut self.entries(), authority, state);
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Found {
    Known(Vec<SocketAddr>),
    Task(Task<Result<Vec<SocketAddr>, String>>),
}

fn put(entries: &mut Vec<Entry>, authority: &Authority, state: Option<State>) {
    entries.retain(|e| !e.is(authority));
    let authority = authority.clone();
    entries.extend(state.map(|state| Entry { authority, state }));
}

/// The port of a URL, or its scheme's.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(match uri.scheme() {
        Some(s) if *s == Scheme::HTTPS => 443,
        Some(s) if *s == Scheme::HTTP => 80,
        _ => 1080, // a SOCKS proxy
    })
}
