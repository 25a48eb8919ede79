//! Makes connections: host name, TCP, a proxy where one is configured, then TLS where the URL wants it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::RootCertStore;
use ureq::ProxyProtocol::{Socks5, Socks5h};
use ureq::config::Config;
use ureq::http::uri::Scheme;
use ureq::http::{HeaderValue, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector as _, Either, NextTimeout, Transport,
    TransportAdapter, time,
};
use ureq::{Agent, Proxy};
use zeroize::Zeroize;

use super::connection::Connection;
use super::failure::{Failure, Phase, Step};
use super::race;
use super::resolver::Resolver;
use super::socket::{Socket, TcpTransport};
use super::socks;
use super::tls::Tls;
use crate::code::Code;
use crate::limits::Limits;

/// What HTTP needs to know.
pub(crate) struct Settings {
    /// For one connection: host name, TCP, proxy and TLS.
    pub connect_timeout: Duration,
    pub proxy: Option<Proxy>,
    /// Trusted instead of the system's trust store.
    pub roots: Option<Arc<RootCertStore>>,
    /// For CONNECT.
    pub user_agent: HeaderValue,
    /// Idle connections to keep.
    pub idle: usize,
}

pub(super) struct Connector {
    shared: Arc<Shared>,
    timeout: Duration,
}

struct Shared {
    /// What ureq's CONNECT wants to know.
    config: Config,
    resolver: Resolver,
    tls: Tls,
}

/// One connection that is being made.
#[derive(Clone)]
struct Dial {
    shared: Arc<Shared>,
    limits: Limits,
    /// The socket at the bottom of it, once there is one.
    socket: Arc<Mutex<Option<Arc<Socket>>>>,
}

impl Connector {
    pub fn new(settings: &Settings) -> Connector {
        let config = Agent::config_builder()
            .proxy(settings.proxy.clone())
            .user_agent(settings.user_agent.to_str().unwrap_or_default())
            .build();
        Connector {
            shared: Arc::new(Shared {
                config,
                resolver: Resolver::default(),
                tls: Tls::new(settings.roots.clone()),
            }),
            timeout: settings.connect_timeout,
        }
    }

    /// Connects to the server of `uri`.
    pub fn connect(&self, uri: &Uri, limits: &Limits) -> Result<Connection, Failure> {
        let dial = Dial {
            shared: Arc::clone(&self.shared),
            limits: limits.part(Instant::now(), self.timeout),
            socket: Arc::default(),
        };
        let transport = dial.connect(uri).map_err(|e| self.reached(uri, e))?;
        let socket = dial.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = socket.clone().expect("a connection has a socket");
        Ok(Connection::new(transport, socket))
    }

    /// Without a proxy it is the server that can't be reached; with one, it is the proxy.
    fn reached(&self, uri: &Uri, failure: Failure) -> Failure {
        match failure.code {
            Code::Resolve | Code::Connect if self.shared.proxy_for(uri).is_some() => Failure {
                code: Code::Proxy,
                ..failure
            },
            _ => failure,
        }
    }
}

impl Shared {
    /// The proxy that requests to `uri` go through.
    fn proxy_for(&self, uri: &Uri) -> Option<&Proxy> {
        self.config.proxy().filter(|proxy| !proxy.is_no_proxy(uri))
    }
}

impl Dial {
    fn step(&self, phase: Phase) -> Step<'_> {
        Step {
            phase,
            limits: &self.limits,
        }
    }

    fn connect(&self, uri: &Uri) -> Result<Box<dyn Transport>, Failure> {
        let transport = match self.shared.proxy_for(uri) {
            None => self.tcp(uri)?,
            Some(proxy) if matches!(proxy.protocol(), Socks5 | Socks5h) => {
                self.socks(proxy, uri)?
            }
            Some(_) => self.tunnel(uri)?,
        };
        self.tls(uri, transport)
    }

    /// A TCP connection to the host of `uri`.
    fn tcp(&self, uri: &Uri) -> Result<Box<dyn Transport>, Failure> {
        let addresses = self.shared.resolver.resolve(uri, &self.limits);
        let addresses = addresses.map_err(|e| self.step(Phase::Resolve).failed(e))?;
        let host = uri.host().unwrap_or_default();
        let step = self.step(Phase::Connect);
        let stream = race::connect(host, &addresses, &self.limits).map_err(|e| {
            self.shared.resolver.forget(uri);
            step.failed(e)
        })?;
        let socket = Socket::new(stream).map_err(|e| step.failed(e.into()))?;
        let served = socket.serve(&self.limits);
        served.map_err(|why| step.interrupted(why))?;
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&socket));
        Ok(Box::new(TcpTransport::new(socket)))
    }

    /// A TCP connection through a SOCKS proxy.
    fn socks(&self, proxy: &Proxy, uri: &Uri) -> Result<Box<dyn Transport>, Failure> {
        let transport = self.tcp(proxy.uri())?;
        let mut stream = TransportAdapter::new(transport, Arc::new(time::Instant::now));
        let connected = socks::connect(&mut stream, proxy, uri);
        // It held a password.
        stream.get_mut().buffers().output().zeroize();
        connected.map_err(|e| self.step(Phase::Proxy).failed(e))?;
        Ok(stream.into_inner())
    }

    /// A tunnel through an HTTP proxy, by ureq's CONNECT.
    fn tunnel(&self, uri: &Uri) -> Result<Box<dyn Transport>, Failure> {
        let dial = self.clone();
        let details = ConnectionDetails {
            uri,
            addrs: UreqResolver::empty(&ProxyKnows),
            config: &self.shared.config,
            request_level: false,
            resolver: &ProxyKnows,
            now: time::Instant::now(),
            timeout: NextTimeout::default(),
            current_time: Arc::new(time::Instant::now),
            // Called for the connection to the proxy itself.
            run_connector: Arc::new(move |details| {
                let transport = dial.tcp(details.uri)?;
                Ok(dial.tls(details.uri, transport)?)
            }),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        let tunnel = ConnectProxyConnector::default().connect(&details, None::<()>);
        match tunnel.map_err(|e| self.step(Phase::Proxy).failed(e))? {
            Some(Either::B(transport)) => Ok(transport),
            _ => Err(Failure::new(Code::Proxy, "the proxy is not an HTTP proxy")),
        }
    }

    fn tls(&self, uri: &Uri, below: Box<dyn Transport>) -> Result<Box<dyn Transport>, Failure> {
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(below);
        }
        let tls = &self.shared.tls;
        tls.wrap(uri, below, &self.limits)
    }
}

/// ureq asks a resolver for the proxy's addresses; ours are looked up where the connection is made.
#[derive(Debug)]
struct ProxyKnows;

impl UreqResolver for ProxyKnows {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
