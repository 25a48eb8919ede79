//! The C API as a C program calls it, with owners that free its handles.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zus::ffi::*;
pub use zus::ffi::{ZUS_DEACTIVATE, zus_code, zus_code::*};

pub struct Config(*mut zus_config);

// SAFETY: the tests use a configuration from one thread at a time.
unsafe impl Send for Config {}

fn c(text: &str) -> CString {
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

    /// `provider(refused, capacity)` gives the token to write, or the length that it claims.
    pub fn token_fn(
        self,
        provider: impl Fn(bool, usize) -> Result<String, usize> + Send + Sync + 'static,
    ) -> Config {
        type Provider = Box<dyn Fn(bool, usize) -> Result<String, usize> + Send + Sync>;
        extern "C-unwind" fn call(
            userdata: *mut c_void,
            refused: i32,
            buffer: *mut c_char,
            capacity: usize,
        ) -> usize {
            // SAFETY: it was leaked below.
            let provider = unsafe { &*userdata.cast::<Provider>() };
            match provider(refused != 0, capacity) {
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
        set!(self, zus_config_set_encoding, ZUS_ENCODING_JSON)
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
            // SAFETY: it was leaked below; the message is lent.
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

pub struct Client(*mut zus_client);

// SAFETY: the header says that a client is shared between threads.
unsafe impl Send for Client {}
unsafe impl Sync for Client {}

impl Client {
    pub fn update(&self, user: &str, action: zus_action, cancel: Option<&Cancel>) -> Outcome {
        let user = c(user);
        Outcome::of(|result| {
            // SAFETY: the handles are live.
            unsafe { zus_update_status(self.0, user.as_ptr(), action, raw(cancel), result) }
        })
    }

    pub fn deactivate(&self, user: &str) -> Outcome {
        self.update(user, ZUS_DEACTIVATE, None)
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
        mut on_result: impl FnMut(usize, Outcome) -> i32,
    ) -> zus_code {
        type OnResult<'a> = &'a mut dyn FnMut(usize, Outcome) -> i32;
        extern "C-unwind" fn call(
            userdata: *mut c_void,
            index: usize,
            result: *const zus_result,
        ) -> i32 {
            // SAFETY: it lives until zus_update_status_many returns; the result is lent.
            let on_result = unsafe { &mut *userdata.cast::<OnResult>() };
            on_result(index, unsafe { Outcome::read(result) })
        }
        let users: Vec<CString> = users.iter().map(|user| c(user.as_ref())).collect();
        let pointers: Vec<*const c_char> = users.iter().map(|user| user.as_ptr()).collect();
        let mut on_result: OnResult = &mut on_result;
        // SAFETY: the handles are live, and all the rest until it returns.
        unsafe {
            zus_update_status_many(
                self.0,
                pointers.as_ptr(),
                pointers.len(),
                ZUS_DEACTIVATE,
                raw(cancel),
                Some(call),
                (&raw mut on_result).cast(),
            )
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: ours, and not freed yet.
        unsafe { zus_client_free(self.0) }
    }
}

pub struct Cancel(*mut zus_cancel);

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

/// All that a zus_result holds.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub code: zus_code,
    pub http_status: i32,
    pub zoom_code: i32,
    pub message: String,
    pub user_id: String,
    pub tracking_id: String,
    pub body: String,
    pub retry_after: i64,
    pub attempts: i32,
    pub took: Duration,
}

impl Outcome {
    fn of(call: impl FnOnce(*mut *mut zus_result) -> zus_code) -> Outcome {
        let mut result = null_mut();
        let start = Instant::now();
        let code = call(&mut result);
        let took = start.elapsed();
        assert!(!result.is_null(), "no result with {code:?}");
        // SAFETY: it is ours to read and free.
        let outcome = unsafe {
            let outcome = Outcome::read(result);
            zus_result_free(result);
            outcome
        };
        assert_eq!(outcome.code, code);
        Outcome { took, ..outcome }
    }

    /// # Safety
    /// `result` is live.
    unsafe fn read(result: *const zus_result) -> Outcome {
        let text = |text: *const c_char| {
            // SAFETY: strings of a live result.
            let text = unsafe { CStr::from_ptr(text) };
            text.to_string_lossy().into_owned()
        };
        let mut length = 0;
        // SAFETY: the result is live.
        unsafe {
            let body = zus_result_body(result, &mut length);
            let body = std::slice::from_raw_parts(body.cast(), length);
            Outcome {
                code: zus_result_code(result),
                http_status: zus_result_http_status(result),
                zoom_code: zus_result_zoom_code(result),
                message: text(zus_result_message(result)),
                user_id: text(zus_result_user_id(result)),
                tracking_id: text(zus_result_tracking_id(result)),
                body: String::from_utf8_lossy(body).into_owned(),
                retry_after: zus_result_retry_after(result),
                attempts: zus_result_attempts(result),
                took: Duration::ZERO,
            }
        }
    }

    #[track_caller]
    pub fn expect(self, code: zus_code) -> Outcome {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}
