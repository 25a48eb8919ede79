//! SOCKS5 (RFC 1928, RFC 1929) over our own socket: ureq's connector opens one that knows neither the call's deadline
//! nor its cancel.

use std::io::{Read, Write};
use std::net::IpAddr;

use ureq::Proxy;
use ureq::http::Uri;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::resolver::port_of;
use crate::code::Code;

/// Asks the proxy at the other end of `stream` for a connection to the host of `uri`; by host name, since the proxy may
/// know names that we don't.
pub(super) fn connect(
    stream: &mut (impl Read + Write),
    proxy: &Proxy,
    uri: &Uri,
) -> Result<(), ureq::Error> {
    // Version 5 and the ways to log in: 0 for none, 2 for a user name and a password.
    match proxy.username() {
        None => stream.write_all(&[5, 1, 0])?,
        Some(_) => stream.write_all(&[5, 2, 0, 2])?,
    }
    match (read(stream)?, proxy.username()) {
        ([5, 0], _) => {}
        ([5, 2], Some(user)) => log_in(stream, user, proxy.password().unwrap_or_default())?,
        ([5, _], Some(_)) => return refused("it takes no user name and password"),
        ([5, _], None) => return refused("it asks for a user name and a password"),
        _ => return refused("its response is not SOCKS5"),
    }
    stream.write_all(&target(uri)?)?;
    let [version, reply, _, kind] = read(stream)?;
    match reply {
        _ if version != 5 => return refused("its response is not SOCKS5"),
        0 => {}
        2 => return refused("not allowed"),
        3 => return unreachable("network unreachable"),
        4 => return unreachable("host unreachable"),
        5 => return unreachable("connection refused"),
        6 => return unreachable("time to live expired"),
        n => return refused(&format!("failure {n}")),
    }
    // Where it connects from, which nobody needs: an address and a port.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1>(stream)?[0]),
        _ => return refused("its response is not SOCKS5"),
    };
    stream.read_exact(&mut vec![0; length + 2])?;
    Ok(())
}

fn log_in(stream: &mut (impl Read + Write), user: &str, password: &str) -> Result<(), ureq::Error> {
    let mut request = Zeroizing::new(Vec::with_capacity(3 + 2 * 255));
    request.push(1);
    for text in [user, password] {
        let Ok(length) = u8::try_from(text.len()) else {
            return refused("its user name or password is longer than 255 bytes");
        };
        request.push(length);
        request.extend_from_slice(text.as_bytes());
    }
    stream.write_all(&request)?;
    match read(stream)? {
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
        (Err(_), Err(_)) => return refused("the host name is too long for it"),
    }
    request.extend_from_slice(&port_of(uri).to_be_bytes());
    Ok(request)
}

fn read<const N: usize>(stream: &mut impl Read) -> Result<[u8; N], ureq::Error> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn refused<T>(why: &str) -> Result<T, ureq::Error> {
    Err(Failure::new(Code::Proxy, why).into())
}

/// The proxy can't reach the server, which may pass.
fn unreachable<T>(why: &str) -> Result<T, ureq::Error> {
    Err(Failure::transient(Code::Proxy, why).into())
}
