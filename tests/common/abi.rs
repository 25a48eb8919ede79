//! The C API as a C program calls it, with owners that free its handles. A test that is about the functions themselves
//! takes the handles.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zus::ffi::*;
pub use zus::ffi::{
    ZUS_ACTIVATE, ZUS_CLOCK_OUT, ZUS_DEACTIVATE, zus_action, zus_code, zus_code::*,
};

pub struct Config(pub *mut zus_config);

// SAFETY: the tests use a configuration from one thread at a time.
unsafe impl Send for Config {}

pub fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

/// A setter of the tests' own configuration may not fail.
macro_rules! set {
    ($self:ident, $setter:ident $(, $value:expr)*) => {{
        // SAFETY: the handle is live, and so are the arguments.
        let code = unsafe { $setter($self.0 $(, $value)*) };
        assert_eq!(code, ZUS_OK, stringify!($setter));
        $self
    }};
}

impl Config {
    /// No proxy, and no rate, so that a test that is about neither isn't slowed or led astray.
    pub fn new() -> Config {
        Config::plain().proxy("").rate(0, 1000)
    }

    /// The defaults.
    pub fn plain() -> Config {
        Config(zus_config_new())
    }

    pub fn token(self, token: &str) -> Config {
        set!(self, zus_config_set_token, c(token).as_ptr())
    }

    pub fn oauth(self, account: &str, client: &str, secret: &str) -> Config {
        let (account, client, secret) = (c(account), c(client), c(secret));
        set!(
            self,
            zus_config_set_oauth,
            account.as_ptr(),
            client.as_ptr(),
            secret.as_ptr()
        )
    }

    /// `provider(rejected, capacity)` gives the token to write, or the length that it claims.
    pub fn token_fn(
        self,
        provider: impl Fn(bool, usize) -> Result<String, usize> + Send + Sync + 'static,
    ) -> Config {
        type Provider = Box<dyn Fn(bool, usize) -> Result<String, usize> + Send + Sync>;
        extern "C-unwind" fn call(
            userdata: *mut c_void,
            rejected: i32,
            buffer: *mut c_char,
            capacity: usize,
        ) -> usize {
            // SAFETY: it was leaked below.
            let provider = unsafe { &*userdata.cast::<Provider>() };
            match provider(rejected != 0, capacity) {
                Ok(token) if token.len() <= capacity => {
                    // SAFETY: the buffer is the library's, of that capacity.
                    unsafe {
                        std::ptr::copy_nonoverlapping(token.as_ptr(), buffer.cast(), token.len())
                    };
                    token.len()
                }
                Ok(token) => token.len(),
                Err(length) => length,
            }
        }
        let provider: Box<Provider> = Box::new(Box::new(provider));
        let userdata = Box::into_raw(provider).cast();
        set!(self, zus_config_set_token_provider, Some(call), userdata)
    }

    pub fn urls(self, api: &str, oauth: &str) -> Config {
        let (api, oauth) = (c(api), c(oauth));
        set!(self, zus_config_set_urls, api.as_ptr(), oauth.as_ptr())
    }

    pub fn timeouts(self, connect_ms: u32, total_ms: u32) -> Config {
        set!(self, zus_config_set_timeouts, connect_ms, total_ms)
    }

    pub fn attempt_timeout(self, attempt_ms: u32) -> Config {
        set!(self, zus_config_set_attempt_timeout, attempt_ms)
    }

    pub fn verify(self, wait_ms: u32) -> Config {
        set!(self, zus_config_set_verify, wait_ms)
    }

    pub fn events(self, queue: &Queue, kinds: i32) -> Config {
        set!(self, zus_config_set_events, queue.0, kinds)
    }

    pub fn retry(self, attempts: u32, first_ms: u32, most_ms: u32) -> Config {
        set!(self, zus_config_set_retry, attempts, first_ms, most_ms)
    }

    pub fn rate(self, requests: u32, per_ms: u32) -> Config {
        set!(self, zus_config_set_rate, requests, per_ms)
    }

    pub fn concurrency(self, in_flight: u32) -> Config {
        set!(self, zus_config_set_concurrency, in_flight)
    }

    pub fn json(self) -> Config {
        self.encoding(ZUS_ENCODING_JSON)
    }

    pub fn encoding(self, encoding: zus_encoding) -> Config {
        set!(self, zus_config_set_encoding, encoding)
    }

    pub fn proxy(self, url: &str) -> Config {
        set!(self, zus_config_set_proxy, c(url).as_ptr())
    }

    pub fn ca_pem(self, pem: &str) -> Config {
        set!(self, zus_config_set_ca_pem, pem.as_ptr(), pem.len())
    }

    pub fn log(self, level: i32, sink: impl Fn(i32, &str) + Send + Sync + 'static) -> Config {
        type Sink = Box<dyn Fn(i32, &str) + Send + Sync>;
        extern "C-unwind" fn call(userdata: *mut c_void, level: i32, message: *const c_char) {
            // SAFETY: it was leaked below; the message is borrowed.
            let (sink, message) = unsafe { (&*userdata.cast::<Sink>(), CStr::from_ptr(message)) };
            sink(level, message.to_str().expect("a log line is UTF-8"));
        }
        let sink: Box<Sink> = Box::new(Box::new(sink));
        let userdata = Box::into_raw(sink).cast();
        set!(self, zus_config_set_log, level, Some(call), userdata)
    }

    /// Keeps every line up to `level`.
    pub fn lines(self, level: i32) -> (Config, Lines) {
        let lines = Lines::default();
        let kept = lines.clone();
        let config = self.log(level, move |level, line| {
            kept.0.lock().unwrap().push((level, line.to_owned()));
        });
        (config, lines)
    }

    pub fn try_client(&self) -> Result<Client, zus_code> {
        let mut client = null_mut();
        // SAFETY: the handle is live.
        match unsafe { zus_client_new(self.0, &mut client) } {
            ZUS_OK => Ok(Client(client)),
            code => Err(code),
        }
    }

    pub fn client(&self) -> Client {
        self.try_client().expect("a client")
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_config_free(self.0) }
    }
}

#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<(i32, String)>>>);

impl Lines {
    pub fn all(&self) -> Vec<(i32, String)> {
        self.0.lock().unwrap().clone()
    }
}

pub struct Client(pub *mut zus_client);

// SAFETY: the header says that a client is shared between threads.
unsafe impl Send for Client {}
unsafe impl Sync for Client {}

impl Client {
    pub fn update(&self, user: &str, action: zus_action, cancel: Option<&Cancel>) -> Outcome {
        self.update_c(&c(user), action, cancel)
    }

    /// Any bytes but NUL.
    pub fn update_c(&self, user: &CStr, action: zus_action, cancel: Option<&Cancel>) -> Outcome {
        Outcome::of(|result| {
            // SAFETY: the handles are live.
            unsafe { zus_update_status(self.0, user.as_ptr(), action, raw(cancel), result) }
        })
    }

    pub fn deactivate(&self, user: &str) -> Outcome {
        self.update(user, ZUS_DEACTIVATE, None)
    }

    pub fn read(&self, user: &str) -> Outcome {
        let user = c(user);
        Outcome::of(|result| {
            // SAFETY: the handles are live.
            unsafe { zus_get_user_status(self.0, user.as_ptr(), null(), result) }
        })
    }

    /// Starts to deactivate a user; the event's userdata is `number`.
    pub fn start(
        &self,
        user: &str,
        cancel: Option<&Cancel>,
        queue: &Queue,
        number: usize,
    ) -> zus_code {
        let (user, number) = (c(user), std::ptr::without_provenance_mut(number));
        // SAFETY: the handles are live.
        unsafe {
            zus_update_status_start(
                self.0,
                user.as_ptr(),
                ZUS_DEACTIVATE,
                raw(cancel),
                queue.0,
                number,
            )
        }
    }

    pub fn cancel_started(&self, wait_ms: u32) -> bool {
        // SAFETY: the handle is live.
        unsafe { zus_client_cancel_started(self.0, wait_ms) == 1 }
    }

    pub fn stop_started(&self, cancel: &Cancel) {
        // SAFETY: the handles are live.
        unsafe { zus_client_stop_started(self.0, raw(Some(cancel))) }
    }

    pub fn check_credentials(&self) -> Outcome {
        self.check_credentials_with(None)
    }

    pub fn check_credentials_with(&self, cancel: Option<&Cancel>) -> Outcome {
        // SAFETY: the handles are live.
        Outcome::of(|result| unsafe { zus_check_credentials(self.0, raw(cancel), result) })
    }

    /// `on_result` gives 0 to go on.
    pub fn deactivate_many(
        &self,
        users: &[impl AsRef<str>],
        cancel: Option<&Cancel>,
        on_result: impl FnMut(usize, Outcome) -> i32,
    ) -> zus_code {
        many(users, on_result, |users, count, call, userdata| {
            let cancel = raw(cancel);
            // SAFETY: the handles are live, and all the rest until it returns.
            unsafe {
                zus_update_status_many(self.0, users, count, ZUS_DEACTIVATE, cancel, call, userdata)
            }
        })
    }

    /// The same for reading.
    pub fn read_many(
        &self,
        users: &[impl AsRef<str>],
        on_result: impl FnMut(usize, Outcome) -> i32,
    ) -> zus_code {
        many(users, on_result, |users, count, call, userdata| {
            // SAFETY: the handles are live, and all the rest until it returns.
            unsafe { zus_get_user_status_many(self.0, users, count, null(), call, userdata) }
        })
    }
}

fn many(
    users: &[impl AsRef<str>],
    mut on_result: impl FnMut(usize, Outcome) -> i32,
    run: impl FnOnce(*const *const c_char, usize, zus_result_fn, *mut c_void) -> zus_code,
) -> zus_code {
    type OnResult<'a> = &'a mut dyn FnMut(usize, Outcome) -> i32;
    extern "C-unwind" fn call(
        userdata: *mut c_void,
        index: usize,
        result: *const zus_result,
    ) -> i32 {
        // SAFETY: it lives until the batch returns; the result is borrowed.
        let on_result = unsafe { &mut *userdata.cast::<OnResult>() };
        on_result(index, unsafe { Outcome::read(result) })
    }
    let users: Vec<CString> = users.iter().map(|user| c(user.as_ref())).collect();
    let pointers: Vec<*const c_char> = users.iter().map(|user| user.as_ptr()).collect();
    let mut on_result: OnResult = &mut on_result;
    let userdata = (&raw mut on_result).cast();
    run(pointers.as_ptr(), pointers.len(), Some(call), userdata)
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_client_free(self.0) }
    }
}

pub struct Cancel(pub *mut zus_cancel);

// SAFETY: the header says that any thread may trigger it.
unsafe impl Send for Cancel {}
unsafe impl Sync for Cancel {}

impl Cancel {
    pub fn new() -> Cancel {
        Cancel(zus_cancel_new())
    }

    pub fn trigger(&self) {
        // SAFETY: the handle is live.
        unsafe { zus_cancel_trigger(self.0) }
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_cancel_free(self.0) }
    }
}

fn raw(cancel: Option<&Cancel>) -> *const zus_cancel {
    cancel.map_or(null(), |cancel| cancel.0)
}

pub struct Queue(pub *mut zus_queue);

// SAFETY: the header says that a queue is shared between threads.
unsafe impl Send for Queue {}
unsafe impl Sync for Queue {}

impl Queue {
    pub fn new() -> Queue {
        Queue(zus_queue_new())
    }

    pub fn next(&self, wait_ms: u32) -> Option<Event> {
        // SAFETY: the handle is live.
        let event = unsafe { zus_queue_next(self.0, wait_ms) };
        (!event.is_null()).then_some(Event(event))
    }

    /// The next event, which is a result: its number and its outcome.
    pub fn result(&self) -> (usize, Outcome) {
        let event = self.next(60_000).expect("an event");
        event.result().expect("a result")
    }

    pub fn descriptor(&self) -> i64 {
        // SAFETY: the handle is live.
        unsafe { zus_queue_descriptor(self.0) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_queue_free(self.0) }
    }
}

pub struct Event(pub *mut zus_event);

impl Event {
    pub fn kind(&self) -> zus_event_type {
        // SAFETY: the handle is live.
        unsafe { zus_event_kind(self.0) }
    }

    pub fn result(&self) -> Option<(usize, Outcome)> {
        // SAFETY: the handle is live, and the result while it is.
        unsafe {
            let result = zus_event_result(self.0);
            let number = zus_event_userdata(self.0).addr();
            (!result.is_null()).then(|| (number, Outcome::read(result)))
        }
    }

    pub fn line(&self) -> (i32, String) {
        // SAFETY: the handle is live.
        unsafe { (zus_event_log_level(self.0), text(zus_event_message(self.0))) }
    }

    pub fn set_token(&self, token: &str) -> zus_code {
        // SAFETY: the handle is live.
        unsafe { zus_event_set_token(self.0, c(token).as_ptr()) }
    }

    pub fn rejected(&self) -> bool {
        // SAFETY: the handle is live.
        unsafe { zus_event_token_rejected(self.0) == 1 }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_event_free(self.0) }
    }
}

/// All that a zus_result holds.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub code: zus_code,
    pub http_status: i32,
    pub zoom_code: i32,
    pub message: String,
    pub user_id: String,
    pub tracking_id: String,
    pub body: Body,
    pub retry_after: i64,
    pub attempts: i32,
    pub delivery: zus_delivery,
    pub user_status: zus_user_status,
    pub is_fatal: bool,
    pub took: Duration,
    /// `None` in a batch's callback, where the result is borrowed.
    handle: Option<Arc<Handle>>,
}

/// Bytes that are shown as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

#[derive(Debug)]
struct Handle(*mut zus_result);

// SAFETY: nothing changes a result.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_result_free(self.0) }
    }
}

/// Every string that the library gives is UTF-8.
pub fn text(text: *const c_char) -> String {
    // SAFETY: a string of the library's, while its owner lives.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().expect("UTF-8").to_owned()
}

impl Outcome {
    fn of(call: impl FnOnce(*mut *mut zus_result) -> zus_code) -> Outcome {
        let mut result = null_mut();
        let start = Instant::now();
        let code = call(&mut result);
        let took = start.elapsed();
        // Here there is the code alone, and nothing to read.
        let without = matches!(code, ZUS_ERR_UTF8 | ZUS_ERR_PANIC);
        assert_eq!(result.is_null(), without, "{code:?}");
        let handle = Handle(result);
        // SAFETY: it is NULL, or ours to read.
        let outcome = unsafe { Outcome::read(result) };
        assert!(without || outcome.code == code, "{code:?}: {outcome:?}");
        Outcome {
            code,
            took,
            handle: Some(Arc::new(handle)),
            ..outcome
        }
    }

    /// # Safety
    /// `result` is NULL or live.
    unsafe fn read(result: *const zus_result) -> Outcome {
        let mut length = 0;
        // SAFETY: the result is NULL or live.
        unsafe {
            let body: *const u8 = zus_result_body(result, &mut length).cast();
            assert_eq!(*body.add(length), 0, "a NUL behind the body");
            Outcome {
                code: zus_result_code(result),
                http_status: zus_result_http_status(result),
                zoom_code: zus_result_zoom_code(result),
                message: text(zus_result_message(result)),
                user_id: text(zus_result_user_id(result)),
                tracking_id: text(zus_result_tracking_id(result)),
                body: Body(std::slice::from_raw_parts(body, length).to_vec()),
                retry_after: zus_result_retry_after(result),
                attempts: zus_result_attempts(result),
                delivery: zus_result_delivery(result),
                user_status: zus_result_user_status(result),
                is_fatal: zus_result_is_fatal(result) == 1,
                took: Duration::ZERO,
                handle: None,
            }
        }
    }

    /// The code's name, as C has it.
    pub fn name(&self) -> String {
        text(zus_code_name(self.code as i32))
    }

    /// "" when there is none.
    pub fn header(&self, name: &str) -> String {
        let handle = self.handle.as_ref().expect("a result of one's own");
        // SAFETY: the handle is live.
        text(unsafe { zus_result_header(handle.0, c(name).as_ptr()) })
    }

    #[track_caller]
    pub fn expect(self, code: zus_code) -> Outcome {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}
