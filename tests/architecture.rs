//! docs/architecture.md is true: no module imports one that stands above it, none imports itself through others, its
//! picture shows the imports that there are, and files and functions stay small.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file of src/ as a module path, such as `http::socket`; and every module that its code names.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The crate's front page, and entries for the fuzz targets: they may name everything.
const OUTSIDE: [&str; 2] = ["lib", "fuzzing"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    let name = |path: &PathBuf| {
        let path = path.strip_prefix(&src).unwrap().with_extension("");
        let name = path.to_str().unwrap().replace(['/', '\\'], "::");
        name.trim_end_matches("::mod").to_owned()
    };
    let read = |path: &PathBuf| (name(path), fs::read_to_string(path).unwrap());
    let mut sources: Vec<_> = files.iter().map(read).collect();
    sources.retain(|(name, _)| !OUTSIDE.contains(&name.as_str()));
    sources.sort();
    sources
}

/// Code without comments and without its tests, which may use whatever they like.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that a path names, of which `{a, b::c}` names several.
fn expand(path: &str) -> Vec<String> {
    let Some((head, rest)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in rest.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    let parts = parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty());
    parts
        .flat_map(|part| expand(&format!("{head}{part}")))
        .collect()
}

/// What follows `crate::`, `super::` or `self::` up to the end of the path, braces included.
fn path_at(code: &str) -> String {
    let mut depth = 0;
    let mut path = String::new();
    for c in code.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            c if c.is_alphanumeric() || c == '_' || c == ':' => {}
            _ => break,
        }
        if !c.is_whitespace() {
            path.push(c);
        }
    }
    path
}

fn imports() -> Imports {
    let sources = sources();
    let known: BTreeSet<_> = sources.iter().map(|(name, _)| name.clone()).collect();
    let module = |path: &str| {
        let mut path = path;
        loop {
            if known.contains(path) {
                return Some(path.to_owned());
            }
            path = path.rsplit_once("::")?.0;
        }
    };
    let mut imports = Imports::new();
    for (name, text) in &sources {
        let code = code(text);
        let parent = name.rsplit_once("::").map_or("", |(parent, _)| parent);
        let mut named = BTreeSet::new();
        for (prefix, base) in [("crate::", ""), ("super::", parent), ("self::", name)] {
            for (at, _) in code.match_indices(prefix) {
                let before = code[..at].chars().last();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                    continue;
                }
                let path = path_at(&code[at + prefix.len()..]);
                for path in expand(&path) {
                    let whole = format!("{base}::{path}");
                    let found = module(whole.trim_start_matches("::"));
                    named.extend(found.or_else(|| module(base)));
                }
            }
        }
        named.remove(name);
        imports.insert(name.clone(), named);
    }
    imports
}

/// A way from a module back to itself.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    fn visit(
        imports: &Imports,
        at: &str,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> bool {
        if let Some(n) = way.iter().position(|w| w == at) {
            way.drain(..n);
            way.push(at.to_owned());
            return true;
        }
        if done.contains(at) {
            return false;
        }
        way.push(at.to_owned());
        for next in imports.get(at).into_iter().flatten() {
            if visit(imports, next, way, done) {
                return true;
            }
        }
        way.pop();
        done.insert(at.to_owned());
        false
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|start| {
        let mut way = Vec::new();
        visit(imports, start, &mut way, &mut done).then_some(way)
    })
}

/// The imports between the modules of the first level, such as `http`.
fn top_level(imports: &Imports) -> Imports {
    let top = |name: &str| name.split("::").next().unwrap().to_owned();
    let mut tops = Imports::new();
    for (name, named) in imports {
        let entry = tops.entry(top(name)).or_default();
        entry.extend(named.iter().map(|n| top(n)).filter(|n| *n != top(name)));
    }
    tops
}

fn document() -> String {
    fs::read_to_string(root().join("docs/architecture.md")).unwrap()
}

fn block(language: &str) -> String {
    let document = document();
    let (_, rest) = document.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// The modules from top to bottom, one a line, each with what it does behind it.
fn order() -> Vec<String> {
    let first = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    block("text").lines().map(first).collect()
}

/// `a --> b & c` is two arrows.
fn picture() -> BTreeSet<(String, String)> {
    let mut arrows = BTreeSet::new();
    for line in block("mermaid").lines() {
        let Some((from, to)) = line.split_once(" --> ") else {
            continue;
        };
        let to = to.split('&').map(|to| to.trim().to_owned());
        arrows.extend(to.map(|to| (from.trim().to_owned(), to)));
    }
    arrows
}

/// Whether arrows lead from one module to another.
fn leads(arrows: &BTreeSet<(String, String)>, from: &str, to: &str) -> bool {
    let mut next = arrows.iter().filter(|(f, _)| f == from);
    next.any(|(_, t)| t == to || leads(arrows, t, to))
}

#[test]
fn no_module_imports_itself_through_others() {
    let imports = imports();
    assert!(imports.len() > 30, "{imports:?}");
    assert!(imports["call"].contains("rate"), "imports are seen");
    assert_eq!(circle(&imports), None);
}

#[test]
fn a_circle_would_be_found() {
    let mut imports = imports();
    let mut turned = imports
        .get_mut("cancel")
        .unwrap()
        .insert("http::socket".into());
    assert!(turned);
    assert!(circle(&imports).is_some());
    turned = imports.get_mut("cancel").unwrap().remove("http::socket");
    assert!(turned && circle(&imports).is_none());
}

#[test]
fn modules_import_downwards_in_the_order_of_the_document() {
    let order = order();
    let imports = top_level(&imports());
    let all: BTreeSet<_> = imports.keys().cloned().collect();
    assert_eq!(order.iter().cloned().collect::<BTreeSet<_>>(), all);
    let place = |name: &String| order.iter().position(|o| o == name).unwrap();
    for (name, named) in &imports {
        for below in named {
            assert!(place(name) < place(below), "{name} imports {below}");
        }
    }
}

#[test]
fn the_picture_shows_the_imports_that_there_are() {
    let imports = top_level(&imports());
    let arrows = picture();
    for (from, to) in &arrows {
        let named = imports.get(from).is_some_and(|named| named.contains(to));
        assert!(named, "the picture has {from} --> {to}");
    }
    for (from, named) in &imports {
        for to in named {
            assert!(
                leads(&arrows, from, to),
                "the picture lacks {from} --> {to}"
            );
        }
    }
}

#[test]
fn the_document_names_every_file() {
    let document = document();
    for (name, _) in sources() {
        let path = format!("src/{}", name.replace("::", "/"));
        let mut folders = Path::new(&path).ancestors().skip(1);
        assert!(
            document.contains(&format!("`{path}.rs`"))
                || document.contains(&format!("`{path}/`"))
                || folders
                    .any(|f| f != Path::new("src")
                        && document.contains(&format!("`{}/`", f.display()))),
            "{path} is not in docs/architecture.md"
        );
    }
}

#[test]
fn files_and_functions_stay_small() {
    for (name, text) in sources() {
        let body = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines: Vec<&str> = body.lines().collect();
        assert!(lines.len() <= 400, "{name} has {} lines", lines.len());
        for (at, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_function = line.contains("fn ") && !line.trim_start().starts_with("//");
            if !is_function || line.ends_with(';') {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let ends = |l: &str| *l == *end;
            let length = lines[at..].iter().position(|l| ends(l)).unwrap_or(0);
            assert!(length <= 60, "{name}: {} lines: {}", length, line.trim());
        }
    }
}
