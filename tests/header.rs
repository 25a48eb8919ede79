//! include/zus.h is what cbindgen writes from src/ffi/. `ZUS_WRITE_HEADER=1` (`make header`) writes it.

use std::fs;
use std::path::Path;

fn generate() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    let mut part = || parts.next().unwrap();
    config.after_includes = Some(format!(
        "
#define ZUS_VERSION_MAJOR {}
#define ZUS_VERSION_MINOR {}
#define ZUS_VERSION_PATCH {}

/* Define ZUS_STATIC where you link the static library on Windows. */
#if defined(_WIN32) && !defined(ZUS_STATIC)
#  define ZUS_API __declspec(dllimport)
#else
#  define ZUS_API
#endif",
        part(),
        part(),
        part()
    ));
    let mut out = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/ffi/mod.rs"))
        .generate()
        .unwrap()
        .write(&mut out);
    let text = String::from_utf8(out).unwrap();
    let text = without_tag(&text, "zus_code");
    // The Rust-only sections on safety say nothing that the rules at the top don't.
    let mut lines = Vec::new();
    let mut skip = false;
    for line in text.lines() {
        match line.trim() {
            "# Safety" | "* # Safety" => {
                skip = true;
                while lines
                    .last()
                    .is_some_and(|l: &&str| l.trim().is_empty() || l.trim() == "*")
                {
                    lines.pop();
                }
            }
            "*/" => skip = false,
            _ => {}
        }
        if !skip {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

/// Before C23, cbindgen gives an enum of a fixed size a tag beside the typedef of the same name, which gcc's -Wc++-compat
/// calls invalid in C++: there it has no tag.
fn without_tag(text: &str, name: &str) -> String {
    let fixed = "defined(__cplusplus) || __STDC_VERSION__ >= 202311L";
    let begins = format!("enum {name}\n#if {fixed}\n  : int32_t\n#endif // {fixed}\n {{\n");
    let ends = format!(
        "#ifndef __cplusplus\n#if __STDC_VERSION__ >= 202311L\ntypedef enum {name} {name};\n#else\n\
         typedef int32_t {name};\n#endif // __STDC_VERSION__ >= 202311L\n#endif // __cplusplus\n"
    );
    for part in [&begins, &ends] {
        assert_eq!(text.matches(part.as_str()).count(), 1, "{part}");
    }
    text.replace(
        &begins,
        &format!("#if {fixed}\nenum {name} : int32_t\n#else\ntypedef int32_t {name};\nenum\n#endif\n{{\n"),
    )
    .replace(
        &ends,
        &format!("#if !defined(__cplusplus) && __STDC_VERSION__ >= 202311L\ntypedef enum {name} {name};\n#endif\n"),
    )
}

#[test]
fn the_committed_header_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/zus.h");
    let wanted = generate();
    if std::env::var_os("ZUS_WRITE_HEADER").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &wanted).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == wanted,
        "include/zus.h is out of date: run `make header`"
    );
}
