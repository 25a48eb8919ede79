"""Provides a fake Zoom for the tests of programs that use this package. It is a real HTTP server on loopback, and not a mock.

    def test_leavers(fake_zoom):                    # the fixture comes with the package
        fake_zoom.add("ada@example.com")
        with fake_zoom.client() as zoom:
            offboard(zoom, ["ada@example.com"])     # your code
        assert fake_zoom.status("ada@example.com") == "inactive"

For a program that calls ``Client.from_env()`` or runs the command line, set the variables in ``fake_zoom.env``.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Deque, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type
from urllib.parse import parse_qs, unquote, urlsplit

from ._client import Client
from ._options import Options
from ._typing import Self, Unpack

if TYPE_CHECKING:
    from ._async import AsyncClient

__all__ = ["FakeZoom", "Request", "Response"]

_STATUS_AFTER = {"activate": "active", "deactivate": "inactive"}
_ACTIONS = ("activate", "deactivate", "clock_in", "clock_out")


class Response(NamedTuple):
    """A response of the fake Zoom."""

    status: int
    code: int = 0
    """Zoom's own error code."""
    message: str = ""
    headers: Mapping[str, str] = {}

    @property
    def body(self) -> bytes:
        return json.dumps({"code": self.code, "message": self.message}).encode() if self.code or self.message else b""


class Request(NamedTuple):
    """A request that the fake Zoom received, as the ledger holds it."""

    method: str
    path: str
    user: str = ""
    """The user ID as the program wrote it."""
    action: str = ""
    status: int = 0
    """The HTTP status code of the response."""


class FakeZoom:
    """Holds users, issues access tokens, and keeps a ledger of all requests. A user who was not added does not exist.

    It is a context manager, and many threads may use it at once.
    """

    account_id = "fake-account"
    client_id = "fake-client"
    client_secret = "fake-secret"
    access_token = "fake-token"

    def __init__(self) -> None:
        self.scopes = "user:update:status:admin user:read:user:admin"
        """The scopes of the tokens that it issues."""
        self._lock = threading.Lock()
        self._users: Dict[str, Dict[str, Any]] = {}
        self._failures: Dict[str, Deque[Response]] = {}
        self._always: Dict[str, Response] = {}
        self._ledger: List[Request] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.zoom = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="zoom_user_status-fake-zoom", daemon=True)
        self._thread.start()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v2"

    @property
    def oauth_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/oauth/token"

    @property
    def env(self) -> Dict[str, str]:
        """The environment variables for ``Client.from_env`` and the command line, with OAuth credentials."""
        return {
            "ZOOM_ACCOUNT_ID": self.account_id,
            "ZOOM_CLIENT_ID": self.client_id,
            "ZOOM_CLIENT_SECRET": self.client_secret,
            "ZOOM_API_URL": self.api_url,
            "ZOOM_OAUTH_URL": self.oauth_url,
        }

    def client(self, **options: Unpack[Options]) -> Client:
        """Makes a client for this fake Zoom. It has no rate limit and short waits, unless the options say otherwise."""
        return Client.from_env(self.env, **_quick(options))

    def async_client(self, **options: Unpack[Options]) -> AsyncClient:
        """Makes an ``AsyncClient`` in the same way."""
        from ._async import AsyncClient  # here, because importing asyncio takes long

        return AsyncClient.from_env(self.env, **_quick(options))

    def add(self, *users: str, status: str = "active", **fields: Any) -> None:
        """Adds users, or changes users who were added before. The fields are part of the response to GET."""
        with self._lock:
            for user in users:
                known = self._users.setdefault(user.casefold(), {"id": f"id-{len(self._users)}", "email": user, "type": 2})
                known.update(fields, status=status)

    def status(self, user: str) -> Optional[str]:
        """Returns ``active``, ``inactive`` or ``pending``, or ``None`` for a user who does not exist."""
        with self._lock:
            known = self._users.get(user.casefold())
            return str(known["status"]) if known else None

    def fail(self, user: str, status: int, code: int = 0, message: str = "", *, times: Optional[int] = None, **headers: str) -> None:
        """Makes updates of this user fail: always, or only ``times`` times.

        Other keyword arguments are headers of the response: ``fail("ada@example.com", 429, times=1, retry_after="1")`` adds
        ``Retry-After``. The user ``token`` stands for requests for an access token.
        """
        response = Response(status, code, message, {name.replace("_", "-"): value for name, value in headers.items()})
        with self._lock:
            if times is None:
                self._always[user.casefold()] = response
            else:
                self._failures.setdefault(user.casefold(), deque()).extend([response] * times)

    @property
    def ledger(self) -> List[Request]:
        """All requests so far, in the order in which they came."""
        with self._lock:
            return list(self._ledger)

    @property
    def updated(self) -> List[str]:
        """The users whose update was accepted, in the order of the updates, as the program wrote them."""
        return [one.user for one in self.ledger if one.method == "PUT" and one.status == 204]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_url}, {len(self._users)} users, {len(self._ledger)} requests>"

    # ---- responses

    def _respond(self, method: str, path: str, authorization: str, body: bytes) -> Response:
        with self._lock:
            request, response = self._decide(method, path, authorization, body)
            self._ledger.append(request._replace(status=response.status))
        return response

    def _decide(self, method: str, path: str, authorization: str, body: bytes) -> Tuple[Request, Response]:
        route = urlsplit(path).path
        found = re.fullmatch(r"/v2/users/([^/]+)(/status)?", route)
        if method == "POST" and route == "/oauth/token":
            return Request(method, path), self._failure("token") or self._token(authorization, body)
        if not found or (method, bool(found[2])) not in (("PUT", True), ("GET", False)):
            return Request(method, path), Response(404, 2300, "This API endpoint is not recognized.")
        user = unquote(found[1])
        action = _action(body) if method == "PUT" else ""
        request = Request(method, path, user, action)
        if authorization != f"Bearer {self.access_token}":
            return request, Response(401, 124, "Invalid access token.")
        failure = self._failure(user) if method == "PUT" else None
        if failure:
            return request, failure
        known = self._users.get(user.casefold()) or next((one for one in self._users.values() if one["id"] == user), None)
        if known is None:
            return request, Response(404, 1001, f"User does not exist: {user}.")
        if method == "GET":
            return request, _Shown(200, message=json.dumps(known))
        if action not in _ACTIONS:
            return request, Response(400, 300, "Validation Failed.")
        if known["status"] != "pending":  # for a pending user, Zoom accepts an update and changes nothing
            known["status"] = _STATUS_AFTER.get(action, known["status"])
        return request, Response(204)

    def _failure(self, user: str) -> Optional[Response]:
        queue = self._failures.get(user.casefold())
        return queue.popleft() if queue else self._always.get(user.casefold())

    def _token(self, authorization: str, body: bytes) -> Response:
        login = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if authorization != f"Basic {login}":
            return _Shown(401, message=json.dumps({"reason": "Invalid client_id or client_secret", "error": "invalid_client"}))
        if parse_qs(body.decode("latin-1")).get("account_id") != [self.account_id]:
            return _Shown(400, message=json.dumps({"reason": "Bad Request", "error": "invalid_grant"}))
        token = {"access_token": self.access_token, "token_type": "bearer", "expires_in": 3600, "scope": self.scopes}
        return _Shown(200, message=json.dumps(token))


def _quick(options: Options) -> Options:
    given: Options = {"rate": None, "backoff": (0.01, 0.05)}
    given.update(options)
    return given


class _Shown(Response):
    """A response whose body is the message itself."""

    @property
    def body(self) -> bytes:
        return self.message.encode()


def _action(body: bytes) -> str:
    """Returns the action in a JSON body or a form."""
    found = re.search(rb'name="?action"?\r\n\r\n([^\r\n]*)|"action"\s*:\s*"([^"]*)"', body)
    return (found[1] or found[2] or b"").decode("latin-1") if found else ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    zoom: FakeZoom

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Does nothing: a client that closes its connection is not an error of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered, so that one packet holds the whole response

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert isinstance(self.server, _Server)
        response = self.server.zoom._respond(self.command, self.path, self.headers.get("Authorization", ""), body)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("x-zm-trackingid", "v=2.0;clid=fake;rid=WEB_0")
        if response.status != 204:
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if response.status != 204 and self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = do_PUT

    def log_message(self, format: str, *args: Any) -> None:
        pass
