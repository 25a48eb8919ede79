//! Calls that don't wait: they run on worker threads of their client's, and what becomes of each is one event.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::call;
use crate::cancel::{Cancel, Interrupt};
use crate::client::Client;
use crate::code::{Code, Error};
use crate::outcome::Outcome;
use crate::platform;
use crate::queue::Queue;
use crate::request::{Action, Operation};
use crate::verify::{Verification, Verified};

mod job;

use job::{Job, What};

/// How often a worker that waits to read a user looks whether that call was cancelled.
const CANCEL_POLL: Duration = Duration::from_millis(50);
/// A worker ends after this long without work.
const IDLE: Duration = Duration::from_secs(1);
const STACK: usize = 2 * 1024 * 1024;

/// Starts calls of a client, which stays as long as they run. Dropping it cancels them and waits for nothing.
pub struct Starter(Arc<Shared>);

struct Shared {
    client: Arc<Client>,
    state: Mutex<State>,
    /// There is work.
    work: Condvar,
    /// A call has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Calls that no worker has begun, in order.
    waiting: VecDeque<Arc<Job>>,
    /// Calls whose update Zoom accepted, and whose users are to be read (again).
    unverified: Vec<(Arc<Job>, Box<Verification>)>,
    /// Calls that a worker runs.
    running: Vec<Arc<Job>>,
    workers: usize,
    idle: usize,
}

impl Client {
    /// Returns a starter of calls that don't wait.
    pub fn start(self: &Arc<Self>) -> Starter {
        Starter::new(Arc::clone(self))
    }
}

impl Starter {
    /// Makes a starter of calls of this client.
    pub(crate) fn new(client: Arc<Client>) -> Starter {
        Starter(Arc::new(Shared {
            client,
            state: Mutex::default(),
            work: Condvar::new(),
            ended: Condvar::new(),
        }))
    }

    /// Starts to update a user, and returns at once. Exactly one event with this `userdata` reaches the queue, also
    /// when the call is cancelled or its arguments are invalid; none when this fails. Calls begin in order, at most
    /// `concurrency` at once; the time of a call begins when it has a worker and its first slot.
    pub fn update_status(
        &self,
        user_id: &str,
        action: Action,
        cancel: Option<&Cancel>,
        queue: &Queue,
        userdata: usize,
    ) -> Result<(), Error> {
        let what = What::Operation(Operation::Update(action));
        self.start(what, user_id, cancel, queue, userdata)
    }

    /// Starts to read a user. Otherwise like [`Starter::update_status`].
    pub fn get_user_status(
        &self,
        user_id: &str,
        cancel: Option<&Cancel>,
        queue: &Queue,
        userdata: usize,
    ) -> Result<(), Error> {
        let what = What::Operation(Operation::Read);
        self.start(what, user_id, cancel, queue, userdata)
    }

    /// Starts to obtain a token. Otherwise like [`Starter::update_status`].
    pub fn check_credentials(
        &self,
        cancel: Option<&Cancel>,
        queue: &Queue,
        userdata: usize,
    ) -> Result<(), Error> {
        self.start(What::CheckCredentials, "", cancel, queue, userdata)
    }

    /// Starts a call that can't be sent.
    pub(crate) fn invalid(
        &self,
        user_id: &str,
        error: Error,
        queue: &Queue,
        userdata: usize,
    ) -> Result<(), Error> {
        self.start(What::Invalid(error), user_id, None, queue, userdata)
    }

    /// Cancels every started call, and waits for up to `wait` until none runs. Returns whether none does.
    pub fn cancel_started(&self, wait: Duration) -> bool {
        if self.0.client.is_forked() {
            return true;
        }
        self.0.cancel_all();
        let until = Instant::now() + wait;
        let mut state = self.0.state();
        while !(state.running.is_empty() && state.unverified.is_empty()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Stops the started calls that were given this cancel: one that has sent nothing ends with [`Code::Cancelled`], one
    /// that is in flight finishes.
    pub fn stop_started(&self, cancel: &Cancel) {
        if !self.0.client.is_forked() {
            self.0.stop_all(cancel);
        }
    }

    /// Returns the client.
    pub fn client(&self) -> &Arc<Client> {
        &self.0.client
    }

    fn start(
        &self,
        what: What,
        user_id: &str,
        cancel: Option<&Cancel>,
        queue: &Queue,
        userdata: usize,
    ) -> Result<(), Error> {
        if self.0.client.is_forked() {
            return Err(Error::new(Code::Forked, ""));
        }
        queue.reserve()?;
        let job = Arc::new(Job::new(what, user_id, cancel, queue, userdata));
        // Before a worker may end it, which then takes it from the cancel.
        if let Some(cancel) = cancel
            && !cancel.watch(&(Arc::clone(&job) as Arc<dyn Interrupt>))
        {
            job.cancel();
            return Ok(());
        }
        if let Err(e) = self.0.enqueue(&job) {
            job.unwatch();
            // Cancelled meanwhile, it has had its event.
            if job.forget() {
                queue.unreserve();
                return Err(e);
            }
        }
        Ok(())
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        if !self.0.client.is_forked() {
            self.0.cancel_all();
        }
    }
}

impl Shared {
    /// Adds a call, and a worker where all are busy. Fails when there is no worker and none can be started.
    fn enqueue(self: &Arc<Self>, job: &Arc<Job>) -> Result<(), Error> {
        platform::pin();
        let mut state = self.state();
        state.waiting.push_back(Arc::clone(job));
        let wants_worker = state.waiting.len() > state.idle;
        if wants_worker && state.workers < self.client.concurrency {
            match self.start_worker() {
                Ok(()) => state.workers += 1,
                Err(e) if state.workers == 0 => {
                    state.waiting.pop_back();
                    let message = format!("the system has no thread left: {e}");
                    return Err(Error::new(Code::NoThread, message));
                }
                Err(_) => {} // those that there are do it
            }
        }
        self.work.notify_one();
        Ok(())
    }

    fn start_worker(self: &Arc<Self>) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let worker = thread::Builder::new()
            .name("zus-start".into())
            .stack_size(STACK);
        platform::without_signals(|| worker.spawn(move || shared.run_worker()))?;
        Ok(())
    }

    fn run_worker(&self) {
        while let Some((job, verification)) = self.take() {
            let task = || match verification {
                None => self.begin(&job),
                Some(verification) => verification.read(&self.client, &job.user_id),
            };
            let done = catch_unwind(AssertUnwindSafe(task))
                .unwrap_or_else(|_| Verified::Done(Outcome::from(Error::new(Code::Panic, ""))));
            let mut state = match done {
                Verified::Done(outcome) => {
                    job.unwatch();
                    job.end(self.finished(&job, outcome));
                    self.state()
                }
                Verified::Later(verification) => {
                    let mut state = self.state();
                    state.unverified.push((Arc::clone(&job), verification));
                    state
                }
            };
            state.running.retain(|running| !Arc::ptr_eq(running, &job));
            drop(state);
            self.ended.notify_all();
        }
    }

    /// Takes the next call. None when this worker is to end: nothing came for a while.
    fn take(&self) -> Option<(Arc<Job>, Option<Box<Verification>>)> {
        let idle_until = Instant::now() + IDLE;
        let mut state = self.state();
        loop {
            let now = Instant::now();
            if let Some(taken) = state.take(now) {
                return Some(taken);
            }
            let due = state.unverified.iter().map(|(_, v)| v.due).min();
            let left = match due {
                Some(due) => due.saturating_duration_since(now).min(CANCEL_POLL),
                None => idle_until.saturating_duration_since(now),
            };
            if left.is_zero() && due.is_none() {
                state.workers -= 1;
                return None;
            }
            state.idle += 1;
            let waited = self.work.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
    }

    fn begin(&self, job: &Job) -> Verified {
        match &job.what {
            What::Invalid(error) => Verified::Done(Outcome::from(error.clone())),
            What::CheckCredentials => {
                let limits = self.client.limits(Some(&job.own), None);
                Verified::Done(call::check_credentials(&self.client, &limits))
            }
            What::Operation(operation) => {
                let mut limits = self.client.limits(Some(&job.own), Some(&job.stop));
                call::begin(&self.client, &job.user_id, *operation, &mut limits)
            }
        }
    }

    fn finished(&self, job: &Job, outcome: Outcome) -> Outcome {
        match &job.what {
            What::Operation(operation) => {
                call::finish(&self.client, &job.user_id, *operation, outcome)
            }
            _ => Outcome {
                user_id: job.user_id.clone(),
                ..outcome
            },
        }
    }

    fn cancel_all(&self) {
        self.jobs().iter().for_each(|job| job.cancel());
        self.work.notify_all();
    }

    fn stop_all(&self, cancel: &Cancel) {
        let jobs = self.jobs();
        let theirs = jobs
            .iter()
            .filter(|job| job.callers.as_ref() == Some(cancel));
        theirs.for_each(|job| job.stop());
    }

    /// Returns all calls, first those that no worker has begun: a worker that an ended call leaves takes the next one.
    fn jobs(&self) -> Vec<Arc<Job>> {
        let state = self.state();
        let unverified = state.unverified.iter().map(|(job, _)| job);
        let all = state.waiting.iter().chain(&state.running).chain(unverified);
        all.cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Users who are to be read go first, then calls in order. Cancelled ones have ended already.
    fn take(&mut self, now: Instant) -> Option<(Arc<Job>, Option<Box<Verification>>)> {
        let is_due =
            |(job, v): &(Arc<Job>, Box<Verification>)| v.due <= now || job.own.is_triggered();
        if let Some(at) = self.unverified.iter().position(is_due) {
            let (job, verification) = self.unverified.swap_remove(at);
            self.running.push(Arc::clone(&job));
            return Some((job, Some(verification)));
        }
        while let Some(job) = self.waiting.pop_front() {
            if !job.begin() {
                job.unwatch();
                continue;
            }
            self.running.push(Arc::clone(&job));
            return Some((job, None));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_cancel_forgets_the_calls_that_have_ended() {
        let mut config = Config::new();
        config.set_token("token").unwrap();
        let client = Arc::new(Client::new(&config).unwrap());
        let starter = client.start();
        let (cancel, queue) = (Cancel::new(), Queue::new());
        for round in 0..20_000 {
            let what = Action::Deactivate;
            starter
                .update_status("", what, Some(&cancel), &queue, round)
                .unwrap();
            if round % 8 == 7 {
                (0..8).for_each(|_| assert!(queue.next(Duration::from_secs(60)).is_some()));
            }
        }
        assert!(starter.cancel_started(Duration::from_secs(60)));
        assert_eq!(cancel.watchers(), 0);
    }
}
