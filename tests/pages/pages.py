"""Runs the code of the languages' pages; run.sh calls it. Ends with `N passed, N failed`.

Each fenced block in a language of RUNNERS is a program, and runs in a folder of its page's own with the sandbox's environment
variables. Comments directly above a block say more:

    <!-- with: NAME -->      a fragment: it takes the place of the line `PAGE` in tests/pages/NAME.EXT
    <!-- as: FILE -->        it is also that file, for the blocks after it
    <!-- server: tls -->     it talks to a sandbox whose certificate company-ca.pem vouches for
    <!-- compiled -->        it is compiled, and not run (C#)
    <!-- through: proxy -->  its requests have to pass the proxy that $OFFICE_PROXY names
    <!-- prints -->          above a ```text block: what the block before it prints, exactly, but for … that stands for anything
    <!-- prints, in any order -->

What can't be run, such as an installation from a package index, is ```text on the pages.
"""

import functools
import http.client
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGES = ["c", "cpp", "python", "csharp", "bindings/csharp/README.md", "bindings/csharp/ZoomUserStatus.Extensions/README.md", "powershell", "nodejs", "bindings/node/README.md"]
LIB_DIR = Path(os.environ.get("ZUS_LIB_DIR") or ROOT / "target/release").resolve()
SANDBOX = os.environ.get("ZUS_SANDBOX") or str(ROOT / "target/debug/examples/sandbox")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pthread"]
passed = failed = skipped = 0


class Failure(Exception):
    """Why a block did not do what its page says."""


class Skip(Exception):
    """What this machine lacks."""


def run(command, **options):
    """What a command prints on both its outputs; a failure when its exit status isn't 0."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 300, **options}
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise Failure(f"exit status {done.returncode}\n{done.stdout}{done.stderr or ''}")
    return done.stdout


# --- the pages ---


class Block:
    def __init__(self, language, line, text, notes):
        self.language, self.line, self.text, self.notes = language, line, text, notes
        self.prints = None  # the text it has to print
        self.ordered = True


def path(name):
    return ROOT / (name if "/" in name else f"docs/{name}.md")


def page_folder(page):
    return SCRATCH / re.sub(r"\W", "_", str(page.relative_to(ROOT)))


def blocks(page):
    found, notes, fence, current = [], {}, None, None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence is not None:
            if line.strip() == fence:
                fence = None
                close(found, current, notes)
                notes = {}
            else:
                current.text += line + "\n"
        elif opened := re.match(r"(```|~~~)(\w*)\s*$", line):
            fence, current = opened.group(1), Block(opened.group(2), number, "", notes)
        elif note := re.match(r"<!-- ([a-z ]+?)(?:[:,] (.*?))? -->$", line):
            notes[note.group(1)] = note.group(2) or ""
        elif line.strip():
            notes = {}
    if fence is not None:
        raise Failure(f"{page.name}: a block without an end")
    return found


def close(found, block, notes):
    if block.language == "text":
        if "prints" in notes:
            found[-1].prints, found[-1].ordered = block.text, notes["prints"] != "in any order"
    elif block.language not in RUNNERS:
        raise Failure(f"line {block.line}: no way to run {block.language!r}")
    else:
        unknown = set(notes) - {"with", "as", "server", "through", "compiled"}
        if unknown:
            raise Failure(f"line {block.line}: what is {sorted(unknown)}?")
        found.append(block)


def whole(block, extension):
    """The block as a program: in its context where it has one."""
    name = block.notes.get("with")
    if name is None:
        return block.text
    context = (HERE / f"{name}.{extension}").read_text()
    before, marker, after = context.partition("PAGE\n")
    if not marker:
        raise Failure(f"{name}.{extension} has no line PAGE")
    before, _, indent = before.rpartition("\n")
    text = block.text if extension != "py" else re.sub(r"(?m)^(?=.)", re.match(r" *", indent).group(), block.text)
    return f"{before}\n{text}{after}"


def compare(block, printed):
    def order(text):
        lines = [line.rstrip() for line in text.strip().splitlines()]
        return lines if block.ordered else sorted(lines)

    want, got = order(block.prints), order(printed)
    pattern = "\n".join(re.escape(line).replace("…", ".*") for line in want)
    if not re.fullmatch(pattern, "\n".join(got)):
        raise Failure("prints\n" + "\n".join(got) + "\nand not, as the page says,\n" + "\n".join(want))


# --- the languages: each takes a block, the page's folder and the environment, and gives what was printed ---


@functools.cache
def prefix():
    """libzus installed as the pages say, so that pkg-config finds it."""
    at = SCRATCH / "prefix"
    run([ROOT / "packaging/install.sh"], env={**os.environ, "PREFIX": str(at), "LIBDIR": str(at / "lib"), "DESTDIR": "", "ZUS_LIB_DIR": str(LIB_DIR)})
    return at


def run_c(block, folder, environment, compiler="cc", standard="gnu11", extension="c"):
    source = folder / f"page.{extension}"
    source.write_text(whole(block, extension))
    lib = prefix() / "lib"
    run([compiler, f"-std={standard}", *WARNINGS, f"-I{prefix() / 'include'}", source, "-o", folder / "page", f"-L{lib}", "-lzus", f"-Wl,-rpath,{lib}"])
    return run([folder / "page"], cwd=folder, env=environment)


def run_cpp(block, folder, environment):
    return run_c(block, folder, environment, "c++", "c++17", "cpp")


def run_python(block, folder, environment):
    source = folder / "page.py"
    source.write_text(whole(block, "py"))
    return run([sys.executable, "-B", "-W", "error", source], cwd=folder, env=environment)


def run_js(block, folder, environment):
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skip("no node")
    npm_package()
    modules = folder / "node_modules"
    modules.mkdir(exist_ok=True)
    if not (modules / "zoom-user-status").exists():
        (modules / "zoom-user-status").symlink_to(ROOT / "bindings/node")
    source = folder / "page.mjs"
    source.write_text(whole(block, "js"))
    return run(["node", source], cwd=folder, env=environment)


@functools.cache
def npm_package():
    try:
        run([ROOT / "bindings/node/build.sh"])
    except Failure as why:
        raise Skip(f"the npm package could not be built: {str(why).strip().splitlines()[-1]}") from None


@functools.cache
def csharp():
    """The program with every C# block of the pages, and why it could not be built."""
    if not shutil.which("dotnet"):
        raise Skip("no .NET SDK")
    project = SCRATCH / "csharp-project"
    shutil.copytree(HERE / "csharp", project)
    for page in map(path, PAGES):
        for block in blocks(page):
            if block.language == "csharp":
                (project / f"{csharp_name(page, block)}.cs").write_text(csharp_class(page, block))
    environment = {**os.environ, "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "MSBUILDDISABLENODEREUSE": "1", "ZUS_LIB_DIR": str(LIB_DIR)}
    packages = ROOT / "bindings/csharp/Directory.Packages.props"
    try:
        run(["dotnet", "build", project, f"-p:ZusRepository={ROOT}/", f"-p:DirectoryPackagesPropsPath={packages}", "--artifacts-path", project / "artifacts", "-v", "q"], env=environment, timeout=600)
    except Failure as why:
        return None, str(why)
    return project / "artifacts/bin/Pages/debug/Pages.dll", None


def csharp_name(page, block):
    return re.sub(r"\W", "_", f"{page.relative_to(ROOT)}_{block.line}")


def csharp_class(page, block):
    """A block as the body of a method; one that is a class itself is left one."""
    lines = whole(block, "cs").splitlines()
    usings = [line for line in lines if re.fullmatch(r"using [\w.]+;", line)]
    code = "\n".join(line for line in lines if line not in usings)
    name = csharp_name(page, block)
    if "compiled" in block.notes and re.search(r"(?m)^public class ", code):
        return "\n".join([*usings, f"namespace {name}", "{", code, "}"])
    return "\n".join([*usings, f"static class {name}", "{", "public static async Task Run()", "{", code, "await Task.CompletedTask;", "}", "}"])


def run_csharp(block, folder, environment):
    program, why = csharp()
    if why:
        raise Failure(why)
    page = next(p for p in map(path, PAGES) if page_folder(p) == folder)
    return run(["dotnet", program, csharp_name(page, block)], cwd=folder, env={**environment, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"})


@functools.cache
def powershell():
    """The folder with the module's folder."""
    if not shutil.which("pwsh") or not shutil.which("dotnet"):
        raise Skip("no PowerShell")
    run([ROOT / "bindings/powershell/package.sh", SCRATCH / "powershell"], env={**os.environ, "ZUS_LIBRARY": str(LIB_DIR / "libzus.so")}, timeout=600)
    return SCRATCH / "powershell"


def run_powershell(block, folder, environment):
    source = folder / "page.ps1"
    source.write_text(whole(block, "ps1"))
    environment = {**environment, "PSModulePath": str(powershell()), "NO_COLOR": "1", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    return run(["pwsh", "-NoProfile", "-NonInteractive", "-File", source], cwd=folder, env=environment)


def run_sh(block, folder, environment):
    commands = folder / "commands"
    commands.mkdir(exist_ok=True)
    command = commands / "zoom-user-status"  # what `pip install` makes
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -B -m zoom_user_status "$@"\n')
    command.chmod(0o755)
    lib = prefix() / "lib"
    environment = {
        **environment,
        "PATH": f"{commands}:{environment['PATH']}",
        "PKG_CONFIG_PATH": str(lib / "pkgconfig"),
        "LD_LIBRARY_PATH": str(lib),
    }
    return run(["bash", "-eu", "-o", "pipefail", "-c", block.text], cwd=folder, env=environment)


RUNNERS = {"c": run_c, "cpp": run_cpp, "python": run_python, "csharp": run_csharp, "powershell": run_powershell, "js": run_js, "sh": run_sh, "console": run_sh}


# --- what stands for the world: Zoom, a company's CA, a proxy ---


class Sandbox:
    def __init__(self, *options):
        self.process = subprocess.Popen([SANDBOX, "--until-stdin-closes", "--quiet", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.variables = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            name, _, value = line.strip().partition("=")
            self.variables[name] = value
        raise Failure("the sandbox did not start")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def certificates(at):
    """A company's CA certificate, company-ca.pem, and the certificate for localhost that it signed."""
    at.mkdir()
    (at / "leaf.ext").write_text("subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n")
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(["openssl", "req", "-x509", *ec, "-keyout", at / "ca.key", "-out", at / "company-ca.pem", "-days", "2", "-subj", "/CN=A company"])
    run(["openssl", "req", *ec, "-keyout", at / "leaf.key", "-out", at / "leaf.csr", "-subj", "/CN=localhost"])
    run(["openssl", "x509", "-req", "-in", at / "leaf.csr", "-CA", at / "company-ca.pem", "-CAkey", at / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", at / "leaf.ext", "-out", at / "leaf.pem"])
    return at


class Proxy:
    """Passes CONNECT on, and counts."""

    def __init__(self):
        self.passed = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            method, target, _ = head.split(b"\r\n")[0].decode().split()
            if method != "CONNECT":
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                self.passed += 1
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    for ready in select.select([client, server], [], [])[0]:
                        data = ready.recv(65536)
                        if not data:
                            return
                        (server if ready is client else client).sendall(data)


def received(sandbox):
    """Requests that a sandbox has had."""
    url = re.match(r"http://([^/]+)", sandbox.variables["ZOOM_API_URL"])
    connection = http.client.HTTPConnection(url.group(1), timeout=10)
    connection.request("GET", "/sandbox/ledger")
    return int(re.search(rb'"requests":\s*(\d+)', connection.getresponse().read()).group(1))


# --- the test ---


def test_page(name, world):
    global passed, failed, skipped
    page = path(name)
    folder = page_folder(page)
    folder.mkdir()
    shutil.copy(world["certificates"] / "company-ca.pem", folder)
    (folder / "leavers.csv").write_text("email\nada@example.com\n linus@example.com\nnobody@example.com\n")
    found = blocks(page)
    if len(found) < 3:
        raise Failure(f"only {len(found)} blocks of code")
    for block in found:
        what = f"{page.relative_to(ROOT)}:{block.line} ({block.language})"
        try:
            if "as" in block.notes:
                (folder / block.notes["as"]).write_text(whole(block, "none"))
            test_block(block, folder, world)
            passed += 1
        except Skip as why:
            skipped += 1
            print(f"SKIPPED: {what}: {why}")
        except (Failure, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"FAILED: {what}\n  " + "\n  ".join(str(why).strip().splitlines()[-30:]))


def test_block(block, folder, world):
    tls = block.notes.get("server") == "tls"
    sandbox = world["tls" if tls else "plain"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ZOOM_", "LD_LIBRARY", "ZUS_")) and "proxy" not in k.lower()}
    environment.update(sandbox.variables)
    environment.update(OFFICE_PROXY=world["proxy"].url, PYTHONPATH=str(ROOT / "bindings/python/src"), ZUS_LIBRARY=str(LIB_DIR / "libzus.so"), ZUS_LIB_DIR=str(LIB_DIR))
    through, requests = world["proxy"].passed, 0 if tls else received(sandbox)
    if "compiled" in block.notes:
        _, why = csharp()
        if why:
            raise Failure(why)
        return
    printed = RUNNERS[block.language](block, folder, environment)
    if block.prints is not None:
        compare(block, printed)
    if not tls and block.language != "sh" and received(sandbox) == requests and not block.prints:
        raise Failure("it sent nothing, and prints nothing that is compared")
    if ("through" in block.notes) != (world["proxy"].passed > through):
        raise Failure("its requests went " + ("around" if "through" in block.notes else "through") + " the proxy")


def main():
    global failed
    made = certificates(SCRATCH / "certificates")
    world = {
        "certificates": made,
        "plain": Sandbox("--users", "20"),
        "tls": Sandbox("--tls", str(made / "leaf.pem"), str(made / "leaf.key")),
        "proxy": Proxy(),
    }
    try:
        for name in sys.argv[1:] or PAGES:
            try:
                test_page(name, world)
            except (Failure, OSError) as why:
                failed += 1
                print(f"FAILED: {path(name).relative_to(ROOT)}: {why}")
    finally:
        world["plain"].stop()
        world["tls"].stop()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


with tempfile.TemporaryDirectory() as scratch:
    SCRATCH = Path(scratch)
    sys.exit(main())
