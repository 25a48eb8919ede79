//! What this process holds: file descriptors, threads, allocations.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The system's allocator, counting what is not freed yet.
pub struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size() as i64, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
        BYTES.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    pub descriptors: usize,
    pub threads: usize,
    pub allocations: i64,
    pub bytes: i64,
}

impl Held {
    pub fn now() -> Held {
        let entries = |path| std::fs::read_dir(path).unwrap().count();
        Held {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            allocations: LIVE.load(Ordering::Relaxed),
            bytes: BYTES.load(Ordering::Relaxed),
        }
    }

    /// Fails when more is held than at `before`, where that doesn't pass by itself at once: a thread that was told
    /// to end may still be on its way out.
    #[track_caller]
    pub fn no_more_than(before: Held, what: &str) {
        let until = Instant::now() + Duration::from_secs(3);
        loop {
            let now = Held::now();
            if now.descriptors <= before.descriptors
                && now.threads <= before.threads
                && now.allocations <= before.allocations
                && now.bytes <= before.bytes
            {
                return;
            }
            assert!(
                Instant::now() < until,
                "{what}: before {before:?}, after {now:?}"
            );
            thread::sleep(Duration::from_millis(2));
        }
    }
}
