//! Verifies an update: reads the user until the status is the wanted one.

use std::time::{Duration, Instant};

use crate::attempts::Attempts;
use crate::client::Client;
use crate::code::Code;
use crate::limits::Limits;
use crate::outcome::{Outcome, UserStatus};
use crate::rate::SlotFor;
use crate::request::{Action, Operation};

/// The wait after the first read, which is done at once. Each later one is twice as long, up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// An update that Zoom accepted, and that is still to be verified.
pub(crate) struct Verification {
    /// The outcome of the update. Verifying it changes only code, message and user status.
    accepted: Outcome,
    wanted: UserStatus,
    limits: Limits,
    /// When the last read begins: as late as the time allows.
    last: Instant,
    wait: Duration,
    /// When the user is to be read next.
    pub due: Instant,
}

/// The result of a read.
pub(crate) enum Verified {
    Done(Outcome),
    /// Not yet: read again when it is due.
    Later(Box<Verification>),
}

/// The status that an action leads to; none where a status says nothing of it.
pub(crate) fn wanted(action: Action) -> Option<UserStatus> {
    match action {
        Action::Activate => Some(UserStatus::Active),
        Action::Deactivate => Some(UserStatus::Inactive),
        Action::ClockIn | Action::ClockOut => None,
    }
}

impl Verification {
    /// Begins to verify an update, where this client verifies and there is something to verify. Otherwise the outcome
    /// stays as it is.
    pub fn begin(client: &Client, action: Action, outcome: Outcome, limits: &Limits) -> Verified {
        let wanted = wanted(action).filter(|_| outcome.ok());
        let (Some(time), Some(wanted)) = (client.verify, wanted) else {
            return Verified::Done(outcome);
        };
        let now = Instant::now();
        Verified::Later(Box::new(Verification {
            accepted: outcome,
            wanted,
            limits: limits.in_flight(),
            last: now + time,
            wait: FIRST_WAIT,
            due: now,
        }))
    }

    /// Waits until the user is to be read. A cancel ends the wait.
    pub fn wait(&self) {
        let _ = self.limits.sleep_until(self.due);
    }

    /// Reads the user once.
    pub fn read(mut self: Box<Self>, client: &Client, user_id: &str) -> Verified {
        let read = Attempts::new(
            client,
            user_id,
            Operation::Read,
            SlotFor::Retry,
            &mut self.limits,
        )
        .run();
        self.accepted.user_status = read.user_status;
        if !read.ok() {
            let why = format!("the user could not be read: {}", read.message);
            return Verified::Done(self.failed(&why));
        }
        if read.user_status == self.wanted {
            return Verified::Done(self.accepted);
        }
        let now = Instant::now();
        let next = (now + self.wait).min(self.last);
        let pending = read.user_status == UserStatus::Pending;
        if pending || now >= self.last || next >= self.limits.deadline {
            let why = format!("the user is still {}", read.user_status.as_str());
            return Verified::Done(self.failed(&why));
        }
        self.due = next;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Verified::Later(self)
    }

    fn failed(self, why: &str) -> Outcome {
        Outcome {
            code: Code::NotVerified,
            message: format!("{}: {why}", Code::NotVerified.text()),
            ..self.accepted
        }
    }
}
