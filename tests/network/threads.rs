//! Many threads, and fork(). tests/hostile.rs: callbacks that call back.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::common::abi::*;
use crate::common::child::{self, Child};
use crate::common::sandbox::{Sandbox, TOKEN};
use crate::common::{library, ms};

#[test]
fn thirty_two_threads_share_a_client() {
    let sandbox = Sandbox::start(&["--users", "640"]);
    let client = sandbox.with_oauth().client();
    thread::scope(|scope| {
        for thread in 0..32 {
            let client = &client;
            scope.spawn(move || {
                for n in 1..=20 {
                    let user = format!("user{:05}@example.com", thread * 20 + n);
                    let outcome = client.deactivate(&user).expect(ZUS_OK);
                    // Each has its own result, not a neighbour's.
                    assert_eq!(outcome.user_id, user);
                    let nobody = format!("nobody{user}");
                    let outcome = client.deactivate(&nobody).expect(ZUS_ERR_USER_NOT_FOUND);
                    assert!(outcome.message.contains(&nobody), "{}", outcome.message);
                }
            });
        }
    });
    let ledger = sandbox.ledger();
    assert_eq!(ledger["token_requests"], 1);
    assert_eq!(ledger["responses"], json!({"204": 640, "404": 640}));
    let users = ledger["users"].as_object().unwrap();
    let once = |user: &serde_json::Value| user["received"] == 1;
    assert_eq!(users.values().filter(|user| once(user)).count(), 1280);
    // As many connections as threads, kept; not one a call.
    assert!(
        ledger["connections"].as_u64().unwrap() <= 33 + 1,
        "{}",
        ledger["connections"]
    );
}

#[test]
fn batches_and_calls_run_side_by_side() {
    let sandbox = Sandbox::start(&["--users", "200"]);
    let client = sandbox.with_token().concurrency(8).client();
    let users: Vec<String> = (1..=200)
        .map(|n| format!("user{n:05}@example.com"))
        .collect();
    thread::scope(|scope| {
        for half in users.chunks(100) {
            let client = &client;
            scope.spawn(move || {
                let mut seen = vec![0; half.len()];
                let code = client.deactivate_many(half, None, |index, outcome| {
                    assert_eq!(outcome.user_id, half[index]);
                    seen[index] += 1;
                    0
                });
                assert_eq!(code, ZUS_OK);
                assert!(seen.iter().all(|times| *times == 1));
            });
        }
        for _ in 0..50 {
            client.deactivate("ada@example.com").expect(ZUS_OK);
        }
    });
    assert_eq!(sandbox.requests(), 250);
}

#[test]
fn a_client_from_before_fork_is_refused_in_the_child_and_a_new_one_works() {
    let sandbox = Sandbox::start(&["--users", "16"]);
    let said = Child::new("fork")
        .env("ZOOM_API_URL", &sandbox.api)
        .env("ZUS_TEST_LIBRARY", library().to_str().unwrap())
        .result();
    let forks = said["forks"].as_array().unwrap();
    assert_eq!(forks.len(), 40);
    // ZUS_ERR_FORKED thrice, and ZUS_OK of a new client.
    assert!(
        forks.iter().all(|codes| *codes == json!([5, 5, 5, 0])),
        "{said}"
    );
    assert_eq!(said["parent"], 0, "the parent goes on");
}

/// What of libzus.so the child calls, loaded as a program in another language loads it.
struct Library {
    config_new: extern "C" fn() -> *mut c_void,
    set_token: extern "C" fn(*mut c_void, *const c_char) -> c_int,
    set_urls: extern "C" fn(*mut c_void, *const c_char, *const c_char) -> c_int,
    client_new: extern "C" fn(*const c_void, *mut *mut c_void) -> c_int,
    client_free: extern "C" fn(*mut c_void),
    update: extern "C" fn(
        *const c_void,
        *const c_char,
        c_int,
        *const c_void,
        *mut *mut c_void,
    ) -> c_int,
    check: extern "C" fn(*const c_void, *const c_void, *mut *mut c_void) -> c_int,
    many: extern "C" fn(
        *const c_void,
        *const *const c_char,
        usize,
        c_int,
        *const c_void,
        extern "C" fn(*mut c_void, usize, *const c_void) -> c_int,
        *mut c_void,
    ) -> c_int,
}

impl Library {
    #[allow(clippy::missing_transmute_annotations)] // the fields name the types
    fn load(path: &str) -> Library {
        let path = CString::new(path).unwrap();
        // SAFETY: the signatures above are those of zus.h.
        unsafe {
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            assert!(!library.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
            macro_rules! symbol {
                ($name:literal) => {{
                    let symbol = libc::dlsym(library, $name.as_ptr());
                    assert!(!symbol.is_null(), "{:?}", $name);
                    std::mem::transmute(symbol)
                }};
            }
            Library {
                config_new: symbol!(c"zus_config_new"),
                set_token: symbol!(c"zus_config_set_token"),
                set_urls: symbol!(c"zus_config_set_urls"),
                client_new: symbol!(c"zus_client_new"),
                client_free: symbol!(c"zus_client_free"),
                update: symbol!(c"zus_update_status"),
                check: symbol!(c"zus_check_credentials"),
                many: symbol!(c"zus_update_status_many"),
            }
        }
    }

    fn client(&self, api: &CStr) -> usize {
        let token = CString::new(TOKEN).unwrap();
        let config = (self.config_new)();
        assert_eq!((self.set_token)(config, token.as_ptr()), 0);
        assert_eq!((self.set_urls)(config, api.as_ptr(), null()), 0);
        let mut client = null_mut();
        assert_eq!((self.client_new)(config, &mut client), 0);
        client as usize
    }

    fn update(&self, client: usize) -> c_int {
        let client = client as *const c_void;
        (self.update)(client, c"ada@example.com".as_ptr(), 2, null(), null_mut())
    }

    /// All calls on a client from before the fork, and one on a new one.
    fn after_fork(&self, client: usize, api: &CStr) -> [u8; 4] {
        extern "C" fn none(_: *mut c_void, _: usize, _: *const c_void) -> c_int {
            1
        }
        let old = client as *mut c_void;
        let user = c"ada@example.com".as_ptr();
        let codes = [
            self.update(client),
            (self.check)(old, null(), null_mut()),
            (self.many)(old, &user, 1, 2, null(), none, null_mut()),
            self.update(self.client(api)),
        ];
        (self.client_free)(old);
        codes.map(|code| u8::try_from(code).unwrap_or(u8::MAX))
    }
}

/// Forks forty times while eight threads use the client, so that any lock of its may be held at that moment.
pub fn fork_child() {
    let setting = |name: &str| child::setting(name).expect(name);
    let library = Library::load(&setting("ZUS_TEST_LIBRARY"));
    let api = CString::new(setting("ZOOM_API_URL")).unwrap();
    let client = library.client(&api);
    let stop = AtomicBool::new(false);
    let forks: Vec<_> = thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    library.update(client);
                    thread::sleep(ms(1));
                }
            });
        }
        let forks = (0..40).map(|_| fork(|| library.after_fork(client, &api)));
        let forks = forks.collect();
        stop.store(true, Ordering::SeqCst);
        forks
    });
    child::say(&json!({"forks": forks, "parent": library.update(client)}));
}

/// What `f` gives in a child process; nothing when that doesn't end within ten seconds.
fn fork(f: impl FnOnce() -> [u8; 4]) -> Vec<u8> {
    // SAFETY: plain system calls; the child ends without running anything of the parent's.
    unsafe {
        let mut pipe = [0; 2];
        assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
        let process = libc::fork();
        if process == 0 {
            libc::alarm(10);
            let codes = f();
            libc::write(pipe[1], codes.as_ptr().cast(), codes.len());
            libc::_exit(0);
        }
        libc::close(pipe[1]);
        let mut codes = [0; 4];
        let read = libc::read(pipe[0], codes.as_mut_ptr().cast(), codes.len());
        libc::close(pipe[0]);
        libc::waitpid(process, null_mut(), 0);
        codes[..usize::try_from(read).unwrap_or(0)].to_vec()
    }
}
