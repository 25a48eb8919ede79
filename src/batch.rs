//! Many users: in flight, order, stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::call;
use crate::cancel::Cancel;
use crate::client::Client;
use crate::code::{Code, Error};
use crate::outcome::{FatalForBatch, Outcome};
use crate::request::Action;

impl Client {
    /// Updates a batch of users, several at once, at the configured rate. `on_result` is called on this thread as the
    /// update of each user ends, in any order, with the user's index; false stops the batch. Users in flight at a stop
    /// still get their call; a user for whom `on_result` did not run was never sent, and can be sent later. A user ID
    /// that can't be sent gets its outcome, and the others go on.
    ///
    /// Returns [`Code::Ok`] when all were done; [`Code::Cancelled`] after a stop; the code that is fatal for the batch
    /// (no token, a rejected token, a missing scope, the daily limit); else [`Code::Partial`].
    pub fn update_status_many<S: AsRef<str> + Sync>(
        &self,
        user_ids: &[S],
        action: Action,
        cancel: Option<&Cancel>,
        mut on_result: impl FnMut(usize, &Outcome) -> bool,
    ) -> Code {
        let user_id = |index: usize| Ok(user_ids[index].as_ref());
        let on_result = |index, outcome| on_result(index, &outcome);
        update_each(self, user_ids.len(), user_id, action, cancel, on_result)
    }
}

/// As above, for user IDs that have to be read first.
pub(crate) fn update_each<'a>(
    client: &Client,
    count: usize,
    user_id: impl Fn(usize) -> Result<&'a str, Error> + Sync,
    action: Action,
    cancel: Option<&Cancel>,
    on_result: impl FnMut(usize, Outcome) -> bool,
) -> Code {
    if let Err(code) = client.check_caller() {
        return code;
    }
    let batch = Batch {
        client,
        count,
        cancel,
        stop: Cancel::new(),
        next: AtomicUsize::new(0),
        suspected: AtomicUsize::new(0),
        cleared: AtomicBool::new(false),
    };
    let update = |index| match user_id(index) {
        Ok(id) => {
            let limits = client.limits(cancel, Some(&batch.stop));
            call::update(client, id, action, limits)
        }
        Err(e) => Outcome::from(e),
    };
    batch.run(update, on_result)
}

/// So many missing permissions in a row, from the first user on, are the app's.
const SUSPICIOUS: usize = 5;

/// A batch that runs.
struct Batch<'a> {
    client: &'a Client,
    count: usize,
    cancel: Option<&'a Cancel>,
    stop: Cancel,
    /// The next user to start.
    next: AtomicUsize,
    /// Users who lacked a permission, which may be the app's or theirs alone.
    suspected: AtomicUsize,
    /// A user came to anything else.
    cleared: AtomicBool,
}

/// What came of the users so far.
#[derive(Default)]
struct Tally {
    failed: bool,
    stopped: bool,
    /// The first code that was fatal for the batch.
    fatal: Option<Code>,
}

impl Batch<'_> {
    /// Runs `update` for each user on threads of its own, and `on_result` on this one.
    fn run(
        &self,
        update: impl Fn(usize) -> Outcome + Sync,
        mut on_result: impl FnMut(usize, Outcome) -> bool,
    ) -> Code {
        /// A panic in the callback leaves through here: the workers must end first.
        struct StopAtEnd<'a>(&'a Cancel);
        impl Drop for StopAtEnd<'_> {
            fn drop(&mut self) {
                self.0.trigger();
            }
        }
        let mut tally = Tally::default();
        let update = &update;
        thread::scope(|scope| {
            let (sender, results) = mpsc::sync_channel(0);
            let mut started = 0;
            for _ in 0..self.client.concurrency.min(self.count) {
                let sender = sender.clone();
                let worker = thread::Builder::new().name("zus-batch".into());
                match worker.spawn_scoped(scope, move || self.work(update, &sender)) {
                    Ok(_) => started += 1,
                    Err(_) => break, // the system has no more threads: go on with fewer
                }
            }
            drop(sender);
            let _stop = StopAtEnd(&self.stop);
            let mut hear = |index, outcome| self.hear(&mut tally, index, outcome, &mut on_result);
            if started == 0 {
                // It has none at all: this one works.
                while let Some(index) = self.start() {
                    let outcome = self.end(index, update);
                    hear(index, outcome);
                }
                return;
            }
            // Moved here, so that a panic closes it before the scope waits for the workers.
            let results: mpsc::Receiver<(usize, Outcome)> = results;
            for (index, outcome) in &results {
                hear(index, outcome);
            }
        });
        self.code(&tally)
    }

    fn work(
        &self,
        update: &(impl Fn(usize) -> Outcome + Sync),
        results: &mpsc::SyncSender<(usize, Outcome)>,
    ) {
        while let Some(index) = self.start() {
            let outcome = self.end(index, update);
            if results.send((index, outcome)).is_err() {
                return;
            }
        }
    }

    /// Returns the next user, unless the batch is to end.
    fn start(&self) -> Option<usize> {
        if self.stop.is_triggered() || self.cancel.is_some_and(Cancel::is_triggered) {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < self.count).then_some(index)
    }

    fn end(&self, index: usize, update: impl Fn(usize) -> Outcome) -> Outcome {
        let mut outcome = catch_unwind(AssertUnwindSafe(|| update(index)))
            .unwrap_or_else(|_| Outcome::from(Error::new(Code::Panic, "")));
        outcome.fatal = self.judge(outcome.fatal);
        if outcome.fatal == FatalForBatch::Yes {
            self.stop.trigger();
        }
        outcome
    }

    /// Decides whether a missing permission is the app's: where the first users all lack it, and no user of this client
    /// ever got a response that only this endpoint gives. One user whom the app may not change blocks nobody else.
    fn judge(&self, fatal: FatalForBatch) -> FatalForBatch {
        if fatal != FatalForBatch::Suspected {
            self.cleared.store(true, Ordering::Relaxed);
            return fatal;
        }
        let suspected = self.suspected.fetch_add(1, Ordering::Relaxed) + 1;
        let cleared = self.cleared.load(Ordering::Relaxed) || self.client.endpoint_is_known();
        match suspected >= SUSPICIOUS && !cleared {
            true => FatalForBatch::Yes,
            false => fatal,
        }
    }

    /// Tells the caller of one user, unless that user was never sent.
    fn hear(
        &self,
        tally: &mut Tally,
        index: usize,
        outcome: Outcome,
        on_result: &mut impl FnMut(usize, Outcome) -> bool,
    ) {
        if outcome.attempts == 0 && outcome.code == Code::Cancelled {
            return;
        }
        if outcome.fatal == FatalForBatch::Yes {
            tally.fatal.get_or_insert(outcome.code);
        }
        tally.failed |= !outcome.ok();
        if !self.client.call_back(|| on_result(index, outcome)) {
            tally.stopped = true;
            self.stop.trigger();
        }
    }

    fn code(&self, tally: &Tally) -> Code {
        if tally.stopped || self.cancel.is_some_and(Cancel::is_triggered) {
            Code::Cancelled
        } else if let Some(code) = tally.fatal {
            code
        } else if tally.failed {
            Code::Partial
        } else {
            Code::Ok
        }
    }
}
