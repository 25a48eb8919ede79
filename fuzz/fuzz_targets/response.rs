//! Raw bytes of a server on loopback, from the status line to the end of the connection, to a result through the C ABI.
//! Each input is one connection; a second call with a good response shows that nothing of the first is left over.
#![no_main]

use std::ffi::CStr;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ptr::{null, null_mut};
use std::sync::{Mutex, OnceLock};
use std::thread;

use libfuzzer_sys::fuzz_target;
use zus::ffi::{zus_code::*, *};

static RESPONSE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Config(*const zus_config);
unsafe impl Send for Config {}
unsafe impl Sync for Config {}

/// A client sends more slowly after a 429: then the next input gets a new one.
struct Client(*mut zus_client);
unsafe impl Send for Client {}
static CLIENT: Mutex<Client> = Mutex::new(Client(null_mut()));

/// A server that sends `RESPONSE` and closes, but with 204 for the user `ok`; and a configuration for it.
fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}\0", listener.local_addr().unwrap());
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (mut head, mut part) = (Vec::new(), [0; 4096]);
                while let Ok(n @ 1..) = stream.read(&mut part) {
                    head.extend_from_slice(&part[..n]);
                    // The request ends with its form, or its JSON.
                    if !head.ends_with(b"--\r\n") && !head.ends_with(b"\"}") {
                        continue;
                    }
                    if !head.starts_with(b"PUT /users/ok/") {
                        let response = RESPONSE.lock().unwrap().clone();
                        let _ = stream.write_all(&response);
                        break;
                    }
                    let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
                    head.clear();
                }
            }
        });
        unsafe {
            let config = zus_config_new();
            zus_config_set_urls(config, url.as_ptr().cast(), null());
            zus_config_set_token(config, c"token".as_ptr());
            zus_config_set_proxy(config, c"".as_ptr());
            zus_config_set_rate(config, 0, 1);
            zus_config_set_retry(config, 1, 1, 1);
            zus_config_set_timeouts(config, 2_000, 2_000);
            Config(config)
        }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let mut client = CLIENT.lock().unwrap();
    *RESPONSE.lock().unwrap() = bytes.to_vec();
    unsafe {
        if client.0.is_null() {
            assert_eq!(zus_client_new(config().0, &mut client.0), ZUS_OK);
        }
        let client = &mut client.0;
        let mut result = null_mut();
        let code = zus_update_status(*client, c"any".as_ptr(), ZUS_ACTIVATE, null(), &mut result);
        assert!(!result.is_null());
        assert_eq!(zus_result_code(result), code);
        // The server closes: there is nothing to wait for, and a panic is a bug.
        assert!(
            ![ZUS_ERR_PANIC, ZUS_ERR_TIMEOUT, ZUS_ERR_ARGUMENT].contains(&code),
            "{code:?}"
        );
        if code == ZUS_OK {
            assert!((200..300).contains(&zus_result_http_status(result)));
            assert_eq!(zus_result_zoom_code(result), 0);
        }
        for text in [
            zus_result_message(result),
            zus_result_tracking_id(result),
            zus_result_header(result, c"Retry-After".as_ptr()),
            zus_result_header(result, c"content-type".as_ptr()),
        ] {
            CStr::from_ptr(text).to_str().expect("UTF-8");
        }
        let mut length = 0;
        let body = zus_result_body(result, &mut length);
        assert!(length <= 1 << 20 && *body.add(length) == 0);
        zus_result_free(result);

        if code == ZUS_ERR_RATE_LIMITED {
            zus_client_free(*client);
            *client = null_mut();
            return;
        }
        let code = zus_update_status(*client, c"ok".as_ptr(), ZUS_ACTIVATE, null(), null_mut());
        assert_eq!(code, ZUS_OK, "the next call");
    }
});
