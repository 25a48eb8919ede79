//! What became of an update: a code, and everything that is known of it.

use std::fmt;
use std::time::Duration;

use ureq::http::HeaderMap;

use crate::code::{Code, Error};
use crate::http::{Failure, header_text};

/// Whether Zoom may have applied an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Delivery {
    /// No request was sent: Zoom changed nothing.
    NotSent = 0,
    /// A request may have reached Zoom, and may have been applied: the connection broke, the time ran out, the server
    /// failed, or the response did not come from Zoom.
    Unknown = 1,
    /// Zoom sent a response, and the code says what it means.
    Responded = 2,
}

/// A user's status, as Zoom says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum UserStatus {
    /// Not read, or a status that this version does not know.
    Unknown = 0,
    /// The user can sign in.
    Active = 1,
    /// The user is deactivated.
    Inactive = 2,
    /// The user was invited and has not accepted. An update of the status is accepted and changes nothing.
    Pending = 3,
}

impl UserStatus {
    /// Returns the word that Zoom uses.
    pub fn as_str(self) -> &'static str {
        match self {
            UserStatus::Unknown => "unknown",
            UserStatus::Active => "active",
            UserStatus::Inactive => "inactive",
            UserStatus::Pending => "pending",
        }
    }
}

/// Whether a failure is fatal for the batch: every remaining user would fail the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FatalForBatch {
    No,
    /// A missing permission: of the app, or for this user only. The results of the other users show which.
    Suspected,
    Yes,
}

impl FatalForBatch {
    /// What is known from the code alone.
    pub fn of(code: Code) -> FatalForBatch {
        match code {
            Code::Token | Code::Unauthorized | Code::DailyLimit | Code::Endpoint | Code::Panic => {
                FatalForBatch::Yes
            }
            Code::Forbidden => FatalForBatch::Suspected,
            _ => FatalForBatch::No,
        }
    }
}

/// What became of an update.
#[derive(Clone)]
#[must_use = "only the code says whether Zoom accepted the update"]
pub struct Outcome {
    pub(crate) code: Code,
    pub(crate) http_status: u16,
    pub(crate) zoom_code: i32,
    pub(crate) message: String,
    pub(crate) user_id: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after: Option<i64>,
    pub(crate) attempts: u32,
    pub(crate) delivery: Delivery,
    pub(crate) user_status: UserStatus,
    pub(crate) fatal: FatalForBatch,
}

impl Outcome {
    pub(crate) fn new(code: Code, message: String) -> Outcome {
        Outcome {
            code,
            http_status: 0,
            zoom_code: 0,
            message,
            user_id: String::new(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            retry_after: None,
            attempts: 0,
            delivery: Delivery::NotSent,
            user_status: UserStatus::Unknown,
            fatal: FatalForBatch::of(code),
        }
    }

    /// Returns whether Zoom accepted the update.
    pub fn ok(&self) -> bool {
        self.code == Code::Ok
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the HTTP status of the last response; 0 when none came.
    pub fn http_status(&self) -> u16 {
        self.http_status
    }

    /// Returns Zoom's error code; 0 for none.
    pub fn zoom_code(&self) -> i32 {
        self.zoom_code
    }

    /// Returns what happened, in words, with Zoom's own. Empty for [`Code::Ok`].
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the user ID as it was passed in.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// Returns the header `x-zm-trackingid`, which Zoom's support asks for. Empty when there was none.
    pub fn tracking_id(&self) -> String {
        self.header("x-zm-trackingid").unwrap_or_default()
    }

    /// Returns a header of the response by its name, in any case. Several of one name are joined by ", ".
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.get_all(name).iter().map(header_text);
        let mut all = values.next()?.into_owned();
        for value in values {
            all.push_str(", ");
            all.push_str(&value);
        }
        Some(all)
    }

    /// Returns the body of the response, byte for byte.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns Retry-After: how many seconds after the response Zoom accepts the next request.
    pub fn retry_after(&self) -> Option<i64> {
        self.retry_after
    }

    /// Returns how many attempts were made for this user, retries included: requests sent, and connections that failed.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns whether Zoom may have applied the update, over all attempts.
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Returns the user's status where it was read: by a read, or to verify an update.
    pub fn user_status(&self) -> UserStatus {
        self.user_status
    }

    /// Returns whether the failure is fatal for a batch: every remaining user would fail the same way.
    pub fn is_fatal(&self) -> bool {
        self.fatal == FatalForBatch::Yes
    }

    /// Whether only this endpoint responds like this, to a request that it has understood.
    pub(crate) fn is_about_the_user(&self) -> bool {
        matches!(
            self.code,
            Code::Ok | Code::UserNotFound | Code::UserProtected | Code::UserBusy | Code::UserLimit
        )
    }

    /// Takes the attempts before this last one into account. The effect of an earlier one is unknown, unless a
    /// response to a later one shows the state.
    pub(crate) fn add_delivery(&mut self, earlier: Delivery) {
        self.delivery = match (self.delivery, earlier) {
            (Delivery::Responded, _) => Delivery::Responded,
            (Delivery::Unknown, _) | (_, Delivery::Unknown) => Delivery::Unknown,
            (Delivery::NotSent, earlier) => earlier,
        };
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        let seconds = u64::try_from(self.retry_after?).ok()?;
        Some(Duration::from_secs(seconds))
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("code", &self.code)
            .field("http_status", &self.http_status)
            .field("zoom_code", &self.zoom_code)
            .field("message", &self.message)
            .field("user_id", &self.user_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Outcome {
        Outcome::new(error.code(), sentence(error.code(), error.message()))
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Outcome {
        let mut outcome = Outcome::new(failure.code, sentence(failure.code, &failure.message));
        outcome.http_status = failure.status;
        if failure.sent {
            outcome.delivery = Delivery::Unknown;
        }
        outcome
    }
}

/// What a code means, and what happened this time.
pub(crate) fn sentence(code: Code, detail: &str) -> String {
    match detail {
        "" => code.text().to_owned(),
        detail => format!("{}: {detail}", code.text()),
    }
}
