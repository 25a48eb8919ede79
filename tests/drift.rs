//! The languages don't drift apart. Each prints which functions it binds, its numbers and its defaults
//! (tests/drift/bindings.*); they are those of the library that is loaded, of Rust, and of the header's words.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{library, scratch};
use zus::ffi::*;
use zus::{Action, Code};

/// What a language does without, and why.
const UNBOUND: &[(&str, &str, &str)] = &[
    (
        "Python",
        "zus_code_name",
        "the names are in the enumeration",
    ),
    (
        "Python",
        "zus_result_user_id",
        "a result keeps the str that it was asked for",
    ),
    (
        "Python",
        "zus_config_set_from_env",
        "from_env reads any mapping",
    ),
    (
        "C#",
        "zus_config_set_from_env",
        "FromEnvironment fills options, which can be changed before the client is made",
    ),
    (
        "C#",
        "zus_queue_descriptor",
        "a thread takes the events of all clients",
    ),
    (
        "C#",
        "zus_client_cancel_started",
        "a call is cancelled by its CancellationToken, and nothing is unloaded under a callback",
    ),
    ("Node.js", "zus_code_name", "the names are in a table"),
    ("Node.js", "zus_result_user_id", "a result keeps its string"),
    ("Node.js", "zus_update_status", BLOCKS),
    ("Node.js", "zus_get_user_status", BLOCKS),
    ("Node.js", "zus_check_credentials", BLOCKS),
    ("Node.js", "zus_update_status_many", BLOCKS),
    ("Node.js", "zus_get_user_status_many", BLOCKS),
    ("Node.js", "zus_result_free", "its results are events'"),
    (
        "Node.js",
        "zus_config_set_token_provider",
        "token requests are events",
    ),
    ("Node.js", "zus_config_set_log", "log lines are events"),
    (
        "Node.js",
        "zus_client_cancel_started",
        "no function of the program's runs for a call",
    ),
    (
        "Node.js",
        "zus_config_set_from_env",
        "a worker thread has an environment of its own",
    ),
];

const BLOCKS: &str = "it blocks the event loop";

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a program prints, without its output to the standard error.
fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}:\n{said}{errors}");
    said
}

/// The library's functions, as another program sees them.
fn functions() -> BTreeSet<String> {
    let mut nm = Command::new("nm");
    let symbols = output(nm.args(["--dynamic", "--defined-only"]).arg(library()));
    let names = symbols.lines().filter_map(|line| line.split(' ').nth(2));
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(names.len() >= 37, "{names:?}");
    names
}

/// `ZUS_ERR_USER_NOT_FOUND` and 43 as `code USER_NOT_FOUND 43`.
fn codes() -> Vec<String> {
    let short = |name: &str| name.replace("ZUS_", "").replace("ERR_", "");
    let line = |code: &Code| format!("code {} {}", short(code.name()), code.number());
    Code::ALL.iter().map(line).collect()
}

fn actions() -> Vec<String> {
    let name = |action: &Action| action.as_str().to_uppercase();
    let line = |action: &Action| format!("action {} {}", name(action), *action as i32);
    Action::ALL.iter().map(line).collect()
}

fn encodings() -> Vec<String> {
    let (form, json) = (ZUS_ENCODING_FORM, ZUS_ENCODING_JSON);
    vec![
        format!("encoding FORM {form}"),
        format!("encoding JSON {json}"),
    ]
}

/// `default NAME NUMBER`, as the header's comments promise them to a C program.
fn defaults() -> Vec<String> {
    let header = std::fs::read_to_string(Path::new(ROOT).join("include/zus.h")).unwrap();
    let mut all = Vec::new();
    for (function, names) in [
        ("zus_config_set_timeouts", &["connect_ms", "total_ms"][..]),
        ("zus_config_set_retry", &["attempts", "first_ms", "most_ms"]),
        ("zus_config_set_rate", &["requests", "per_ms"]),
        ("zus_config_set_concurrency", &["concurrency"]),
    ] {
        let (before, _) = header.split_once(&format!("{function}(")).expect(function);
        let comment = before.rsplit("/**").next().unwrap();
        let comment = comment.replace("\n *", " ").replace(',', "");
        let mut numbers = Vec::new();
        for said in comment.split("efault").skip(1) {
            // "default 4; 1 retries nothing", "Default: 30 in 1000."
            let said = said.split(['.', ';', ')']).next().unwrap();
            let words = said.trim_start_matches(':').split_whitespace();
            let words = words.take_while(|word| *word == "in" || word.parse::<u32>().is_ok());
            numbers.extend(words.filter(|word| *word != "in").map(str::to_owned));
        }
        assert_eq!(numbers.len(), names.len(), "{function}: {numbers:?}");
        let lines = names.iter().zip(numbers);
        all.extend(lines.map(|(name, number)| format!("default {name} {number}")));
    }
    all
}

/// What `language` printed is what it should, but for `without`.
fn compare(language: &str, printed: &str, kinds: &[Vec<String>], without: &[&str]) {
    let printed: BTreeSet<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    let mut wanted: BTreeSet<String> = kinds.iter().flatten().cloned().collect();
    wanted.extend(functions().iter().map(|name| format!("function {name}")));
    for (_, name, why) in UNBOUND.iter().filter(|(l, _, _)| *l == language) {
        assert!(wanted.remove(&format!("function {name}")), "{name}: {why}");
    }
    wanted.retain(|line| !without.contains(&line.as_str()));
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let (missing, more): (Vec<_>, Vec<_>) = (
        wanted.difference(&printed).collect(),
        printed.difference(&wanted).collect(),
    );
    assert!(
        missing.is_empty() && more.is_empty(),
        "{language} lacks {missing:#?} and has {more:#?}"
    );
}

#[test]
fn python_agrees() {
    let mut python = Command::new("python3");
    python
        .args(["-B", "tests/drift/bindings.py"])
        .current_dir(ROOT)
        .env("PYTHONPATH", "bindings/python/src")
        .env("ZUS_LIBRARY", library());
    let rate_is_per_second = "default per_ms 1000";
    compare(
        "Python",
        &output(&mut python),
        &[codes(), actions(), defaults()],
        &[rate_is_per_second],
    );
}

/// C++ can't list an enumeration, so the program asks for each name; what it leaves undefined is what it binds.
#[test]
fn cpp_agrees() {
    let enumerator = |line: String| {
        let mut words = line.split(' ');
        let (kind, name) = (words.next().unwrap(), words.next().unwrap());
        let value = format!("static_cast<int>(zus::{kind}::{})", name.to_lowercase());
        format!("  std::cout << \"{kind} {name} \" << {value} << '\\n';\n")
    };
    let all = [codes(), actions(), encodings()];
    let body: String = all.iter().flatten().cloned().map(enumerator).collect();
    let directory = scratch("drift");
    let (source, object, program) = (
        directory.join("bindings.cpp"),
        directory.join("bindings.o"),
        directory.join("bindings"),
    );
    let text = format!(
        "#include <iostream>\n#include \"zus.hpp\"\n\
         int main() {{\n{body}}}\n\
         auto template_of(const zus::client &zoom, const std::vector<std::string> &users) {{\n  \
         const auto nothing = [](const zus::result_view &) {{}};\n\
         static_cast<void>(zoom.get_user_status_many(users, nothing));\n\
         return zoom.update_many(users, zus::action::activate, nothing);\n}}\n"
    );
    std::fs::write(&source, text).unwrap();
    let mut compiler = Command::new("c++");
    compiler
        .args(["-std=c++17", "-fkeep-inline-functions", "-Iinclude", "-c"])
        .arg(&source)
        .arg("-o")
        .arg(&object)
        .current_dir(ROOT);
    output(&mut compiler);
    let undefined = output(Command::new("nm").arg("--undefined-only").arg(&object));
    let named = undefined
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let bound: String = named
        .filter(|name| name.starts_with("zus_"))
        .map(|name| format!("function {name}\n"))
        .collect();
    output(
        Command::new("c++")
            .args([&object, &library()])
            .arg("-o")
            .arg(&program),
    );
    // It asks for the library by its soname.
    let soname = directory.join("libzus.so.0");
    let _ = std::fs::remove_file(&soname);
    std::os::unix::fs::symlink(library(), soname).unwrap();
    let printed = output(Command::new(&program).env("LD_LIBRARY_PATH", &directory));
    compare("C++", &(printed + &bound), &all, &[]);
}

#[test]
fn nodejs_agrees() {
    if Command::new("npm").arg("--version").output().is_err() {
        return common::skip("Node.js in tests/drift.rs: there is no npm");
    }
    output(Command::new("bindings/node/build.sh").current_dir(ROOT));
    let mut node = Command::new("node");
    node.arg("tests/drift/bindings.mjs")
        .current_dir(ROOT)
        .env("ZUS_LIBRARY", library());
    let rate_is_per_second = "default per_ms 1000";
    let all = [codes(), actions(), encodings(), defaults()];
    compare("Node.js", &output(&mut node), &all, &[rate_is_per_second]);
}

#[test]
fn csharp_agrees() {
    let mut dotnet = Command::new("dotnet");
    dotnet
        .args(["run", "--verbosity", "quiet", "tests/drift/bindings.cs"])
        .env("NuGetAudit", "false") // which asks the network
        // For what the library's project builds: its tests may run at the same time.
        .env("ArtifactsPath", scratch("drift-dotnet"))
        .current_dir(ROOT);
    if Command::new("dotnet").arg("--version").output().is_err() {
        return common::skip("C# in tests/drift.rs: there is no dotnet");
    }
    let all = [codes(), actions(), encodings(), defaults()];
    compare("C#", &output(&mut dotnet), &all, &[]);
}
