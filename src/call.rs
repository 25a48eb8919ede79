//! The calls for one user.

use crate::attempts::Attempts;
use crate::cancel::Cancel;
use crate::client::Client;
use crate::code::{Code, Error};
use crate::limits::Limits;
use crate::log::LogLevel;
use crate::outcome::Outcome;
use crate::rate::SlotFor;
use crate::request::{Action, Operation, check_user_id};
use crate::verify::{Verification, Verified};

impl Client {
    /// Updates one user and waits for the response. `user_id` is an ID, an e-mail address, or `me` for user-level apps.
    /// Returns within the configured total time, whatever happens. Where the client verifies, the user is read
    /// afterwards.
    pub fn update_status(&self, user_id: &str, action: Action, cancel: Option<&Cancel>) -> Outcome {
        self.call(user_id, Operation::Update(action), cancel)
    }

    /// Reads one user: [`Outcome::user_status`] says whether the user is active, inactive or pending, and the body holds
    /// what else Zoom says of the user. Otherwise like [`Client::update_status`].
    pub fn get_user_status(&self, user_id: &str, cancel: Option<&Cancel>) -> Outcome {
        self.call(user_id, Operation::Read, cancel)
    }

    /// Obtains a token and touches nobody. The outcome's body is what Zoom said of the token, without the token
    /// itself; empty for a static token or a token provider, since Zoom says nothing of these without a request.
    pub fn check_credentials(&self, cancel: Option<&Cancel>) -> Outcome {
        if let Err(code) = self.check_caller() {
            return Outcome::from(Error::new(code, ""));
        }
        check_credentials(self, &self.limits(cancel, None))
    }

    fn call(&self, user_id: &str, operation: Operation, cancel: Option<&Cancel>) -> Outcome {
        if let Err(code) = self.check_caller() {
            return Outcome {
                user_id: user_id.to_owned(),
                ..Outcome::from(Error::new(code, ""))
            };
        }
        let mut limits = self.limits(cancel, None);
        if self.verify.is_none() {
            let outcome = send(self, user_id, operation, &mut limits);
            return finish(self, user_id, operation, outcome);
        }
        let mut verified = begin(self, user_id, operation, &mut limits);
        while let Verified::Later(verification) = verified {
            verification.wait();
            verified = verification.read(self, user_id);
        }
        match verified {
            Verified::Done(outcome) => finish(self, user_id, operation, outcome),
            Verified::Later(_) => unreachable!("it is done"),
        }
    }
}

/// Obtains a token within these limits.
pub(crate) fn check_credentials(client: &Client, limits: &Limits) -> Outcome {
    match client.tokens.obtain(&client.http, &client.log, limits) {
        Ok(token) => Outcome {
            body: token.details.as_bytes().to_vec(),
            ..Outcome::new(Code::Ok, String::new())
        },
        Err(failure) => Outcome::from(failure),
    }
}

/// Sends the request of one call. An update that the client verifies is not done then. The deadline moves by the time
/// that a user of a batch waits for slots.
pub(crate) fn begin(
    client: &Client,
    user_id: &str,
    operation: Operation,
    limits: &mut Limits,
) -> Verified {
    let outcome = send(client, user_id, operation, limits);
    match operation {
        Operation::Update(action) => Verification::begin(client, action, outcome, limits),
        Operation::Read => Verified::Done(outcome),
    }
}

fn send(client: &Client, user_id: &str, operation: Operation, limits: &mut Limits) -> Outcome {
    match check_user_id(user_id) {
        Ok(()) => Attempts::new(client, user_id, operation, SlotFor::First, limits).run(),
        Err(e) => Outcome::from(e),
    }
}

/// Completes the outcome of a call, and logs its failure.
pub(crate) fn finish(
    client: &Client,
    user_id: &str,
    operation: Operation,
    mut outcome: Outcome,
) -> Outcome {
    // With room for the NUL that C wants.
    outcome.user_id = String::with_capacity(user_id.len() + 1);
    outcome.user_id.push_str(user_id);
    if !outcome.ok() {
        client.judge(&mut outcome);
        // A user who was never sent did not fail.
        let level = match outcome.code {
            Code::Cancelled if outcome.attempts == 0 => LogLevel::Debug,
            _ => LogLevel::Error,
        };
        let (code, what) = (outcome.code, outcome.message.as_str());
        client.log.write(
            level,
            format_args!("{} {user_id}: {code}: {what}", operation.name()),
        );
    }
    outcome
}
