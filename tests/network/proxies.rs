//! Proxies: from the setter, and from the environment as curl reads it.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::common::abi::*;
use crate::common::child::Child;
use crate::common::sandbox::{ACCOUNT, CLIENT, SECRET, Sandbox, TOKEN};
use crate::common::server::{Certificate, Server, response};
use crate::common::{library, scratch};
use crate::parts::{Authority, free_port, microsocks, path, program, tinyproxy};

/// The sandbox with TLS, and whom to trust.
struct Secure {
    sandbox: Sandbox,
    authority: Authority,
}

impl Secure {
    fn new(name: &str) -> Secure {
        let authority = Authority::new(name);
        let good = authority.good();
        Secure {
            sandbox: Sandbox::start(&good.tls_options()),
            authority,
        }
    }

    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.sandbox.port()).into()
    }

    fn through(&self, proxy: &str) -> Config {
        let config = self.sandbox.with_token().ca_pem(&self.authority.pem);
        config.proxy(proxy).retry(1, 1, 1)
    }
}

fn deactivate(config: Config) -> Outcome {
    config.client().deactivate("ada@example.com")
}

#[test]
fn tinyproxy_leads_to_the_api_and_to_the_token_endpoint() {
    let Some((_part, port, log)) = tinyproxy("tinyproxy", "") else {
        return;
    };
    let secure = Secure::new("proxies-tinyproxy");
    let proxy = format!("http://127.0.0.1:{port}");
    let client = secure.through(&proxy).oauth(ACCOUNT, CLIENT, SECRET);
    let client = client.client();
    for _ in 0..3 {
        client.deactivate("ada@example.com").expect(ZUS_OK);
    }
    let log = std::fs::read_to_string(log).expect("a log");
    let connects = log.matches("CONNECT localhost:").count();
    // The tunnel is kept: one serves the token and the updates.
    assert_eq!(connects, 1, "{log}");
    // An http:// API on loopback goes through it as well.
    let plain = Sandbox::start(&[]);
    deactivate(plain.with_token().proxy(&proxy)).expect(ZUS_OK);
}

#[test]
fn tinyproxy_with_a_password() {
    let Some((_part, port, _)) = tinyproxy("tinyproxy-auth", "BasicAuth someone hush") else {
        return;
    };
    let secure = Secure::new("proxies-auth");
    let good = secure.through(&format!("http://someone:hush@127.0.0.1:{port}"));
    deactivate(good).expect(ZUS_OK);
    for user in ["", "someone:wrong-password@", "someone@"] {
        let config = secure.through(&format!("http://{user}127.0.0.1:{port}"));
        let outcome = deactivate(config.retry(4, 1, 1)).expect(ZUS_ERR_PROXY);
        assert_eq!(outcome.attempts, 1, "no retry cures it");
        assert!(
            outcome.message.contains("407") || outcome.message.contains("401"),
            "{}",
            outcome.message
        );
        assert!(!outcome.message.contains("wrong-password"));
    }
}

#[test]
fn microsocks_with_and_without_a_password() {
    let Some((_open, open)) = microsocks(&[]) else {
        return;
    };
    let secure = Secure::new("proxies-socks");
    deactivate(secure.through(&format!("socks5://127.0.0.1:{open}"))).expect(ZUS_OK);
    deactivate(secure.through(&format!("socks5h://127.0.0.1:{open}"))).expect(ZUS_OK);
    let plain = Sandbox::start(&[]);
    deactivate(
        plain
            .with_token()
            .proxy(&format!("socks5://127.0.0.1:{open}")),
    )
    .expect(ZUS_OK);
    // The proxy can't get there.
    let nowhere = format!("https://localhost:{}/v2", free_port());
    let config = secure.through(&format!("socks5://127.0.0.1:{open}"));
    let outcome = deactivate(config.urls(&nowhere, &nowhere)).expect(ZUS_ERR_PROXY);
    assert!(outcome.message.contains("refused"), "{}", outcome.message);

    let (_closed, closed) = microsocks(&["-u", "someone", "-P", "p@ss:w/rd"]).unwrap();
    let good = format!("socks5://someone:p%40ss%3Aw%2Frd@127.0.0.1:{closed}");
    let client = secure.through(&good).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    for user in ["", "someone:wrong-password@", "other:p%40ss%3Aw%2Frd@"] {
        let config = secure.through(&format!("socks5://{user}127.0.0.1:{closed}"));
        let outcome = deactivate(config.retry(4, 1, 1)).expect(ZUS_ERR_PROXY);
        assert_eq!(outcome.attempts, 1, "{user}");
        assert!(!outcome.message.contains("wrong-password"));
    }
}

#[test]
fn a_password_is_decoded_and_sent_to_the_proxy_only() {
    let api = Server::done();
    let expected = format!("Basic {}", BASE64_STANDARD.encode("some one:p@ss:w/rd"));
    let proxy = Server::proxy(api.address, move |request| {
        let right = request
            .header("proxy-authorization")
            .eq_ignore_ascii_case(&expected);
        (!right).then(|| response("407 Proxy Authentication Required", "", ""))
    });
    let url = format!("http://some%20one:p%40ss%3Aw%2Frd@{}", proxy.address);
    deactivate(api.with_token().proxy(&url)).expect(ZUS_OK);
    let connect = &proxy.requests()[0];
    assert_eq!(connect.line(), format!("CONNECT {} HTTP/1.1", api.address));
    assert_eq!(
        connect.header("authorization"),
        "",
        "the token goes to Zoom"
    );
    let update = &api.requests()[0];
    assert_eq!(update.header("authorization"), "Bearer a-token");
    assert_eq!(update.header("proxy-authorization"), "");
}

#[test]
fn a_proxy_that_fails_is_a_proxy_error() {
    let secure = Secure::new("proxies-dead");
    let dead = free_port();
    for url in [
        format!("http://127.0.0.1:{dead}"),
        format!("https://127.0.0.1:{dead}"),
        format!("socks5://127.0.0.1:{dead}"),
        "http://no-such-proxy.invalid:3128".to_owned(),
        "socks5://no-such-proxy.invalid".to_owned(),
    ] {
        let outcome = deactivate(secure.through(&url).retry(2, 1, 1));
        let outcome = outcome.expect(ZUS_ERR_PROXY);
        assert_eq!(outcome.attempts, 2, "{url}: {}", outcome.message);
    }
    for status in [
        "403 Forbidden",
        "407 Proxy Authentication Required",
        "502 Bad Gateway",
        "302 Found",
    ] {
        let proxy = Server::proxy(secure.address(), move |_| Some(response(status, "", "no")));
        let outcome = deactivate(secure.through(&proxy.origin())).expect(ZUS_ERR_PROXY);
        let responded = format!("the proxy responded {} to CONNECT", &status[..3]);
        let message = outcome.message;
        assert!(message.contains(&responded), "{message}");
    }
    for bytes in ["", "what?\r\n\r\n", "SSH-2.0-OpenSSH\r\n"] {
        let proxy = Server::proxy(secure.address(), move |_| Some(bytes.to_owned()));
        deactivate(secure.through(&proxy.origin())).expect(ZUS_ERR_PROXY);
        let url = proxy.origin().replace("http:", "socks5:");
        deactivate(secure.through(&url).timeouts(500, 1_000));
    }
    // It is not the proxy's fault when the host behind it is not to be trusted.
    let proxy = Server::proxy(secure.address(), |_| None);
    let other = Authority::new("proxies-other");
    deactivate(secure.through(&proxy.origin()).ca_pem(&other.pem)).expect(ZUS_ERR_TLS);
}

#[test]
fn a_proxy_over_tls() {
    let secure = Secure::new("proxies-tls");
    let certificate = Certificate::new();
    let proxy = Server::proxy_with(Some(&certificate), secure.address(), |_| None);
    let url = format!("https://someone:hush@localhost:{}", proxy.port());
    let both = format!("{}{}", secure.authority.pem, certificate.pem);
    let client = secure.through(&url).ca_pem(&both).client();
    for _ in 0..2 {
        client.deactivate("ada@example.com").expect(ZUS_OK);
    }
    assert_eq!(proxy.requests().len(), 1);
    assert!(proxy.requests()[0].line().starts_with("CONNECT localhost:"));
    // The proxy has to be trusted, too.
    deactivate(secure.through(&url)).expect(ZUS_ERR_TLS);
}

#[test]
fn the_proxy_knows_host_names_that_we_do_not() {
    let secure = Secure::new("proxies-names");
    let proxy = Server::proxy(secure.address(), |_| None);
    let url = "https://api.zoom.test/v2";
    deactivate(secure.through(&proxy.origin()).urls(url, url)).expect(ZUS_OK);
    assert_eq!(
        proxy.requests()[0].line(),
        "CONNECT api.zoom.test:443 HTTP/1.1"
    );
}

#[test]
fn a_malformed_proxy_is_refused_without_its_password() {
    let secure = Secure::new("proxies-malformed");
    for url in [
        "http://",
        "ftp://proxy.example",
        "http://a b",
        "socks4://proxy.example",
        "http://u:hush@",
    ] {
        let mut config = Child::new("update")
            .env("ZOOM_API_URL", &secure.sandbox.api)
            .env("ZOOM_OAUTH_URL", &secure.sandbox.oauth)
            .env("ZOOM_ACCESS_TOKEN", TOKEN)
            .env("ZUS_TEST_CA", path(&secure.authority.file));
        config = config.env("https_proxy", url);
        assert_eq!(config.result()["name"], "ZUS_ERR_ARGUMENT", "{url}");
    }
}

#[test]
fn the_environment_is_read_as_curl_reads_it() {
    let Some(curl) = program("curl") else {
        return;
    };
    let secure = Secure::new("proxies-environment");
    let port = secure.sandbox.port();
    let plain = Sandbox::start(&[]);
    let (a, b) = (
        Server::proxy(secure.address(), |_| None),
        Server::proxy(secure.address(), |_| None),
    );
    let bare = a.origin().replace("http://", "");
    let ca = path(&secure.authority.file).to_owned();
    // A and B stand for the URLs of the two.
    let named: &[&[(&str, &str)]] = &[
        &[],
        &[("https_proxy", "A")],
        &[("HTTPS_PROXY", "A")],
        &[("https_proxy", "A"), ("HTTPS_PROXY", "B")],
        &[("http_proxy", "A")],
        &[("HTTP_PROXY", "A")],
        &[("all_proxy", "A")],
        &[("ALL_PROXY", "A")],
        &[("all_proxy", "A"), ("ALL_PROXY", "B")],
        &[("https_proxy", "A"), ("all_proxy", "B")],
        &[("HTTPS_PROXY", "A"), ("all_proxy", "B")],
        &[("https_proxy", ""), ("HTTPS_PROXY", "A")],
        &[("https_proxy", ""), ("all_proxy", "A")],
        &[("https_proxy", &bare)],
        &[("https_proxy", "A"), ("no_proxy", "")],
        &[
            ("https_proxy", "A"),
            ("no_proxy", "other"),
            ("NO_PROXY", "*"),
        ],
        &[("https_proxy", "A"), ("no_proxy", ""), ("NO_PROXY", "*")],
    ];
    let skipped: &[(&str, &str)] = &[
        ("localhost", "localhost"),
        ("localhost", "LocalHost"),
        ("localhost", ".localhost"),
        ("localhost", "host"),
        ("localhost", "ocalhost"),
        ("localhost", "*"),
        ("localhost", "other,localhost"),
        ("localhost", "other, localhost"),
        ("localhost", "other localhost"),
        ("localhost", " localhost "),
        ("localhost", "localhost."),
        ("localhost", "*localhost"),
        ("localhost", "*,other"),
        ("localhost", "other,*"),
        ("api.zoom.test", "zoom.test"),
        ("api.zoom.test", ".zoom.test"),
        ("api.zoom.test", "oom.test"),
        ("api.zoom.test", "api.zoom.test"),
        ("api.zoom.test", "API.ZOOM.TEST"),
        ("api.zoom.test", "test"),
        ("api.zoom.test", "zoom.test."),
        ("api.zoom.test", "*.zoom.test"),
        ("api.zoom.test", "my.api.zoom.test"),
        ("api.zoom.test", "api"),
        ("api.zoom.test", "api*"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
        ("127.0.0.1", "0.0.1"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("127.0.0.1", "10.0.0.0/8,127.0.0.1/32"),
        ("127.0.0.1", "10.0.0.0/8"),
    ];
    // (URL, variables)
    let mut cases: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    let secure_url = |host: &str| format!("https://{host}:{port}/v2");
    for variables in named {
        let url = |value: &str| match value {
            "A" => a.origin(),
            "B" => b.origin(),
            other => other.to_owned(),
        };
        let variables = variables.iter().map(|(name, value)| (*name, url(value)));
        let variables: Vec<_> = variables.collect();
        cases.push((secure_url("localhost"), variables.clone()));
        cases.push((plain.api.clone(), variables));
    }
    for (host, no_proxy) in skipped {
        let variables = [
            ("https_proxy", a.origin()),
            ("no_proxy", (*no_proxy).to_owned()),
        ];
        cases.push((secure_url(host), variables.to_vec()));
    }
    let used = || (a.requests().len(), b.requests().len());
    let route = |before: (usize, usize)| match used() {
        (n, _) if n > before.0 => "A",
        (_, n) if n > before.1 => "B",
        _ => "direct",
    };
    let mut differ = Vec::new();
    for (url, variables) in &cases {
        // curl asks a proxy for an http:// URL in clear, token and all; we keep a token for loopback there.
        let expected = if url == &plain.api {
            "direct"
        } else {
            let before = used();
            let got = Command::new(&curl)
                .args([
                    "-sS",
                    "--max-time",
                    "10",
                    "-o",
                    "/dev/null",
                    "--cacert",
                    &ca,
                ])
                .args(["--resolve", &format!("api.zoom.test:{port}:127.0.0.1"), url])
                .env_clear()
                .envs(variables.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .output()
                .expect("curl runs");
            let said = String::from_utf8_lossy(&got.stderr).into_owned();
            assert!(got.status.success(), "{variables:?}: {said}");
            route(before)
        };

        let before = used();
        let said = Child::new("update")
            .envs(variables)
            .hosts("api.zoom.test=127.0.0.1")
            .env("ZOOM_API_URL", url)
            .env("ZOOM_OAUTH_URL", url)
            .env("ZOOM_ACCESS_TOKEN", TOKEN)
            .env("ZUS_TEST_CA", &ca)
            .result();
        let ours = route(before);
        if said["name"] != "ZUS_OK" || ours != expected {
            differ.push(format!(
                "{url} {variables:?}: {expected} wanted, {ours} used: {said}"
            ));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn a_proxy_of_the_callers_own_goes_before_the_environment() {
    let secure = Secure::new("proxies-own");
    let (own, other) = (
        Server::proxy(secure.address(), |_| None),
        Server::proxy(secure.address(), |_| None),
    );
    for (set, used) in [(own.origin(), 1), (String::new(), 0)] {
        let before = own.requests().len();
        let said = Child::new("update")
            .env("https_proxy", &other.origin())
            .env("no_proxy", "*")
            .env("ZUS_TEST_PROXY", &set)
            .env("ZOOM_API_URL", &secure.sandbox.api)
            .env("ZOOM_OAUTH_URL", &secure.sandbox.oauth)
            .env("ZOOM_ACCESS_TOKEN", TOKEN)
            .env("ZUS_TEST_CA", path(&secure.authority.file))
            .result();
        assert_eq!(said["name"], "ZUS_OK", "{said}");
        assert_eq!(own.requests().len() - before, used);
    }
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn the_c_example_works_with_oauth_behind_a_proxy() {
    let secure = Secure::new("proxies-example");
    let proxy = Server::proxy(secure.address(), |_| None);
    // As it is installed: the linker's name, and the name that programs are bound to.
    let directory = scratch("proxies-example-c");
    for name in ["libzus.so", "libzus.so.0"] {
        let link = directory.join(name);
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(library(), link).expect("a link");
    }
    let program = directory.join("update_status");
    let compiled = Command::new("cc")
        .args(["-Iinclude", "examples/c/update_status.c", "-o"])
        .arg(&program)
        .args(["-L", path(&directory), "-lzus"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    let ran = Command::new(program)
        .args(["ada@example.com", "deactivate"])
        .env_clear()
        .env("LD_LIBRARY_PATH", &directory)
        .env("HTTPS_PROXY", proxy.origin())
        .env("SSL_CERT_FILE", &secure.authority.file)
        .env("ZOOM_API_URL", &secure.sandbox.api)
        .env("ZOOM_OAUTH_URL", &secure.sandbox.oauth)
        .env("ZOOM_ACCOUNT_ID", ACCOUNT)
        .env("ZOOM_CLIENT_ID", CLIENT)
        .env("ZOOM_CLIENT_SECRET", SECRET)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}");
    assert_eq!(said, "HTTP 204\n");
    assert_eq!(
        proxy.requests().len(),
        1,
        "the token and the update by one tunnel"
    );
}
