//! The sandbox itself, over raw sockets: what every other test relies on.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const TOKEN: &str = "sandbox-token";
const PATIENCE: Duration = Duration::from_secs(10);

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = profile
        .join("examples/sandbox")
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "no sandbox yet: cargo build --example sandbox"
    );
    program
}

struct Sandbox {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    /// What it printed before `ready`.
    printed: BTreeMap<String, String>,
    address: String,
}

impl Sandbox {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg("--until-stdin-closes")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut printed = BTreeMap::new();
        loop {
            let line = read_line(&mut stdout);
            if line == "ready" {
                break;
            }
            let (name, value) = line.split_once('=').expect("NAME=VALUE");
            printed.insert(name.to_owned(), value.to_owned());
        }
        let url = &printed["ZOOM_API_URL"];
        let (_, address) = url.split_once("//").expect("a URL");
        let address = address.trim_end_matches("/v2").to_owned();
        Self {
            child,
            stdout: Some(stdout),
            printed,
            address,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the sandbox listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// One request on a connection of its own, and every byte that came back.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let mut stream = self.connect();
        let request = request(
            method,
            path,
            &format!("Connection: close\r\n{headers}"),
            body,
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut bytes = Vec::new();
        // A connection that was cut may end in an error.
        let _ = stream.read_to_end(&mut bytes);
        Reply::parse(bytes)
    }

    fn update_with(&self, token: &str, id: &str, media_type: &str, body: &str) -> Reply {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: {media_type}\r\n");
        self.send("PUT", &format!("/v2/users/{id}/status"), &headers, body)
    }

    fn update(&self, id: &str, action: &str) -> Reply {
        let body = format!(r#"{{"action":"{action}"}}"#);
        self.update_with(TOKEN, id, "application/json", &body)
    }

    fn deactivate(&self, id: &str) -> Reply {
        self.update(id, "deactivate")
    }

    fn token(&self, basic: &str, body: &str) -> Reply {
        let headers = format!(
            "Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        );
        self.send("POST", "/oauth/token", &headers, body)
    }

    fn good_token(&self) -> String {
        let reply = self.token(BASIC, GRANT);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    fn ledger(&self) -> Value {
        self.send("GET", "/sandbox/ledger", "", "").json()
    }

    fn control(&self, command: &str) {
        let reply = self.send("POST", &format!("/sandbox/{command}"), "", "");
        assert_eq!(reply.status, 204);
    }

    fn next_line(&mut self) -> String {
        read_line(self.stdout.as_mut().expect("not closed"))
    }

    fn ends_well(mut self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("waited") {
                assert!(status.success(), "{status}");
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the sandbox goes on");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// base64 of `sandbox-client:sandbox-secret`
const BASIC: &str = "c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ=";
const GRANT: &str = "grant_type=account_credentials&account_id=sandbox-account";

#[derive(Debug)]
struct Reply {
    /// 0 when it was not HTTP.
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    bytes: Vec<u8>,
}

impl Reply {
    fn parse(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            headers,
            body: body.to_owned(),
            bytes,
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// 0 where the body has none.
    fn code(&self) -> i64 {
        self.json()["code"].as_i64().unwrap_or(0)
    }

    /// `(status, code)`
    fn verdict(&self) -> (u16, i64) {
        (self.status, self.code())
    }
}

fn read_line(stdout: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    assert!(line.ends_with('\n'), "the sandbox ended: {line:?}");
    line.trim_end().to_owned()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: sandbox\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn form(name: &str, value: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--B--\r\n")
}

const FORM: &str = "multipart/form-data; boundary=B";

#[test]
fn prints_where_it_is_and_a_line_a_request() {
    let mut sandbox = Sandbox::start(&[]);
    let address = &sandbox.address;
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let expected = [
        ("ZOOM_ACCESS_TOKEN", TOKEN.to_owned()),
        ("ZOOM_ACCOUNT_ID", "sandbox-account".to_owned()),
        ("ZOOM_API_URL", format!("http://{address}/v2")),
        ("ZOOM_CLIENT_ID", "sandbox-client".to_owned()),
        ("ZOOM_CLIENT_SECRET", "sandbox-secret".to_owned()),
        ("ZOOM_OAUTH_URL", format!("http://{address}/oauth/token")),
    ];
    let printed = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(sandbox.printed, printed.into());

    sandbox.update_with(
        TOKEN,
        "ada@example.com",
        FORM,
        &form("action", "deactivate"),
    );
    let line = sandbox.next_line();
    let (line, ms) = line.rsplit_once("  ").expect("two parts");
    let expected = "PUT /v2/users/ada@example.com/status  action=deactivate (form)  ->  204";
    assert_eq!(line, expected);
    assert!(ms.ends_with(" ms"), "{ms}");

    sandbox.ledger(); // says nothing
    sandbox.deactivate("nobody%40example.com");
    let line = sandbox.next_line();
    let expected =
        "PUT /v2/users/nobody%40example.com/status  action=deactivate (json)  ->  404/1001  ";
    assert!(line.starts_with(expected), "{line}");
}

#[test]
fn users_are_who_they_are() {
    let sandbox = Sandbox::start(&["--users", "12"]);
    let table = [
        ("ada@example.com", "deactivate", (204, 0)),
        ("ada@example.com", "deactivate", (204, 0)),
        ("grace@example.com", "activate", (204, 0)),
        ("linus@example.com", "clock_in", (204, 0)),
        ("linus@example.com", "clock_out", (204, 0)),
        ("admin@example.com", "deactivate", (400, 200)),
        ("room@example.com", "activate", (400, 200)),
        ("events@example.com", "deactivate", (400, 300)),
        ("events@example.com", "activate", (204, 0)),
        ("seatless@example.com", "activate", (400, 3412)),
        ("seatless@example.com", "deactivate", (204, 0)),
        ("basic@example.com", "activate", (400, 2033)),
        ("nobody@example.com", "deactivate", (404, 1001)),
        ("answer-nonsense@example.com", "deactivate", (404, 1001)),
        ("user00001@example.com", "deactivate", (204, 0)),
        ("user%300012%40example.com", "deactivate", (204, 0)),
        ("user00013@example.com", "deactivate", (404, 1001)),
        ("user1@example.com", "deactivate", (404, 1001)),
        ("ada", "deactivate", (404, 1001)),
    ];
    for (id, action, verdict) in table {
        let reply = sandbox.update(id, action);
        assert_eq!(reply.verdict(), verdict, "{action} {id}: {reply:?}");
        let tracking_id = reply.header("x-zm-trackingid");
        assert!(tracking_id.starts_with("v=2.0;clid=us02;rid=WEB_"));
        assert_eq!(reply.header("x-ratelimit-category"), "Light");
    }
    let ledger = sandbox.ledger();
    let user = |id: &str| {
        let user = &ledger["users"][id];
        let number = |name: &str| user[name].as_u64();
        (
            user["status"].as_str(),
            number("received"),
            number("applied"),
        )
    };
    assert_eq!(
        user("ada@example.com"),
        (Some("inactive"), Some(2), Some(2))
    );
    assert_eq!(
        user("grace@example.com"),
        (Some("active"), Some(1), Some(1))
    );
    assert_eq!(
        user("linus@example.com"),
        (Some("active"), Some(2), Some(2))
    );
    assert_eq!(
        user("admin@example.com"),
        (Some("active"), Some(1), Some(0))
    );
    assert_eq!(
        user("user00012@example.com"),
        (Some("inactive"), Some(1), Some(1))
    );
    assert_eq!(user("nobody@example.com"), (None, Some(1), Some(0)));
    assert_eq!(ledger["users"]["user00002@example.com"], Value::Null);
    assert_eq!(ledger["requests"], table.len());
    assert_eq!(ledger["answers"]["204"], 9);
    assert_eq!(ledger["answers"]["404"], 5);
}

#[test]
fn bodies() {
    const OBJECT: &str = "Request Body should be a valid JSON object.";
    let deactivate = form("action", "deactivate");
    let json = r#"{"action":"deactivate"}"#;
    let cut_short = &deactivate[..deactivate.len() - 6];
    let quoted = "multipart/form-data; boundary=\"B\"; charset=utf-8";
    let urlencoded = "application/x-www-form-urlencoded";
    let any = [
        (FORM, deactivate.as_str(), (204, 0), ""),
        (quoted, &deactivate, (204, 0), ""),
        ("application/json; charset=utf-8", json, (204, 0), ""),
        (
            FORM,
            &form("action", "fly"),
            (400, 300),
            "Validation Failed.",
        ),
        (FORM, &form("status", "x"), (400, 300), "Validation Failed."),
        (FORM, cut_short, (400, 300), "Validation Failed."),
        (
            "application/json",
            r#"{"action":"fly"}"#,
            (400, 300),
            "Validation Failed.",
        ),
        ("application/json", "{}", (400, 300), "Validation Failed."),
        ("application/json", "[]", (400, 300), OBJECT),
        ("application/json", "action", (400, 300), OBJECT),
        (
            urlencoded,
            "action=deactivate",
            (415, 0),
            "Unsupported Media Type",
        ),
    ];
    let sandbox = Sandbox::start(&["--quiet"]);
    for (media_type, body, verdict, message) in any {
        let reply = sandbox.update_with(TOKEN, "ada@example.com", media_type, body);
        assert_eq!(reply.verdict(), verdict, "{media_type} {body}: {reply:?}");
        assert_eq!(reply.json()["message"].as_str().unwrap_or(""), message);
        if message.starts_with("Validation") {
            assert_eq!(reply.json()["errors"][0]["field"], "action");
        }
    }
    for (kind, verdict) in [
        ("json", (415, 0)),
        ("json-400", (400, 300)),
        ("json-bare", (400, 0)),
    ] {
        let sandbox = Sandbox::start(&["--quiet", "--body", kind]);
        let reply = sandbox.update_with(TOKEN, "ada@example.com", FORM, &deactivate);
        assert_eq!(reply.verdict(), verdict, "{kind}");
        assert_eq!(sandbox.deactivate("ada@example.com").status, 204, "{kind}");
        let ledger = sandbox.ledger();
        assert_eq!((&ledger["forms"], &ledger["jsons"]), (&1.into(), &1.into()));
        assert_eq!(ledger["users"]["ada@example.com"]["applied"], 1);
    }
}

#[test]
fn answers_on_order() {
    let sandbox = Sandbox::start(&["--quiet"]);
    let table = [
        ("200-empty", (200, 0), ""),
        ("200-braces", (200, 0), "{}"),
        ("200-quotes", (200, 0), "\"\""),
        ("200-text", (200, 0), "OK"),
        ("200-code", (200, 1001), "does not exist"),
        ("204", (204, 0), ""),
        ("204-closing", (204, 0), ""),
        ("300", (400, 300), "\"errors\":[{\"field\":\"action\""),
        ("1010", (400, 1010), "User"),
        ("1120", (400, 1120), "Invitation"),
        ("200-credentials", (400, 200), "Invalid api key or secret."),
        ("401-124", (401, 124), "Invalid access token."),
        ("400-124", (400, 124), "Invalid access token."),
        ("401-expired", (401, 401), "Access token is expired."),
        (
            "4711",
            (400, 0),
            "{\"code\":4711,\"message\":\"Invalid access token, does not contain scopes:[\"user",
        ),
        ("104", (400, 104), "does not contain scopes"),
        ("403", (403, 403), "permission"),
        ("429-qps", (429, 429), "per-second"),
        ("429-daily", (429, 429), "daily"),
        ("429-bare-qps", (429, 429), "per-second"),
        ("429-bare-daily", (429, 429), "daily"),
        ("500", (500, 500), "error"),
        ("502-html", (502, 0), "<html>"),
        ("503", (503, 0), ""),
        ("504", (504, 0), "<html>"),
        ("html", (200, 0), "<html>"),
        ("redirect", (302, 0), ""),
        ("slow-1", (204, 0), ""),
        ("cut", (0, 0), ""),
        ("garbage", (0, 0), ""),
        ("cut-body", (200, 0), "{\"code\":12"),
    ];
    for (name, verdict, text) in table {
        let reply = sandbox.deactivate(&format!("answer-{name}+tag@example.com"));
        assert_eq!(reply.verdict(), verdict, "{name}: {reply:?}");
        assert!(reply.body.contains(text), "{name}: {reply:?}");
        let applied =
            &sandbox.ledger()["users"][format!("answer-{name}+tag@example.com")]["applied"];
        let succeeds = matches!(verdict, (200 | 204, 0)) && !["html", "cut-body"].contains(&name);
        assert_eq!(*applied, u64::from(succeeds), "{name}");
    }
    let reply = |name: &str| sandbox.deactivate(&format!("answer-{name}@example.com"));
    assert_eq!(reply("cut").bytes, b"");
    assert_eq!(reply("cut-body").header("content-length"), "1000");
    assert!(reply("garbage").bytes.len() > 8);
    assert_eq!(reply("big").body.len(), 2 * 1024 * 1024);
    assert_eq!(reply("redirect").header("location"), "/v2/moved");
    assert_eq!(reply("502-html").header("x-zm-trackingid"), "");
    assert_eq!(reply("429-qps").header("x-ratelimit-type"), "QPS");
    let daily = reply("429-daily");
    assert_eq!(daily.header("x-ratelimit-type"), "Daily-limit");
    let retry_after = daily.header("retry-after");
    assert!(
        retry_after.len() == 20 && retry_after.ends_with("T00:00:00Z"),
        "{retry_after}"
    );
    assert!(
        !reply("429-bare-daily")
            .headers
            .contains_key("x-ratelimit-category")
    );
    assert_eq!(reply("retry-after-7").header("retry-after"), "7");
    let begun = Instant::now();
    assert_eq!(reply("slow-300").status, 204);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn answers_that_change_with_each_request() {
    let sandbox = Sandbox::start(&["--quiet"]);
    for (name, statuses) in [
        ("503-then-ok-2", [503, 503, 204, 503]),
        ("429-then-ok-1", [429, 204, 429, 204]),
        ("cut-then-ok-3", [0, 0, 0, 204]),
        ("cut-then-ok-0", [204; 4]),
    ] {
        for (nth, status) in statuses.into_iter().enumerate() {
            let reply = sandbox.deactivate(&format!("answer-{name}@example.com"));
            assert_eq!(reply.status, status, "{name}, request {nth}");
        }
    }
}

#[test]
fn slow_answers_and_callers_who_leave() {
    let sandbox = Sandbox::start(&["--quiet"]);
    let begin = |name: &str| {
        let mut stream = sandbox.connect();
        let headers =
            format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
        let path = format!("/v2/users/answer-{name}@example.com/status");
        let request = request("PUT", &path, &headers, r#"{"action":"deactivate"}"#);
        stream.write_all(request.as_bytes()).expect("sent");
        stream
    };
    let read_for = |stream: &mut TcpStream, ms: u64| {
        stream
            .set_read_timeout(Some(Duration::from_millis(ms)))
            .expect("a timeout");
        let mut byte = [0];
        let mut read = Vec::new();
        while let Ok(1) = stream.read(&mut byte) {
            read.push(byte[0]);
        }
        String::from_utf8(read).expect("ASCII")
    };
    let mut never = begin("never");
    let mut drip = begin("drip");
    let mut drip_body = begin("drip-body");
    let slow = begin("slow-60000");
    assert_eq!(read_for(&mut never, 200), "");
    assert_eq!(read_for(&mut drip, 200), "H");
    assert!(read_for(&mut drip_body, 100).starts_with("HTTP/1.1 200 OK\r\n"));
    let ledger = sandbox.ledger();
    assert_eq!(ledger["in_flight"], 2, "{ledger}");

    drop((never, slow));
    let begun = Instant::now();
    while sandbox.ledger()["answers"]["left"] != 2 {
        assert!(begun.elapsed() < PATIENCE, "{}", sandbox.ledger());
        sleep(Duration::from_millis(10));
    }
    assert_eq!(sandbox.ledger()["in_flight"], 0);
}

#[test]
fn tokens() {
    let sandbox = Sandbox::start(&["--quiet"]);
    let body = r#"{"action":"deactivate"}"#;
    let update = |token: &str| {
        let reply = sandbox.update_with(token, "ada@example.com", "application/json", body);
        (reply.status, reply.body)
    };
    assert_eq!(update(TOKEN).0, 204);
    for (token, status, text) in [
        ("unknown", 401, "\"code\":124"),
        ("expired", 401, "\"code\":124"),
        ("no-scope", 401, "\"code\":4711"),
    ] {
        let (given, body) = update(token);
        assert_eq!(given, status, "{token}: {body}");
        assert!(body.contains(text), "{token}: {body}");
    }
    let headers = "Content-Type: application/json\r\n";
    let reply = sandbox.send("PUT", "/v2/users/ada@example.com/status", headers, body);
    assert_eq!(reply.verdict(), (401, 124));

    let (first, second) = (sandbox.good_token(), sandbox.good_token());
    assert_ne!(first, second);
    assert_eq!((update(&first).0, update(&second).0), (204, 204));
    sandbox.control("expire-tokens");
    assert_eq!((update(&first).0, update(&second).0), (401, 401));
    assert_eq!(update(&sandbox.good_token()).0, 204);
    assert_eq!(sandbox.ledger()["token_requests"], 3);

    let answer = sandbox.token(BASIC, GRANT).json();
    assert_eq!(answer["token_type"], "bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["api_url"], format!("http://{}", sandbox.address));
    assert_eq!(answer["scope"], "user:write:admin user:update:status:admin");
}

#[test]
fn tokens_end_and_lack_scopes() {
    let body = r#"{"action":"deactivate"}"#;
    let sandbox = Sandbox::start(&["--quiet", "--token-life", "1"]);
    let token = sandbox.good_token();
    let update = |sandbox: &Sandbox, token: &str| {
        sandbox.update_with(token, "ada@example.com", "application/json", body)
    };
    assert_eq!(update(&sandbox, &token).status, 204);
    sleep(Duration::from_millis(1050));
    assert_eq!(update(&sandbox, &token).verdict(), (401, 124));

    let sandbox = Sandbox::start(&["--quiet", "--scopes", "user:read:admin"]);
    let reply = update(&sandbox, &sandbox.good_token());
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("does not contain scopes"), "{reply:?}");
}

#[test]
fn token_refusals() {
    let sandbox = Sandbox::start(&["--quiet"]);
    let wrong_secret = "c2FuZGJveC1jbGllbnQ6d3Jvbmc=";
    let grant = "grant_type=account_credentials";
    for (basic, body, status, error) in [
        (wrong_secret, GRANT, 401, "invalid_client"),
        ("?", GRANT, 401, "invalid_client"),
        (BASIC, grant, 400, "invalid_grant"),
        (
            BASIC,
            &format!("{grant}&account_id=other"),
            400,
            "invalid_grant",
        ),
        (BASIC, "grant_type=password", 400, "unsupported_grant_type"),
        (BASIC, "", 400, "unsupported_grant_type"),
    ] {
        let reply = sandbox.token(basic, body);
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert_eq!(reply.json()["error"], error, "{body}: {reply:?}");
    }
    // Only as a form: the query string started to fail at Zoom.
    let headers = format!("Authorization: Basic {BASIC}\r\n");
    let reply = sandbox.send("POST", &format!("/oauth/token?{GRANT}"), &headers, "");
    assert_eq!(reply.json()["error"], "unsupported_grant_type");
    // Percent-encoded, as some write it.
    let reply = sandbox.token(
        BASIC,
        "grant%5Ftype=account%5fcredentials&account_id=sandbox%2Daccount",
    );
    assert_eq!(reply.status, 200);
    // On order, by the account.
    let ordered = |name: &str| sandbox.token(BASIC, &format!("{grant}&account_id=answer-{name}"));
    assert_eq!(ordered("502-html").status, 502);
    assert_eq!(ordered("200-empty").body, "");
    assert_eq!(ordered("503-then-ok-1").status, 503);
    let reply = ordered("503-then-ok-1");
    assert!(reply.json()["access_token"].is_string(), "{reply:?}");
}

#[test]
fn limits_a_second() {
    for (headers, category) in [("on", "Light"), ("off", "")] {
        let sandbox = Sandbox::start(&["--quiet", "--qps", "5", "--limit-headers", headers]);
        let begun = Instant::now();
        let statuses: Vec<_> = (0..6)
            .map(|_| sandbox.deactivate("ada@example.com").status)
            .collect();
        assert!(begun.elapsed() < Duration::from_secs(1), "too slow to tell");
        assert_eq!(statuses, [204, 204, 204, 204, 204, 429]);
        let refusal = sandbox.deactivate("ada@example.com");
        assert_eq!(refusal.verdict(), (429, 429));
        assert_eq!(refusal.header("x-ratelimit-category"), category);
        assert_eq!(refusal.header("retry-after"), "");
        // The window slides with the first request, and refusals don't lengthen it.
        sleep(Duration::from_millis(1010).saturating_sub(begun.elapsed()));
        let reply = sandbox.deactivate("ada@example.com");
        assert_eq!(reply.status, 204);
        assert_eq!(reply.header("x-ratelimit-category"), category);
        let ledger = sandbox.ledger();
        assert_eq!(ledger["rate_refused"], 2);
        assert_eq!(ledger["users"]["ada@example.com"]["applied"], 6);
    }
}

#[test]
fn limits_a_day() {
    for (headers, limit_type) in [("on", "Daily-limit"), ("off", "")] {
        let sandbox = Sandbox::start(&["--quiet", "--daily", "2", "--limit-headers", headers]);
        for status in [204, 204, 429] {
            assert_eq!(sandbox.deactivate("ada@example.com").status, status);
        }
        let refusal = sandbox.deactivate("ada@example.com");
        assert!(refusal.body.contains("daily rate limit"));
        assert_eq!(refusal.header("x-ratelimit-type"), limit_type);
        assert_eq!(refusal.header("retry-after").is_empty(), headers == "off");
    }
}

#[test]
fn faults_are_seeded() {
    let run = |seed: &str| {
        let faults = [
            "503=0.1",
            "429=0.1",
            "429-bare=0.1",
            "cut=0.1",
            "cut-after=0.1",
            "delay-1=0.1",
        ];
        let mut arguments = vec!["--quiet", "--users", "300", "--seed", seed];
        for fault in faults {
            arguments.extend(["--fault", fault]);
        }
        let sandbox = Sandbox::start(&arguments);
        let statuses: Vec<_> = (1..=300)
            .map(|user| {
                sandbox
                    .deactivate(&format!("user{user:05}@example.com"))
                    .status
            })
            .collect();
        (statuses, sandbox.ledger())
    };
    let (first, ledger) = run("7");
    assert_eq!(run("7").0, first);
    assert_ne!(run("8").0, first);

    let answers = &ledger["answers"];
    for label in ["503", "cut", "cut-after"] {
        let times = answers[label].as_u64().unwrap_or(0);
        assert!((10..60).contains(&times), "{label}: {ledger}");
    }
    let users = ledger["users"].as_object().expect("users").values();
    let inactive = users.filter(|user| user["status"] == "inactive").count() as u64;
    let number = |label: &str| answers[label].as_u64().expect("a number");
    assert_eq!(inactive, number("204") + number("cut-after"));
}

#[test]
fn keeps_connections() {
    let sandbox = Sandbox::start(&["--quiet"]);
    let before = sandbox.ledger()["connections"].as_u64().expect("a number");
    let mut stream = sandbox.connect();
    let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
    let path = "/v2/users/ada@example.com/status";
    let request = request("PUT", path, &headers, r#"{"action":"deactivate"}"#);
    for _ in 0..50 {
        stream.write_all(request.as_bytes()).expect("sent");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 204 "));
    }
    let ledger = sandbox.ledger();
    assert_eq!(ledger["requests"], 50);
    assert_eq!(ledger["connections"], before + 2); // ours, and that of this ledger
}

#[test]
fn answers_like_the_postman_collection() {
    let sandbox = Sandbox::start(&["--quiet", "--postman"]);
    for (id, status, media_type, body) in [
        ("ada@example.com", 204, "application/json", "\"\""),
        ("admin@example.com", 400, "text/plain", ""),
        ("nobody@example.com", 404, "text/plain", ""),
        ("answer-200-empty@example.com", 200, "text/plain", ""),
    ] {
        let reply = sandbox.deactivate(id);
        assert_eq!(reply.status, status, "{id}: {reply:?}");
        assert_eq!(reply.header("content-type"), media_type, "{id}");
        assert_eq!(reply.body, body, "{id}");
    }
    assert_eq!(sandbox.ledger()["users"]["ada@example.com"]["applied"], 1);
}

#[test]
fn other_paths_and_methods() {
    let sandbox = Sandbox::start(&["--quiet"]);
    for (method, path, status) in [
        ("GET", "/v2/users/ada@example.com/status", 405),
        ("PUT", "/v2/users//status", 404),
        ("PUT", "/v2/users/a/b/status", 404),
        ("PUT", "/v2/moved", 404),
        ("GET", "/oauth/token", 404),
        ("GET", "/sandbox/nothing", 404),
    ] {
        assert_eq!(
            sandbox.send(method, path, "", "").status,
            status,
            "{method} {path}"
        );
    }
}

#[test]
fn a_delay_for_every_update() {
    let sandbox = Sandbox::start(&["--quiet", "--delay", "200"]);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(sandbox.deactivate("ada@example.com").status, 204));
        }
    });
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(
        took < Duration::from_secs(2),
        "one after the other: {took:?}"
    );
    assert!(sandbox.ledger()["most_in_flight"].as_u64() > Some(1));
}

#[test]
fn nobody_needs_to_read_what_it_prints() {
    // More than a pipe holds.
    let sandbox = Sandbox::start(&[]);
    for _ in 0..1500 {
        assert_eq!(sandbox.deactivate("ada@example.com").status, 204);
    }
    sandbox.control("stop");
    sandbox.ends_well();

    let mut sandbox = Sandbox::start(&[]);
    drop(sandbox.stdout.take());
    for _ in 0..20 {
        assert_eq!(sandbox.deactivate("ada@example.com").status, 204);
    }
}

#[test]
fn ends_when_told() {
    let sandbox = Sandbox::start(&["--quiet"]);
    sandbox.control("stop");
    sandbox.ends_well();

    let mut sandbox = Sandbox::start(&["--quiet"]);
    drop(sandbox.child.stdin.take());
    sandbox.ends_well();
}

#[cfg(unix)]
#[test]
fn ends_on_signals() {
    for signal in ["-INT", "-TERM"] {
        let sandbox = Sandbox::start(&["--quiet"]);
        let id = sandbox.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill runs").success());
        sandbox.ends_well();
    }
}

#[test]
fn options() {
    let run = |arguments: &[&str]| {
        let output = Command::new(program())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the sandbox runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (status, help, _) = run(&["--help"]);
    assert_eq!(status, Some(0));
    let screen = help.lines().count() <= 40 && help.lines().all(|line| line.len() <= 120);
    assert!(screen, "{help}");
    for wrong in [
        &["--nonsense"][..],
        &["user@example.com"],
        &["--port"],
        &["--port", "70000"],
        &["--quiet=yes"],
        &["--body", "xml"],
        &["--limit-headers", "maybe"],
        &["--fault", "503"],
        &["--fault", "503=2"],
        &["--fault", "flood=0.1"],
        &["--fault", "503=0.6", "--fault=cut=0.6"],
    ] {
        let (status, stdout, stderr) = run(wrong);
        assert_eq!(status, Some(2), "{wrong:?}: {stderr}");
        assert_eq!(stdout, "", "{wrong:?}");
        assert!(
            stderr.starts_with("sandbox: ") && stderr.len() > 20,
            "{stderr}"
        );
    }
    let taken = Sandbox::start(&[]);
    let (_, port) = taken.address.split_once(':').expect("a port");
    let (status, _, stderr) = run(&["--port", port]);
    assert_eq!(status, Some(1), "{stderr}");
}

#[test]
fn tls() {
    use rustls::pki_types::{CertificateDer, ServerName};
    use std::sync::Arc;

    let folder = std::env::temp_dir().join(format!("zus-sandbox-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let path = |path: &PathBuf| path.to_str().expect("UTF-8").to_owned();
    let sandbox = Sandbox::start(&["--quiet", "--tls", &path(&certificate), &path(&key)]);
    std::fs::remove_dir_all(&folder).expect("removed");
    let url = &sandbox.printed["ZOOM_OAUTH_URL"];
    assert!(url.starts_with("https://localhost:"), "{url}");

    let mut roots = rustls::RootCertStore::empty();
    let root: CertificateDer = made.cert.der().clone();
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let send = |id: &str| {
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = rustls::ClientConnection::new(Arc::new(config.clone()), name).expect("TLS");
        let mut stream = rustls::StreamOwned::new(tls, sandbox.connect());
        let headers = format!(
            "Connection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        );
        let path = format!("/v2/users/{id}@example.com/status");
        let request = request("PUT", &path, &headers, r#"{"action":"deactivate"}"#);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        (Reply::parse(bytes).status, ended.is_ok())
    };
    assert_eq!(send("ada"), (204, true));
    // Cut: not even TLS says goodbye.
    assert_eq!(send("answer-cut"), (0, false));
}
