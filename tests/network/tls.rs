//! TLS 1.2 and up, to hosts that the system or the caller trusts, at any of their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};

use rcgen::date_time_ymd;

use crate::common::abi::*;
use crate::common::child::Child;
use crate::common::sandbox::{Sandbox, TOKEN};
use crate::common::server::{BlackHole, DONE, Server, response};
use crate::common::{ms, skip};
use crate::parts::{Authority, Pair, Site, nginx, path, program};

fn to(port: u16) -> Config {
    let url = format!("https://localhost:{port}/v2");
    Config::new().urls(&url, &url).token(TOKEN).retry(1, 1, 1)
}

#[test]
fn nginx_is_trusted_with_a_good_certificate_only() {
    let (ours, theirs) = (Authority::new("tls-ours"), Authority::new("tls-theirs"));
    let pairs = [
        ("good", ours.good()),
        ("expired", ours.expired()),
        (
            "early",
            ours.issue("early", &["localhost"], |params| {
                params.not_before = date_time_ymd(2090, 1, 1);
                params.not_after = date_time_ymd(2091, 1, 1);
            }),
        ),
        (
            "wrong host",
            ours.issue("wrong-host", &["zoom.example"], |_| {}),
        ),
        ("self-signed", ours.self_signed()),
        ("another CA", theirs.good()),
    ];
    let site = |certificate, settings| Site {
        certificate,
        settings,
    };
    let good: &Pair = &pairs[0].1;
    let mut sites: Vec<Site> = pairs.iter().map(|(_, pair)| site(pair, "")).collect();
    sites.push(site(good, "ssl_protocols TLSv1.2;"));
    sites.push(site(good, "ssl_protocols TLSv1.3;"));
    let old = "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;";
    sites.push(site(good, old));
    let sandbox = Sandbox::start(&[]);
    let Some((_nginx, ports)) = nginx("tls-nginx", sandbox.port(), &sites) else {
        return;
    };
    let expected = [
        ("good", ZUS_OK, ""),
        ("expired", ZUS_ERR_TLS, "expired"),
        ("early", ZUS_ERR_TLS, "not valid yet"),
        ("wrong host", ZUS_ERR_TLS, "not valid for name"),
        ("self-signed", ZUS_ERR_TLS, "SSL_CERT_FILE"),
        ("another CA", ZUS_ERR_TLS, "UnknownIssuer"),
        ("TLS 1.2", ZUS_OK, ""),
        ("TLS 1.3", ZUS_OK, ""),
        ("TLS 1.1", ZUS_ERR_TLS, "rotocol"),
    ];
    let mut done = 0;
    for ((what, code, said), port) in expected.into_iter().zip(&ports) {
        let client = to(*port).ca_pem(&ours.pem).retry(3, 1, 1).client();
        let outcome = client.deactivate("ada@example.com");
        println!("{what}: {}", outcome.message);
        assert_eq!(outcome.code, code, "{what}: {outcome:?}");
        assert!(outcome.message.contains(said), "{what}: {outcome:?}");
        assert_eq!(outcome.attempts, 1, "{what}: no retry cures it");
        done += u64::from(code == ZUS_OK);
    }
    // The refused ones got no request, and so no token.
    assert_eq!(sandbox.requests(), done);
    // The last one does serve whoever speaks TLS 1.1.
    if let Some(openssl) = program("openssl") {
        let old = Command::new(openssl)
            .args([
                "s_client",
                "-tls1_1",
                "-cipher",
                "DEFAULT@SECLEVEL=0",
                "-connect",
            ])
            .arg(format!("127.0.0.1:{}", ports[8]))
            .stdin(Stdio::null())
            .output()
            .expect("openssl runs");
        let said = String::from_utf8_lossy(&old.stdout).into_owned();
        assert!(said.contains("Protocol  : TLSv1.1"), "{said}");
    }
}

#[test]
fn the_systems_trust_store_is_the_default() {
    let authority = Authority::new("tls-system");
    let good = authority.good();
    let sandbox = Sandbox::start(&good.tls_options());
    let update = |variables: &[(&str, &str)]| {
        let mut child = Child::new("update")
            .env("ZOOM_API_URL", &sandbox.api)
            .env("ZOOM_OAUTH_URL", &sandbox.oauth)
            .env("ZOOM_ACCESS_TOKEN", TOKEN);
        for (name, value) in variables {
            child = child.env(name, value);
        }
        child.result()["name"].as_str().unwrap().to_owned()
    };
    let ours = path(&authority.file);
    assert_eq!(update(&[]), "ZUS_ERR_TLS");
    assert_eq!(update(&[("SSL_CERT_FILE", ours)]), "ZUS_OK");
    // A CA of the caller's own stands in for the system's, not beside it.
    let other = Authority::new("tls-system-other");
    let other = path(&other.file);
    assert_eq!(update(&[("ZUS_TEST_CA", ours)]), "ZUS_OK");
    let both = [("SSL_CERT_FILE", ours), ("ZUS_TEST_CA", other)];
    assert_eq!(update(&both), "ZUS_ERR_TLS");
}

#[test]
fn tokens_are_obtained_over_tls_too() {
    let authority = Authority::new("tls-oauth");
    let good = authority.good();
    let sandbox = Sandbox::start(&good.tls_options());
    let client = sandbox.with_oauth().ca_pem(&authority.pem).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    let other = Authority::new("tls-oauth-other");
    let client = sandbox.with_oauth().ca_pem(&other.pem).client();
    let outcome = client.deactivate("ada@example.com").expect(ZUS_ERR_TLS);
    assert_eq!(outcome.attempts, 0);
}

#[test]
fn a_server_that_speaks_no_tls_is_a_tls_error() {
    let server = Server::new(|connection| {
        connection.send(response("400 Bad Request", "", ""));
        connection.until_closed();
    });
    let outcome = to(server.port()).client().deactivate("ada@example.com");
    outcome.expect(ZUS_ERR_TLS);
}

#[test]
fn ipv6_is_spoken() {
    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skip("IPv6: this machine, or its container, has none");
    }
    let server = Server::http_on((Ipv6Addr::LOCALHOST, 0).into(), |_| DONE);
    let url = format!("http://[::1]:{}/v2", server.port());
    let config = || Config::new().token(TOKEN).retry(1, 1, 1);
    let client = config().urls(&url, &url).client();
    client.deactivate("ada@example.com").expect(ZUS_OK);
    assert_eq!(
        server.requests()[0].header("host"),
        format!("[::1]:{}", server.port())
    );
}

/// A child whose `localhost` has these addresses.
fn localhost(addresses: &str, port: u16) -> serde_json::Value {
    let url = format!("http://localhost:{port}/v2");
    Child::new("update")
        .hosts(&format!("localhost={addresses}"))
        .env("ZOOM_API_URL", &url)
        .env("ZOOM_OAUTH_URL", &url)
        .env("ZOOM_ACCESS_TOKEN", TOKEN)
        .result()
}

#[test]
fn the_second_address_is_used_when_the_first_refuses_or_does_not_respond() {
    let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    let server = Server::http_on((second, 0).into(), |_| DONE);
    let port = server.port();
    // Nothing listens on that port of ::1 and of 127.0.0.4.
    for addresses in ["::1,127.0.0.3", "127.0.0.4,::1,127.0.0.3", "127.0.0.3,::1"] {
        let said = localhost(addresses, port);
        assert_eq!(said["name"], "ZUS_OK", "{addresses}: {said}");
        assert_eq!(said["attempts"], 1);
    }
    // Here nothing responds to a connection: a quarter of a second later the client begins the next one.
    let _hole = BlackHole::on((Ipv4Addr::new(127, 0, 0, 2), port).into());
    let said = localhost("127.0.0.2,127.0.0.3", port);
    assert_eq!(said["name"], "ZUS_OK", "{said}");
    let took = ms(said["ms"].as_u64().unwrap());
    assert!((ms(200)..ms(1500)).contains(&took), "{took:?}");
    // All tell of all.
    let said = localhost("::1,127.0.0.4", port);
    assert_eq!(said["name"], "ZUS_ERR_CONNECT", "{said}");
    let message = said["message"].as_str().unwrap();
    assert!(
        message.contains("[::1]:") && message.contains("127.0.0.4:"),
        "{message}"
    );
}

#[test]
fn a_host_name_without_an_address_is_a_resolve_error() {
    let url = "https://no-such-host.invalid/v2";
    let config = Config::new().urls(url, url).token(TOKEN).retry(2, 1, 1);
    let outcome = config.client().deactivate("ada@example.com");
    let outcome = outcome.expect(ZUS_ERR_RESOLVE);
    assert!(
        outcome.message.contains("no-such-host.invalid"),
        "{}",
        outcome.message
    );
}
