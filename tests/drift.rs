//! The languages don't drift apart: every C function is bound in C++, Python and C#, and numbers and defaults agree.

use std::fs;
use std::path::Path;

use zus::{Action, Code};

const CPP: &str = "include/zus.hpp";
const PYTHON: &str = "bindings/python/src/zoom_user_status";
const CSHARP: &str = "bindings/csharp/ZoomUserStatus";

/// What a language does without, and why.
const UNBOUND: &[(&str, &str, &str)] = &[
    (PYTHON, "zus_code_name", "the names are in the enumeration"),
    (
        PYTHON,
        "zus_result_user_id",
        "a result keeps the str that it was asked for",
    ),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if path.is_file() {
        return fs::read_to_string(path).unwrap();
    }
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn functions() -> Vec<String> {
    let header = read("include/zus.h");
    let mut names: Vec<_> = header
        .match_indices('(')
        .filter_map(|(at, _)| words(&header[..at]).last())
        .filter(|name| name.starts_with("zus_"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    assert!(names.len() >= 37, "{names:?}");
    names
}

#[test]
fn every_function_is_bound_or_has_a_reason() {
    for place in [CPP, PYTHON, CSHARP] {
        let text = read(place);
        for name in functions() {
            let bound = words(&text).any(|word| word == name);
            let excused = UNBOUND.iter().any(|(p, n, _)| *p == place && *n == name);
            assert_ne!(bound, excused, "{name} in {place}");
        }
    }
}

/// USER_NOT_FOUND -> UserNotFound
fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| word[..1].to_owned() + &word[1..].to_lowercase())
        .collect()
}

/// Whether the text has `name = value` as words of its own.
fn has(text: &str, name: &str, value: &str) -> bool {
    let line = format!("{name} = {value}");
    text.match_indices(&line).any(|(at, _)| {
        let before = text[..at].chars().last();
        let after = text[at + line.len()..].chars().next();
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        edge(before) && edge(after)
    })
}

#[test]
fn codes_and_actions_have_the_same_numbers_everywhere() {
    let (header, cpp) = (read("include/zus.h"), read(CPP));
    let (python, csharp) = (read(PYTHON), read(CSHARP));
    for code in Code::ALL {
        let (name, number) = (code.name(), code.number().to_string());
        let short = name.trim_start_matches("ZUS_").trim_start_matches("ERR_");
        assert!(has(&header, name, &number), "{name} in zus.h");
        assert!(has(&cpp, &short.to_lowercase(), name), "{name} in C++");
        assert!(has(&python, short, &number), "{name} in Python");
        assert!(has(&csharp, &pascal(short), &number), "{name} in C#");
    }
    for action in Action::ALL {
        let (name, number) = (action.as_str(), (action as i32).to_string());
        let upper = name.to_uppercase();
        let define = format!("#define ZUS_{upper} {number}\n");
        assert!(header.contains(&define), "{name} in zus.h");
        let c = format!("ZUS_{upper}");
        assert!(has(&cpp, name, &c), "{name} in C++");
        assert!(has(&python, &upper, &number), "{name} in Python");
        assert!(has(&csharp, &pascal(&upper), &number), "{name} in C#");
        let node = format!("{name}: {number}");
        assert!(
            read("examples/node/zus.js").contains(&node),
            "{name} in Node.js"
        );
    }
}

#[test]
fn defaults_agree() {
    let core = read("src/config.rs");
    let header = read("include/zus.h");
    let (python, csharp) = (read(PYTHON), read(CSHARP));
    let number = |name: &str| -> u32 {
        let text = core.split_once(&format!("const {name}: u32 = ")).unwrap().1;
        let text = text.split_once(';').unwrap().0.replace('_', "");
        text.parse().unwrap()
    };
    let thousands = |n: u32| match n {
        0..1000 => n.to_string(),
        n => format!("{},{:03}", n / 1000, n % 1000),
    };
    let digits = |n: u32| thousands(n).replace(',', "_");
    for name in [
        "CONNECT_MS",
        "TOTAL_MS",
        "ATTEMPTS",
        "FIRST_MS",
        "MOST_MS",
        "CONCURRENCY",
    ] {
        let (lower, upper) = (
            format!("default {}", thousands(number(name))),
            format!("Default {}", thousands(number(name))),
        );
        // A line may end after the word.
        let flat = header.replace("\n * ", " ");
        assert!(
            flat.contains(&lower) || flat.contains(&upper),
            "{name} in zus.h"
        );
    }
    let rate = format!(
        "Default: {} in {}",
        number("REQUESTS"),
        thousands(number("PER_MS"))
    );
    assert!(header.contains(&rate), "{rate} in zus.h");

    let seconds = |name| {
        let ms = number(name);
        let text = format!("{:.1}", f64::from(ms) / 1000.0);
        assert_eq!((text.parse::<f64>().unwrap() * 1000.0) as u32, ms);
        text
    };
    let pair = |a, b| format!("({}, {})", seconds(a), seconds(b));
    for (name, value) in [
        ("TIMEOUT", pair("CONNECT_MS", "TOTAL_MS")),
        ("BACKOFF", pair("FIRST_MS", "MOST_MS")),
        ("RETRIES", (number("ATTEMPTS") - 1).to_string()),
        ("RATE", number("REQUESTS").to_string()),
        ("CONCURRENCY", number("CONCURRENCY").to_string()),
    ] {
        assert!(has(&python, name, &value), "{name} = {value} in Python");
    }
    for (name, value) in [
        (
            "ConnectTimeout",
            format!(
                "TimeSpan.FromMilliseconds({})",
                digits(number("CONNECT_MS"))
            ),
        ),
        (
            "Timeout",
            format!("TimeSpan.FromMilliseconds({})", digits(number("TOTAL_MS"))),
        ),
        (
            "RetryDelay",
            format!("TimeSpan.FromMilliseconds({})", digits(number("FIRST_MS"))),
        ),
        ("MaxAttempts", number("ATTEMPTS").to_string()),
        ("RateLimit", number("REQUESTS").to_string()),
        ("Concurrency", number("CONCURRENCY").to_string()),
    ] {
        let line = format!(" {name} {{ get; set; }} = {value};");
        assert!(csharp.contains(&line), "{line} in C#");
    }
}
