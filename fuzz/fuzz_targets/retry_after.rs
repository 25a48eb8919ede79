//! Retry-After from a server that says anything.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Some(seconds) = zus::fuzzing::retry_after(&text) {
        assert!((0..=604_800).contains(&seconds), "{text:?}: {seconds}");
    }
});
