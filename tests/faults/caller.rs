//! The C functions, as short as a test wants them.
#![allow(dead_code)] // each test uses its part

use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use zus::ffi::*;

pub fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A zus_config that frees itself.
pub struct Config(pub *mut zus_config);

impl Config {
    /// With a token, no proxy, no rate, one attempt and two seconds.
    pub fn new(api: &str) -> Config {
        let config = Config(zus_config_new());
        unsafe {
            ok(zus_config_set_token(config.0, c"test-token".as_ptr()));
            let url = c(api);
            ok(zus_config_set_urls(config.0, url.as_ptr(), null()));
            ok(zus_config_set_proxy(config.0, c"".as_ptr()));
            ok(zus_config_set_rate(config.0, 0, 1000));
        }
        config.attempts(1).total(2_000)
    }

    pub fn attempts(self, attempts: u32) -> Config {
        ok(unsafe { zus_config_set_retry(self.0, attempts, 1, 5) });
        self
    }

    pub fn total(self, ms: u32) -> Config {
        ok(unsafe { zus_config_set_timeouts(self.0, ms, ms) });
        self
    }

    pub fn connect(self, ms: u32, total: u32) -> Config {
        ok(unsafe { zus_config_set_timeouts(self.0, ms, total) });
        self
    }

    pub fn ca(self, pem: &str) -> Config {
        ok(unsafe { zus_config_set_ca_pem(self.0, pem.as_ptr(), pem.len()) });
        self
    }

    pub fn proxy(self, url: &str) -> Config {
        let url = c(url);
        ok(unsafe { zus_config_set_proxy(self.0, url.as_ptr()) });
        self
    }

    pub fn oauth(self, url: &str, secret: &str) -> Config {
        let (url, secret) = (c(url), c(secret));
        unsafe {
            ok(zus_config_set_urls(self.0, null(), url.as_ptr()));
            ok(zus_config_set_oauth(
                self.0,
                c"account".as_ptr(),
                c"client".as_ptr(),
                secret.as_ptr(),
            ));
        }
        self
    }

    pub fn client(&self) -> Client {
        let mut client = null_mut();
        ok(unsafe { zus_client_new(self.0, &mut client) });
        Client(client)
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        unsafe { zus_config_free(self.0) }
    }
}

/// A zus_client that frees itself.
pub struct Client(pub *mut zus_client);

// A const zus_client is safe from many threads at once.
unsafe impl Send for Client {}
unsafe impl Sync for Client {}

impl Client {
    pub fn deactivate(&self, user_id: &str) -> Answer {
        self.call(&c(user_id), null())
    }

    pub fn call(&self, user_id: &CStr, cancel: *const zus_cancel) -> Answer {
        let mut result = null_mut();
        let begin = Instant::now();
        unsafe {
            let code = zus_update_status(
                self.0,
                user_id.as_ptr(),
                ZUS_DEACTIVATE,
                cancel,
                &mut result,
            );
            Answer::new(code, result, begin.elapsed())
        }
    }

    pub fn check_credentials(&self) -> Answer {
        let mut result = null_mut();
        let begin = Instant::now();
        unsafe {
            let code = zus_check_credentials(self.0, null(), &mut result);
            Answer::new(code, result, begin.elapsed())
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        unsafe { zus_client_free(self.0) }
    }
}

/// What a zus_result holds.
#[derive(Debug)]
pub struct Answer {
    pub code: zus_code,
    pub status: i32,
    pub zoom_code: i32,
    pub message: String,
    pub body: Vec<u8>,
    pub retry_after: i64,
    pub attempts: i32,
    pub took: Duration,
}

impl Answer {
    /// Reads everything from `result`, and frees it.
    unsafe fn new(code: zus_code, result: *mut zus_result, took: Duration) -> Answer {
        unsafe {
            if !result.is_null() {
                assert_eq!(zus_result_code(result), code);
            }
            let mut length = 0;
            let body = zus_result_body(result, &mut length);
            let answer = Answer {
                code,
                status: zus_result_http_status(result),
                zoom_code: zus_result_zoom_code(result),
                message: string(zus_result_message(result)),
                body: std::slice::from_raw_parts(body.cast(), length).to_vec(),
                retry_after: zus_result_retry_after(result),
                attempts: zus_result_attempts(result),
                took,
            };
            string(zus_result_tracking_id(result));
            string(zus_result_header(result, c"Content-Type".as_ptr()));
            assert_eq!(*body.add(length), 0, "a NUL behind the body");
            zus_result_free(result);
            answer
        }
    }
}

/// Every string that the library gives is UTF-8.
pub unsafe fn string(text: *const c_char) -> String {
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .expect("UTF-8")
        .to_owned()
}

#[track_caller]
pub fn ok(code: zus_code) {
    assert_eq!(code, zus_code::ZUS_OK);
}
