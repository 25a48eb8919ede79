//! What threads of ours need of the system: no signals, and a library that stays.

/// Runs `f` with all signals blocked on this thread. A thread that it starts inherits that: the program receives
/// signals on its own threads.
#[cfg(unix)]
#[allow(unsafe_code)]
pub(crate) fn without_signals<T>(f: impl FnOnce() -> T) -> T {
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointers are to sets of our own; the first call fills `all`, the second reads it and fills `before`.
    let blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let value = f();
    if blocked {
        // SAFETY: `before` was filled, since the call succeeded.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        }
    }
    value
}

#[cfg(not(unix))]
pub(crate) fn without_signals<T>(f: impl FnOnce() -> T) -> T {
    f()
}

/// Keeps the library in memory until the process ends: its threads may be running.
pub(crate) fn pin() {
    static PINNED: std::sync::Once = std::sync::Once::new();
    PINNED.call_once(pin_once);
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn pin_once() {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    let here = pin_once as fn() as *const libc::c_void;
    // SAFETY: the address is of code of ours, and the place is for what is found.
    if unsafe { libc::dladdr(here, found.as_mut_ptr()) } == 0 {
        return;
    }
    // SAFETY: it was filled, since the call succeeded.
    let name = unsafe { found.assume_init() }.dli_fname;
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    if !name.is_null() {
        // SAFETY: the name is the loader's own string; nothing is loaded, a flag is set. The handle stays open on purpose.
        unsafe { libc::dlopen(name, flags) };
    }
}

#[cfg(windows)]
#[allow(unsafe_code)]
fn pin_once() {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(
            flags: u32,
            address: *const std::ffi::c_void,
            module: *mut *mut std::ffi::c_void,
        ) -> i32;
    }
    const PIN: u32 = 1;
    const FROM_ADDRESS: u32 = 4;
    let mut module = std::ptr::null_mut();
    let here = pin_once as fn() as *const std::ffi::c_void;
    // SAFETY: with FROM_ADDRESS the second argument is an address in the module; the third a place of our own.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, here, &mut module) };
}

#[cfg(not(any(unix, windows)))]
fn pin_once() {}
