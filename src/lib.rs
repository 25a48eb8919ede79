//! Activates and deactivates Zoom users. Each call returns an [`Outcome`], which says whether Zoom accepted the update, and
//! if not, why, and whether it may have been applied.
//!
//! The package is `zoom-user-status`; its library is `zus`. With the credentials in the environment (`ZOOM_ACCESS_TOKEN`, or
//! `ZOOM_ACCOUNT_ID`, `ZOOM_CLIENT_ID` and `ZOOM_CLIENT_SECRET`):
//!
//! ```no_run
//! use zus::{Action, Client, Config};
//!
//! let client = Client::new(&Config::from_env()?)?;
//! let outcome = client.update_status("ada@example.com", Action::Deactivate, None);
//! println!("{}: {}", outcome.code(), outcome.message());
//! # Ok::<(), zus::Error>(())
//! ```
//!
//! A [`Client`] obtains and refreshes its access tokens, keeps idle connections, stays within a rate limit, and retries what
//! may succeed the next time. A call never takes longer than its total time. Threads share a client by reference. The
//! settings are those of [`Config`].
//!
//! # Many users
//!
//! A batch has several users in flight at once, within the rate limit. The closure runs each time a user's update has ended,
//! in any order, on the thread that made the call:
//!
//! ```no_run
//! # use zus::{Action, Client, Config};
//! # let client = Client::new(&Config::from_env()?)?;
//! let leavers = ["ada@example.com", "grace@example.com"];
//! let code = client.update_status_many(&leavers, Action::Deactivate, None, |index, outcome| {
//!     println!("{}: {}", leavers[index], outcome.code());
//!     true // false stops the batch
//! });
//! println!("the batch: {code}");
//! # Ok::<(), zus::Error>(())
//! ```
//!
//! # More
//!
//! - [`Client::get_user_status`] reads a user, and [`Client::check_credentials`] obtains a token without an update.
//! - A [`Cancel`] ends calls from another thread.
//! - A [`Starter`] starts calls that don't wait; their results are events of a [`Queue`].
//! - [`Config::set_log`] takes a function for log lines, which hold no secret. The crates below also write to the `log`
//!   crate: keep `ureq_proto` at `Debug` there, since at `Trace` it shows the wire, tokens included.
//! - The module [`ffi`] is the same for C, and for every language that calls C.
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
