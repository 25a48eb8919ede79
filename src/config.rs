//! Every setting: its default and its check.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use ureq::Proxy;
use ureq::http::uri::{Authority, Scheme};
use ureq::http::{HeaderValue, Uri};
use ureq::tls::{Certificate, PemItem, parse_pem};
use zeroize::Zeroizing;

use crate::code::{Code, Error};
use crate::log::Sink;
use crate::request::Encoding;
use crate::token::{Credentials, Provider, bearer};

/// Zoom's API for accounts that are not on Zoom for Government.
const API: &str = "https://api.zoom.us/v2";
const OAUTH: &str = "https://zoom.us/oauth/token";
const USER_AGENT: &str = concat!("zoom-user-status/", env!("CARGO_PKG_VERSION"));

const CONNECT_MS: u32 = 10_000;
const TOTAL_MS: u32 = 60_000;
const ATTEMPTS: u32 = 4;
const FIRST_MS: u32 = 500;
const MOST_MS: u32 = 30_000;
/// Zoom's limit for this call on a Pro account is 30 requests a second.
const REQUESTS: u32 = 30;
const PER_MS: u32 = 1_000;
const CONCURRENCY: u32 = 16;

const DAY_MS: u32 = 24 * 60 * 60 * 1_000;
const MILLISECONDS: RangeInclusive<u32> = 1..=DAY_MS;

/// How much of a call is told. Each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum LogLevel {
    /// A user's update failed for good.
    Error = 1,
    /// An attempt failed and is repeated.
    Warn = 2,
    /// What was answered.
    Info = 3,
    /// What was sent, waited for and why.
    Debug = 4,
}

impl LogLevel {
    /// The level with this number, if there is one.
    pub fn from_number(number: i32) -> Option<LogLevel> {
        [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
        ]
        .into_iter()
        .find(|level| *level as i32 == number)
    }
}

/// How often and how patiently a failed attempt is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    pub attempts: u32,
    pub first: Duration,
    pub most: Duration,
}

/// Settings for a [`Client`](crate::Client): no credentials, and defaults fit for Zoom.
/// Each setter checks its value at once.
#[derive(Clone)]
pub struct Config {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) api: Url,
    pub(crate) oauth: Url,
    pub(crate) encoding: Encoding,
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) interval: Option<Duration>,
    pub(crate) concurrency: usize,
    pub(crate) proxy: ProxyChoice,
    pub(crate) roots: Option<Arc<Vec<Certificate<'static>>>>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) log_level: LogLevel,
    pub(crate) log: Option<Sink>,
}

#[derive(Clone)]
pub(crate) enum ProxyChoice {
    /// HTTPS_PROXY and its like, read when the client is made.
    Environment,
    None,
    Use(Proxy),
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// The defaults.
    pub fn new() -> Config {
        Config {
            credentials: None,
            api: Url::parse(API).expect("the default is a URL"),
            oauth: Url::parse(OAUTH).expect("the default is a URL"),
            encoding: Encoding::Form,
            connect: ms(CONNECT_MS),
            total: ms(TOTAL_MS),
            retry: RetryPolicy {
                attempts: ATTEMPTS,
                first: ms(FIRST_MS),
                most: ms(MOST_MS),
            },
            interval: Some(ms(PER_MS) / REQUESTS),
            concurrency: CONCURRENCY as usize,
            proxy: ProxyChoice::Environment,
            roots: None,
            user_agent: HeaderValue::from_static(USER_AGENT),
            log_level: LogLevel::Warn,
            log: None,
        }
    }

    /// A bearer token that the caller got elsewhere, without the word `Bearer`. It can't be renewed: once Zoom
    /// refuses it, calls end with [`Code::Unauthorized`]. Replaces other credentials.
    pub fn set_token(&mut self, token: &str) -> Result<(), Error> {
        self.credentials = Some(Credentials::Token(bearer(token)?));
        Ok(())
    }

    /// Server-to-server OAuth: tokens are fetched, cached in the client, and renewed. Replaces other credentials.
    pub fn set_oauth(
        &mut self,
        account_id: &str,
        client_id: &str,
        client_secret: &str,
    ) -> Result<(), Error> {
        for (what, value) in [
            ("account id", account_id),
            ("client id", client_id),
            ("client secret", client_secret),
        ] {
            check_text(what, value, 1024)?;
        }
        if client_id.contains(':') {
            // HTTP Basic could not tell where it ends.
            return Err(Error::argument("the client id has a colon"));
        }
        self.credentials = Some(Credentials::OAuth {
            account_id: account_id.into(),
            client_id: client_id.into(),
            client_secret: Arc::new(Zeroizing::new(client_secret.into())),
        });
        Ok(())
    }

    /// A function that gives bearer tokens: called when the client has none, and with `refused` true when Zoom
    /// refused the last one. `None` when it can't have one. One call at a time per client.
    pub fn set_token_provider(
        &mut self,
        provider: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
    ) {
        self.set_provider(Arc::new(move |refused| {
            provider(refused).map(|token| Zeroizing::new(token.into_bytes()))
        }));
    }

    pub(crate) fn set_provider(&mut self, provider: Provider) {
        self.credentials = Some(Credentials::Callback(provider));
    }

    /// Where Zoom is: the API's base (default `https://api.zoom.us/v2`) and the token endpoint (default
    /// `https://zoom.us/oauth/token`). `None` keeps one. http:// is for loopback only, since a token travels with each request.
    pub fn set_urls(&mut self, api: Option<&str>, oauth: Option<&str>) -> Result<(), Error> {
        let api = api.map(Url::parse).transpose()?;
        let oauth = oauth.map(Url::parse).transpose()?;
        self.api = api.unwrap_or_else(|| self.api.clone());
        self.oauth = oauth.unwrap_or_else(|| self.oauth.clone());
        Ok(())
    }

    /// How `action` travels. Default: [`Encoding::Form`].
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// The longest time that one connection may take to be ready (name, TCP, proxy and TLS; default 10,000 ms), and
    /// one call with everything in it (token, waits and repeats; default 60,000 ms). Each 1 ms to 1 day.
    pub fn set_timeouts(&mut self, connect_ms: u32, total_ms: u32) -> Result<(), Error> {
        check_range("the connect timeout in ms", connect_ms, MILLISECONDS)?;
        check_range("the total timeout in ms", total_ms, MILLISECONDS)?;
        self.connect = ms(connect_ms);
        self.total = ms(total_ms);
        Ok(())
    }

    /// At the most `attempts` requests for a user (1 to 100; default 4; 1 repeats nothing). The wait before a repeat
    /// is random, up to `first_ms` (default 500) doubled each time, and never over `most_ms` (default 30,000).
    pub fn set_retry(&mut self, attempts: u32, first_ms: u32, most_ms: u32) -> Result<(), Error> {
        check_range("the number of attempts", attempts, 1..=100)?;
        check_range("the first wait in ms", first_ms, MILLISECONDS)?;
        check_range("the longest wait in ms", most_ms, first_ms..=DAY_MS)?;
        self.retry = RetryPolicy {
            attempts,
            first: ms(first_ms),
            most: ms(most_ms),
        };
        Ok(())
    }

    /// At the most `requests` in `per_ms` milliseconds (1 ms to 1 day), evenly spread, for all threads of a client
    /// together. 0 requests: no limit. Default: 30 in 1,000.
    ///
    /// Zoom's limits for this call, per account and shared by all its apps: 4 a second on Free, 30 on Pro, 80 on
    /// Business and above.
    pub fn set_rate(&mut self, requests: u32, per_ms: u32) -> Result<(), Error> {
        check_range("the rate's period in ms", per_ms, MILLISECONDS)?;
        check_range("the rate's number of requests", requests, 0..=1_000_000)?;
        self.interval = (requests > 0).then(|| ms(per_ms) / requests);
        Ok(())
    }

    /// Users in flight at once in a batch, 1 to 256. Default 16.
    pub fn set_concurrency(&mut self, in_flight: u32) -> Result<(), Error> {
        check_range("the concurrency", in_flight, 1..=256)?;
        self.concurrency = in_flight as usize;
        Ok(())
    }

    /// `http://`, `https://` or `socks5://` `[user:password@]host[:port]`; "" for no proxy at all. When never set,
    /// the environment decides, as for curl: https_proxy or HTTPS_PROXY, all_proxy or ALL_PROXY, no_proxy or NO_PROXY.
    pub fn set_proxy(&mut self, url: &str) -> Result<(), Error> {
        self.proxy = if url.is_empty() {
            ProxyChoice::None
        } else {
            ProxyChoice::Use(crate::http::proxy::parse(url, &[])?)
        };
        Ok(())
    }

    /// Trust only the certificates in this PEM text, instead of the operating system's.
    pub fn set_ca_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        let mut roots = Vec::new();
        for item in parse_pem(pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
                Ok(_) => {}
                Err(_) => return Err(Error::argument("the CA certificates are not valid PEM")),
            }
        }
        // A root that is no certificate would be left out silently later on.
        let mut store = rustls::RootCertStore::empty();
        for root in &roots {
            if store.add(root.der().to_vec().into()).is_err() {
                return Err(Error::argument(
                    "a CA certificate in the PEM text is not a valid certificate",
                ));
            }
        }
        if roots.is_empty() {
            return Err(Error::argument("the PEM text holds no CERTIFICATE"));
        }
        self.roots = Some(Arc::new(roots));
        Ok(())
    }

    /// The User-Agent header, up to 256 bytes. Default: this library's name and version.
    pub fn set_user_agent(&mut self, user_agent: &str) -> Result<(), Error> {
        check_text("user agent", user_agent, 256)?;
        self.user_agent = HeaderValue::from_str(user_agent)
            .map_err(|_| Error::argument("the user agent is not a header value"))?;
        Ok(())
    }

    /// Who hears of running calls, from `level` down to [`LogLevel::Error`]. One line at a time per client.
    pub fn set_log(
        &mut self,
        level: LogLevel,
        sink: impl Fn(LogLevel, &str) + Send + Sync + 'static,
    ) {
        self.log_level = level;
        self.log = Some(Arc::new(sink));
    }

    pub(crate) fn clear_log(&mut self) {
        self.log = None;
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("credentials", &self.credentials)
            .field("api", &self.api)
            .field("oauth", &self.oauth)
            .finish_non_exhaustive()
    }
}

/// A base URL that credentials may be sent to.
#[derive(Clone)]
pub(crate) struct Url {
    scheme: Scheme,
    authority: Authority,
    path: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Url, Error> {
        let wrong = |why: &str| Err(Error::argument(format!("the URL {why}")));
        check_text("URL", text, 2048)?;
        if text.contains('#') {
            return wrong("has a fragment");
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return wrong("is malformed");
        };
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return wrong("has no scheme or host; it begins with https://");
        };
        if authority.as_str().contains('@') {
            return wrong("holds a user name; credentials have their own settings");
        }
        let port = authority.as_str()[authority.host().len()..].strip_prefix(':');
        if authority.host().is_empty()
            || port.is_some_and(|p| !matches!(p.parse(), Ok(1..=u16::MAX)))
        {
            return wrong("has no host, or a port that isn't 1 to 65535");
        }
        if scheme == Scheme::HTTP && !is_loopback(authority.host()) {
            return wrong(
                "is http:// to a host that isn't loopback; a token would travel in clear",
            );
        }
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return wrong("is neither https:// nor http://");
        }
        let path = parts.path_and_query;
        if path.as_ref().is_some_and(|p| p.query().is_some()) {
            return wrong("has a query");
        }
        let path = path.as_ref().map_or("", |p| p.path());
        Ok(Url {
            scheme,
            authority,
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// Text that may travel in a header or a form: not empty, no control character.
pub(crate) fn check_text(what: &str, value: &str, most: usize) -> Result<(), Error> {
    if value.is_empty() {
        Err(Error::argument(format!("the {what} is empty")))
    } else if value.len() > most {
        Err(Error::argument(format!(
            "the {what} is longer than {most} bytes"
        )))
    } else if value.contains(char::is_control) {
        Err(Error::argument(format!(
            "the {what} has a control character"
        )))
    } else {
        Ok(())
    }
}

fn check_range(what: &str, value: u32, range: RangeInclusive<u32>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::new(
        Code::Argument,
        format!(
            "{what} is {value}; it must be from {} to {}",
            range.start(),
            range.end()
        ),
    ))
}

fn ms(n: u32) -> Duration {
    Duration::from_millis(n.into())
}
