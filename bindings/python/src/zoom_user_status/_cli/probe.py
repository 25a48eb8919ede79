"""Tests the way to a host, step by step: proxy, addresses, connection, TLS, clock. It sends none of Zoom's credentials."""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import http.client
import ipaddress
import re
import socket
import ssl
import time
from typing import Iterator, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import SplitResult, unquote, urlsplit

from .certificate import issuer_of
from .environment import Environment

_TIMEOUT = 10.0  # seconds for each step
_CLOCK = 60  # seconds by which the clocks may differ


class Step(NamedTuple):
    name: str
    ok: Optional[bool]
    """None if the result can't be known, or matters only for some commands."""
    text: str
    advice: str = ""


class _LastStep(Exception):
    """Ends the test of a host with its last step."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.text)
        self.step = step


def proxy_of(env: Environment, option: Optional[str]) -> Tuple[str, str]:
    """Returns the proxy's URL and where it is set, as the library reads it. If there is no proxy, the URL is empty and the second text
    says why."""
    if option is not None:
        return option, "--proxy"
    if urlsplit(env.api_url).scheme == "http":
        return "", "none is used for http://, which is for loopback"
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        if env.values.get(name):
            return env.values[name], env.source(name)
    return "", "HTTPS_PROXY and ALL_PROXY are not set"


def is_exempt(host: str, env: Mapping[str, str]) -> bool:
    """Returns whether NO_PROXY covers a host. It reads the variable as curl does."""
    listed = env.get("no_proxy") or env.get("NO_PROXY") or ""
    if listed == "*":
        return True
    entries = [entry for entry in re.split(r"[,\s]+", listed) if entry]
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host.strip("[]"))
        for entry in entries:
            with contextlib.suppress(ValueError):
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
        return False
    name = host.lower().rstrip(".")
    return any(name == bare or name.endswith(f".{bare}") for bare in (e.lower().strip(".") for e in entries) if bare)


class Probe:
    """Tests the way to the host of one URL."""

    def __init__(self, url: str, env: Environment, proxy: Optional[str], ca_file: Optional[str]) -> None:
        self._url = urlsplit(url)
        self.host = self._url.hostname or ""
        self._env = env
        self._proxy_option = proxy
        self._ca_file = ca_file
        self._socket: Optional[socket.socket] = None

    def steps(self) -> Iterator[Step]:
        """Yields the steps, up to the first one that fails."""
        try:
            yield from self._steps()
        except _LastStep as end:
            yield end.step
        finally:
            if self._socket is not None:
                self._socket.close()

    def _steps(self) -> Iterator[Step]:
        yield from self._reach()
        if self._url.scheme == "https":
            yield self._encrypt()
        else:
            yield Step("TLS", True, "none: http:// to loopback")
        yield self._clock()

    def _reach(self) -> Iterator[Step]:
        """Yields the steps until there is a connection to the host."""
        proxy, where = proxy_of(self._env, self._proxy_option)
        via: Optional[SplitResult] = None
        if proxy and self._proxy_option is None and is_exempt(self.host, self._env.values):
            yield Step("proxy", True, f"none, as NO_PROXY covers {self.host}")
        elif proxy:
            via = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            yield Step("proxy", True, f"{via.scheme}://{via.hostname}:{_port(via)}, from {where}")
        else:
            yield Step("proxy", True, f"none ({where})")
        hop = via or self._url
        yield self._resolve(hop.hostname or "", _port(hop))
        yield self._connect(hop.hostname or "", _port(hop))
        if via is not None:
            if via.scheme not in ("http", "https"):
                raise _LastStep(Step("tunnel", None, f"check can't test what comes after a {via.scheme}:// proxy; the step token shows it"))
            yield self._tunnel(via)

    def _resolve(self, host: str, port: int) -> Step:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise _LastStep(Step("host", False, f"{host} has no address: {why}", "check DNS, and whether you need a proxy (HTTPS_PROXY)"))
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return Step("host", True, f"{host} is {', '.join(addresses[:4])}{' and more' if len(addresses) > 4 else ''}")

    def _connect(self, host: str, port: int) -> Step:
        began = time.monotonic()
        try:
            self._socket = socket.create_connection((host, port), timeout=_TIMEOUT)
        except OSError as error:
            text = f"{host}:{port} can't be reached: {error.strerror or error}"
            raise _LastStep(Step("connection", False, text, "check the firewall, and whether you need a proxy (HTTPS_PROXY)"))
        ms = (time.monotonic() - began) * 1000
        return Step("connection", True, f"to {self._socket.getpeername()[0]}, port {port}, in {ms:.0f} ms")

    def _tunnel(self, via: SplitResult) -> Step:
        assert self._socket is not None
        try:
            if via.scheme == "https":
                self._socket = self._context().wrap_socket(self._socket, server_hostname=via.hostname)
            target = f"{self.host}:{_port(self._url)}"
            lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
            if via.username:
                login = f"{unquote(via.username)}:{unquote(via.password or '')}"
                lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            status = self._status_line()
        except (OSError, UnicodeError) as error:
            raise _LastStep(Step("tunnel", False, f"the proxy failed: {error}", "check the proxy's URL"))
        code = status.split(" ")[1] if status.startswith("HTTP/") and " " in status else ""
        if not code.startswith("2"):
            advice = (
                "add the user name and password to the proxy's URL: http://user:password@host:port"
                if code == "407"
                else f"ask the people who run the proxy to allow {self.host}"
            )
            raise _LastStep(Step("tunnel", False, f"the proxy refuses: {status or 'it closed the connection'}", advice))
        return Step("tunnel", True, f"the proxy connects to {self.host}")

    def _status_line(self) -> str:
        """Returns the status line of the proxy's response, and reads past its headers."""
        assert self._socket is not None
        data = b""
        while b"\r\n\r\n" not in data and len(data) < 65536:
            more = self._socket.recv(1)
            if not more:
                break
            data += more
        return data.split(b"\r\n", 1)[0].decode("latin-1")

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._ca_file)

    def _encrypt(self) -> Step:
        assert self._socket is not None
        plain = self._socket
        try:
            context = self._context()
        except OSError as error:
            raise _LastStep(Step("TLS", False, f"{self._ca_file} can't be read: {error}", "--ca-file takes a file with CA certificates in PEM"))
        try:
            wrapped = context.wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            raise _LastStep(
                Step(
                    "TLS",
                    False,
                    f"the certificate is not trusted: {error.verify_message}{self._unverified_issuer()}",
                    "if your company inspects TLS, name its CA certificate with --ca-file, SSL_CERT_FILE or REQUESTS_CA_BUNDLE",
                )
            )
        except OSError as error:
            raise _LastStep(Step("TLS", False, f"the handshake failed: {error}", "check whether another server responds in Zoom's place"))
        self._socket = wrapped
        issuer = issuer_of(wrapped.getpeercert(binary_form=True) or b"")
        return Step("TLS", True, f"{wrapped.version()}, the certificate is issued by {issuer}")

    def _unverified_issuer(self) -> str:
        """Says who issued a certificate that isn't trusted. It makes a new connection, does the TLS handshake and sends nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        other = Probe(self._url.geturl(), self._env, self._proxy_option, self._ca_file)
        with contextlib.suppress(OSError, _LastStep):
            for _ in other._reach():
                pass
            assert other._socket is not None
            with context.wrap_socket(other._socket, server_hostname=self.host) as wrapped:
                return f"; it is issued by {issuer_of(wrapped.getpeercert(binary_form=True) or b'')}"
        return ""

    def _clock(self) -> Step:
        assert self._socket is not None
        connection = http.client.HTTPConnection(self.host, timeout=_TIMEOUT)
        connection.sock = self._socket
        try:
            connection.request("HEAD", "/", headers={"User-Agent": "zoom-user-status"})
            date = connection.getresponse().getheader("Date") or ""
            there = email.utils.parsedate_to_datetime(date)
        except (OSError, http.client.HTTPException) as error:
            raise _LastStep(Step("clock", None, f"no HTTP response came: {error}", "check whether another server responds in Zoom's place"))
        except (TypeError, ValueError, IndexError):
            return Step("clock", None, "the server's response does not say its time")
        seconds = (datetime.datetime.now(datetime.timezone.utc) - there).total_seconds()
        if abs(seconds) > _CLOCK:
            way = "ahead of" if seconds > 0 else "behind"
            return Step("clock", None, f"{abs(seconds):.0f} s {way} the server", "correct this machine's clock: certificates and tokens depend on it")
        return Step("clock", True, "agrees with the server")


def _port(url: SplitResult) -> int:
    with contextlib.suppress(ValueError):
        if url.port:
            return url.port
    return {"https": 443, "socks5": 1080}.get(url.scheme, 80)


def hosts(env: Environment) -> List[str]:
    """Returns the URLs to test: the API's URL, and the OAuth URL if it is used and has another host."""
    urls = [env.api_url]
    if not env.values.get("ZOOM_ACCESS_TOKEN") and urlsplit(env.oauth_url).netloc != urlsplit(env.api_url).netloc:
        urls.append(env.oauth_url)
    return urls
