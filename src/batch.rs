//! Many users: in flight, order, stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::cancel::Cancel;
use crate::client::{Client, in_callback};
use crate::code::{Code, Error};
use crate::outcome::{FatalForBatch, Outcome};
use crate::request::Action;

impl Client {
    /// Updates many users, several at once, paced by the configured rate. `on_result` is called on this thread as each
    /// user ends, in any order, with the user's index; false stops. Who is in flight at a stop still gets the call; who
    /// gets none was never sent, and can be sent later. An id that can't be sent gets its outcome, and the others go on.
    ///
    /// Returns [`Code::Ok`] when all were done; [`Code::Cancelled`] after a stop; the code that no further user could
    /// survive (no token, a refused token, a missing scope, the daily limit); else [`Code::Partial`].
    pub fn update_status_many<S: AsRef<str> + Sync>(
        &self,
        user_ids: &[S],
        action: Action,
        cancel: Option<&Cancel>,
        mut on_result: impl FnMut(usize, &Outcome) -> bool,
    ) -> Code {
        let user_id = |index: usize| Ok(user_ids[index].as_ref());
        let on_result = |index, outcome| on_result(index, &outcome);
        self.update_each(user_ids.len(), user_id, action, cancel, on_result)
    }

    /// As above, for ids that have to be read first.
    pub(crate) fn update_each<'a>(
        &self,
        count: usize,
        user_id: impl Fn(usize) -> Result<&'a str, Error> + Sync,
        action: Action,
        cancel: Option<&Cancel>,
        mut on_result: impl FnMut(usize, Outcome) -> bool,
    ) -> Code {
        if let Err(code) = self.ready() {
            return code;
        }
        let halt = Cancel::new();
        let next = AtomicUsize::new(0);
        let update = |index| match user_id(index) {
            Ok(id) => self.update(id, action, self.limits(cancel, Some(&halt))),
            Err(e) => Outcome::from(e),
        };
        let work = |results: mpsc::SyncSender<(usize, Outcome)>| {
            loop {
                if halt.is_triggered() || cancel.is_some_and(Cancel::is_triggered) {
                    return;
                }
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                let outcome = catch_unwind(AssertUnwindSafe(|| update(index)))
                    .unwrap_or_else(|_| Outcome::from(Error::new(Code::Panic, "")));
                if outcome.fatal == FatalForBatch::Yes {
                    halt.trigger();
                }
                if results.send((index, outcome)).is_err() {
                    return;
                }
            }
        };
        let mut failed = false;
        let mut stopped = false;
        let mut fatal = None;
        let (sender, results) = mpsc::sync_channel(0);
        thread::scope(|scope| {
            // A panic in the callback leaves through here: the workers must end first.
            struct Halt<'a>(&'a Cancel);
            impl Drop for Halt<'_> {
                fn drop(&mut self) {
                    self.0.trigger();
                }
            }
            let workers = self.concurrency().min(count);
            let mut started = 0;
            for _ in 0..workers {
                let sender = sender.clone();
                let worker = thread::Builder::new().name("zus-batch".into());
                match worker.spawn_scoped(scope, || work(sender)) {
                    Ok(_) => started += 1,
                    Err(_) => break, // the system has no more threads: go on with fewer
                }
            }
            drop(sender);
            if started == 0 && count > 0 {
                fatal = Some(Code::Io);
                return;
            }
            let halt = Halt(&halt);
            // Moved here, so that a panic closes it before the scope waits for the workers.
            let results = results;
            for (index, outcome) in &results {
                let unsent = outcome.attempts == 0;
                if unsent && outcome.code == Code::Cancelled {
                    continue;
                }
                if outcome.fatal == FatalForBatch::Yes {
                    fatal.get_or_insert(outcome.code);
                }
                failed |= !outcome.ok();
                if !in_callback(self.id(), || on_result(index, outcome)) {
                    stopped = true;
                    halt.0.trigger();
                }
            }
        });
        if stopped || cancel.is_some_and(Cancel::is_triggered) {
            Code::Cancelled
        } else if let Some(code) = fatal {
            code
        } else if failed {
            Code::Partial
        } else {
            Code::Ok
        }
    }
}
