//! What the other tests rely on and can't see themselves: that the sandbox's ledger tells the truth, that its limits,
//! expiries and faults are real, and that it ends. Each response on order is checked by the tests that order it.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::abi::*;
use common::sandbox::{Sandbox, program};
use common::{ms, timed};
use serde_json::{Value, json};

fn client(sandbox: &Sandbox) -> Client {
    sandbox.with_token().json().retry(1, 1, 1).client()
}

#[test]
fn the_ledger_tells_what_was_received_and_what_was_applied() {
    let sandbox = Sandbox::start(&["--users", "2"]);
    for (user, action, code) in [
        ("ada@example.com", ZUS_DEACTIVATE, ZUS_OK),
        ("ada@example.com", ZUS_DEACTIVATE, ZUS_OK),
        ("grace@example.com", ZUS_DEACTIVATE, ZUS_OK),
        ("grace@example.com", ZUS_ACTIVATE, ZUS_OK),
        ("linus@example.com", ZUS_CLOCK_OUT, ZUS_OK),
        ("admin@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_PROTECTED),
        ("user00001@example.com", ZUS_DEACTIVATE, ZUS_OK),
        ("nobody@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_NOT_FOUND),
        (
            "answer-200-code@example.com",
            ZUS_DEACTIVATE,
            ZUS_ERR_USER_NOT_FOUND,
        ),
        ("answer-503@example.com", ZUS_DEACTIVATE, ZUS_ERR_SERVER),
        ("answer-cut@example.com", ZUS_DEACTIVATE, ZUS_ERR_IO),
        ("answer-200-braces@example.com", ZUS_DEACTIVATE, ZUS_OK),
    ] {
        // A client each: on an idle connection a cut request is sent again.
        client(&sandbox).update(user, action, None).expect(code);
    }
    let ledger = sandbox.ledger();
    for (user, received, applied, status) in [
        ("ada", 2, 2, json!("inactive")),
        ("grace", 2, 2, json!("active")),
        ("linus", 1, 1, json!("active")),
        ("admin", 1, 0, json!("active")),
        ("user00001", 1, 1, json!("inactive")),
        ("nobody", 1, 0, Value::Null),
        ("answer-200-code", 1, 0, json!("active")),
        ("answer-503", 1, 0, json!("active")),
        ("answer-cut", 1, 0, json!("active")),
        ("answer-200-braces", 1, 1, json!("inactive")),
    ] {
        let there = &ledger["users"][format!("{user}@example.com")];
        let numbers = (&there["received"], &there["applied"], &there["status"]);
        assert_eq!(
            numbers,
            (&json!(received), &json!(applied), &status),
            "{user}"
        );
    }
    assert_eq!(ledger["users"]["user00002@example.com"], Value::Null);
    assert_eq!(
        (&ledger["requests"], &ledger["jsons"]),
        (&json!(12), &json!(12))
    );
    assert_eq!(ledger["responses"]["204"], 6);
}

#[test]
fn a_rate_limit_refuses_and_the_window_slides() {
    let sandbox = Sandbox::start(&["--qps", "5"]);
    let client = client(&sandbox);
    let update = || client.deactivate("ada@example.com").code;
    let (codes, took) = timed(|| [(); 6].map(|()| update()));
    assert!(took < ms(1_000), "too slow to tell");
    let [five @ .., sixth] = codes;
    assert_eq!((five, sixth), ([ZUS_OK; 5], ZUS_ERR_RATE_LIMITED));
    std::thread::sleep(ms(1_010).saturating_sub(took));
    assert_eq!(update(), ZUS_OK);
    let ledger = sandbox.ledger();
    assert_eq!(ledger["rate_refused"], 1);
    assert_eq!(ledger["users"]["ada@example.com"]["applied"], 6);
}

#[test]
fn a_token_is_rejected_once_it_expired_and_where_it_lacks_a_scope() {
    const BASIC: &str = "c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ="; // sandbox-client:sandbox-secret
    let token = |sandbox: &Sandbox| {
        let headers = format!(
            "Authorization: Basic {BASIC}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        );
        let body = "grant_type=account_credentials&account_id=sandbox-account";
        let response = sandbox.request("POST", "/oauth/token", &headers, body);
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    };
    let update = |sandbox: &Sandbox, token: &str| {
        let client = sandbox.with_token().token(token).client();
        client.deactivate("ada@example.com").code
    };
    let sandbox = Sandbox::start(&["--token-life", "1"]);
    let short = token(&sandbox);
    assert_eq!(update(&sandbox, &short), ZUS_OK);
    std::thread::sleep(ms(1_050));
    assert_eq!(update(&sandbox, &short), ZUS_ERR_UNAUTHORIZED);

    let sandbox = Sandbox::start(&[]);
    let (first, second) = (token(&sandbox), token(&sandbox));
    assert_ne!(first, second);
    assert_eq!(update(&sandbox, &first), ZUS_OK);
    sandbox.expire_tokens();
    for expired in [&first, &second, "unknown"] {
        assert_eq!(update(&sandbox, expired), ZUS_ERR_UNAUTHORIZED);
    }
    assert_eq!(update(&sandbox, &token(&sandbox)), ZUS_OK);
    assert_eq!(sandbox.token_requests(), 3);

    let sandbox = Sandbox::start(&["--scopes", "user:read:admin"]);
    assert_eq!(update(&sandbox, &token(&sandbox)), ZUS_ERR_FORBIDDEN);
}

#[test]
fn faults_are_seeded_and_the_ledger_knows_what_was_applied_before_a_cut() {
    let run = |seed: &str| {
        let mut options = vec!["--users", "300", "--seed", seed];
        for fault in ["503=0.1", "429=0.1", "cut=0.1", "cut-after=0.1"] {
            options.extend(["--fault", fault]);
        }
        let sandbox = Sandbox::start(&options);
        let codes: Vec<zus_code> = (1..=300)
            .map(|n| {
                let path = format!("user{n:05}@example.com");
                client(&sandbox).deactivate(&path).code
            })
            .collect();
        (codes, sandbox.ledger())
    };
    let (first, ledger) = run("7");
    assert_eq!(run("7").0, first);
    assert_ne!(run("8").0, first);
    let number = |label: &str| ledger["responses"][label].as_u64().unwrap_or(0);
    for label in ["503", "429", "cut", "cut-after"] {
        assert!((10..60).contains(&number(label)), "{label}: {ledger}");
    }
    let users = ledger["users"].as_object().expect("users").values();
    let inactive = users.filter(|user| user["status"] == "inactive").count() as u64;
    assert_eq!(inactive, number("204") + number("cut-after"));
}

#[test]
fn it_prints_where_it_is_and_a_line_for_each_request() {
    let mut child = Command::new(program())
        .arg("--until-stdin-closes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().expect("it goes on").expect("a line");
    let printed: Vec<String> = std::iter::repeat_with(&mut next)
        .take_while(|line| line != "ready")
        .collect();
    let value = |name: &str| {
        let line = printed.iter().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {printed:?}"))
    };
    assert_eq!(value("ZOOM_ACCESS_TOKEN="), "sandbox-token");
    assert_eq!(value("ZOOM_CLIENT_SECRET="), "sandbox-secret");
    let (api, oauth) = (value("ZOOM_API_URL="), value("ZOOM_OAUTH_URL="));
    let config = Config::new().urls(api, oauth).token("sandbox-token");
    config.client().deactivate("ada@example.com").expect(ZUS_OK);
    let wanted = "PUT /v2/users/ada@example.com/status  action=deactivate (form)  ->  204  ";
    let line = next();
    assert!(line.starts_with(wanted) && line.ends_with(" ms"), "{line}");
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn it_ends_when_told_and_with_its_caller() {
    let mut sandbox = Sandbox::start(&[]);
    sandbox.control("POST", "stop");
    assert!(sandbox.ends());
    let mut sandbox = Sandbox::start(&[]);
    sandbox.close_stdin();
    assert!(sandbox.ends());
    #[cfg(unix)]
    for signal in ["-INT", "-TERM"] {
        let mut sandbox = Sandbox::start(&[]);
        let process = sandbox.process().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.expect("kill runs").success());
        assert!(sandbox.ends());
    }
}

#[test]
fn a_wrong_option_is_a_usage_error() {
    for wrong in [
        &["--nonsense"][..],
        &["--port", "70000"],
        &["--body", "xml"],
        &["--fault", "503=2"],
        &["--fault", "503=0.6", "--fault=cut=0.6"],
    ] {
        let output = Command::new(program()).args(wrong).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {said}");
        assert!(said.starts_with("sandbox: ") && said.len() > 20, "{said}");
    }
}
