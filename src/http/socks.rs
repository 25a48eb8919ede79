//! SOCKS5 (RFC 1928, RFC 1929) over our own socket: neither our time nor our cancel reaches the one that ureq's
//! connector opens.

use std::io::{Read, Write};
use std::net::IpAddr;

use ureq::Proxy;
use ureq::http::Uri;
use zeroize::Zeroizing;

use super::resolver::port_of;

/// Asks the proxy at the other end of `line` for a connection to the host of `uri`; by name, since the proxy may
/// know names that we don't.
pub(super) fn connect(
    line: &mut (impl Read + Write),
    proxy: &Proxy,
    uri: &Uri,
) -> Result<(), ureq::Error> {
    // Version 5 and the ways to log in: 0 for none, 2 for a user name and a password.
    match proxy.username() {
        None => line.write_all(&[5, 1, 0])?,
        Some(_) => line.write_all(&[5, 2, 0, 2])?,
    }
    match (read(line)?, proxy.username()) {
        ([5, 0], _) => {}
        ([5, 2], Some(user)) => log_in(line, user, proxy.password().unwrap_or_default())?,
        ([5, _], Some(_)) => return refused("it takes no user name and password"),
        ([5, _], None) => return refused("it wants a user name and a password"),
        _ => return refused("its answer is not SOCKS5"),
    }
    line.write_all(&target(uri)?)?;
    let [version, reply, _, kind] = read(line)?;
    match reply {
        _ if version != 5 => return refused("its answer is not SOCKS5"),
        0 => {}
        2 => return refused("not allowed"),
        3 => return refused("network unreachable"),
        4 => return refused("host unreachable"),
        5 => return refused("connection refused"),
        6 => return refused("time to live expired"),
        n => return refused(&format!("failure {n}")),
    }
    // Where it connects from, which nobody needs: an address and a port.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1>(line)?[0]),
        _ => return refused("its answer is not SOCKS5"),
    };
    line.read_exact(&mut vec![0; length + 2])?;
    Ok(())
}

fn log_in(line: &mut (impl Read + Write), user: &str, password: &str) -> Result<(), ureq::Error> {
    let mut request = Zeroizing::new(Vec::with_capacity(3 + 2 * 255));
    request.push(1);
    for text in [user, password] {
        let Ok(length) = u8::try_from(text.len()) else {
            return refused("its user name or password is longer than 255 bytes");
        };
        request.push(length);
        request.extend_from_slice(text.as_bytes());
    }
    line.write_all(&request)?;
    match read(line)? {
        [_, 0] => Ok(()),
        _ => refused("wrong user name or password"),
    }
}

/// The request to connect: to an address, or to a name of at most 255 bytes.
fn target(uri: &Uri) -> Result<Vec<u8>, ureq::Error> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut request = vec![5, 1, 0];
    match (bare.parse(), u8::try_from(host.len())) {
        (Ok(IpAddr::V4(ip)), _) => {
            request.push(1);
            request.extend_from_slice(&ip.octets());
        }
        (Ok(IpAddr::V6(ip)), _) => {
            request.push(4);
            request.extend_from_slice(&ip.octets());
        }
        (Err(_), Ok(length)) => {
            request.extend_from_slice(&[3, length]);
            request.extend_from_slice(host.as_bytes());
        }
        (Err(_), Err(_)) => return refused("the host's name is too long for it"),
    }
    request.extend_from_slice(&port_of(uri).to_be_bytes());
    Ok(request)
}

fn read<const N: usize>(line: &mut impl Read) -> Result<[u8; N], ureq::Error> {
    let mut bytes = [0; N];
    line.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn refused<T>(why: &str) -> Result<T, ureq::Error> {
    Err(ureq::Error::ConnectProxyFailed(why.into()))
}
