//! One token: a header value whose memory is wiped, and how long it serves.

use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::check::check_text;
use crate::code::Error;
use crate::request::Headers;

/// The longest token, in bytes. Zoom's have some hundreds.
pub(crate) const TOKEN_MOST: usize = 8 * 1024;

/// The value of an Authorization header. Its memory is wiped when the last copy of it goes.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    check_text("token", token, TOKEN_MOST)?;
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::argument(
            "the token has whitespace, or a character that is not visible ASCII",
        ));
    }
    secret_header("Bearer ", token).map_err(|_| Error::argument("the token is not a header value"))
}

pub(super) fn secret_header(scheme: &str, secret: &str) -> Result<HeaderValue, ureq::http::Error> {
    let mut value = Zeroizing::new(Vec::with_capacity(scheme.len() + secret.len()));
    value.extend_from_slice(scheme.as_bytes());
    value.extend_from_slice(secret.as_bytes());
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(value))?;
    header.set_sensitive(true);
    Ok(header)
}

pub(crate) struct Token {
    pub authorization: HeaderValue,
    /// What requests with it carry, once one was made.
    pub headers: OnceLock<Headers>,
    /// What Zoom said of it, without the token itself: JSON, or empty.
    pub details: String,
    /// From when on a new one is obtained, while this one still serves others.
    pub refresh: Option<Instant>,
    pub expires: Option<Instant>,
    /// Tells tokens apart without looking at them.
    pub number: u64,
}

impl Token {
    /// A token of which nothing more is known.
    pub fn endless(authorization: HeaderValue, number: u64) -> Token {
        Token {
            authorization,
            headers: OnceLock::new(),
            details: String::new(),
            refresh: None,
            expires: None,
            number,
        }
    }

    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| now >= at)
    }
}
