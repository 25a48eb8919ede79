//! The README's examples are the ones that the languages' own tests compile and run.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Without the indentation of the first line.
fn dedent(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines[0];
    let indent = first.len() - first.trim_start().len();
    lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn its_examples_are_tested_ones() {
    let readme = read("README.md");
    for (source, language) in [
        ("examples/c/readme.c", "c"),
        ("examples/cpp/readme.cpp", "cpp"),
        ("bindings/python/README.md", "python"),
        ("bindings/csharp/README.md", "csharp"),
        ("bindings/node/README.md", "js"),
        ("docs/powershell.md", "powershell"),
    ] {
        let opening = format!("<!-- {source} -->\n```{language}\n");
        let shown = readme
            .split_once(&opening)
            .unwrap_or_else(|| panic!("the README has no example from {source}"))
            .1;
        let shown: Vec<_> = shown.lines().take_while(|line| *line != "```").collect();
        assert!(shown.len() < 12, "{source}: {} lines", shown.len());
        let text = read(source);
        let tested = if language.starts_with('c') && !source.ends_with(".md") {
            text.split("README")
                .nth(1)
                .and_then(|t| t.split_once('\n'))
                .map(|(_, t)| &t[..t.rfind('\n').unwrap()])
        } else {
            text.split_once(&format!("```{language}\n"))
                .and_then(|(_, t)| t.split_once("\n```"))
                .map(|(t, _)| t)
        };
        assert_eq!(dedent(tested.unwrap()), shown, "{source}");
    }
}
