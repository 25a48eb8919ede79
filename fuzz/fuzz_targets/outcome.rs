//! What an answer means: status, headers and body as HTTP has parsed them. The first two bytes are the status, then come
//! lines of headers up to an empty one, then the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zus::Code;

fuzz_target!(|bytes: &[u8]| {
    let [a, b, rest @ ..] = bytes else { return };
    let status = 100 + u16::from_be_bytes([*a, *b]) % 900;
    let mut headers: Vec<(&[u8], &[u8])> = Vec::new();
    let mut rest = rest;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            break;
        };
        headers.push((&line[..colon], &line[colon + 1..]));
    }
    let (outcome, wrong_encoding) = zus::fuzzing::outcome(status, &headers, rest);
    assert_eq!(outcome.http_status(), status);
    assert_eq!(outcome.body(), rest);
    assert_eq!(outcome.ok(), outcome.message().is_empty());
    // Done is what Zoom says with 2xx and no code of an error; no other answer may pass for it.
    if outcome.ok() {
        assert!((200..300).contains(&status) && outcome.zoom_code() == 0);
        assert!(!rest.trim_ascii_start().starts_with(b"<"));
    }
    if status >= 500 {
        assert_eq!(outcome.code(), Code::Server);
    }
    assert!(!(wrong_encoding && outcome.ok()));
    assert!(
        outcome
            .retry_after()
            .is_none_or(|s| (0..=604_800).contains(&s))
    );
    let _ = (outcome.tracking_id(), outcome.header("retry-after"));
    assert!(!format!("{outcome:?}").is_empty());
});
