//! One connection, and the pool of those that are idle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::unversioned::transport::Transport;
use zeroize::Zeroize;

use super::socket::Socket;
use crate::limits::{Interruption, Limits};

/// An idle connection is closed after this long without use.
const IDLE: Duration = Duration::from_secs(60);

/// A connection: the layers that bytes pass through, and the socket below them, which is told whom it serves.
pub(super) struct Connection {
    pub transport: Box<dyn Transport>,
    socket: Arc<Socket>,
    /// It served a call before this one.
    pub reused: bool,
}

impl Connection {
    pub fn new(transport: Box<dyn Transport>, socket: Arc<Socket>) -> Connection {
        Connection {
            transport,
            socket,
            reused: false,
        }
    }

    /// Serves a call from now on, within its limits.
    pub fn serve(&self, limits: &Limits) -> Result<(), Interruption> {
        self.socket.serve(limits)
    }
}

impl Drop for Connection {
    /// Wipes the buffers, which held access tokens of requests and responses.
    fn drop(&mut self) {
        self.socket.release();
        let buffers = self.transport.buffers();
        buffers.output().zeroize();
        let unread = buffers.input().len();
        buffers.input_consume(unread);
        buffers.input_append_buf().zeroize();
    }
}

/// The idle connections of one client.
pub(super) struct Pool {
    /// The most recently used last.
    idle: Mutex<Vec<Idle>>,
    most: usize,
}

struct Idle {
    connection: Connection,
    uri: Uri,
    since: Instant,
}

impl Pool {
    pub fn new(most: usize) -> Pool {
        Pool {
            idle: Mutex::default(),
            most,
        }
    }

    /// Takes a connection to the server of `uri` that is open, and on which nothing came since its last response.
    pub fn take(&self, uri: &Uri) -> Option<Connection> {
        loop {
            let mut connection = self.take_any(uri)?;
            if connection.transport.is_open() {
                connection.reused = true;
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request to the server of `uri`.
    pub fn put(&self, uri: Uri, connection: Connection) {
        connection.socket.release();
        let since = Instant::now();
        let mut idle = self.idle();
        let oldest = (idle.len() >= self.most).then(|| idle.remove(0));
        idle.push(Idle {
            connection,
            uri,
            since,
        });
        drop(idle);
        drop(oldest);
    }

    fn take_any(&self, uri: &Uri) -> Option<Connection> {
        let now = Instant::now();
        let mut idle = self.idle();
        let old = idle.iter().take_while(|i| now - i.since > IDLE).count();
        let old: Vec<_> = idle.drain(..old).collect();
        let same = |i: &Idle| i.uri.scheme() == uri.scheme() && same_host(&i.uri, uri);
        let found = idle.iter().rposition(same).map(|n| idle.remove(n));
        // Closed without the lock.
        drop(idle);
        drop(old);
        Some(found?.connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies of one URL share their text, so comparing the pointers is mostly enough.
fn same_host(a: &Uri, b: &Uri) -> bool {
    let text = |uri: &Uri| uri.authority().map(|a| std::ptr::from_ref(a.as_str()));
    text(a) == text(b) || a.authority() == b.authority()
}
