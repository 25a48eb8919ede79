"""Tests ``check``, which tests each step of the way to Zoom and says what failed and what to do."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Dict, Generator, Tuple

import pytest
from conftest import Sandbox, cli
from zoom_user_status.testing import FakeZoom

OAUTH = {"ZOOM_ACCESS_TOKEN": ""}
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificates, and is not installed")


def steps(run: Any) -> Dict[Tuple[str, str], Dict[str, Any]]:
    return {(step["host"], step["step"]): step for step in json.loads(run.stdout)["steps"]}


def test_every_step_succeeds(fake_zoom: FakeZoom) -> None:
    run = cli(fake_zoom, "check")
    assert (run.returncode, run.stderr) == (0, "") and run.stdout.endswith("An update can work.\n")
    for words in ("none is used for http://", "127.0.0.1 is 127.0.0.1", "agrees with the server", "obtained from 127.0.0.1, expires in 3600 s"):
        assert words in run.stdout
    facts = json.loads(cli(fake_zoom, "check", "--json").stdout)
    assert facts["ok"] and facts["account_id"] == "fake-account" and "user:read:user:admin" in facts["scopes"]
    assert [(step["step"], step["ok"]) for step in facts["steps"]] == [
        (name, True) for name in ("proxy", "host", "connection", "TLS", "clock", "token", "account", "update", "read")
    ]
    assert {one.method for one in fake_zoom.ledger} == {"HEAD", "POST"}
    assert fake_zoom.client_secret not in run.stdout + run.stderr


def test_wrong_credentials(fake_zoom: FakeZoom) -> None:
    run = cli(fake_zoom, "check", env={"ZOOM_CLIENT_SECRET": "wrong-secret"})
    assert run.returncode == 1 and "FAILED  token" in run.stdout and "invalid_client" in run.stdout
    assert "check the app's account ID, client ID and secret" in run.stdout and "an update can't work" in run.stderr
    assert "wrong-secret" not in run.stdout + run.stderr
    facts = json.loads(cli(fake_zoom, "check", "--json", env={"ZOOM_CLIENT_SECRET": "wrong-secret"}).stdout)
    assert not facts["ok"] and facts["code"] == "ZUS_ERR_TOKEN"


@pytest.mark.parametrize(
    "scopes, status, update, read",
    [
        ("meeting:read:admin", 1, False, None),
        ("user:update:status", 0, True, None),
        ("user:write:admin", 0, True, True),
        ("user:update:status:admin,user:read:admin", 0, True, True),
        ("user:read:user:admin", 1, False, True),
    ],
)
def test_scopes(fake_zoom: FakeZoom, scopes: str, status: int, update: Any, read: Any) -> None:
    fake_zoom.scopes = scopes
    run = cli(fake_zoom, "check", "--json")
    found = steps(run)
    assert run.returncode == status and (found["", "update"]["ok"], found["", "read"]["ok"]) == (update, read)
    if not update:
        assert "user:update:status:admin" in found["", "update"]["advice"]


def test_a_static_token(fake_zoom: FakeZoom) -> None:
    run = cli(fake_zoom, "check", env={"ZOOM_ACCESS_TOKEN": "anything"})
    assert run.returncode == 0 and "a static token, from ZOOM_ACCESS_TOKEN in the environment" in run.stdout
    assert "without touching a user" in run.stdout and "if Zoom accepts the token" in run.stdout
    assert {one.method for one in fake_zoom.ledger} == {"HEAD"}


def test_no_address_and_no_connection(fake_zoom: FakeZoom) -> None:
    run = cli(fake_zoom, "check", "--retries", "0", env={"ZOOM_API_URL": "https://no-such-host.invalid/v2"})
    assert run.returncode == 1 and "FAILED  host" in run.stdout and "no-such-host.invalid has no address" in run.stdout
    assert "check DNS" in run.stdout and "ok      token" in run.stdout
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    run = cli(fake_zoom, "check", env={"ZOOM_API_URL": f"http://127.0.0.1:{port}/v2"})
    assert run.returncode == 1 and f"127.0.0.1:{port} can't be reached: Connection refused" in run.stdout


class _Other(BaseHTTPRequestHandler):
    """A proxy that asks for a password, and a server with a wrong clock."""

    def do_CONNECT(self) -> None:
        self.send_response_only(407, "Proxy Authentication Required")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.send_response_only(404)
        self.send_header("Date", "Sat, 01 Jan 2000 00:00:00 GMT")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def other() -> Generator[int, None, None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Other)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_clock(fake_zoom: FakeZoom, other: int) -> None:
    run = cli(fake_zoom, "check", env={"ZOOM_API_URL": f"http://127.0.0.1:{other}/v2"})
    assert run.returncode == 0 and "note    clock" in run.stdout and "s ahead of the server" in run.stdout and "correct this machine's clock" in run.stdout


def test_the_proxy(fake_zoom: FakeZoom, other: int) -> None:
    env = {"ZOOM_API_URL": "https://api.example.invalid/v2", "ZOOM_ACCESS_TOKEN": "x"}
    proxy = f"http://somebody:pa55word@127.0.0.1:{other}"
    run = cli(fake_zoom, "check", env={**env, "HTTPS_PROXY": proxy})
    assert run.returncode == 1 and f"http://127.0.0.1:{other}, from HTTPS_PROXY in the environment" in run.stdout
    assert "FAILED  tunnel" in run.stdout and "407" in run.stdout and "user name and password" in run.stdout
    assert "pa55word" not in run.stdout + run.stderr
    run = cli(fake_zoom, "check", env={**env, "HTTPS_PROXY": proxy, "NO_PROXY": "other.invalid, .example.invalid"})
    assert "none, as NO_PROXY covers api.example.invalid" in run.stdout and "FAILED  host" in run.stdout
    run = cli(fake_zoom, "check", "--proxy", proxy, env=env)
    assert f"http://127.0.0.1:{other}, from --proxy" in run.stdout
    run = cli(fake_zoom, "check", "--proxy", "", env={**env, "HTTPS_PROXY": proxy})
    assert "none (--proxy)" in run.stdout


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Makes a folder with ca.pem, the CA certificate that signed server.pem."""
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/O=The Company/CN=The Company Inspection CA")  # fmt: skip
    openssl(tmp_path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(tmp_path, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "server.pem", "-days", "2", "-extfile", "names")  # fmt: skip
    return tmp_path


@needs_openssl
def test_a_company_that_inspects_tls(company: Path, new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--tls", str(company / "server.pem"), str(company / "server.key"))
    run = cli(sandbox, "check", env=OAUTH)
    assert run.returncode == 1 and "FAILED  TLS" in run.stdout and "issued by The Company, The Company Inspection CA" in run.stdout
    assert "--ca-file, SSL_CERT_FILE or REQUESTS_CA_BUNDLE" in run.stdout and "FAILED  token" in run.stdout
    ca = str(company / "ca.pem")
    folder = company / "hashed"
    folder.mkdir()
    shutil.copy(ca, folder)
    openssl(folder, "rehash", ".")
    for arguments, env in (
        (["--ca-file", ca], {}),
        ([], {"SSL_CERT_FILE": ca}),
        ([], {"REQUESTS_CA_BUNDLE": ca}),
        ([], {"REQUESTS_CA_BUNDLE": str(folder)}),
    ):
        run = cli(sandbox, "check", *arguments, env={**OAUTH, **env})
        assert run.returncode == 0 and "TLSv1.3, the certificate is issued by The Company" in run.stdout, run.stdout
        run = cli(sandbox, "deactivate", "ada@example.com", *arguments, env={**OAUTH, **env})
        assert (run.returncode, run.stdout) == (0, "ada@example.com: deactivated\n")
    run = cli(sandbox, "deactivate", "ada@example.com", "grace@example.com", env={"REQUESTS_CA_BUNDLE": str(company / "none.pem")})
    assert run.returncode == 2 and "REQUESTS_CA_BUNDLE in the environment names a file that does not exist" in run.stderr
    run = cli(sandbox, "deactivate", "ada@example.com", "grace@example.com")
    assert run.returncode == 1 and "ZUS_ERR_TLS" in run.stdout and "SSL_CERT_FILE or REQUESTS_CA_BUNDLE" in run.stdout
