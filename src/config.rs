//! Every setting of a client: its default, and which module it belongs to. Each module checks and owns its own.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::check::{check_range, check_text};
use crate::code::{Code, Error};
use crate::environment::variable;
use crate::http::proxy::{self, ProxyChoice};
use crate::http::{self, parse_roots};
use crate::log::{LogLevel, LogSettings};
use crate::queue::{Event, Queue};
use crate::request::{Encoding, Requests};
use crate::retry::RetryPolicy;
use crate::token::{self, Credentials, OAuth, Provider, bearer};
use crate::url::Url;

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
/// An attempt gets at least this long, where it has no time of its own.
const ATTEMPT_LEAST: Duration = Duration::from_secs(10);
/// Threads of the caller that run beside a batch keep their connections, too.
const IDLE_LEAST: usize = 64;

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
    /// For one attempt; none for a share of the total.
    attempt: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    /// How long an update is verified; none for not at all.
    pub(crate) verify: Option<Duration>,
    pub(crate) interval: Option<Duration>,
    pub(crate) concurrency: usize,
    pub(crate) proxy: ProxyChoice,
    pub(crate) roots: Option<Arc<RootCertStore>>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) log: LogSettings,
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
            attempt: None,
            retry: RetryPolicy {
                attempts: ATTEMPTS,
                first: ms(FIRST_MS),
                most: ms(MOST_MS),
            },
            verify: None,
            interval: Some(ms(PER_MS) / REQUESTS),
            concurrency: CONCURRENCY as usize,
            proxy: ProxyChoice::Environment,
            roots: None,
            user_agent: HeaderValue::from_static(USER_AGENT),
            log: LogSettings {
                level: LogLevel::Warn,
                sink: None,
            },
        }
    }

    /// Makes a configuration from the environment: see [`Config::set_from_env`].
    pub fn from_env() -> Result<Config, Error> {
        let mut config = Config::new();
        config.set_from_env()?;
        Ok(config)
    }

    /// Sets credentials and URLs from the environment: `ZOOM_ACCESS_TOKEN`, else `ZOOM_ACCOUNT_ID`, `ZOOM_CLIENT_ID` and
    /// `ZOOM_CLIENT_SECRET`; and, where they are set, `ZOOM_API_URL` and `ZOOM_OAUTH_URL`. An empty variable counts as not
    /// set. A privileged program (setuid, setgid, file capabilities) finds none. When this fails, nothing is changed.
    pub fn set_from_env(&mut self) -> Result<(), Error> {
        let mut config = self.clone();
        match variable("ZOOM_ACCESS_TOKEN").map(Zeroizing::new) {
            Some(token) => config.set_token(&token)?,
            None => {
                let account_id = credential("ZOOM_ACCOUNT_ID")?;
                let client_id = credential("ZOOM_CLIENT_ID")?;
                let client_secret = Zeroizing::new(credential("ZOOM_CLIENT_SECRET")?);
                config.set_oauth(&account_id, &client_id, &client_secret)?;
            }
        }
        let (api, oauth) = (variable("ZOOM_API_URL"), variable("ZOOM_OAUTH_URL"));
        config.set_urls(api.as_deref(), oauth.as_deref())?;
        *self = config;
        Ok(())
    }

    /// Sets the credentials: a static token, without the word `Bearer`. It can't be refreshed: once Zoom rejects it,
    /// calls end with [`Code::Unauthorized`]. Replaces other credentials.
    pub fn set_token(&mut self, token: &str) -> Result<(), Error> {
        self.credentials = Some(Credentials::Token(bearer(token)?));
        Ok(())
    }

    /// Sets the credentials: Server-to-Server OAuth. The client obtains access tokens, shares one between its threads and
    /// refreshes it. Replaces other credentials.
    pub fn set_oauth(
        &mut self,
        account_id: &str,
        client_id: &str,
        client_secret: &str,
    ) -> Result<(), Error> {
        let oauth = OAuth::new(account_id, client_id, client_secret)?;
        self.credentials = Some(Credentials::OAuth(oauth));
        Ok(())
    }

    /// Sets the credentials: a token provider, called when the client has no token, and with `true` when Zoom rejected
    /// the last one. It returns `None` when there is no token. One call at a time per client. Replaces other credentials.
    pub fn set_token_provider(
        &mut self,
        provider: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
    ) {
        self.set_provider(Arc::new(move |rejected, _| {
            Ok(provider(rejected).map(|token| Zeroizing::new(token.into_bytes())))
        }));
    }

    /// Sets a queue that receives token requests as events. Replaces other credentials. A thread that makes a blocking
    /// call can't take the request of that call: take events on another.
    pub fn set_token_events(&mut self, queue: &Queue) {
        let queue = queue.clone();
        self.set_provider(Arc::new(move |rejected, limits| {
            queue.request_token(rejected, limits)
        }));
    }

    /// Sets a queue that receives log lines, from `level` down to [`LogLevel::Error`], as events. They are dropped
    /// while too many events wait.
    pub fn set_log_events(&mut self, level: LogLevel, queue: &Queue) {
        let queue = queue.clone();
        self.set_log(level, move |level, line| {
            queue.push(Event::Log(level, line.to_owned()));
        });
    }

    pub(crate) fn set_provider(&mut self, provider: Provider) {
        self.credentials = Some(Credentials::Provider(provider));
    }

    /// Sets the URLs of Zoom: the base of the API (default `https://api.zoom.us/v2`) and the OAuth token endpoint (default
    /// `https://zoom.us/oauth/token`). `None` leaves one as it is. http:// is for loopback only, since a token travels with
    /// each request.
    pub fn set_urls(&mut self, api: Option<&str>, oauth: Option<&str>) -> Result<(), Error> {
        let api = api.map(Url::parse).transpose()?;
        let oauth = oauth.map(Url::parse).transpose()?;
        self.api = api.unwrap_or_else(|| self.api.clone());
        self.oauth = oauth.unwrap_or_else(|| self.oauth.clone());
        Ok(())
    }

    /// Sets the encoding of the request body. Default: [`Encoding::Form`].
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// Sets the longest time for one connection (host name, TCP, proxy and TLS; default 10,000 ms), and for one call with
    /// everything in it (token, waits and retries; default 60,000 ms). Each is 1 ms to 1 day.
    pub fn set_timeouts(&mut self, connect_ms: u32, total_ms: u32) -> Result<(), Error> {
        check_range("the connect timeout in ms", connect_ms, MILLISECONDS)?;
        check_range("the total timeout in ms", total_ms, MILLISECONDS)?;
        self.connect = ms(connect_ms);
        self.total = ms(total_ms);
        Ok(())
    }

    /// Sets whether updates are verified: after Zoom accepted to activate or deactivate a user, the user is read until the status is
    /// the wanted one, for up to `wait_ms` (at most 1 day) and never past the call's total time. Otherwise the update
    /// ends with [`Code::NotVerified`](crate::Code::NotVerified). 0, the default: updates are not verified.
    ///
    /// Each read is a request of its own: it counts for the rate, and for the daily limit of Zoom's Free plan.
    pub fn set_verify(&mut self, wait_ms: u32) -> Result<(), Error> {
        check_range("the time to verify in ms", wait_ms, 0..=DAY_MS)?;
        self.verify = (wait_ms > 0).then(|| ms(wait_ms));
        Ok(())
    }

    /// Sets the longest time that one attempt may take, from its slot to the last byte of the response, and that one
    /// token request may take: 1 ms to 1 day. An attempt that takes longer is retried. 0, the default: the total time
    /// divided by the number of attempts, but at least 10 s. No attempt outlasts the total time.
    pub fn set_attempt_timeout(&mut self, attempt_ms: u32) -> Result<(), Error> {
        check_range("the attempt timeout in ms", attempt_ms, 0..=DAY_MS)?;
        self.attempt = (attempt_ms > 0).then(|| ms(attempt_ms));
        Ok(())
    }

    /// Sets how often and when a request is retried: `attempts` is 1 to 100 (default 4; 1 means no retries). The wait
    /// before a retry is random, up to `first_ms` (default 500) doubled each time, and never over `most_ms` (default 30,000).
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

    /// Sets the rate limit: at most `requests` in `per_ms` milliseconds (1 ms to 1 day), evenly spread, for all threads of
    /// a client together. 0 requests: no limit. Default: 30 in 1,000.
    ///
    /// Zoom's limits for this call, per account and shared by all its apps: 4 a second on Free, 30 on Pro, 80 on
    /// Business and above.
    pub fn set_rate(&mut self, requests: u32, per_ms: u32) -> Result<(), Error> {
        check_range("the rate's period in ms", per_ms, MILLISECONDS)?;
        check_range("the rate's number of requests", requests, 0..=1_000_000)?;
        self.interval = (requests > 0).then(|| ms(per_ms) / requests);
        Ok(())
    }

    /// Sets how many users are in flight at once, in a batch and among started calls: 1 to 256. Default 16.
    pub fn set_concurrency(&mut self, in_flight: u32) -> Result<(), Error> {
        check_range("the concurrency", in_flight, 1..=256)?;
        self.concurrency = in_flight as usize;
        Ok(())
    }

    /// Sets a proxy: `http://`, `https://` or `socks5://`, then `[user:password@]host[:port]`; "" for no proxy at all.
    /// Without this setting the environment decides, as for curl: https_proxy or HTTPS_PROXY, all_proxy or ALL_PROXY, no_proxy or NO_PROXY.
    pub fn set_proxy(&mut self, url: &str) -> Result<(), Error> {
        self.proxy = if url.is_empty() {
            ProxyChoice::None
        } else {
            ProxyChoice::Use(proxy::parse(url, &[])?)
        };
        Ok(())
    }

    /// Sets the CA certificates to trust, as PEM text, instead of the operating system's trust store.
    pub fn set_ca_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        self.roots = Some(Arc::new(parse_roots(pem)?));
        Ok(())
    }

    /// Sets the User-Agent header, up to 256 bytes. Default: this library's name and version.
    pub fn set_user_agent(&mut self, user_agent: &str) -> Result<(), Error> {
        check_text("user agent", user_agent, 256)?;
        self.user_agent = HeaderValue::from_str(user_agent)
            .map_err(|_| Error::argument("the user agent is not a header value"))?;
        Ok(())
    }

    /// Sets the function that receives log lines, from [`LogLevel::Error`] up to `level`. One line at a time per client.
    pub fn set_log(
        &mut self,
        level: LogLevel,
        sink: impl Fn(LogLevel, &str) + Send + Sync + 'static,
    ) {
        self.log = LogSettings {
            level,
            sink: Some(Arc::new(sink)),
        };
    }

    pub(crate) fn clear_log(&mut self) {
        self.log.sink = None;
    }

    pub(crate) fn http(&self) -> Result<http::Settings, Error> {
        Ok(http::Settings {
            connect_timeout: self.connect,
            proxy: self.proxy.proxy(&self.api, &self.oauth)?,
            roots: self.roots.clone(),
            user_agent: self.user_agent.clone(),
            idle: self.concurrency.max(IDLE_LEAST),
        })
    }

    pub(crate) fn token(&self) -> token::Settings {
        token::Settings {
            credentials: self.credentials.clone(),
            url: self.oauth.clone(),
            user_agent: self.user_agent.clone(),
            retry: self.retry,
            attempt_timeout: self.attempt_timeout(),
        }
    }

    pub(crate) fn requests(&self) -> Requests {
        Requests::new(&self.api, &self.user_agent, self.encoding)
    }

    /// The longest time that one attempt may take.
    pub(crate) fn attempt_timeout(&self) -> Duration {
        let share = || (self.total / self.retry.attempts).max(ATTEMPT_LEAST);
        self.attempt.unwrap_or_else(share)
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

fn credential(name: &str) -> Result<String, Error> {
    variable(name).ok_or_else(|| {
        let message = format!(
            "{name} is not set; set ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET"
        );
        Error::new(Code::Credentials, message)
    })
}

fn ms(n: u32) -> Duration {
    Duration::from_millis(n.into())
}
