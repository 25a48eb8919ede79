//! Entries for the targets in fuzz/. Built only with `--cfg fuzzing`; no part of the API.
#![allow(missing_docs)]

use ureq::http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::Config;
use crate::http::Response;
use crate::outcome::Outcome;
use crate::request::{Action, Operation, check_user_id};
use crate::response;

/// A response as HTTP has parsed it -> what it means, and whether it asks for JSON.
pub fn outcome(
    status: u16,
    headers: &[(&[u8], &[u8])],
    body: &[u8],
    endpoint_is_known: bool,
) -> (Outcome, bool) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            map.append(name, value);
        }
    }
    let received = Response {
        status,
        headers: map,
        body: body.to_vec(),
    };
    let outcome = response::read(received, endpoint_is_known);
    let needs_json = outcome.needs_json();
    (outcome, needs_json)
}

pub fn retry_after(value: &str) -> Option<i64> {
    crate::retry::retry_after(value)
}

/// The path that a user ID is sent as; `None` where it can't be sent.
pub fn path(user_id: &str) -> Option<String> {
    check_user_id(user_id).ok()?;
    let config = Config::new();
    let requests = config.requests();
    Some(
        requests
            .uri(user_id, Operation::Update(Action::Deactivate))
            .path()
            .to_owned(),
    )
}
