//! The environment, which a privileged program does not trust: whoever started the program set it, and may have named
//! another proxy or certificate.

use std::sync::OnceLock;

/// Returns a variable's value. In a privileged program there are none, as for secure_getenv. Empty counts as not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    if is_privileged() {
        return None;
    }
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns whether this program has rights that its caller lacks: setuid, setgid, or file capabilities.
pub(crate) fn is_privileged() -> bool {
    static PRIVILEGED: OnceLock<bool> = OnceLock::new();
    *PRIVILEGED.get_or_init(ask)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)]
fn ask() -> bool {
    // SAFETY: it reads a word that the kernel gave the process, and has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[allow(unsafe_code)]
fn ask() -> bool {
    // SAFETY: four system calls without arguments, which can't fail.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

#[cfg(not(unix))]
fn ask() -> bool {
    false
}
