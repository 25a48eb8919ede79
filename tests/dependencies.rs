//! The supply chain: docs/dependencies.md says of each crate why it is there, and no other crate comes in unseen; licenses,
//! sources, duplicates and a few that must never be there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Licenses that ask for no more than their text beside the program.
const LICENSES: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "ISC",
    "BSD-3-Clause",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
    // A list of certificates, for Android only.
    "CDLA-Permissive-2.0",
];

/// Crates that may be there in two versions.
const TWICE: [&str; 3] = [
    // For ureq and for us.
    "base64",
    // Macros: at build time only.
    "syn",
    // For Windows only: ring is slow to follow.
    "windows-sys",
];

/// What must never be there: another TLS, an async runtime, a home for threads of its own.
const NEVER: [&str; 9] = [
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "tokio",
    "async-std",
    "hyper",
    "reqwest",
    "rayon",
];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The names and versions of what the library is built from, on any system, without itself.
fn crates() -> BTreeSet<(String, String)> {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--edges",
        "normal,build",
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let all = tree.lines().filter_map(|line| {
        let (name, version) = line.split_once(" v")?;
        let version = version.split(' ').next()?;
        (name != env!("CARGO_PKG_NAME")).then(|| (name.to_owned(), version.to_owned()))
    });
    let all: BTreeSet<_> = all.collect();
    assert!(all.len() > 40);
    all
}

/// Each crate that docs/dependencies.md has a line for: "- `name`: why".
fn explained() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/dependencies.md")).unwrap();
    let mut all = BTreeMap::new();
    for line in text.lines() {
        let Some((names, why)) = line.strip_prefix("- `").and_then(|l| l.split_once("`: ")) else {
            continue;
        };
        for name in names.split("`, `") {
            let before = all.insert(name.to_owned(), why.to_owned());
            assert!(before.is_none(), "{name} is explained twice");
        }
    }
    all
}

#[test]
fn each_crate_has_its_reason() {
    let there: BTreeSet<String> = crates().into_iter().map(|(name, _)| name).collect();
    let explained = explained();
    let named: BTreeSet<String> = explained.keys().cloned().collect();
    let without: Vec<_> = there.difference(&named).collect();
    let gone: Vec<_> = named.difference(&there).collect();
    assert!(
        without.is_empty() && gone.is_empty(),
        "docs/dependencies.md: no line for {without:?}; lines for what isn't there: {gone:?}"
    );
    assert!(explained.values().all(|why| why.len() > 10));
}

#[test]
fn the_tree_in_the_docs_is_the_one_that_is_built() {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--target",
        "x86_64-unknown-linux-gnu",
        "--format",
        "{p}",
    ]);
    // Without versions, which are in Cargo.lock, and this machine's folder.
    let tree: String = tree
        .lines()
        .map(|line| {
            let name = line.split(" v").next().unwrap();
            let again = if line.ends_with("(*)") { " (*)" } else { "" };
            format!("{name}{again}\n")
        })
        .collect();
    let path = Path::new(ROOT).join("docs/dependencies.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("```text\n").expect("a block of text");
    let (shown, after) = rest.split_once("```").unwrap();
    if std::env::var_os("ZUS_WRITE_DEPENDENCIES").is_some() {
        std::fs::write(&path, format!("{before}```text\n{tree}```{after}")).unwrap();
    } else {
        assert_eq!(
            shown, tree,
            "docs/dependencies.md is out of date: ZUS_WRITE_DEPENDENCIES=1 cargo test --test dependencies"
        );
    }
}

#[test]
fn licenses_sources_duplicates_and_bans() {
    let there = crates();
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--locked", "--format-version", "1"])).unwrap();
    let mut seen = 0;
    let mut first = None;
    for package in metadata["packages"].as_array().unwrap() {
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let (name, version) = (text("name"), text("version"));
        if !there.contains(&(name.clone(), version.clone())) {
            continue;
        }
        seen += 1;
        let license = text("license");
        assert!(is_allowed(&license), "{name} {version}: {license:?}");
        let source = text("source");
        // The registry, and not a git repository or a folder; one for all.
        assert!(
            source.starts_with("registry+") && *first.get_or_insert(source.clone()) == source,
            "{name} comes from {source:?}"
        );
    }
    assert_eq!(seen, there.len(), "not all are in cargo metadata");

    let mut versions = BTreeMap::<&str, Vec<&str>>::new();
    for (name, version) in &there {
        versions.entry(name).or_default().push(version);
        assert!(!NEVER.contains(&name.as_str()), "{name}");
    }
    for (name, versions) in versions {
        let most = if TWICE.contains(&name) { 2 } else { 1 };
        assert!(versions.len() <= most, "{name}: {versions:?}");
    }
}

/// Whether an SPDX expression can be met with `LICENSES`. "/" is an old way to write OR.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    // AND binds closer; parentheses are only found around a whole side.
    if let Some((left, right)) = split_outside(expression, " OR ") {
        return is_allowed(left) || is_allowed(right);
    }
    if let Some((left, right)) = split_outside(expression, " AND ") {
        return is_allowed(left) && is_allowed(right);
    }
    match expression
        .strip_prefix('(')
        .and_then(|e| e.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner),
        None => LICENSES.contains(&expression),
    }
}

fn split_outside<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    text.match_indices(word)
        .find(|(at, _)| {
            let count = |c| text[..*at].matches(c).count();
            count('(') == count(')')
        })
        .map(|(at, _)| (&text[..at], &text[at + word.len()..]))
}

#[test]
fn expressions_of_licenses() {
    for good in [
        "MIT",
        "MIT OR GPL-3.0",
        "Unlicense/MIT",
        "Apache-2.0 AND ISC",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(GPL-2.0 OR LGPL-2.1) AND MIT",
        "OpenSSL",
    ] {
        assert!(!is_allowed(bad), "{bad}");
    }
}
