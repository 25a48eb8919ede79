//! What a response means: status, headers and body as HTTP has parsed them. The first two bytes are the status, then come
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
    // Whether the endpoint is known is the lowest bit of the status.
    let (outcome, needs_json) = zus::fuzzing::outcome(status, &headers, rest, status & 1 == 1);
    assert_eq!(outcome.http_status(), status);
    assert_eq!(outcome.body(), rest);
    assert_eq!(outcome.ok(), outcome.message().is_empty());
    // A 2xx is done with nothing in it, or with JSON and no error code; no other response may pass for it.
    if outcome.ok() {
        assert!((200..300).contains(&status) && outcome.zoom_code() == 0);
        let text = rest
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(rest)
            .trim_ascii();
        assert!(text.is_empty() || b"{[\"nt".contains(&text[0]), "{text:?}");
    }
    if status >= 500 {
        assert_eq!(outcome.code(), Code::Server);
    }
    assert!(!(needs_json && outcome.ok()));
    // One line, and not a whole page.
    assert!(!outcome.message().contains(char::is_control));
    assert!(outcome.message().chars().count() < 2_500);
    assert!(
        outcome
            .retry_after()
            .is_none_or(|s| (0..=604_800).contains(&s))
    );
    let _ = (outcome.tracking_id(), outcome.header("retry-after"));
    assert!(!format!("{outcome:?}").is_empty());
});
