"""Runs the programs that run.sh built and prints one table. Only counts and ratios: the programs of a comparison take turns, round by
round, and a ratio is the median of the rounds' ratios, so that a busy machine disturbs both sides alike."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

OUT = Path(sys.argv[1])
CSHARP = OUT / "csharp/bin/CSharpCall/release/CSharpCall.dll"
QUICK = sys.argv[2] == "quick"
HERE = Path(__file__).parent
LIBRARY = Path(os.environ["ZUS_LIB_DIR"]) / "libzus.so"
SANDBOX = OUT / "sandbox/release/examples/sandbox"
BODY = '{"action":"deactivate"}'
SYSTEM_ROOTS = next(p for p in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt") if Path(p).exists())
SCRATCH = Path(tempfile.mkdtemp(prefix="zus-bench-"))

# Nothing of this machine's proxies and trust; and the Python wrapper finds the library and itself here.
ENV = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and "SSL_CERT" not in k and "CA_BUNDLE" not in k}
ENV["PYTHONPATH"] = str(HERE.parent / "bindings/python/src")
ENV["ZUS_LIBRARY"] = str(LIBRARY)
ENV["LD_LIBRARY_PATH"] = str(LIBRARY.parent)

SERVER = []  # nginx
rows = []


def row(what, measured, target="", met=None):
    """One line of the table. `met` is None where there is no target."""
    rows.append((what, measured, target, {True: "met", False: "NOT MET", None: ""}[met]))
    print("  " + "  ".join(x for x in rows[-1] if x), flush=True)


def at_most(what, value, limit, text="{:.2f}", to=""):
    row(what, text.format(value) + to, "≤ " + text.format(limit), value <= limit)


def section(title):
    rows.append((title, "", "", ""))
    print(title, flush=True)


def run(*command, env=None, check=True):
    done = subprocess.run([str(c) for c in command], env={**ENV, **(env or {})}, capture_output=True, text=True, timeout=600)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def numbers(*command, env=None):
    return [float(x) for x in run(*command, env=env).split()]


def rotated(names, by):
    by %= len(names)
    return names[by:] + names[:by]


def take_turns(rounds, programs):
    """Runs each program once a round, each round beginning with another. {name: [numbers of each round]}"""
    results = {name: [] for name in programs}
    for i in range(rounds):
        for name in rotated(list(programs), i):
            results[name].append(programs[name]())
    return results


def take_short_turns(rounds, commands):
    """The same for C programs that stay and make some calls at each line they get: turns of a few milliseconds."""
    running = {}
    for name, command in commands.items():
        env = {**ENV, "BENCH_TURNS": "1", **({"BENCH_NOSIGNAL": "1"} if name[0] == "nosignal" else {})}
        running[name] = subprocess.Popen([str(c) for c in command], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(process):
        process.stdin.write("\n")
        process.stdin.flush()
        return [float(x) for x in process.stdout.readline().split()]

    results = take_turns(rounds, {name: lambda process=process: turn(process) for name, process in running.items()})
    for process in running.values():
        process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
    return results


@contextlib.contextmanager
def one_core():
    """Client and server on one core. Otherwise each wait wakes another core or doesn't, as the scheduler likes, and in a virtual machine
    that costs more than the whole call, for every client alike."""
    before = os.sched_getaffinity(0)
    master = SERVER[0].pid
    workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    pids = [0, master, *map(int, workers)]
    for pid in pids:
        os.sched_setaffinity(pid, {min(before)})
    try:
        yield
    finally:
        for pid in pids:
            os.sched_setaffinity(pid, before)


@contextlib.contextmanager
def undisturbed():
    """Before others on this machine, where that is allowed."""
    group = Path("/proc/self/autogroup")
    try:
        os.nice(-10)
        group.write_text("-10")
    except OSError:
        pass
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            group.write_text("0")


def ratio(results, a, b, column):
    return statistics.median(x[column] / y[column] for x, y in zip(results[a], results[b]))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- The servers -------------------------------------------------------------------------------------------------------------------


def certificates():
    """A CA, a certificate for localhost, and the system's trust store with that CA in it."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca, server = SCRATCH / "ca", SCRATCH / "server"
    run("openssl", "req", "-x509", *key, "-days", "30", "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-subj", "/CN=benchmark CA")
    run("openssl", "req", *key, "-keyout", f"{server}.key", "-out", f"{server}.csr", "-subj", "/CN=localhost")
    Path(f"{server}.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("openssl", "x509", "-req", "-in", f"{server}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
        "-days", "30", "-out", f"{server}.pem", "-extfile", f"{server}.ext")
    (SCRATCH / "roots.pem").write_text(Path(SYSTEM_ROOTS).read_text() + Path(f"{ca}.pem").read_text())
    return f"{ca}.pem"


def nginx(http, https):
    (SCRATCH / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {SCRATCH}/nginx.pid; error_log stderr crit;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_temp_path {SCRATCH}/t1; proxy_temp_path {SCRATCH}/t2; fastcgi_temp_path {SCRATCH}/t3; uwsgi_temp_path {SCRATCH}/t4;
  scgi_temp_path {SCRATCH}/t5; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {SCRATCH}/server.pem; ssl_certificate_key {SCRATCH}/server.key;
  server {{ listen 127.0.0.1:{http}; location / {{ return 204; }} }}
  server {{ listen 127.0.0.1:{https} ssl; location / {{ return 204; }} }}
}}""")
    process = subprocess.Popen(["nginx", "-p", str(SCRATCH), "-c", str(SCRATCH / "nginx.conf")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", https), 1).close()
            return process
        except OSError:
            if process.poll() is not None:
                break
            subprocess.run(["sleep", "0.05"])
    raise SystemExit("nginx did not start")


class Sandbox:
    """A Zoom on loopback."""

    def __init__(self, *options):
        self.process = subprocess.Popen([SANDBOX, "--quiet", "--until-stdin-closes", *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "ZOOM_API_URL":
                self.api = value
            if name == "ready":
                return
        raise SystemExit("the sandbox did not start")

    def ledger(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.load(opener.open(self.api.replace("/v2", "/sandbox/ledger")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


# --- The measurements --------------------------------------------------------------------------------------------------------------


def warm_calls(http, https, ca):
    section("CPU and wall time of a warm call from C, against libcurl with the same body; one connection, nginx, 204")
    commands = {("socket", "http", "json"): (OUT / "socket_call", http, 100, "json")}
    for name in ("zus", "curl"):
        for body in ("json", "form"):
            commands[name, "http", body] = (OUT / f"{name}_call", http, 100, body)
            commands[name, "https", body] = (OUT / f"{name}_call", https, 100, body, ca)
    commands["nosignal", "http", "json"] = commands["curl", "http", "json"]
    commands["nosignal", "https", "json"] = commands["curl", "https", "json"]
    with one_core():
        results = take_short_turns(60 if QUICK else 300, commands)
    for column, clock in ((1, "CPU"), (0, "wall")):
        for scheme, limit in (("http", 0.65 if column else 0.8), ("https", 0.55 if column else 0.8)):
            for body in ("json", "form"):
                value = ratio(results, ("zus", scheme, body), ("curl", scheme, body), column)
                at_most(f"{clock}, {scheme.upper()}, {body}", value, limit, to=" × libcurl")
        for scheme in ("http", "https"):
            value = ratio(results, ("zus", scheme, "json"), ("nosignal", scheme, "json"), column)
            row(f"{clock}, {scheme.upper()}, json, libcurl with CURLOPT_NOSIGNAL", f"{value:.2f} × libcurl")
        value = ratio(results, ("socket", "http", "json"), ("curl", "http", "json"), column)
        row(f"{clock}, HTTP, json: a bare socket, the floor", f"{value:.2f} × libcurl")


def instructions(*command):
    out = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)], env=ENV,
                         capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", out.stderr)
    if not found:
        raise SystemExit(out.stderr)
    return {"total": int(found[1])}


def system_calls(*command):
    report = SCRATCH / "strace"
    run("strace", "-c", "-f", "-o", report, *command)
    calls = {}
    for line in report.read_text().splitlines()[2:]:
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def allocations(*command):
    report = SCRATCH / "allocations"
    run(*command, env={"LD_PRELOAD": str(OUT / "allocations.so"), "BENCH_ALLOCATIONS": str(report)})
    asked, live = report.read_text().split()
    return {"asked": int(asked), "live": int(live)}


def a_call(count, program, api, body, ca):
    """What one warm call costs: the difference of two run lengths."""
    few, many = (100, 600) if QUICK else (200, 1200)
    extra = [ca] if api.startswith("https") else []
    a, b = (count(OUT / program, api, n, body, *extra) for n in (few, many))
    return {name: (b[name] - a.get(name, 0)) / (many - few) for name in b}


def counts(http, https, ca):
    section("What a warm call costs in counts (the difference of two run lengths); C programs")
    kinds = [("HTTP", http, "form"), ("HTTPS", https, "form"), ("HTTP", http, "json"), ("HTTPS", https, "json")]
    for label, api, body in kinds[: 2 if QUICK else 4]:
        zus = a_call(system_calls, "zus_call", api, body, ca)
        curl = a_call(system_calls, "curl_call", api, body, ca)
        names = ", ".join(f"{n:.0f} {name}" for name, n in sorted(zus.items()) if round(n))
        total = sum(zus.values())
        row(f"system calls, {label}, {body}", f"{total:.2f} ({names}); libcurl {sum(curl.values()):.1f}", "≤ 4", round(total, 2) <= 4)
        if (label, body) == ("HTTP", "form"):
            made = sum(n for name, n in zus.items() if name in ("clone", "clone3", "socket", "connect", "openat", "open"))
            row("threads made, sockets or files opened", f"{made:.2f}", "0", made == 0)
    for label, api, body in kinds[: 2 if QUICK else 4]:
        zus, curl = (a_call(instructions, p, api, body, ca)["total"] for p in ("zus_call", "curl_call"))
        limit = {"HTTP": 30_000, "HTTPS": 38_000}[label]
        row(f"user-space instructions, {label}, {body}", f"{zus:,.0f}; libcurl {curl:,.0f}", f"≤ {limit:,}", zus <= limit)
    for label, api, body in kinds[: 2 if QUICK else 4]:
        zus, curl = (a_call(allocations, p, api, body, ca) for p in ("zus_call", "curl_call"))
        row(f"heap allocations, {label}, {body}", f"{zus['asked']:.1f}; libcurl {curl['asked']:.1f}", "≤ 30", zus["asked"] <= 30.05)
        if (label, body) == ("HTTP", "form"):
            # A thread that connects may end with the process.
            row("allocations never freed, a call", f"{zus['live']:.2f}", "0", abs(zus["live"]) < 0.01)


def threads():
    section("32 threads on one client, a server that takes 50 ms")
    with Sandbox("--users", "10", "--delay", "50") as sandbox:
        results = take_turns(3 if QUICK else 7, {n: lambda n=n: numbers(OUT / "zus_threads", sandbox.api, 20, n) for n in (1, 32)})
        value = ratio(results, 32, 1, 0) / 32
        row("rate of 32 threads", f"{value:.3f} × 32 × the rate of one", "≥ 0.97", value >= 0.97)


def cold(https):
    section("First call of a fresh process over HTTPS, with the system's trust store (and our CA in it)")
    env = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(SCRATCH / "roots.pem"))
    url = f"{https}/users/user00001@example.com/status"
    curl = ["curl", "-sSf", "-X", "PUT", "-H", "Authorization: Bearer sandbox-token", "-H", "Content-Type: application/json", "-d", BODY, url]
    script = f"import requests; requests.put({url!r}, data={BODY!r}, headers={{'Authorization': 'Bearer sandbox-token'}}).raise_for_status()"
    programs = {
        "zus": lambda: numbers(OUT / "spawn", OUT / "zus_call", https, 1, "json", env=env),
        "curl": lambda: numbers(OUT / "spawn", *curl, env=env),
    }
    if not QUICK:
        programs["requests"] = lambda: numbers(OUT / "spawn", sys.executable, "-c", script, env=env)
    results = take_turns(10 if QUICK else 30, programs)
    at_most("wall", ratio(results, "zus", "curl", 0), 0.30, to=" × the curl command")
    at_most("CPU", ratio(results, "zus", "curl", 1), 0.30, to=" × the curl command")
    if not QUICK:
        row("Python requests, wall", f"{ratio(results, 'requests', 'curl', 0):.1f} × the curl command")


def memory(http, https):
    section("Memory of a C program after 10,000 calls")
    roots = {"BENCH_MEMORY": "1", "SSL_CERT_FILE": str(SCRATCH / "roots.pem")}
    for label, api in (("HTTP", http), ("HTTPS, the system's trust store", https)):
        zus, curl = (numbers(OUT / f"{p}_call", api, 10_000, "form", *extra, env=roots)
                     for p, extra in (("zus", []), ("curl", [SCRATCH / "roots.pem"])))
        at_most(f"resident, {label}", zus[1] / curl[1], 0.5, to=" × libcurl's program")
        row(f"peak, {label}", f"{zus[2] / curl[2]:.2f} × libcurl's program")
        row(f"growth from call 1,000 on, {label}", f"{zus[1] - zus[0]:.0f} kB", "0 kB", zus[1] <= zus[0])
    stripped = SCRATCH / "stripped.so"
    run("strip", "-o", stripped, LIBRARY)
    at_most("libzus.so, stripped", stripped.stat().st_size / 1e6, 2.5, to=" MB")


def python(http, https, ca):
    section("Python, a warm call (CPU; all send JSON)")
    rounds = 3 if QUICK else 7
    for label, api in (("HTTP", http),) if QUICK else (("HTTP", http), ("HTTPS", https)):
        programs = {}
        for name, calls in (("zus", 2000), ("requests", 300), ("pycurl", 2000), ("httpx", 300)):
            programs[name] = lambda a=(sys.executable, HERE / "python_call.py", name, api, calls, ca): numbers(*a)
        try:
            programs["zus"]()
        except SystemExit as error:
            row(f"the wrapper, {label}", f"skipped: {str(error).strip().splitlines()[-1]}")
            continue
        with one_core():
            results = take_turns(rounds, programs)
        at_most(f"{label}: the wrapper", ratio(results, "zus", "requests", 1), 0.2, to=" × requests")
        at_most(f"{label}: the wrapper", ratio(results, "zus", "pycurl", 1), 0.9, to=" × pycurl")
        row(f"{label}: the wrapper", f"{ratio(results, 'zus', 'httpx', 1):.2f} × httpx")


def csharp(http):
    section("C#, a warm call (CPU; both send JSON, HTTP)")
    if not shutil.which("dotnet"):
        row("the wrapper", "skipped: no .NET SDK")
        return
    programs = {name: lambda name=name: numbers("dotnet", CSHARP, name, http, 4000) for name in ("zus", "httpclient")}
    try:
        with one_core():
            results = take_turns(3 if QUICK else 7, programs)
    except SystemExit as error:
        row("the wrapper", f"skipped: {str(error).strip().splitlines()[-1]}")
        return
    at_most("the wrapper, CPU", ratio(results, "zus", "httpclient", 1), 1.0, to=" × HttpClient")
    at_most("the wrapper, wall", ratio(results, "zus", "httpclient", 0), 1.0, to=" × HttpClient")


def bulk():
    users = 320 if QUICK else 1000
    section(f"Bulk: {users:,} users, a server that takes 100 ms")
    ideal = users / 16 * 0.1
    with Sandbox("--users", str(users), "--delay", "100") as sandbox:
        results = take_turns(1 if QUICK else 2, {
            "zus": lambda: numbers(OUT / "zus_many", sandbox.api, users, 16, 0),
            "requests": lambda: numbers(sys.executable, HERE / "python_pool.py", sandbox.api, users, 16),
        })
        took = statistics.median(x[0] for x in results["zus"])
        done = all(x[1] == users for x in results["zus"])
        row("16 at once, no rate limit", f"{took / ideal:.3f} × the ideal" + ("" if done else ", NOT ALL DONE"), "≤ 1.05",
            took / ideal <= 1.05 and done)
        row("requests with a pool of 16 threads", f"{ratio(results, 'requests', 'zus', 0):.3f} × libzus")
        each = numbers(OUT / "curl_call", sandbox.api, 50, "json")[0]
        row("a libcurl loop, one after another (its first 50 users)", f"{each / (took / users):.1f} × libzus")
    with Sandbox("--users", str(users), "--delay", "100", "--qps", "80") as sandbox:
        took, done = numbers(OUT / "zus_many", sandbox.api, users, 16, 80)
        ledger = sandbox.ledger()
        value = took / (users / 80)
        # A short run's last response weighs more.
        row("rate 80/s, a server that enforces it", f"{value:.3f} × users / 80", "≤ 1.03", value <= 1.03 if not QUICK else None)
        row("429s in the server's ledger", f"{ledger['rate_refused']} of {ledger['requests']:,} requests", "0 of " + f"{users:,}",
            ledger["rate_refused"] == 0 and ledger["requests"] == users == done)


def started():
    """One line a language: ours, and what it would use instead. Each prints the time, and how late its timer was."""
    section("100 calls at once, responses after 500 ms, no rate limit; beside them a 10 ms timer of the same loop or pool")
    languages = {
        "C, epoll": ("libcurl multi", (OUT / "zus_start",), (OUT / "curl_multi",)),
        "Python, asyncio": ("httpx", *((sys.executable, HERE / "python_async.py", kind) for kind in ("zus", "httpx"))),
        "C#": ("HttpClient", *(("dotnet", CSHARP, kind) for kind in ("zus", "httpclient"))),
        "Node.js": ("fetch", *(("node", HERE / "node_calls.mjs", kind) for kind in ("zus", "fetch"))),
    }
    for language, tool in (("C#", "dotnet"), ("Node.js", "node")):
        if not shutil.which(tool):
            del languages[language]
            row(language, f"skipped: no {tool}")
    with Sandbox("--users", "100", "--delay", "500") as sandbox:
        for language, (peer, ours, theirs) in languages.items():
            programs = {"zus": ours, "peer": theirs}
            results = take_turns(3 if QUICK else 7, {name: lambda c=c: numbers(*c, sandbox.api, 100, "at-once") for name, c in programs.items()})
            took, late = ({n: statistics.median(x[i] for x in results[n]) for n in programs} for i in (0, 1))
            at_most(f"{language}: time", ratio(results, "zus", "peer", 0), 1.3, to=f" × {peer}'s ({took['zus']:.2f} s)")
            row(f"{language}: the timer was late by", f"{late['zus'] * 1000:.1f} ms; {peer} {late['peer'] * 1000:.1f} ms", "≤ 20 ms",
                late["zus"] <= 0.020)


# --- The table ---------------------------------------------------------------------------------------------------------------------


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, env=ENV)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def versions():
    first = lambda text: re.search(r"\d+\.\d+[\w.]*", text)[0]
    python = run(sys.executable, "-c", "import requests, pycurl, httpx, platform; print(platform.python_version(), "
                 "requests.__version__, pycurl.version.split()[0].split('/')[1].strip('\"'), httpx.__version__, "
                 "pycurl.version.split()[1])").split()
    parts = [
        f"libzus {version('sed', '-n', 's/^version = //p', str(HERE.parent / 'Cargo.toml'))}".replace('"', ""),
        f"rustc {first(version('rustc', '--version'))}",
        f"libcurl {first(version('curl', '--version'))} with OpenSSL {first(version('openssl', 'version'))}",
        f"nginx {first(version('nginx', '-v'))}",
        f"gcc {first(version('gcc', '--version').split(')')[-1])}",
        f"valgrind {first(version('valgrind', '--version'))}",
        f"Python {python[0]}, requests {python[1]}, pycurl {python[2]} ({python[4]}), httpx {python[3]}",
    ]
    if shutil.which("dotnet"):
        parts.append(f".NET {first(version('dotnet', '--list-runtimes'))}")
    kernel = os.uname()
    return f"{'; '.join(parts)}; {kernel.sysname} {kernel.machine}, {os.cpu_count()} cores."


def table():
    lines = ["| what | measured | to reach | |", "|---|---|---|---|"]
    for what, measured, target, met in rows:
        lines.append(f"| {what} | {measured} | {target} | {met} |" if measured else f"| **{what}** | | | |")
    missed = sum(r[3] == "NOT MET" for r in rows)
    judged = sum(r[3] != "" for r in rows)
    return "\n".join(lines), f"{judged - missed} of {judged} targets met."


def main():
    ca = certificates()
    http_port, https_port = free_port(), free_port()
    server = nginx(http_port, https_port)
    SERVER.append(server)
    http, https = f"http://127.0.0.1:{http_port}/v2", f"https://localhost:{https_port}/v2"
    try:
        counts(http, https, ca)
        with undisturbed():
            warm_calls(http, https, ca)
            cold(https)
            memory(http, https)
            threads()
            python(http, https, ca)
            csharp(http)
            bulk()
            started()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
        shutil.rmtree(SCRATCH, ignore_errors=True)
    text, summary = table()
    print("\n" + text + "\n\n" + summary + "\n" + versions())
    if sys.argv[2] == "readme":
        readme = HERE / "README.md"
        page = re.sub(r"(<!-- table -->\n).*(<!-- end -->)", lambda m: f"{m[1]}{text}\n\n{summary}\n\n{versions()}\n{m[2]}",
                      readme.read_text(), flags=re.S)
        readme.write_text(page)


main()
