//! A user ID is one path segment, whatever is in it, and what arrives is what was given, with nothing invisible in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(id) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some(path) = zus::fuzzing::path(id) else {
        return;
    };
    let segment = path
        .strip_prefix("/v2/users/")
        .and_then(|p| p.strip_suffix("/status"))
        .unwrap_or_else(|| panic!("{id:?}: {path:?}"));
    assert!(
        segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~@%".contains(&b)),
        "{id:?}: {path:?}"
    );
    assert!(!id.contains(|c: char| c.is_control() || c != ' ' && c.is_whitespace()));
    assert!(!id.contains([
        '\u{200b}', '\u{200e}', '\u{202e}', '\u{2060}', '\u{feff}', '\u{ad}'
    ]));
    assert!(!["", ".", ".."].contains(&segment), "{id:?}: {path:?}");
    assert_eq!(decoded(segment), id.as_bytes(), "{path:?}");
});

fn decoded(segment: &str) -> Vec<u8> {
    let mut bytes = segment.bytes();
    let mut all = Vec::new();
    while let Some(byte) = bytes.next() {
        all.push(match byte {
            b'%' => {
                let mut digit = || (bytes.next().unwrap() as char).to_digit(16).unwrap() as u8;
                digit() * 16 + digit()
            }
            byte => byte,
        });
    }
    all
}
