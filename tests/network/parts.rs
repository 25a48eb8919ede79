//! Real programs between the library and the sandbox: nginx, tinyproxy, microsocks, curl; and certificates of our own.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::common::{ms, scratch, skip};

/// A program, installed when it is missing and that is possible. `None` only outside of CI.
pub fn program(name: &str) -> Option<PathBuf> {
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools.sh");
    let installed = Command::new(tools).arg(name).status();
    assert!(installed.expect("tests/tools.sh runs").success());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.extend(["/usr/sbin".into(), "/sbin".into()]);
    let found = directories
        .iter()
        .map(|d| d.join(name))
        .find(|p| p.exists());
    if found.is_none() {
        skip(&format!("{name}: it is not installed"));
    }
    found
}

/// A server of another's that ends with its test.
pub struct Part(Child);

impl Part {
    fn start(command: &mut Command, ports: &[u16]) -> Part {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut part = Part(child.expect("it starts"));
        let deadline = Instant::now() + Duration::from_secs(10);
        for port in ports {
            while TcpStream::connect(("127.0.0.1", *port)).is_err() {
                assert!(part.0.try_wait().unwrap().is_none(), "{command:?} ended");
                assert!(Instant::now() < deadline, "{command:?} doesn't listen");
                std::thread::sleep(ms(10));
            }
        }
        part
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // SAFETY: our own child, not waited for yet. TERM, so that nginx ends its workers.
        unsafe { libc::kill(i32::try_from(self.0.id()).unwrap(), libc::SIGTERM) };
        let _ = self.0.wait();
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// tinyproxy, with a log to look into.
pub fn tinyproxy(name: &str, more: &str) -> Option<(Part, u16, PathBuf)> {
    let program = program("tinyproxy")?;
    let (port, directory) = (free_port(), scratch(name));
    let (configuration, log) = (
        directory.join("tinyproxy.conf"),
        directory.join("tinyproxy.log"),
    );
    let _ = std::fs::remove_file(&log);
    let text = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 60\nLogFile \"{}\"\nLogLevel Connect\n{more}\n",
        log.display()
    );
    std::fs::write(&configuration, text).expect("written");
    let mut command = Command::new(program);
    command.arg("-d").arg("-c").arg(configuration);
    Some((Part::start(&mut command, &[port]), port, log))
}

pub fn microsocks(arguments: &[&str]) -> Option<(Part, u16)> {
    let program = program("microsocks")?;
    let port = free_port();
    let mut command = Command::new(program);
    command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
    command.args(arguments).stderr(Stdio::null());
    Some((Part::start(&mut command, &[port]), port))
}

/// Where nginx listens with which certificate, and what else it is told there.
pub struct Site<'a> {
    pub certificate: &'a Pair,
    pub settings: &'a str,
}

/// nginx in front of the sandbox, on a port for each site.
pub fn nginx(name: &str, sandbox: u16, sites: &[Site]) -> Option<(Part, Vec<u16>)> {
    let program = program("nginx")?;
    let directory = scratch(name);
    let ports: Vec<u16> = sites.iter().map(|_| free_port()).collect();
    let mut servers = String::new();
    for (site, port) in sites.iter().zip(&ports) {
        write!(
            servers,
            "server {{ listen 127.0.0.1:{port} ssl;\n\
             ssl_certificate {0}; ssl_certificate_key {1};\n{2}\n\
             location / {{ proxy_pass http://127.0.0.1:{sandbox}; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; }} }}\n",
            site.certificate.certificate.display(),
            site.certificate.key.display(),
            site.settings
        )
        .expect("written");
    }
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", directory.display()))
        .concat();
    let text = format!(
        "daemon off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/error.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; {paths}\n{servers} }}\n",
        directory.display()
    );
    let configuration = directory.join("nginx.conf");
    std::fs::write(&configuration, text).expect("written");
    let mut command = Command::new(program);
    command.arg("-e").arg(directory.join("error.log"));
    command
        .arg("-p")
        .arg(&directory)
        .arg("-c")
        .arg(configuration);
    Some((Part::start(&mut command, &ports), ports))
}

/// A certificate and its key, as files.
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Pair {
    fn write(directory: &Path, name: &str, certificate: &str, key: &KeyPair) -> Pair {
        let pair = Pair {
            certificate: directory.join(format!("{name}.pem")),
            key: directory.join(format!("{name}.key")),
        };
        std::fs::write(&pair.certificate, certificate).expect("written");
        std::fs::write(&pair.key, key.serialize_pem()).expect("written");
        pair
    }

    pub fn tls_options(&self) -> [&str; 3] {
        ["--tls", path(&self.certificate), path(&self.key)]
    }
}

pub fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A company's own CA.
pub struct Authority {
    directory: PathBuf,
    pub pem: String,
    pub file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let directory = scratch(name);
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let common_name = rcgen::DnType::CommonName;
        params.distinguished_name.push(common_name, name);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let file = directory.join("ca.pem");
        std::fs::write(&file, &pem).expect("written");
        Authority {
            directory,
            pem,
            file,
            issuer: Issuer::new(params, key),
        }
    }

    /// For these hosts, changed by `change`.
    pub fn issue(
        &self,
        name: &str,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let (params, key) = certificate(hosts, change);
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        Pair::write(&self.directory, name, &signed.pem(), &key)
    }

    pub fn good(&self) -> Pair {
        self.issue("good", &["localhost", "127.0.0.1", "api.zoom.test"], |_| {})
    }

    pub fn expired(&self) -> Pair {
        self.issue("expired", &["localhost"], |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    pub fn self_signed(&self) -> Pair {
        let (params, key) = certificate(&["localhost"], |_| {});
        let signed = params.self_signed(&key).expect("a certificate");
        Pair::write(&self.directory, "self-signed", &signed.pem(), &key)
    }
}

fn certificate(
    hosts: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (CertificateParams, KeyPair) {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    change(&mut params);
    (params, KeyPair::generate().expect("a key"))
}
