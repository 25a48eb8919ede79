//! Runs what can't be interrupted (a look-up by the system, a check of a certificate) on a thread of its own, and waits
//! for it no longer than the call may.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};

use crate::limits::{Interruption, Limits, Poll};

/// A task that runs on its own thread. Several calls may wait for one.
pub(crate) struct Task<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    value: Option<T>,
    waiting: Vec<Thread>,
    handle: Option<JoinHandle<()>>,
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Task<T> {
        Task(Arc::clone(&self.0))
    }
}

impl<T: Clone + Send + 'static> Task<T> {
    /// Starts the task. The thread has the system's usual stack, since the modules of a name service may need it.
    pub fn start(name: &str, run: impl FnOnce() -> T + Send + 'static) -> io::Result<Task<T>> {
        let task = Task(Arc::new(Mutex::new(State {
            value: None,
            waiting: Vec::new(),
            handle: None,
        })));
        let shared = task.clone();
        let thread = thread::Builder::new().name(name.into());
        let handle = thread.spawn(move || {
            let value = run();
            let mut state = shared.state();
            state.value = Some(value);
            state.waiting.drain(..).for_each(|thread| thread.unpark());
        })?;
        task.state().handle = Some(handle);
        Ok(task)
    }

    /// Returns whether it has ended.
    pub fn is_done(&self) -> bool {
        self.state().value.is_some()
    }

    /// Waits for its value. Where the limits end the wait, the task goes on by itself.
    pub fn wait(&self, limits: &Limits) -> Result<T, Interruption> {
        let mut waiting = false;
        let value = limits.wait(|_| {
            let mut state = self.state();
            if let Some(value) = &state.value {
                return Poll::Ready(value.clone());
            }
            if !waiting {
                state.waiting.push(thread::current());
                waiting = true;
            }
            Poll::Later
        })?;
        let handle = self.state().handle.take();
        if let Some(handle) = handle {
            // The thread only has to exit. It must not outlive the call, since the library may be unloaded afterwards.
            let _ = handle.join();
        }
        Ok(value)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn limits(ms: u64) -> Limits {
        let now = Instant::now();
        Limits {
            since: now,
            deadline: now + Duration::from_millis(ms),
            cancel: None,
            stop: None,
            slots_are_free: false,
        }
    }

    #[test]
    fn several_wait_for_one_task_and_nobody_longer_than_it_may() {
        let task = Task::start("test", || {
            thread::sleep(Duration::from_millis(100));
            7
        })
        .unwrap();
        assert_eq!(task.wait(&limits(1)), Err(Interruption::TimedOut));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(task.wait(&limits(60_000)), Ok(7)));
            }
        });
        assert!(task.is_done());
    }
}
