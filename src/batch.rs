//! Many users: in flight, order, stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use crate::call;
use crate::cancel::Cancel;
use crate::client::Client;
use crate::code::{Code, Error};
use crate::outcome::{Delivery, FatalForBatch, Outcome};
use crate::request::{Action, Operation};
use crate::verify::{self, Verification, Verified};

impl Client {
    /// Updates a batch of users, several at once, at the configured rate. `on_result` is called on this thread as the
    /// update of each user ends, in any order, with the user's index; false stops the batch. Users in flight at a stop
    /// finish, and `on_result` is called for them; a user for whom `on_result` did not run was never sent, and can be
    /// sent later. A user ID that can't be sent gets its outcome, and the others go on.
    ///
    /// Returns [`Code::Ok`] when all were done; [`Code::Cancelled`] after a stop; the code that is fatal for the batch
    /// (no token, a rejected token, a missing scope, the daily limit); else [`Code::Partial`].
    ///
    /// Where the client verifies, the first user is read once before anybody is updated: a missing scope for reading ends
    /// the batch there. A user who waits to be read again keeps nobody else from being sent.
    pub fn update_status_many<S: AsRef<str> + Sync>(
        &self,
        user_ids: &[S],
        action: Action,
        cancel: Option<&Cancel>,
        on_result: impl FnMut(usize, &Outcome) -> bool,
    ) -> Code {
        self.many(user_ids, Operation::Update(action), cancel, on_result)
    }

    /// Reads a batch of users. Otherwise like [`Client::update_status_many`].
    pub fn get_user_status_many<S: AsRef<str> + Sync>(
        &self,
        user_ids: &[S],
        cancel: Option<&Cancel>,
        on_result: impl FnMut(usize, &Outcome) -> bool,
    ) -> Code {
        self.many(user_ids, Operation::Read, cancel, on_result)
    }

    fn many<S: AsRef<str> + Sync>(
        &self,
        user_ids: &[S],
        operation: Operation,
        cancel: Option<&Cancel>,
        mut on_result: impl FnMut(usize, &Outcome) -> bool,
    ) -> Code {
        let user_id = |index: usize| Ok(user_ids[index].as_ref());
        let on_result = |index, outcome| on_result(index, &outcome);
        run(self, operation, user_ids.len(), user_id, cancel, on_result)
    }
}

/// Runs a batch for user IDs that have to be read first.
pub(crate) fn run<'a>(
    client: &Client,
    operation: Operation,
    count: usize,
    user_id: impl Fn(usize) -> Result<&'a str, Error> + Sync,
    cancel: Option<&Cancel>,
    on_result: impl FnMut(usize, Outcome) -> bool,
) -> Code {
    if let Err(code) = client.check_caller() {
        return code;
    }
    let batch = Batch {
        client,
        operation,
        count,
        user_id,
        cancel,
        stop: Cancel::new(),
        next: AtomicUsize::new(0),
        unverified: Mutex::default(),
    };
    batch.run(on_result)
}

/// A batch that runs.
struct Batch<'a, F> {
    client: &'a Client,
    operation: Operation,
    count: usize,
    user_id: F,
    cancel: Option<&'a Cancel>,
    stop: Cancel,
    /// The next user to start.
    next: AtomicUsize,
    /// Users whose update Zoom accepted, and who are to be read (again).
    unverified: Mutex<Vec<(usize, Box<Verification>)>>,
}

/// What a worker does next.
enum Task {
    Start(usize),
    Verify(usize, Box<Verification>),
    /// Nothing is to do before this time.
    Wait(Instant),
    End,
}

/// The results of the users so far.
#[derive(Default)]
struct Tally {
    failed: bool,
    stopped: bool,
    /// The first code that was fatal for the batch.
    fatal: Option<Code>,
}

impl<'a, F: Fn(usize) -> Result<&'a str, Error> + Sync> Batch<'_, F> {
    /// Runs the users on threads of its own, and `on_result` on this one.
    fn run(&self, mut on_result: impl FnMut(usize, Outcome) -> bool) -> Code {
        /// A panic in the callback leaves through here: the workers must end first.
        struct StopAtEnd<'a>(&'a Cancel);
        impl Drop for StopAtEnd<'_> {
            fn drop(&mut self) {
                self.0.trigger();
            }
        }
        let mut tally = Tally::default();
        let mut hear = |index, outcome| self.hear(&mut tally, index, outcome, &mut on_result);
        if let Some(outcome) = self.cannot_verify() {
            hear(0, outcome);
            return self.code(&tally);
        }
        thread::scope(|scope| {
            let (sender, results) = mpsc::sync_channel(0);
            let mut started = 0;
            for _ in 0..self.client.concurrency.min(self.count) {
                let sender = sender.clone();
                let worker = thread::Builder::new().name("zus-batch".into());
                let work =
                    move || self.work(|index, outcome| sender.send((index, outcome)).is_ok());
                match worker.spawn_scoped(scope, work) {
                    Ok(_) => started += 1,
                    Err(_) => break, // the system has no more threads: go on with fewer
                }
            }
            drop(sender);
            let _stop = StopAtEnd(&self.stop);
            if started == 0 {
                // The system has no thread for a worker: this thread does the work.
                self.work(|index, outcome| {
                    hear(index, outcome);
                    true
                });
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

    /// Reads the first user before anybody is updated. Returns the failure with which every verification would end: a
    /// missing scope.
    fn cannot_verify(&self) -> Option<Outcome> {
        let Operation::Update(action) = self.operation else {
            return None;
        };
        let verifies = self.client.verify.is_some() && verify::wanted(action).is_some();
        if !verifies || self.count == 0 {
            return None;
        }
        let user_id = (self.user_id)(0).ok()?;
        let mut limits = self.client.limits(self.cancel, Some(&self.stop));
        let read = match call::begin(self.client, user_id, Operation::Read, &mut limits) {
            Verified::Done(read) => read,
            Verified::Later(_) => return None,
        };
        if read.fatal != FatalForBatch::Yes {
            return None;
        }
        self.stop.trigger();
        let read = Outcome {
            // This was a read: no update was sent.
            delivery: Delivery::NotSent,
            ..read
        };
        Some(call::finish(self.client, user_id, self.operation, read))
    }

    /// Takes one task after another. False from `hear` ends it.
    fn work(&self, mut hear: impl FnMut(usize, Outcome) -> bool) {
        loop {
            let done = match self.task() {
                Task::Start(index) => (index, self.guarded(|| self.start(index))),
                Task::Verify(index, verification) => {
                    (index, self.guarded(|| self.verify(index, verification)))
                }
                Task::Wait(until) => {
                    self.wait(until);
                    continue;
                }
                Task::End => return,
            };
            let (index, verified) = done;
            let outcome = match verified {
                Verified::Done(outcome) => outcome,
                Verified::Later(verification) => {
                    self.unverified().push((index, verification));
                    continue;
                }
            };
            if outcome.fatal == FatalForBatch::Yes {
                self.stop.trigger();
            }
            if !hear(index, outcome) {
                return;
            }
        }
    }

    /// Users who are to be read go first. After a cancel they are not waited for.
    fn task(&self) -> Task {
        let cancelled = self.cancel.is_some_and(Cancel::is_triggered);
        let mut unverified = self.unverified();
        let due = unverified
            .iter()
            .enumerate()
            .min_by_key(|(_, (_, v))| v.due);
        let due = due.map(|(at, (_, v))| (at, v.due));
        match due {
            Some((at, due)) if cancelled || due <= Instant::now() => {
                let (index, verification) = unverified.swap_remove(at);
                return Task::Verify(index, verification);
            }
            _ => drop(unverified),
        }
        if !cancelled && !self.stop.is_triggered() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index < self.count {
                return Task::Start(index);
            }
        }
        due.map_or(Task::End, |(_, due)| Task::Wait(due))
    }

    /// A cancel ends the wait.
    fn wait(&self, until: Instant) {
        let _ = self.client.limits(self.cancel, None).sleep_until(until);
    }

    fn start(&self, index: usize) -> Verified {
        let user_id = match (self.user_id)(index) {
            Ok(user_id) => user_id,
            Err(e) => return Verified::Done(Outcome::from(e)),
        };
        let mut limits = self.client.limits(self.cancel, Some(&self.stop));
        let verified = call::begin(self.client, user_id, self.operation, &mut limits);
        self.finished(user_id, verified)
    }

    fn verify(&self, index: usize, verification: Box<Verification>) -> Verified {
        match (self.user_id)(index) {
            Ok(user_id) => self.finished(user_id, verification.read(self.client, user_id)),
            Err(e) => Verified::Done(Outcome::from(e)),
        }
    }

    fn finished(&self, user_id: &str, verified: Verified) -> Verified {
        match verified {
            Verified::Done(outcome) => {
                Verified::Done(call::finish(self.client, user_id, self.operation, outcome))
            }
            later => later,
        }
    }

    fn guarded(&self, task: impl FnOnce() -> Verified) -> Verified {
        catch_unwind(AssertUnwindSafe(task))
            .unwrap_or_else(|_| Verified::Done(Outcome::from(Error::new(Code::Panic, ""))))
    }

    fn unverified(&self) -> MutexGuard<'_, Vec<(usize, Box<Verification>)>> {
        self.unverified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports one user to the caller, unless that user was never sent.
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
