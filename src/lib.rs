//! Activate and deactivate Zoom users: one blocking call, whose result is true.
//!
//! ```no_run
//! use zus::{Action, Client, Config};
//!
//! let mut config = Config::new();
//! config.set_token("a bearer token")?;
//! let client = Client::new(&config)?;
//! let outcome = client.update_status("ada@example.com", Action::Deactivate, None);
//! println!("{}: {}", outcome.code(), outcome.message());
//! # Ok::<(), zus::Error>(())
//! ```
//!
//! A [`Client`] obtains its tokens ([`Config::set_oauth`]), keeps idle connections, stays within a rate limit
//! ([`Config::set_rate`]), retries what is safe to retry ([`Config::set_retry`]) and never outlasts its total time
//! ([`Config::set_timeouts`]). It is shared between threads by reference. [`Client::update_status_many`] is a batch of
//! many users.
//!
//! The function of [`Config::set_log`] receives log lines, without secrets. The crates below write to the
//! `log` crate: keep `ureq_proto` at `Debug` there, since at `Trace` it shows the wire, tokens included.
//!
//! The same is there for C and every language that calls C: `include/zus.h`, written from the module `ffi`.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod attempts;
mod batch;
mod body;
mod call;
mod cancel;
mod check;
mod client;
mod code;
mod config;
mod detached;
mod environment;
#[allow(unsafe_code)]
pub mod ffi;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod limits;
mod log;
mod outcome;
mod platform;
mod queue;
mod rate;
mod reentrancy;
mod request;
mod response;
mod retry;
mod start;
mod token;
mod url;
mod verify;

pub use cancel::Cancel;
pub use client::Client;
pub use code::{Code, Error};
pub use config::Config;
pub use log::LogLevel;
pub use outcome::{Delivery, Outcome, UserStatus};
pub use queue::{Event, Queue, TokenRequest};
pub use request::{Action, Encoding};
pub use start::Starter;
