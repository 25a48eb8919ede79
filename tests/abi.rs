//! The ABI promise (docs/abi.md): the shared library exports what the header declares and tests/abi/symbols.txt lists,
//! and nothing else; numbers stay; its name and version are what they should be.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// The release library: where `ZUS_LIB_DIR` says, or built here.
fn library() -> PathBuf {
    if let Some(folder) = std::env::var_os("ZUS_LIB_DIR") {
        return PathBuf::from(folder).join("libzus.so");
    }
    let cargo = Command::new(Path::new(ROOT).join("packaging/cargo.sh"))
        .args(["build", "--release", "--locked", "--lib", "--quiet"])
        .current_dir(ROOT)
        .status();
    assert!(
        cargo.unwrap().success(),
        "packaging/cargo.sh build --release failed"
    );
    Path::new(ROOT).join("target/release/libzus.so")
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(library())
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The header without its comments.
fn header() -> String {
    let text = read("include/zus.h");
    let mut code = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    code.push_str(rest);
    code.lines()
        .map(|line| line.split("//").next().unwrap().to_owned() + "\n")
        .collect()
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
}

fn declared_functions() -> Vec<String> {
    let header = header();
    // A name, directly before a parenthesis.
    header
        .match_indices('(')
        .filter_map(|(at, _)| words(&header[..at]).last())
        .filter(|word| word.starts_with("zus_"))
        .map(str::to_owned)
        .collect()
}

/// `NAME=NUMBER` of the codes, actions and other constants.
fn declared_numbers() -> BTreeSet<String> {
    let header = header();
    let enums = header.lines().filter_map(|line| {
        let (name, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        Some(format!("{name}={number}"))
    });
    let macros = header.lines().filter_map(|line| {
        let (name, number) = line.trim().strip_prefix("#define ")?.split_once(' ')?;
        let is_version = name.starts_with("ZUS_VERSION");
        (!is_version && number.parse::<i64>().is_ok()).then(|| format!("{name}={number}"))
    });
    enums.chain(macros).collect()
}

/// Each line of symbols.txt -> the version that it came in.
fn promised() -> BTreeMap<String, String> {
    let text = read("tests/abi/symbols.txt");
    let lines = text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'));
    let all: Vec<(String, String)> = lines
        .map(|line| {
            let (symbol, version) = line.split_once(' ').expect("NAME VERSION");
            (symbol.to_owned(), version.to_owned())
        })
        .collect();
    let map: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(map.len(), all.len(), "a symbol is listed twice");
    map
}

#[test]
fn header_library_and_promise_name_the_same_functions() {
    let declared = declared_functions();
    let unique: BTreeSet<String> = declared.iter().cloned().collect();
    assert_eq!(unique.len(), declared.len(), "declared twice: {declared:?}");
    // With --extern-only, all that another program can see, variables and weak symbols too.
    let exported: BTreeSet<String> =
        output("nm", &["--dynamic", "--defined-only", "--extern-only"])
            .lines()
            .map(|line| line.split_whitespace().last().unwrap().to_owned())
            .collect();
    let promised: BTreeSet<String> = promised()
        .into_keys()
        .filter(|name| !name.contains('='))
        .collect();
    assert!(exported.len() > 30);
    assert_eq!(unique, exported, "include/zus.h against the library");
    assert_eq!(
        promised, exported,
        "tests/abi/symbols.txt against the library"
    );
}

#[test]
fn numbers_are_those_promised() {
    let promised: BTreeSet<String> = promised()
        .into_keys()
        .filter(|name| name.contains('='))
        .collect();
    let declared = declared_numbers();
    assert!(declared.len() > 30 && declared.contains("ZUS_ERR_USER_NOT_FOUND=43"));
    assert_eq!(
        promised, declared,
        "tests/abi/symbols.txt against the header"
    );
    for code in zus::Code::ALL {
        assert!(declared.contains(&format!("{}={}", code.name(), code.number())));
    }
}

#[test]
fn symbols_came_in_a_version_that_was() {
    let number = |version: &str| -> Vec<u64> {
        let parts = version.split('.').map(|p| p.parse().unwrap());
        parts.collect()
    };
    let now = number(env!("CARGO_PKG_VERSION"));
    for (symbol, version) in promised() {
        let came = number(&version);
        assert!(came.len() == 3 && came <= now, "{symbol} {version}");
    }
}

#[test]
fn the_library_has_its_name_and_asks_for_little() {
    let dynamic = output("readelf", &["--dynamic", "--wide"]);
    let entries = |tag: &str| -> Vec<String> {
        let lines = dynamic.lines().filter(|l| l.contains(tag));
        lines
            .map(|l| l.split(['[', ']']).nth(1).unwrap().to_owned())
            .collect()
    };
    assert_eq!(entries("(SONAME)"), ["libzus.so.0"]);
    assert!(
        entries("PATH)").is_empty(),
        "a path of the build machine is in it"
    );
    for needed in entries("(NEEDED)") {
        let known = [
            "libc.so.6",
            "libgcc_s.so.1",
            "libm.so.6",
            "libpthread.so.0",
            "libdl.so.2",
        ];
        assert!(
            known.contains(&needed.as_str()) || needed.starts_with("ld-linux"),
            "it needs {needed}"
        );
    }
    let versions = output("readelf", &["--version-info", "--wide"]);
    let highest = versions
        .split_whitespace()
        .filter_map(|w| w.strip_prefix("GLIBC_2."))
        .filter_map(|v| v.split('.').next()?.parse::<u32>().ok())
        .max()
        .expect("a version of glibc");
    println!("the highest version of glibc that it asks for is 2.{highest}");
    // No path of the machine that built it, in text either.
    let bytes = std::fs::read(library()).unwrap();
    for path in [ROOT, env!("CARGO")] {
        let found = bytes.windows(path.len()).any(|w| w == path.as_bytes());
        assert!(!found, "{path} is in the library");
    }
}

#[test]
fn versions_agree() {
    let header = header();
    let parts: Vec<&str> = ["MAJOR", "MINOR", "PATCH"]
        .iter()
        .map(|part| {
            let line = header
                .lines()
                .find_map(|l| l.strip_prefix(&format!("#define ZUS_VERSION_{part} ")));
            line.expect(part).trim()
        })
        .collect();
    assert_eq!(parts.join("."), env!("CARGO_PKG_VERSION"));
    let version = unsafe { std::ffi::CStr::from_ptr(zus::ffi::zus_version()) };
    assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
}
