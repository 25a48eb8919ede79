//! Every setter through the C ABI with arbitrary bytes and numbers. Each line is a call: which one, then its values.
//! What a setter accepts must make a client, or be refused by zus_client_new with a code.
#![no_main]

use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};

use libfuzzer_sys::fuzz_target;
use zus::ffi::{zus_code::*, *};

fuzz_target!(|bytes: &[u8]| {
    let config = zus_config_new();
    for call in bytes.split(|b| *b == b'\n').take(32) {
        let [which, rest @ ..] = call else { continue };
        // A NUL would end a C string: what stands between two is a value of its own.
        let texts: Vec<CString> = rest
            .split(|b| *b == 0)
            .map(|t| CString::new(t).unwrap())
            .collect();
        let text = |n: usize| -> *const c_char { texts.get(n).map_or(null(), |t| t.as_ptr()) };
        let number = |n: usize| {
            let part = rest.get(n * 4..n * 4 + 4);
            part.map_or(u32::MAX, |p| u32::from_le_bytes(p.try_into().unwrap()))
        };
        let code = unsafe {
            match which % 12 {
                0 => zus_config_set_token(config, text(0)),
                1 => zus_config_set_oauth(config, text(0), text(1), text(2)),
                2 => zus_config_set_urls(config, text(0), text(1)),
                3 => zus_config_set_proxy(config, text(0)),
                4 => zus_config_set_user_agent(config, text(0)),
                5 => zus_config_set_ca_pem(config, rest.as_ptr(), rest.len()),
                6 => zus_config_set_encoding(config, number(0) as i32),
                7 => zus_config_set_timeouts(config, number(0), number(1)),
                8 => zus_config_set_retry(config, number(0), number(1), number(2)),
                9 => zus_config_set_rate(config, number(0), number(1)),
                10 => zus_config_set_concurrency(config, number(0)),
                _ => zus_config_set_log(config, number(0) as i32, None, null_mut()),
            }
        };
        assert!(
            [ZUS_OK, ZUS_ERR_NULL, ZUS_ERR_UTF8, ZUS_ERR_ARGUMENT].contains(&code),
            "{code:?}"
        );
    }
    unsafe {
        let mut client = null_mut();
        let code = zus_client_new(config, &mut client);
        assert!(
            [ZUS_OK, ZUS_ERR_CREDENTIALS, ZUS_ERR_ARGUMENT].contains(&code),
            "{code:?}"
        );
        assert_eq!(code == ZUS_OK, !client.is_null());
        zus_client_free(client);
        zus_config_free(config);
    }
});
