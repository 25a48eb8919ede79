//! URLs that credentials may be sent to.

use std::fmt;
use std::net::Ipv4Addr;

use ureq::http::Uri;
use ureq::http::uri::{Authority, Parts, PathAndQuery, Scheme};

use crate::check::check_text;
use crate::code::Error;

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
            return wrong("has no host, or a port that is not 1 to 65535");
        }
        if scheme == Scheme::HTTP && !is_loopback(authority.host()) {
            return wrong(
                "is http:// to a host that is not loopback: the token would travel in clear",
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

    /// Returns the URL of `path` on the same server.
    pub fn with_path(&self, path: PathAndQuery) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).expect("scheme, authority and path make a URL")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_travel_in_clear_to_loopback_only() {
        for good in [
            "https://api.zoom.us/v2",
            "https://api.zoom.us:8443/v2/",
            "http://127.0.0.1:1/",
            "http://127.9.9.9",
            "http://[::1]:8080/v2",
            "http://LocalHost",
        ] {
            assert!(Url::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://api.zoom.us", "would travel in clear"),
            ("http://127.0.0.1.example.com", "would travel in clear"),
            ("ftp://127.0.0.1", "is neither https:// nor http://"),
            ("api.zoom.us", "has no scheme or host"),
            ("https://user@api.zoom.us", "holds a user name"),
            ("https://api.zoom.us?x=1", "has a query"),
            ("https://api.zoom.us/#x", "has a fragment"),
            ("https://api.zoom.us:99999", "a port that is not 1 to 65535"),
            ("https://:443", "has no host"),
            ("https://a b", "is malformed"),
        ] {
            let error = Url::parse(bad).unwrap_err();
            assert!(error.message().contains(why), "{bad}: {}", error.message());
        }
    }
}
