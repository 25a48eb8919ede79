//! The proxy: from its URL, or from the environment as curl reads it.

use std::net::IpAddr;

use ureq::http::uri::Scheme;
use ureq::{Proxy, ProxyProtocol};

use crate::code::Error;
use crate::environment::variable;
use crate::url::Url;

/// Which proxy to use.
#[derive(Clone)]
pub(crate) enum ProxyChoice {
    /// HTTPS_PROXY and its like, read when the client is made.
    Environment,
    None,
    Use(Proxy),
}

impl ProxyChoice {
    /// Returns the proxy for requests to these two URLs.
    pub fn proxy(&self, api: &Url, oauth: &Url) -> Result<Option<Proxy>, Error> {
        match self {
            ProxyChoice::Environment => from_environment(api, oauth),
            ProxyChoice::None => Ok(None),
            ProxyChoice::Use(proxy) => Ok(Some(proxy.clone())),
        }
    }
}

/// A proxy from its URL, checked. The hosts in `exempt` are reached without it.
pub(crate) fn parse(url: &str, exempt: &[&str]) -> Result<Proxy, Error> {
    // The URL may hold a password: it is in no message.
    let wrong = || {
        Error::argument(
            "the proxy is not a URL such as http://proxy.example.com:3128 or socks5://proxy.example.com",
        )
    };
    if url.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(wrong());
    }
    let plain = Proxy::new(url).map_err(|_| wrong())?;
    let protocol = plain.protocol();
    let too_old = matches!(protocol, ProxyProtocol::Socks4 | ProxyProtocol::Socks4A);
    if too_old || plain.uri().authority().is_none_or(|a| a.host().is_empty()) {
        return Err(wrong());
    }
    if has_bad_port(&plain) {
        return Err(Error::argument("the proxy's port is not 1 to 65535"));
    }
    let mut builder = Proxy::builder(protocol)
        .host(plain.host())
        .port(match protocol {
            // curl's default for a proxy without a port
            ProxyProtocol::Http if plain.uri().port().is_none() => 1080,
            _ => plain.port(),
        })
        // The proxy knows names that we may not.
        .resolve_target(false);
    if let Some(user) = plain.username() {
        builder = builder.username(user);
        if let Some(password) = plain.password() {
            builder = builder.password(password);
        }
    }
    for host in exempt {
        builder = builder.no_proxy(host);
    }
    builder.build().map_err(|_| wrong())
}

/// ureq reads an invalid port as no port.
fn has_bad_port(proxy: &Proxy) -> bool {
    let Some(authority) = proxy.uri().authority() else {
        return false;
    };
    let server = authority.as_str().rsplit('@').next().unwrap_or_default();
    let port = server.strip_prefix(authority.host()).unwrap_or_default();
    port.strip_prefix(':')
        .is_some_and(|port| !port.is_empty() && !matches!(port.parse(), Ok(1..=u16::MAX)))
}

/// As curl reads it: lower case first. But none for http://, which is for loopback: curl would hand the proxy the
/// token in clear.
fn from_environment(api: &Url, oauth: &Url) -> Result<Option<Proxy>, Error> {
    let read = |names: &[&str]| names.iter().find_map(|name| variable(name));
    if *api.scheme() == Scheme::HTTP {
        return Ok(None);
    }
    let own = read(&["https_proxy", "HTTPS_PROXY"]);
    let Some(url) = own.or_else(|| read(&["all_proxy", "ALL_PROXY"])) else {
        return Ok(None);
    };
    let no_proxy = read(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    let mut hosts = vec![api.authority().host(), oauth.authority().host()];
    hosts.retain(|host| is_exempt(host, &no_proxy));
    parse(&url, &hosts).map(Some).map_err(|e| {
        Error::new(
            e.code(),
            format!(
                "in the environment (https_proxy, all_proxy): {}",
                e.message()
            ),
        )
    })
}

/// Whether NO_PROXY covers this host. It is "*", or a list: a name covers itself and all names below it, an address
/// covers itself, and an address with a number of bits covers its network.
fn is_exempt(host: &str, no_proxy: &str) -> bool {
    if no_proxy == "*" {
        return true;
    }
    let mut entries = no_proxy
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty());
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => entries.any(|entry| is_in_network(ip, entry)),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            let host = host.strip_suffix('.').unwrap_or(&host);
            entries.any(|entry| {
                let name = entry.to_ascii_lowercase();
                let name = name.strip_suffix('.').unwrap_or(&name);
                let name = name.strip_prefix('.').unwrap_or(name);
                host.strip_suffix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        }
    }
}

fn is_in_network(ip: IpAddr, entry: &str) -> bool {
    let (network, bits) = match entry.split_once('/') {
        None => (entry, None),
        Some((network, bits)) => match bits.parse::<u32>() {
            Ok(bits) => (network, Some(bits)),
            Err(_) => return false,
        },
    };
    let (difference, width) = match (ip, network.parse()) {
        (IpAddr::V4(a), Ok(IpAddr::V4(b))) => (u128::from(a.to_bits() ^ b.to_bits()), 32),
        (IpAddr::V6(a), Ok(IpAddr::V6(b))) => (a.to_bits() ^ b.to_bits(), 128),
        _ => return false,
    };
    let bits = bits.unwrap_or(width);
    bits <= width && difference.checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_1_to_65535_or_left_out() {
        for (url, port) in [
            ("http://proxy.test", 1080),
            ("http://proxy.test:3128", 3128),
            ("http://user:pass@proxy.test:65535", 65535),
            ("http://[::1]:8080", 8080),
            ("socks5://proxy.test", 1080),
            ("https://proxy.test", 443),
        ] {
            assert_eq!(parse(url, &[]).unwrap().port(), port, "{url}");
        }
        for url in [
            "http://proxy.test:99999",
            "http://proxy.test:0",
            "http://user:1@proxy.test:65536",
            "http://[::1]:99999",
            "socks5://proxy.test:99999",
        ] {
            assert!(parse(url, &[]).is_err(), "{url}");
        }
    }

    #[test]
    fn names_and_networks_are_exempt_as_for_curl() {
        for (host, no_proxy) in [
            ("api.zoom.us", "*"),
            ("api.zoom.us", "zoom.us"),
            ("api.zoom.us", "example.com, .ZOOM.us"),
            ("api.zoom.us.", "api.zoom.us"),
            ("127.0.0.1", "10.0.0.0/8 127.0.0.0/8"),
            ("[::1]", "::1"),
            ("[fd00::1]", "fd00::/8"),
        ] {
            assert!(is_exempt(host, no_proxy), "{host} by {no_proxy:?}");
        }
        for (host, no_proxy) in [
            ("api.zoom.us", ""),
            ("api.zoom.us", "oom.us"),
            ("api.zoom.us", "my.api.zoom.us,*.zoom.us,*"),
            ("127.0.0.1", "0.0.1"),
            ("127.0.0.1", "127.0.0.2/31,127.0.0.1/33,127.0.0.1/x"),
            ("[::1]", "0.0.0.1,::2"),
        ] {
            assert!(!is_exempt(host, no_proxy), "{host} by {no_proxy:?}");
        }
    }
}
