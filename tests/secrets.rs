//! Secrets: wiped when freed, and never sent to another origin. tests/network/logging.rs: absent from what people read.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::abi::*;
use common::server::{self, Certificate, Connection, DONE, Server, response};
use zeroize::Zeroize;
use zus::ffi::*;

// ---- Memory --------------------------------------------------------------------------------------------------------

const MASK: u8 = 0xa5;

/// A secret that this process can look for without holding it: its bytes are masked.
struct Masked(Vec<u8>);

impl Masked {
    /// 48 characters, of which the last 24 are looked for: the allocator writes over the beginning of what is freed.
    fn new(seed: u64) -> Masked {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let letter = |state: &mut u64| {
            *state ^= *state >> 12;
            *state ^= *state << 25;
            *state ^= *state >> 27;
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345"
                [(*state >> 8) as usize % 58]
        };
        Masked((0..48).map(|_| letter(&mut state) ^ MASK).collect())
    }

    /// Runs `f` with the secret in clear, and wipes it.
    fn with<T>(&self, f: impl FnOnce(&CStr) -> T) -> T {
        let mut clear = [0u8; 49];
        for (to, from) in clear.iter_mut().zip(&self.0) {
            *to = from ^ MASK;
        }
        let value = f(CStr::from_bytes_with_nul(&clear).unwrap());
        clear.zeroize();
        value
    }

    /// As the server builds it, in another process.
    fn clear(&self) -> String {
        self.0.iter().map(|b| char::from(b ^ MASK)).collect()
    }
}

/// How often the tail of `masked` is anywhere in this process's memory.
fn count_in_memory(masked: &[u8]) -> usize {
    const PART: usize = 1 << 20;
    let needle = &masked[masked.len() - 24..];
    let mut part = vec![0u8; PART + needle.len()];
    let own = part.as_ptr() as u64..part.as_ptr() as u64 + part.len() as u64;
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut found = 0;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        if !rights.starts_with('r') || line.contains("[v") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        while at < to {
            // The part itself holds what was read before.
            if own.contains(&at) {
                at = own.end;
                continue;
            }
            let end = if at < own.start {
                to.min(own.start)
            } else {
                to
            };
            let length = ((end - at) as usize).min(part.len());
            let Ok(length) = memory.read_at(&mut part[..length], at) else {
                break;
            };
            found += occurrences(&part[..length], needle);
            if length <= needle.len() {
                break;
            }
            // Overlapping, but counting nothing twice.
            at += if length == part.len() {
                (length - needle.len() + 1) as u64
            } else {
                length as u64
            };
        }
    }
    part.zeroize();
    found
}

fn occurrences(bytes: &[u8], masked: &[u8]) -> usize {
    let (mut found, mut at) = (0, 0);
    let last = bytes.len().saturating_sub(masked.len());
    while at <= last {
        // The C library's is fast, in a debug build as well.
        let rest = &bytes[at..];
        let first = i32::from(masked[0] ^ MASK);
        let hit = unsafe { libc::memchr(rest.as_ptr().cast(), first, rest.len()) };
        if hit.is_null() {
            break;
        }
        at += hit as usize - rest.as_ptr() as usize;
        let window = bytes[at..].iter().zip(masked);
        if at <= last && window.into_iter().all(|(a, b)| a ^ MASK == *b) {
            found += 1;
        }
        at += 1;
    }
    found
}

/// Base64 of `client:secret`, masked, without the secret staying here.
fn basic(secret: &Masked) -> Masked {
    secret.with(|s| {
        let mut pair = [b"client:".as_slice(), s.to_bytes()].concat();
        let mut text = BASE64_STANDARD.encode(&pair);
        let masked = text.bytes().map(|b| b ^ MASK).collect();
        pair.zeroize();
        text.zeroize();
        Masked(masked)
    })
}

const CHILD: &str = "ZUS_TEST_SECRETS_CHILD";

fn token() -> Masked {
    Masked::new(1)
}
fn secret() -> Masked {
    Masked::new(2)
}
fn oauth_token() -> Masked {
    Masked::new(3)
}
fn callback_token() -> Masked {
    Masked::new(4)
}

/// Run by the tests below in a process of its own. Prints `what while-alive after-free` for each secret.
#[test]
fn child() {
    let Ok(told) = std::env::var(CHILD) else {
        return;
    };
    let mut told = told.split(' ');
    let (kind, url, oauth, ca) = (
        told.next().unwrap(),
        told.next().unwrap(),
        told.next().unwrap(),
        told.next().unwrap_or_default(),
    );
    let mut config = Config::new().urls(url, oauth);
    config = config.retry(1, 1, 5).timeouts(2_000, 2_000);
    if !ca.is_empty() {
        config = config.ca_pem(&std::fs::read_to_string(ca).unwrap());
    }
    let set = |code| assert_eq!(code, ZUS_OK);
    let mut looked_for = Vec::new();
    // SAFETY of the calls: live handles and NUL-ended strings. The setters of the wrapper would keep copies.
    match kind {
        "token" => {
            token().with(|t| set(unsafe { zus_config_set_token(config.0, t.as_ptr()) }));
            looked_for.push(("token", token()));
        }
        "oauth" | "oauth-cut" => {
            secret().with(|s| unsafe {
                let (account, client) = (c"account".as_ptr(), c"client".as_ptr());
                set(zus_config_set_oauth(config.0, account, client, s.as_ptr()));
            });
            looked_for.push(("secret", secret()));
            looked_for.push(("basic", basic(&secret())));
            looked_for.push(("oauth-token", oauth_token()));
        }
        "callback" => {
            unsafe extern "C-unwind" fn give_token(
                _: *mut std::ffi::c_void,
                _: i32,
                to: *mut std::ffi::c_char,
                _: usize,
            ) -> usize {
                callback_token().with(|t| {
                    let t = t.to_bytes();
                    unsafe { std::ptr::copy_nonoverlapping(t.as_ptr(), to.cast(), t.len()) };
                    t.len()
                })
            }
            let none = std::ptr::null_mut();
            set(unsafe { zus_config_set_token_provider(config.0, Some(give_token), none) });
            looked_for.push(("callback-token", callback_token()));
        }
        "proxy" => {
            token().with(|t| set(unsafe { zus_config_set_token(config.0, t.as_ptr()) }));
            secret().with(|s| {
                let mut url = [b"http://user:", s.to_bytes(), b"@127.0.0.1:9\0"].concat();
                set(unsafe { zus_config_set_proxy(config.0, url.as_ptr().cast()) });
                url.zeroize();
            });
            looked_for.push(("proxy-password", secret()));
        }
        other => panic!("{other}"),
    }
    let calls = match kind {
        "proxy" => 0,
        "oauth-cut" => 1, // each is a connection of its own, with what rustls leaves of it
        _ => 20,
    };
    let client = config.client();
    for n in 0..calls {
        let code = client.deactivate(&format!("user{n}")).code;
        let expected = if kind == "oauth-cut" {
            ZUS_ERR_PROTOCOL
        } else {
            ZUS_OK
        };
        assert_eq!(code, expected);
    }
    let alive: Vec<usize> = looked_for
        .iter()
        .map(|(_, m)| count_in_memory(&m.0))
        .collect();
    drop(client);
    drop(config);
    for ((what, masked), alive) in looked_for.iter().zip(alive) {
        println!("COUNT {what} {alive} {}", count_in_memory(&masked.0));
    }
}

/// Zoom and its token endpoint, plain or over TLS. With `cut` the response with the token lacks its last byte.
fn zoom(certificate: Option<&Certificate>, cut: bool) -> Server {
    let serve = move |connection: &mut Connection| {
        while let Some(request) = connection.request() {
            let response = if request.line().contains("/oauth/token") {
                server::token(&oauth_token().clear(), 3600)
            } else {
                assert!(request.header("authorization").starts_with("Bearer "));
                DONE.to_owned()
            };
            let end = response.len() - usize::from(cut);
            if !connection.send(&response[..end]) || cut {
                return;
            }
        }
    };
    match certificate {
        None => Server::new(serve),
        Some(certificate) => Server::tls(certificate, serve),
    }
}

/// What is in a child's memory: `what` -> (while alive, after free).
fn in_memory(kind: &str, tls: bool) -> BTreeMap<String, (usize, usize)> {
    let certificate = tls.then(Certificate::new);
    let server = zoom(certificate.as_ref(), kind == "oauth-cut");
    let folder = common::scratch(&format!("memory-{kind}-{tls}"));
    let mut told = format!("{kind} {} {}", server.api(), server.oauth());
    if let Some(certificate) = &certificate {
        let path = folder.join("ca.pem");
        std::fs::write(&path, &certificate.pem).unwrap();
        told.push(' ');
        told.push_str(path.to_str().unwrap());
    }
    let key_log = folder.join("keys");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, told)
        .env("SSLKEYLOGFILE", &key_log)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!key_log.exists(), "SSLKEYLOGFILE is heeded");
    std::fs::remove_dir_all(folder).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let counts = text.lines().filter_map(|line| {
        let mut fields = line.split("COUNT ").nth(1)?.split(' ');
        let what = fields.next()?.to_owned();
        Some((
            what,
            (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?),
        ))
    });
    let counts: BTreeMap<_, _> = counts.collect();
    assert!(!counts.is_empty(), "{text}");
    println!("{kind}, TLS {tls}: {counts:?}");
    counts
}

#[test]
fn secrets_are_wiped_when_freed() {
    for tls in [false, true] {
        for kind in ["token", "oauth", "oauth-cut", "callback", "proxy"] {
            for (what, (alive, after)) in in_memory(kind, tls) {
                // That it is found while it is needed shows that it would be found.
                let never_kept = what == "secret" || kind == "oauth-cut" && what == "oauth-token";
                assert!(alive > 0 || never_kept, "{what} is not found");
                let most = left_by_the_stack(&what, tls);
                assert!(
                    after <= most,
                    "{what} is still there {after} times, TLS {tls}"
                );
            }
        }
    }
}

/// What the HTTP stack keeps of a secret after everything is freed. ureq keeps a proxy as plain strings. rustls decrypts into buffers of its own, which it
/// doesn't wipe, so that the response of the token endpoint stays until malloc uses its place again. SECURITY.md says so.
fn left_by_the_stack(what: &str, tls: bool) -> usize {
    match what {
        "oauth-token" if tls => 2,
        "proxy-password" => 6,
        _ => 0,
    }
}

// ---- Where they are sent -------------------------------------------------------------------------------------------

#[test]
fn no_response_leads_to_another_origin() {
    let elsewhere = Server::silent();
    let there = elsewhere.address;
    let next = Arc::<Mutex<String>>::default();
    let now = next.clone();
    let server = Server::http(move |_| now.lock().unwrap().clone());
    let port = server.port();
    let client = server.once().retry(3, 1, 5).client();
    for status in [300, 301, 302, 303, 304, 305, 307, 308, 310, 399] {
        for location in [
            format!("http://{there}/v2/users/x/status"),
            format!("//{there}/"),
            format!("http://localhost:{port}/v2/users/x/status"),
            format!("https://127.0.0.1:{port}/"),
            "/v2/users/x/status".to_owned(),
            "users/x".to_owned(),
            String::new(),
        ] {
            let headers = format!(
                "Location: {location}\r\nProxy: http://{there}\r\nRefresh: 0; url=http://{there}/\r\n"
            );
            *next.lock().unwrap() = response(&format!("{status} Elsewhere"), &headers, "");
            let outcome = client.deactivate("x").expect(ZUS_ERR_PROTOCOL);
            assert_eq!(outcome.attempts, 1, "{status} {location}");
        }
    }
    // Headers that would have the next request go elsewhere.
    for header in [
        format!("Alt-Svc: h2=\"{there}\"; ma=86400"),
        format!("Host: {there}"),
        format!("Content-Location: http://{there}/"),
        format!("Link: <http://{there}/>; rel=canonical"),
        format!("Set-Cookie: a=b; Domain={there}"),
        format!("WWW-Authenticate: Bearer realm=\"http://{there}/\""),
        format!("Authorization: Bearer {there}"),
    ] {
        for status in [
            "204 No Content",
            "401 Unauthorized",
            "421 Misdirected Request",
        ] {
            *next.lock().unwrap() = response(status, &format!("{header}\r\n"), "");
            client.deactivate("x");
        }
    }
    let requests = server.requests();
    assert!(requests.len() >= 70 + 21);
    let expected = "PUT /v2/users/x/status HTTP/1.1";
    for request in &requests {
        assert_eq!(request.line(), expected);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn no_token_response_leads_to_another_origin() {
    let elsewhere = Server::silent();
    let there = elsewhere.address;
    let api = Server::done();
    let next = Arc::<Mutex<String>>::default();
    let now = next.clone();
    let oauth = Server::http(move |_| now.lock().unwrap().clone());
    let call = || api.with_oauth(&oauth).client().deactivate("x");
    for status in [301, 302, 303, 307, 308] {
        let headers = format!("Location: http://{there}/\r\n");
        *next.lock().unwrap() = response(&format!("{status} Elsewhere"), &headers, "");
        call().expect(ZUS_ERR_TOKEN);
    }
    assert_eq!(api.connections(), 0);
    // Zoom names the API's host in its response; the configured one is used.
    let body = format!(r#"{{"access_token":"tok","expires_in":3600,"api_url":"http://{there}"}}"#);
    *next.lock().unwrap() = response("200 OK", "", &body);
    call().expect(ZUS_OK);
    assert_eq!(api.requests()[0].header("authorization"), "Bearer tok");
    for request in oauth.requests() {
        assert!(request.header("authorization").starts_with("Basic "));
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// A proxy sees its own credentials and the target's host: never the token, whatever it responds.
#[test]
fn a_proxy_never_sees_the_token_and_zoom_never_the_proxys_password() {
    let certificate = Certificate::new();
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let seen = heads.clone();
    let zoom = Server::tls(&certificate, move |connection| {
        while let Some(request) = connection.request() {
            seen.lock().unwrap().push(request.head);
            if !connection.send(DONE) {
                return;
            }
        }
    });
    let target = zoom.address;
    let elsewhere = Server::silent();
    let location = format!("Location: http://{}/\r\n", elsewhere.address);
    let responses = [
        "tunnel".to_owned(),
        response(
            "407 Proxy Authentication Required",
            "Proxy-Authenticate: Basic realm=\"x\"\r\n",
            "",
        ),
        response("302 Found", &location, ""),
        "HTTP/1.1 200 OK\r\n\r\n<html>log in to this network</html>".to_owned(),
        "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        response("502 Bad Gateway", "", ""),
        "garbage\r\n\r\n".to_owned(),
        String::new(),
    ];
    for response in responses {
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let (bytes, reply) = (received.clone(), response.clone());
        let proxy = Server::new(move |connection| {
            let keep = |more: &[u8]| bytes.lock().unwrap().extend_from_slice(more);
            keep(connection.request().unwrap().head.as_bytes());
            if reply == "tunnel" {
                connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
                connection.tunnel(target, keep);
                return;
            }
            connection.send(&reply);
            // And listens to what the client may still say.
            connection.close_sending();
            keep(&connection.until_closed());
        });
        let client = zoom
            .once()
            .ca_pem(&certificate.pem)
            .proxy(&format!("http://user:proxy-password@{}", proxy.address))
            .client();
        let outcome = client.deactivate("x");
        match response.as_str() {
            "tunnel" => assert_eq!(outcome.code, ZUS_OK, "{outcome:?}"),
            _ => assert_ne!(outcome.code, ZUS_OK, "{response}: {outcome:?}"),
        }
        drop(client);
        proxy.settle();
        let bytes = String::from_utf8_lossy(&received.lock().unwrap()).into_owned();
        assert!(bytes.starts_with(&format!("CONNECT {target} ")), "{bytes}");
        assert!(
            !bytes.contains("a-token") && !bytes.contains("Bearer"),
            "{response}: {bytes}"
        );
    }
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].contains("Bearer a-token"));
    let lower = heads[0].to_ascii_lowercase();
    assert!(
        !lower.contains("proxy-auth") && !lower.contains("password"),
        "{heads:?}"
    );
    assert_eq!(elsewhere.connections(), 0);
}

/// In clear, a token goes to this machine only, however the host is spelt.
#[test]
fn plain_http_is_for_loopback_only() {
    let config = Config::new();
    let set = |url: &str| {
        let url = c(url);
        // SAFETY: live handles and NUL-ended strings.
        unsafe {
            let api = zus_config_set_urls(config.0, url.as_ptr(), std::ptr::null());
            let oauth = zus_config_set_urls(config.0, std::ptr::null(), url.as_ptr());
            assert_eq!(api, oauth);
            api
        }
    };
    for host in [
        "example.com",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "example.com/localhost",
        "example.com:80/127.0.0.1",
        "127.0.0.1@example.com",
        "localhost:80@example.com",
        "example.com\\@127.0.0.1",
        "example.com%00127.0.0.1",
        "128.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "[::]",
        "[::2]",
        "[::ffff:8.8.8.8]",
        "2130706434",
        "127.0.0.1.",
        "localhost.",
        "",
        ":80",
        "/",
        "127.0.0.1:99999",
        "127.0.0.1:",
        "user@127.0.0.1",
        "127.0.0.1?a=b",
        "127.0.0.1#a",
        "api.zoom.us/v2",
        "10.0.0.1/v2",
        "localhost@example.com/v2",
    ] {
        for scheme in ["http", "HTTP", "Http"] {
            let url = format!("{scheme}://{host}");
            assert_eq!(set(&url), ZUS_ERR_ARGUMENT, "{url}");
        }
    }
    for url in [
        "ftp://127.0.0.1",
        "ws://127.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1",
        "//127.0.0.1",
        "https:127.0.0.1",
        "https://",
        "https://user:password@example.com",
        "https://example.com?a",
        "https://example.com#a",
        "https://api.zoom.us/v 2",
        "https:///v2",
        "https://api.zoom.us:/v2",
        "/v2",
        " https://api.zoom.us/v2",
        "https://api.zoom.us/v2 ",
    ] {
        assert_eq!(set(url), ZUS_ERR_ARGUMENT, "{url}");
    }
    for url in [
        "http://127.0.0.1",
        "http://127.255.255.254:8080/x/",
        "http://[::1]:80",
        "http://localhost/v2",
        "HTTP://LOCALHOST",
        "https://api.zoom.us/v2",
        "https://api.zoom.us/v2/",
        "HTTPS://api.zoom.us",
        "https://example.com:8443",
        "https://10.0.0.1:8443/zoom/v2",
        "https://[2001:db8::1]/v2",
    ] {
        assert_eq!(set(url), ZUS_OK, "{url}");
    }
}
