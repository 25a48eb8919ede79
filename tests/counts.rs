//! What a warm call costs in counts, which don't depend on how busy the machine is: system calls, user-space
//! instructions and heap allocations of the release library, called from C. Over its budget, a count fails.
//!
//! It needs target/release/libzus.so (or ZUS_LIB_DIR), cc, strace and valgrind. Where one is missing it says so, and
//! passes unless CI is set. The budgets are those of Linux on x86-64.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::server::{Certificate, Connection, Server};

/// What a warm call may cost: what it costs today, and 3 % for another compiler's taste.
struct Budget {
    system_calls: f64,
    instructions: f64,
    allocations: f64,
}
const HTTP: Budget = Budget {
    system_calls: 4.0,
    instructions: 21_400.0,
    allocations: 11.0,
};
const HTTPS: Budget = Budget {
    system_calls: 4.0,
    instructions: 28_600.0,
    allocations: 13.0,
};

/// Two run lengths: their difference is warm calls only.
const FEW: u32 = 200;
const MANY: u32 = 1200;

/// As nginx says it.
const RESPONSE: &str = "HTTP/1.1 204 No Content\r\nServer: nginx/1.22.1\r\n\
    Date: Tue, 24 Nov 2026 10:00:00 GMT\r\nConnection: keep-alive\r\n\r\n";

#[test]
fn a_warm_call_stays_within_its_budget() {
    match driver() {
        Ok(driver) => {
            driver.check("HTTP", &HTTP);
            driver.check("HTTPS", &HTTPS);
        }
        Err(why) => common::skip(&format!("counts: {why}")),
    }
}

/// benches/zus_call.c, compiled against the release library.
struct Driver {
    program: PathBuf,
    counter: PathBuf,
    scratch: PathBuf,
}

fn driver() -> Result<Driver, String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let library = std::env::var_os("ZUS_LIB_DIR")
        .map_or_else(|| repository.join("target/release"), PathBuf::from);
    if !library.join("libzus.so").exists() {
        return Err("there is no release libzus.so: cargo build --release".into());
    }
    for tool in ["cc", "strace", "valgrind"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return Err(format!("{tool} is not installed"));
        }
    }
    // The program asks for the library by its soname.
    let named = scratch.join("libzus.so.0");
    let _ = std::fs::remove_file(&named);
    std::fs::copy(library.join("libzus.so"), &named).map_err(|e| e.to_string())?;
    let driver = Driver {
        program: scratch.join("zus_call"),
        counter: scratch.join("allocations.so"),
        scratch: scratch.clone(),
    };
    let source = |name: &str| repository.join("benches").join(name);
    succeed(
        Command::new("cc")
            .arg("-O2")
            .arg(source("zus_call.c"))
            .arg("-I")
            .arg(repository.join("include"))
            .arg(&named)
            .arg(format!("-Wl,-rpath,{}", scratch.display()))
            .arg("-o")
            .arg(&driver.program),
    );
    succeed(
        Command::new("cc")
            .args(["-O2", "-shared", "-fPIC"])
            .arg(source("allocations.c"))
            .arg("-o")
            .arg(&driver.counter),
    );
    Ok(driver)
}

impl Driver {
    fn check(&self, scheme: &str, budget: &Budget) {
        let serve = |connection: &mut Connection| {
            while connection.request().is_some() && connection.send(RESPONSE) {}
        };
        let mut ca = None;
        let server = if scheme == "HTTPS" {
            let certificate = Certificate::new();
            let file = self.scratch.join("ca.pem");
            std::fs::write(&file, &certificate.pem).unwrap();
            ca = Some(file);
            Server::tls(&certificate, serve)
        } else {
            Server::new(serve)
        };
        let api = server.api();
        let program = |calls: u32| {
            let mut arguments = vec![
                self.program.clone(),
                api.clone().into(),
                calls.to_string().into(),
                "form".into(),
            ];
            arguments.extend(ca.clone());
            arguments
        };
        let per_call = |count: &dyn Fn(&[PathBuf]) -> u64| {
            let (few, many) = (count(&program(FEW)), count(&program(MANY)));
            (many as f64 - few as f64) / f64::from(MANY - FEW)
        };
        let counted = Budget {
            system_calls: per_call(&|command| self.system_calls(command)),
            instructions: per_call(&|command| self.instructions(command)),
            allocations: per_call(&|command| self.allocations(command)),
        };
        println!(
            "{scheme}: a warm call makes {:.2} system calls (budget {}), {:.0} instructions ({}), {:.2} allocations ({})",
            counted.system_calls,
            budget.system_calls,
            counted.instructions,
            budget.instructions,
            counted.allocations,
            budget.allocations
        );
        // On a busy machine a response is late now and then, and a timeout is set once more.
        assert!(counted.system_calls <= budget.system_calls + 0.1);
        assert!(counted.instructions <= budget.instructions);
        assert!(counted.allocations <= budget.allocations + 0.05);
    }

    /// The last line of `strace -c`: "100.00 0.010834 4 2441 2 total".
    fn system_calls(&self, command: &[PathBuf]) -> u64 {
        let report = self.scratch.join("strace.txt");
        succeed(
            Command::new("strace")
                .args(["-c", "-f", "-o"])
                .arg(&report)
                .args(command),
        );
        let report = std::fs::read_to_string(report).unwrap();
        let total = report
            .lines()
            .rev()
            .find(|l| l.ends_with(" total"))
            .unwrap();
        total.split_whitespace().nth(3).unwrap().parse().unwrap()
    }

    /// "==123== Collected : 46266543"
    fn instructions(&self, command: &[PathBuf]) -> u64 {
        let output = succeed(
            Command::new("valgrind")
                .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                .args(command),
        );
        let said = String::from_utf8_lossy(&output.stderr);
        let (_, rest) = said.split_once("Collected : ").unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn allocations(&self, command: &[PathBuf]) -> u64 {
        let report = self.scratch.join("allocations.txt");
        succeed(
            Command::new(&command[0])
                .args(&command[1..])
                .env("LD_PRELOAD", &self.counter)
                .env("BENCH_ALLOCATIONS", &report),
        );
        let report = std::fs::read_to_string(report).unwrap();
        report.split_whitespace().next().unwrap().parse().unwrap()
    }
}

fn succeed(command: &mut Command) -> Output {
    let proxies = [
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    for name in proxies {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
    output
}
