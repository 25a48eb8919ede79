//! Secrets: wiped when freed, absent from what people read, never sent to another origin.
#![cfg(target_os = "linux")]

#[path = "faults/caller.rs"]
mod caller;
#[path = "faults/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use caller::{Config, c, ok, string};
use server::{DONE, Request, Server, each, send};
use zeroize::Zeroize;
use zus::ffi::{zus_code::*, *};

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

unsafe extern "C-unwind" fn give_token(_: *mut c_void, _: i32, to: *mut c_char, _: usize) -> usize {
    callback_token().with(|t| {
        let t = t.to_bytes();
        unsafe { std::ptr::copy_nonoverlapping(t.as_ptr(), to.cast(), t.len()) };
        t.len()
    })
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
    let config = Config::new(url);
    if !ca.is_empty() {
        let pem = std::fs::read(ca).unwrap();
        ok(unsafe { zus_config_set_ca_pem(config.0, pem.as_ptr(), pem.len()) });
    }
    let oauth_url = c(oauth);
    ok(unsafe { zus_config_set_urls(config.0, std::ptr::null(), oauth_url.as_ptr()) });
    let mut looked_for = Vec::new();
    match kind {
        "token" => {
            token().with(|t| ok(unsafe { zus_config_set_token(config.0, t.as_ptr()) }));
            looked_for.push(("token", token()));
        }
        "oauth" | "oauth-cut" => {
            secret().with(|s| unsafe {
                ok(zus_config_set_oauth(
                    config.0,
                    c"account".as_ptr(),
                    c"client".as_ptr(),
                    s.as_ptr(),
                ));
            });
            looked_for.push(("secret", secret()));
            looked_for.push(("basic", basic(&secret())));
            looked_for.push(("oauth-token", oauth_token()));
        }
        "callback" => {
            ok(unsafe { zus_config_set_token_provider(config.0, Some(give_token), null_mut()) });
            looked_for.push(("callback-token", callback_token()));
        }
        "proxy" => {
            secret().with(|s| {
                let mut url = [b"http://user:", s.to_bytes(), b"@127.0.0.1:9\0"].concat();
                ok(unsafe { zus_config_set_proxy(config.0, url.as_ptr().cast()) });
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

/// Answers as Zoom and its token endpoint, plain or over TLS. With `cut` the answer with the token lacks its last byte.
fn zoom(certificate: Option<&Certificate>, cut: bool) -> Server {
    let serve = move |stream: &mut dyn ReadWrite| {
        let mut stream = stream;
        while let Some(request) = Request::read(&mut stream) {
            let answer = if request.line.contains("/oauth/token") {
                let body = format!(
                    r#"{{"access_token":"{}","token_type":"bearer","expires_in":3600,"scope":"user:write:admin","api_url":"https://127.0.0.1:9"}}"#,
                    oauth_token().clear()
                );
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            } else {
                assert!(
                    request
                        .header("authorization")
                        .unwrap()
                        .starts_with("Bearer ")
                );
                String::from_utf8(DONE.to_vec()).unwrap()
            };
            let end = answer.len() - usize::from(cut);
            let sent = stream
                .write_all(&answer.as_bytes()[..end])
                .and_then(|()| stream.flush());
            if sent.is_err() || cut {
                return;
            }
        }
    };
    let tls = certificate.map(|c| c.config.clone());
    Server::new(move |mut stream| match &tls {
        None => serve(&mut stream),
        Some(config) => {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            serve(&mut rustls::StreamOwned::new(connection, stream));
        }
    })
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

struct Certificate {
    pem: String,
    config: Arc<rustls::ServerConfig>,
}

fn certificate() -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    Certificate {
        pem: made.cert.pem(),
        config: Arc::new(config),
    }
}

/// A folder of this test's own.
fn folder(name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// What is in a child's memory: `what` -> (while alive, after free).
fn in_memory(kind: &str, tls: bool) -> BTreeMap<String, (usize, usize)> {
    let certificate = tls.then(certificate);
    let server = zoom(certificate.as_ref(), kind == "oauth-cut");
    let folder = folder(&format!("memory-{kind}-{tls}"));
    let scheme = if tls { "https" } else { "http" };
    let mut told = format!(
        "{kind} {scheme}://{0}/v2 {scheme}://{0}/oauth/token",
        server.address
    );
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
fn freed_is_wiped() {
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
/// doesn't wipe, so that the answer of the token endpoint stays where malloc puts something else next. SECURITY.md tells it.
fn left_by_the_stack(what: &str, tls: bool) -> usize {
    match what {
        "oauth-token" if tls => 2,
        "proxy-password" => 6,
        _ => 0,
    }
}

// ---- What people read ----------------------------------------------------------------------------------------------

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

unsafe extern "C-unwind" fn log(_: *mut c_void, _: i32, line: *const c_char) {
    LINES.lock().unwrap().push(unsafe { string(line) });
}

#[test]
fn no_secret_in_logs_messages_or_debug() {
    let (token, secret, oauth_token) = (token().clear(), secret().clear(), oauth_token().clear());
    let basic = BASE64_STANDARD.encode(format!("client:{secret}"));
    let good = zoom(None, false);
    let refusing = Server::new(|s| {
        each(s, |s, request| {
            match request.user() {
            "cut" => false,
            _ => send(s, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 41\r\n\r\n{\"code\":124,\"message\":\"Invalid access to\"}"),
        }
        });
    });
    let proxy = Server::new(|mut s| {
        Request::read(&mut s);
        send(
            &mut s,
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        );
    });
    let mut texts = Vec::new();
    for api in [&good, &refusing] {
        for oauth in [&good, &refusing] {
            for kind in ["token", "oauth", "proxy"] {
                let config = Config::new(&api.url()).attempts(2);
                unsafe { ok(zus_config_set_log(config.0, 4, Some(log), null_mut())) };
                let t = c(&token);
                ok(unsafe { zus_config_set_token(config.0, t.as_ptr()) });
                let config = match kind {
                    "oauth" => {
                        config.oauth(&format!("http://{}/oauth/token", oauth.address), &secret)
                    }
                    "proxy" => config.proxy(&format!("http://user:{secret}@{}", proxy.address)),
                    _ => config,
                };
                let client = config.client();
                for id in ["user", "cut", " blank"] {
                    let answer = client.deactivate(id);
                    texts.push(format!("{answer:?}"));
                }
                let answer = client.check_credentials();
                texts.push(format!("{answer:?}"));
                texts.push(String::from_utf8(answer.body).unwrap());
            }
        }
    }
    // The same in Rust.
    let mut config = zus::Config::new();
    config.set_token(&token).unwrap();
    texts.push(format!("{config:?}"));
    config.set_oauth("account", "client", &secret).unwrap();
    config
        .set_proxy(&format!("http://user:{secret}@proxy.example.com"))
        .unwrap();
    texts.push(format!("{config:?} {config:#?}"));
    texts.push(format!("{:?}", zus::Client::new(&config).unwrap()));
    for wrong in [
        config.set_token(&format!("{token} x")).unwrap_err(),
        config
            .set_oauth("account", "client", &format!("{secret}\n"))
            .unwrap_err(),
        config
            .set_proxy(&format!("ftp://user:{secret}@h"))
            .unwrap_err(),
        config
            .set_proxy(&format!("http://user:{secret}@h h"))
            .unwrap_err(),
        config
            .set_urls(Some(&format!("https://user:{secret}@h")), None)
            .unwrap_err(),
    ] {
        texts.push(format!("{wrong} {wrong:?}"));
    }
    let lines = std::mem::take(&mut *LINES.lock().unwrap());
    assert!(lines.len() > 50, "{lines:#?}");
    texts.extend(lines);
    for text in &texts {
        for hidden in [&token, &secret, &oauth_token, &basic] {
            assert!(!text.contains(hidden.as_str()), "{text}");
            // Nor the beginning of one.
            assert!(!text.contains(&hidden[..12]), "{text}");
        }
    }
}

// ---- Where they are sent -------------------------------------------------------------------------------------------

/// A server that nobody may connect to.
fn forbidden() -> Server {
    Server::new(|_| {})
}

#[test]
fn no_answer_leads_to_another_origin() {
    let elsewhere = forbidden();
    let there = elsewhere.address;
    let paths = Arc::<Mutex<Vec<String>>>::default();
    let answer = Arc::<Mutex<String>>::default();
    let (seen, now) = (paths.clone(), answer.clone());
    let server = Server::new(move |s| {
        each(s, |s, request| {
            seen.lock().unwrap().push(request.line);
            send(s, now.lock().unwrap().as_bytes())
        });
    });
    let port = server.address.port();
    let client = Config::new(&server.url()).attempts(3).client();
    for status in [300, 301, 302, 303, 304, 305, 307, 308, 310, 399] {
        for location in [
            format!("http://{there}/v2/users/x/status"),
            format!("//{there}/"),
            format!("http://localhost:{port}/v2/users/x/status"),
            format!("https://127.0.0.1:{port}/"),
            "/v2/users/x/status".to_owned(),
            "users/x".to_owned(),
            "".to_owned(),
        ] {
            let mut text = format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\n");
            text.push_str(&format!(
                "Proxy: http://{there}\r\nRefresh: 0; url=http://{there}/\r\n"
            ));
            // A 304 has no body.
            text.push_str("Content-Length: 0\r\n\r\n");
            *answer.lock().unwrap() = text;
            let answer = client.deactivate("x");
            assert_eq!(
                (answer.code, answer.attempts),
                (ZUS_ERR_PROTOCOL, 1),
                "{status} {location}"
            );
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
            *answer.lock().unwrap() =
                format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\n\r\n");
            client.deactivate("x");
        }
    }
    let paths = paths.lock().unwrap();
    assert!(paths.len() >= 70 + 21);
    let expected = "PUT /v2/users/x/status HTTP/1.1";
    assert!(paths.iter().all(|line| line == expected), "{paths:?}");
    assert_eq!(elsewhere.accepted.load(Ordering::SeqCst), 0);
}

#[test]
fn no_token_answer_leads_to_another_origin() {
    let elsewhere = forbidden();
    let there = elsewhere.address;
    let api = Server::new(move |s| {
        each(s, |s, request| {
            assert_eq!(request.header("authorization"), Some("Bearer tok"));
            send(s, DONE)
        });
    });
    let answer = Arc::<Mutex<String>>::default();
    let now = answer.clone();
    let oauth = Server::new(move |s| {
        each(s, |s, request| {
            assert!(
                request
                    .header("authorization")
                    .unwrap()
                    .starts_with("Basic ")
            );
            send(s, now.lock().unwrap().as_bytes())
        });
    });
    let url = format!("http://{}/oauth/token", oauth.address);
    let call = || {
        Config::new(&api.url())
            .oauth(&url, "secret")
            .client()
            .deactivate("x")
    };
    for status in [301, 302, 303, 307, 308] {
        *answer.lock().unwrap() = format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: http://{there}/\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(call().code, ZUS_ERR_TOKEN);
    }
    assert_eq!(api.accepted.load(Ordering::SeqCst), 0);
    // Zoom names the API's host in its answer; the configured one is used.
    let body = format!(r#"{{"access_token":"tok","expires_in":3600,"api_url":"http://{there}"}}"#);
    *answer.lock().unwrap() = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(call().code, ZUS_OK);
    assert_eq!(elsewhere.accepted.load(Ordering::SeqCst), 0);
}

/// A proxy sees its own credentials and the target's name: never the token, whatever it answers.
#[test]
fn a_proxy_never_sees_the_token_and_zoom_never_the_proxys_password() {
    let certificate = certificate();
    let tls = certificate.config.clone();
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let seen = heads.clone();
    let zoom = Server::new(move |stream| {
        let connection = rustls::ServerConnection::new(tls.clone()).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        while let Some(request) = Request::read(&mut stream) {
            seen.lock().unwrap().push(request.head);
            if stream
                .write_all(DONE)
                .and_then(|()| stream.flush())
                .is_err()
            {
                return;
            }
        }
    });
    let zoom_address = zoom.address;
    let elsewhere = forbidden();
    let answers = [
        "tunnel".to_owned(),
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n", elsewhere.address),
        "HTTP/1.1 200 OK\r\n\r\n<html>log in to this network</html>".to_owned(),
        "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "garbage\r\n\r\n".to_owned(),
        String::new(),
    ];
    for answer in answers {
        let through_proxy = Arc::<Mutex<Vec<u8>>>::default();
        let (bytes, reply) = (through_proxy.clone(), answer.clone());
        let proxy = Server::new(move |mut client: TcpStream| {
            let request = Request::read(&mut client).unwrap();
            bytes
                .lock()
                .unwrap()
                .extend_from_slice(request.head.as_bytes());
            if reply != "tunnel" {
                send(&mut client, reply.as_bytes());
                // And listens to what the client may still say.
                let mut rest = Vec::new();
                let _ = client.shutdown(std::net::Shutdown::Write);
                let _ = client.read_to_end(&mut rest);
                bytes.lock().unwrap().extend_from_slice(&rest);
                return;
            }
            send(&mut client, b"HTTP/1.1 200 Connection established\r\n\r\n");
            let mut server = TcpStream::connect(zoom_address).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let up = std::thread::spawn({
                let bytes = bytes.clone();
                move || {
                    let mut part = [0; 4096];
                    while let Ok(n @ 1..) = from.read(&mut part) {
                        bytes.lock().unwrap().extend_from_slice(&part[..n]);
                        if to.write_all(&part[..n]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Both);
                }
            });
            let _ = std::io::copy(&mut server, &mut client);
            let _ = client.shutdown(std::net::Shutdown::Both);
            up.join().unwrap();
        });
        let client = Config::new(&format!("https://{zoom_address}/v2"))
            .ca(&certificate.pem)
            .proxy(&format!("http://user:proxy-password@{}", proxy.address))
            .client();
        let got = client.deactivate("x");
        let bytes = String::from_utf8_lossy(&through_proxy.lock().unwrap()).into_owned();
        match answer.as_str() {
            "tunnel" => assert_eq!(got.code, ZUS_OK, "{got:?}"),
            _ => assert_ne!(got.code, ZUS_OK, "{answer}: {got:?}"),
        }
        assert!(
            bytes.starts_with(&format!("CONNECT {zoom_address} ")),
            "{bytes}"
        );
        assert!(
            !bytes.contains("test-token") && !bytes.contains("Bearer"),
            "{answer}: {bytes}"
        );
        drop(client);
        proxy.settle();
    }
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].contains("Bearer test-token"));
    let lower = heads[0].to_ascii_lowercase();
    assert!(
        !lower.contains("proxy-auth") && !lower.contains("password"),
        "{heads:?}"
    );
    assert_eq!(elsewhere.accepted.load(Ordering::SeqCst), 0);
}

/// In clear, a token goes to this machine only, however the host is spelt.
#[test]
fn plain_http_is_for_loopback_only() {
    let config = Config::new("http://127.0.0.1:1");
    let set = |url: &str| {
        let url = c(url);
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
        "https://example.com:8443",
    ] {
        assert_eq!(set(url), ZUS_OK, "{url}");
    }
}
