//! examples/sandbox as a process: a Zoom on loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::abi::Config;
use super::server::Certificate;

pub const TOKEN: &str = "sandbox-token";
pub const ACCOUNT: &str = "sandbox-account";
pub const CLIENT: &str = "sandbox-client";
pub const SECRET: &str = "sandbox-secret";

pub fn program() -> PathBuf {
    std::env::var_os("ZUS_SANDBOX").map_or_else(
        || {
            let program = super::built().join("examples/sandbox");
            program.with_extension(std::env::consts::EXE_EXTENSION)
        },
        Into::into,
    )
}

pub struct Sandbox {
    child: Child,
    pub api: String,
    pub oauth: String,
    plain: bool,
}

impl Sandbox {
    /// Over TLS, with the certificate in files of that name.
    pub fn start_tls(name: &str, certificate: &Certificate) -> Sandbox {
        let directory = super::scratch(name);
        let (pem, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        std::fs::write(&pem, &certificate.pem).expect("written");
        std::fs::write(&key, &certificate.key).expect("written");
        let [pem, key] = [&pem, &key].map(|path| path.to_str().expect("UTF-8"));
        Sandbox::start(&["--tls", pem, key])
    }

    pub fn start(options: &[&str]) -> Sandbox {
        let program = program();
        let mut child = Command::new(&program)
            .args(["--until-stdin-closes", "--quiet"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut printed = BTreeMap::new();
        loop {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("a line");
            match line.trim().split_once('=') {
                Some((name, value)) => printed.insert(name.to_owned(), value.to_owned()),
                None if line.trim() == "ready" => break,
                None => panic!("the sandbox says {line:?}"),
            };
        }
        // A pipe that nobody reads would fill up.
        thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let api = printed["ZOOM_API_URL"].clone();
        Sandbox {
            child,
            plain: api.starts_with("http://"),
            api,
            oauth: printed["ZOOM_OAUTH_URL"].clone(),
        }
    }

    /// With the sandbox's static token.
    pub fn with_token(&self) -> Config {
        Config::new().urls(&self.api, &self.oauth).token(TOKEN)
    }

    pub fn with_oauth(&self) -> Config {
        Config::new()
            .urls(&self.api, &self.oauth)
            .oauth(ACCOUNT, CLIENT, SECRET)
    }

    pub fn port(&self) -> u16 {
        let port = self.api.trim_end_matches("/v2").rsplit(':').next();
        port.and_then(|port| port.parse().ok()).expect("a port")
    }

    pub fn ledger(&self) -> Value {
        let answer = self.control("GET", "ledger");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    }

    pub fn token_requests(&self) -> u64 {
        self.ledger()["token_requests"].as_u64().expect("a number")
    }

    pub fn requests(&self) -> u64 {
        self.ledger()["requests"].as_u64().expect("a number")
    }

    /// All OAuth tokens given so far are refused from now on.
    pub fn expire_tokens(&self) {
        self.control("POST", "expire-tokens");
    }

    pub fn control(&self, method: &str, command: &str) -> String {
        self.request(method, &format!("/sandbox/{command}"), "", "")
    }

    /// One request on a connection of its own, without the library, and all that came back.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        assert!(self.plain, "only the library speaks TLS here");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("it listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: sandbox\r\n{headers}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        response
    }

    /// Whether it ended by itself, and well, within ten seconds.
    pub fn ends(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait().expect("waited") {
                return status.success();
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
