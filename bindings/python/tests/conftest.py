"""Provides the real libzus, and the sandbox in Zoom's place."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Generator, List, Optional, Union

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings" / "python"
LIBRARY = Path(os.environ.get("ZUS_LIB_DIR") or ROOT / "target" / "release") / {
    "win32": "zus.dll",
    "darwin": "libzus.dylib",
}.get(sys.platform, "libzus.so")
SANDBOX = os.environ.get("ZUS_SANDBOX") or str(ROOT / "target" / "debug" / "examples" / "sandbox")
OAUTH = ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET")
os.environ["ZUS_LIBRARY"] = str(LIBRARY)
# A shell that starts the tests with & ignores SIGINT, and the programs that the tests start would ignore it, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
with contextlib.suppress(KeyError):
    del os.environ["ZOOM_ACCESS_TOKEN"]

from zoom_user_status import Client  # noqa: E402
from zoom_user_status.testing import FakeZoom  # noqa: E402

pytest_plugins = ["zoom_user_status.pytest_plugin"]


class Sandbox:
    """A sandbox that is running."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [SANDBOX, "--until-stdin-closes", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.env: Dict[str, str] = {}
        assert self.process.stdout
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            key, _, value = line.strip().partition("=")
            self.env[key] = value
        assert self.env, "the sandbox did not start"

    def client(self, **options: Any) -> Client:
        """Makes a client with a static token, no rate limit and short waits, unless the options say otherwise."""
        given: Dict[str, Any] = {"rate": None, "backoff": (0.01, 0.05), **options}
        if not any(name in given for name in ("token_provider", "account_id")):
            given.setdefault("token", self.env["ZOOM_ACCESS_TOKEN"])
        given.setdefault("oauth_url", self.env["ZOOM_OAUTH_URL"])
        given.setdefault("base_url", self.env["ZOOM_API_URL"])
        return Client(**given)

    @property
    def oauth(self) -> Dict[str, str]:
        return {name: self.env[f"ZOOM_{name.upper()}"] for name in ("account_id", "client_id", "client_secret")}

    def _control(self, path: str, method: str) -> bytes:
        url = self.env["ZOOM_API_URL"].replace("/v2", f"/sandbox/{path}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(url, method=method), timeout=10) as response:
            return bytes(response.read())

    def ledger(self) -> Dict[str, Any]:
        """Returns what the sandbox received."""
        found: Dict[str, Any] = json.loads(self._control("ledger", "GET"))
        return found

    def expire_tokens(self) -> None:
        self._control("expire-tokens", "POST")

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def new_sandbox() -> Generator[Callable[..., Sandbox], None, None]:
    made: List[Sandbox] = []

    def make(*options: str) -> Sandbox:
        made.append(Sandbox("--quiet", *options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def sandbox() -> Generator[Sandbox, None, None]:
    one = Sandbox("--quiet", "--users", "600")
    yield one
    one.close()


def received(sandbox: Sandbox, user: str, times: int = 1) -> None:
    """Waits until the sandbox has received this many requests for a user. The test needs a sandbox of its own."""
    until = time.monotonic() + 10
    while sandbox.ledger()["users"].get(user, {"received": 0})["received"] < times:
        assert time.monotonic() < until
        time.sleep(0.01)


def clean_env(zoom: Union[Sandbox, FakeZoom], **more: str) -> Dict[str, str]:
    """Returns the environment for a child process: only this Zoom's credentials, no proxy, and no other CA certificates."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ZOOM_", "SSL_CERT_")) and not name.lower().endswith(("_proxy", "_ca_bundle"))
    }
    source = str(PACKAGE / "src")
    credentials = {**zoom.env, **more}
    if credentials.get("ZOOM_ACCESS_TOKEN"):  # only one kind of credentials: the program prints a notice about two
        credentials = {name: value for name, value in credentials.items() if name not in OAUTH or name in more}
    return {**env, "PYTHONPATH": source, "PYTHONUNBUFFERED": "1", **credentials}


def cli(zoom: Union[Sandbox, FakeZoom], *arguments: str, env: Optional[Dict[str, str]] = None, **options: Any) -> Any:
    """Runs the command line, without a terminal unless the options say otherwise."""
    given: Dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, "-m", "zoom_user_status", *arguments]
    return subprocess.run(command, env=clean_env(zoom, **(env or {})), text=True, timeout=60, **given)


class Terminal:
    """Runs the command line with a pseudo-terminal."""

    def __init__(
        self, zoom: Union[Sandbox, FakeZoom], *arguments: str, columns: int = 120, env: Optional[Dict[str, str]] = None
    ) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.master, slave = pty.openpty()
        self.text = ""
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zoom_user_status", *arguments],
            env=clean_env(zoom, **{"TERM": "xterm", **(env or {})}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def until(self, words: Optional[str], seconds: float = 20) -> None:
        import select

        end = time.monotonic() + seconds
        while words is None or words not in self.text:
            assert time.monotonic() < end, self.text
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                assert words is None, self.text
                return
            self.text += data.decode()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def ended(self) -> int:
        self.until(None)
        code = self.process.wait(10)
        os.close(self.master)
        return code


pty_only = pytest.mark.skipif(os.name != "posix", reason="Windows has no pseudo-terminal of the kind that this test opens")
