//! Names and sentences of codes, and versions.

use std::ffi::c_char;

use super::guard::guard_or;
use crate::code::Code;

/// Returns the name of a code, e.g. "ZUS_ERR_USER_NOT_FOUND"; "ZUS_ERR_UNKNOWN" for a number that is no code.
/// The string is static. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn zus_code_name(code: i32) -> *const c_char {
    guard_or(c"ZUS_ERR_UNKNOWN".as_ptr(), || {
        Code::from_number(code)
            .map_or(c"ZUS_ERR_UNKNOWN", |code| code.c_strings().0)
            .as_ptr()
    })
}

/// Returns a sentence for people, e.g. "the user does not exist or is not on this account".
/// The string is static. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn zus_code_text(code: i32) -> *const c_char {
    guard_or(c"".as_ptr(), || {
        Code::from_number(code)
            .map_or(c"a code that this version does not know", |code| {
                code.c_strings().1
            })
            .as_ptr()
    })
}

/// Returns the version of the library in use, e.g. "0.1.0"; the header's are ZUS_VERSION_MAJOR, _MINOR and _PATCH.
/// The string is static. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn zus_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Returns the number of the ABI in use: the number in the name of the shared library where names have one
/// (libzus.so.0, libzus.0.dylib). A program that was built with another number must not use this library.
/// ZUS_ABI_VERSION is the header's. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn zus_abi_version() -> i32 {
    ZUS_ABI_VERSION
}

/// The number of the ABI that this header describes: see zus_abi_version.
pub const ZUS_ABI_VERSION: i32 = 0;
