//! A Zoom on loopback, to try things against: `cargo run --example sandbox -- --help`.
//!
//! It prints where it listens and which credentials it takes, as lines for a shell or a test to read, then `ready`,
//! then a line for each request.

mod answers;
mod options;
mod service;
mod state;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use options::{HELP, Options};
use service::Unanswered;
use state::State;
use std::cell::RefCell;
use std::error::Error as _;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

struct Sandbox {
    options: Options,
    /// `http://127.0.0.1:PORT`
    origin: String,
    state: RefCell<State>,
    log: Log,
    stop: Arc<Notify>,
}

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            let _ = std::io::stdout().write_all(HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(sentence) => {
            eprintln!("sandbox: {sentence} (--help lists the options)");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => tokio::task::LocalSet::new().block_on(&runtime, run(options)),
        Err(error) => Err(format!("no runtime: {error}")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("sandbox: {sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    allow_many_connections();
    let tls = match &options.tls {
        Some((certificate, key)) => Some(tls(certificate, key)?),
        None => None,
    };
    let listener = listen(options.port)
        .map_err(|error| format!("can't listen on 127.0.0.1:{}: {error}", options.port))?;
    let port = listener
        .local_addr()
        .map_err(|error| format!("no address: {error}"))?
        .port();
    let origin = match tls {
        Some(_) => format!("https://localhost:{port}"),
        None => format!("http://127.0.0.1:{port}"),
    };
    let stop = Arc::new(Notify::new());
    if options.until_stdin_closes {
        stop_when_stdin_closes(stop.clone());
    }
    let sandbox = Rc::new(Sandbox {
        state: RefCell::new(State::new(options.seed)),
        log: Log::to_stdout(),
        options,
        origin,
        stop,
    });
    sandbox.log.line(introduction(&sandbox.origin));

    let mut signals = Signals::new()?;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::task::spawn_local(welcome(stream, tls.clone(), sandbox.clone()));
                }
                // Out of file descriptors, most likely: some come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            () = signals.wait() => break,
            () = sandbox.stop.notified() => {
                // Whoever asked for it gets the response.
                tokio::time::sleep(Duration::from_millis(50)).await;
                break;
            }
        }
    }
    sandbox.log.finish();
    Ok(())
}

fn introduction(origin: &str) -> String {
    format!(
        "ZOOM_API_URL={origin}/v2\n\
         ZOOM_OAUTH_URL={origin}/oauth/token\n\
         ZOOM_ACCESS_TOKEN={}\n\
         ZOOM_ACCOUNT_ID={}\n\
         ZOOM_CLIENT_ID={}\n\
         ZOOM_CLIENT_SECRET={}\n\
         ready",
        state::FIXED_TOKEN,
        state::ACCOUNT_ID,
        state::CLIENT_ID,
        state::CLIENT_SECRET
    )
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A sandbox started again on its port needn't wait for old connections to fade.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    socket.listen(BACKLOG)
}

fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        format!("can't read {} as PEM: {error}", path.display())
    };
    let certificates = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        })
        .map_err(|error| format!("this certificate and key don't serve: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn welcome(stream: TcpStream, tls: Option<TlsAcceptor>, sandbox: Rc<Sandbox>) {
    let _ = stream.set_nodelay(true);
    sandbox.state.borrow_mut().count().connections += 1;
    match tls {
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, sandbox).await;
            }
        }
        None => serve(stream, sandbox).await,
    }
}

/// Responds on one connection until it ends, by the caller or by a response that ends it.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, sandbox: Rc<Sandbox>) {
    let service = service_fn(|request| Box::pin(service::answer(sandbox.clone(), request)));
    let mut http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| http.poll_without_shutdown(context)).await;
    let mut stream = http.into_parts().io.into_inner();
    match &ended {
        Ok(()) => {
            let _ = stream.shutdown().await;
        }
        Err(error) => {
            if let Some(unanswered) = error.source().and_then(|source| source.downcast_ref()) {
                let _ = write_raw(&mut stream, unanswered).await;
            }
        }
    }
}

async fn write_raw(
    stream: &mut (impl AsyncWrite + Unpin),
    unanswered: &Unanswered,
) -> std::io::Result<()> {
    stream.write_all(&unanswered.at_once).await?;
    stream.flush().await?;
    for byte in &unanswered.dripped {
        stream.write_u8(*byte).await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

fn stop_when_stdin_closes(stop: Arc<Notify>) {
    std::thread::spawn(move || {
        let mut ignored = [0; 1024];
        while std::io::stdin()
            .read(&mut ignored)
            .is_ok_and(|read| read > 0)
        {}
        stop.notify_one();
    });
}

/// A thread of its own writes standard output, so that nobody waits for whoever reads it, or doesn't.
struct Log {
    lines: mpsc::Sender<Line>,
}

enum Line {
    Text(String),
    Last(mpsc::Sender<()>),
}

impl Log {
    fn to_stdout() -> Self {
        let (lines, received) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stdout = std::io::stdout().lock();
            for line in received {
                match line {
                    // Standard output flushes at each newline. Nobody may be listening any more.
                    Line::Text(text) => {
                        let _ = writeln!(stdout, "{text}");
                    }
                    Line::Last(written) => {
                        let _ = written.send(());
                    }
                }
            }
        });
        Self { lines }
    }

    fn line(&self, text: String) {
        let _ = self.lines.send(Line::Text(text));
    }

    /// Waits until all is written, though not for ever.
    fn finish(&self) {
        let (written, all) = mpsc::channel();
        let _ = self.lines.send(Line::Last(written));
        let _ = all.recv_timeout(Duration::from_millis(500));
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Result<Self, String> {
        use tokio::signal::unix::{SignalKind, signal};
        let handler =
            |kind| signal(kind).map_err(|error| format!("can't listen for signals: {error}"));
        Ok(Self {
            terminate: handler(SignalKind::terminate())?,
            interrupt: handler(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> Result<Self, String> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Each connection is a file, and the usual limit of 1024 is less than a test of thousands needs.
fn allow_many_connections() {
    #[cfg(unix)]
    // SAFETY: both calls only read or write the struct they are given, which outlives them.
    unsafe {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
