//! The C API: `include/zus.h` is written from this module. The only unsafe code of the library is here.
//!
//! Every export runs inside `guard`, checks its pointers for NULL, and copies the strings that it is given.
#![allow(non_camel_case_types)]
// The comments become those of a C header, where a URL is a URL and brackets are brackets.
#![allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links)]

mod callbacks;
mod cancel;
mod client;
mod code;
mod config;
mod guard;
mod names;
mod queue;
mod result;
mod start;

pub use callbacks::*;
pub use cancel::*;
pub use client::*;
pub use code::*;
pub use config::*;
pub use names::*;
pub use queue::*;
pub use result::*;
pub use start::*;
