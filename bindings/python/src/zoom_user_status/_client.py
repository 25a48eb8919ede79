"""The client."""

from __future__ import annotations

import ctypes
import logging
import math
import operator
import os
from fractions import Fraction
from types import TracebackType
from typing import Any, Callable, Iterable, List, Literal, Mapping, Optional, Tuple, Type, TypedDict, Union
from urllib.parse import urlsplit

from . import _native as native
from ._batch import Batch
from ._calls import Cancel, Hooks, Send, callback, calling_back, name_this_thread, perform
from ._codes import Action, ActionLike, Code
from ._errors import error_for
from ._result import Credentials, Result
from ._typing import Self, Unpack


class Options(TypedDict, total=False):
    """What ``Client`` takes besides the credentials and URLs."""

    timeout: Union[float, Tuple[float, float]]
    retries: int
    backoff: Tuple[float, float]
    rate: Optional[float]
    concurrency: int
    proxy: Optional[str]
    ca_file: Union[str, os.PathLike[str], None]
    encoding: Literal["form", "json"]
    user_agent: Optional[str]
    logger: Union[logging.Logger, str, None]


BASE_URL = "https://api.zoom.us/v2"
OAUTH_URL = "https://zoom.us/oauth/token"
TIMEOUT = (10.0, 60.0)
RETRIES = 3
BACKOFF = (0.5, 30.0)
RATE = 30
CONCURRENCY = 16

TokenProvider = Callable[[bool], str]
"""Gives a bearer token; the argument says whether Zoom refused the last one."""

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_ENCODINGS = {"form": 0, "json": 1}
_TOKEN_MOST = 8192  # bytes
# libzus tells only that a setting can't be used. None of these repeats a value, which may be a secret.
_URL = "https://..., or http:// to loopback, without a user, query or fragment"
_SECONDS = "from 0.001 to 86400 seconds"
_PROXY = "a URL: http://, https:// or socks5://, then [user:password@]host[:port]"
_ENV_PROXY = "HTTPS_PROXY (else ALL_PROXY) of the environment"
_MUST_BE = {
    "token": 'the token (ZOOM_ACCESS_TOKEN) alone, without "Bearer ", blanks or line breaks',
    "account_id, client_id, client_secret": (
        "as the app shows them (ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET): not empty, without line breaks, "
        "and no colon in client_id"
    ),
    "base_url": f"a URL (ZOOM_API_URL): {_URL}",
    "oauth_url": f"a URL (ZOOM_OAUTH_URL): {_URL}",
    "timeout": _SECONDS,
    "retries": "from 0 to 99",
    "backoff": f"two times {_SECONDS}, the shorter one first",
    "rate": "less than 1000000 requests a second and at least one a day; None or 0 for no limit",
    "concurrency": "from 1 to 256",
    "proxy": _PROXY,
    _ENV_PROXY: _PROXY,
    "ca_file": "a file with certificates in PEM",
    "user_agent": "up to 256 bytes, without control characters",
}


class Client:
    """Activates and deactivates the users of one Zoom account.

    Give one kind of credentials: ``token``; or ``account_id``, ``client_id`` and ``client_secret`` of a Server-to-Server
    OAuth app, whose tokens are fetched, kept and renewed; or a ``token_provider``, which is called with ``True`` when Zoom refused
    its last token. None of them is kept in Python.

    A client is safe in many threads at once, and is best shared: it keeps connections, the token and the pace. Making one sends
    nothing. It doesn't survive a fork: the child's calls raise ``ForkedError``.

    Args:
        base_url: the API's; https, except on loopback. ``oauth_url``: where tokens come from.
        timeout: seconds for a whole update with its retries and waits, or a pair: to connect, and for the whole.
        retries: how often a request is repeated where that is safe and useful; 0 for never.
        backoff: seconds before the first retry, and the most before any.
        rate: requests a second of the whole client; ``None`` or 0 for no limit. Zoom allows 4 (Free), 30 (Pro), 80 (Business).
        concurrency: users in flight in ``update_many``.
        proxy: its URL; "" for none; ``None`` takes the environment's.
        ca_file: a PEM file: only its certificates are trusted. ``None`` takes the operating system's.
        encoding: ``"form"`` sends the action as form data and, where that is refused, as JSON from then on; ``"json"`` at once.
        logger: where log lines go, by default ``logging.getLogger("zoom_user_status")``. Lines under its level at this
            moment are not made.

    Raises:
        CredentialsMissing: no credentials, or a part of them.
        InvalidArgument: a value can't be used.
    """

    def __init__(
        self,
        token: Optional[str] = None,
        *,
        account_id: Optional[str] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        token_provider: Optional[TokenProvider] = None,
        base_url: str = BASE_URL,
        oauth_url: str = OAUTH_URL,
        timeout: Union[float, Tuple[float, float]] = TIMEOUT,
        retries: int = RETRIES,
        backoff: Tuple[float, float] = BACKOFF,
        rate: Optional[float] = RATE,
        concurrency: int = CONCURRENCY,
        proxy: Optional[str] = None,
        ca_file: Union[str, os.PathLike[str], None] = None,
        encoding: Literal["form", "json"] = "form",
        user_agent: Optional[str] = None,
        logger: Union[logging.Logger, str, None] = None,
    ) -> None:
        self._native: Optional[native.ClientHandle] = None
        self._hooks = Hooks()
        self._kind = _kind(token, account_id, client_id, client_secret, token_provider)
        self._base_url = base_url
        connect, total = _timeouts(timeout)
        first, most = _times("backoff", backoff)
        keep: List[Any] = []
        config: int = native.config_new()

        def put(name: str, setter: Any, *values: Any) -> None:
            code = setter(config, *values)
            if code:
                must_be = _MUST_BE.get(name) if code == Code.ARGUMENT else None
                raise _misuse(Code(code), f"{name} must be {must_be}" if must_be else f"{name}: {native.config_message(config).decode()}")

        try:
            if token is not None:
                put("token", native.config_set_token, _bytes("token", token))
            elif token_provider is not None:
                if not callable(token_provider):
                    raise TypeError(f"token_provider is a function, not {type(token_provider).__name__}")
                provide = native.TOKEN_PROVIDER_FN(self._callback(_token_writer(token_provider), 0))
                keep.append(provide)
                put("token_provider", native.config_set_token_provider, provide, None)
            else:
                names = ("account_id", "client_id", "client_secret")
                parts = [_bytes(name, value) for name, value in zip(names, (account_id, client_id, client_secret))]
                put("account_id, client_id, client_secret", native.config_set_oauth, *parts)
            put("base_url", native.config_set_urls, _bytes("base_url", base_url), None)
            put("oauth_url", native.config_set_urls, None, _bytes("oauth_url", oauth_url))
            put("timeout", native.config_set_timeouts, connect, total)
            attempts = _whole("retries", retries) + 1
            put("retries", native.config_set_retry, attempts, 1, 1)  # alone, to tell it from backoff
            put("backoff", native.config_set_retry, attempts, first, most)
            put("rate", native.config_set_rate, *_per_ms(rate))
            put("concurrency", native.config_set_concurrency, _whole("concurrency", concurrency))
            put("encoding", native.config_set_encoding, _encoding(encoding))
            if proxy is not None:
                put("proxy", native.config_set_proxy, _bytes("proxy", proxy))
            if ca_file is not None:
                with open(ca_file, "rb") as file:
                    pem = file.read()
                put("ca_file", native.config_set_ca_pem, pem, len(pem))
            if user_agent is not None:
                put("user_agent", native.config_set_user_agent, _bytes("user_agent", user_agent))
            log = logger if isinstance(logger, logging.Logger) else logging.getLogger(logger or "zoom_user_status")
            # Warnings always: they are rare, and logging is often set up after the client.
            level = max((number for number, name in _LEVELS.items() if log.isEnabledFor(name)), default=2)
            write = native.LOG_FN(self._callback(_log_writer(log), None))
            keep.append(write)
            put("logger", native.config_set_log, max(level, 2), write, None)
            client = native.ClientHandle(keep)
            put(_ENV_PROXY, client.open)  # what is read only now
            self._native = client
        finally:
            native.config_free(config)

    @classmethod
    def from_env(cls, env: Optional[Mapping[str, str]] = None, **options: Unpack[Options]) -> Self:
        """A client from the environment (or another mapping): ZOOM_ACCESS_TOKEN, else ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and
        ZOOM_CLIENT_SECRET; also ZOOM_API_URL and ZOOM_OAUTH_URL. Options are those of ``Client``.

        Raises:
            CredentialsMissing: names what is not set.
        """
        env = os.environ if env is None else env
        urls = (env.get("ZOOM_API_URL") or BASE_URL, env.get("ZOOM_OAUTH_URL") or OAUTH_URL)
        token = env.get("ZOOM_ACCESS_TOKEN")
        if token:
            return cls(token, base_url=urls[0], oauth_url=urls[1], **options)
        names = ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET")
        account_id, client_id, client_secret = (env.get(name) or "" for name in names)
        missing = [name for name in names if not env.get(name)]
        if missing:
            others = "ZOOM_ACCESS_TOKEN or " if len(missing) == len(names) else ""
            raise _misuse(Code.CREDENTIALS, f"no credentials in the environment: set {others}{', '.join(missing)}")
        return cls(
            account_id=account_id,
            client_id=client_id,
            client_secret=client_secret,
            base_url=urls[0],
            oauth_url=urls[1],
            **options,
        )

    def update(self, user_id: str, action: ActionLike, *, cancel: Optional[Cancel] = None) -> Result:
        """Does one action with one user, and waits for Zoom's answer.

        Args:
            user_id: Zoom's id of the user, or the e-mail address, without blanks around it.
            action: an ``Action`` or its name: activate, deactivate, clock_in, clock_out.

        Raises:
            UserNotFound, UserProtected, RateLimited, Unauthorized, ...: the ``ZoomUserStatusError`` of what went wrong; its
                ``result`` has Zoom's code, message and tracking id.
            KeyboardInterrupt: on Ctrl-C, at once. The update may or may not have been done; to repeat it does no harm.
        """
        wanted = Action.of(action)
        client = self._open()
        user = _bytes("user_id", user_id)

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.update_status(client.value, user, wanted, canceller, out)
            return code

        return self._wait(user_id, wanted, send, cancel)

    def activate(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.ACTIVATE``: the user can log in again. Zoom isn't said to give the licences back."""
        return self.update(user_id, Action.ACTIVATE, cancel=cancel)

    def deactivate(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.DEACTIVATE``: takes all licences and blocks the login."""
        return self.update(user_id, Action.DEACTIVATE, cancel=cancel)

    def clock_in(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.CLOCK_IN``."""
        return self.update(user_id, Action.CLOCK_IN, cancel=cancel)

    def clock_out(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.CLOCK_OUT``."""
        return self.update(user_id, Action.CLOCK_OUT, cancel=cancel)

    def update_many(self, user_ids: Iterable[str], action: ActionLike, *, cancel: Optional[Cancel] = None) -> Batch:
        """Does one action with many users, ``concurrency`` at a time and paced by ``rate``: an iterator of their results in the
        order in which they end. A user's failure is a result like any other; ids given twice are sent twice.

        Nothing is sent before the first result is asked for. See ``Batch`` for how to stop early.
        """
        _check_cancel(cancel)
        if isinstance(user_ids, (str, bytes)):
            raise TypeError("user_ids is a list of ids, not one of them")
        users = list(user_ids)
        for user in users:
            if not isinstance(user, str):
                raise TypeError(f"a user id is a str, not {type(user).__name__}")
        if calling_back(self._hooks):
            raise _misuse(Code.REENTRANT, native.text_of(Code.REENTRANT))
        return Batch(self._open(), self._hooks, users, Action.of(action), cancel)

    def check_credentials(self, *, cancel: Optional[Cancel] = None) -> Credentials:
        """Gets a token and touches no user. Of a fixed token or a provider's nothing can be learnt this way.

        Raises:
            TokenError: Zoom gives none for these credentials; the message says why.
        """
        client = self._open()

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.check_credentials(client.value, canceller, out)
            return code

        return Credentials.parse(self._kind, self._wait("", Action.DEACTIVATE, send, cancel).body)

    def _wait(self, user_id: str, action: Action, send: Send, cancel: Optional[Cancel]) -> Result:
        _check_cancel(cancel)
        code, handle = perform(self._hooks, send, cancel)
        result = (
            native.read_result(handle, code, user_id, action)
            if handle
            else Result(user_id, action, Code(code), message=native.text_of(code))
        )
        if code:
            raise error_for(result)
        return result

    def close(self) -> None:
        """Closes the connections once the calls of other threads have ended. Calls from then on raise ``RuntimeError``."""
        self._native = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        url = urlsplit(self._base_url)
        shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
        return f"<{type(self).__name__} {shown} {self._kind}{'' if self._native else ' closed'}>"

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Client can't be pickled: make one in each process")

    def _callback(self, function: Callable[..., Any], failed: Any) -> Callable[..., Any]:
        made = callback(self._hooks, function, failed)
        self._hooks.callbacks.append(made)
        return made

    def _open(self) -> native.ClientHandle:
        if self._native is None:
            raise RuntimeError("the client is closed")
        return self._native


def _kind(
    token: Optional[str],
    account_id: Optional[str],
    client_id: Optional[str],
    client_secret: Optional[str],
    token_provider: Optional[TokenProvider],
) -> str:
    oauth = {"account_id": account_id, "client_id": client_id, "client_secret": client_secret}
    given = [name for name, value in oauth.items() if value is not None]
    kinds = [
        name
        for name, there in (
            ("token", token is not None),
            ("oauth", bool(given)),
            ("token_provider", token_provider is not None),
        )
        if there
    ]
    if not kinds:
        raise _misuse(
            Code.CREDENTIALS,
            "no credentials: give a token, account_id with client_id and client_secret, or a token_provider",
        )
    if len(kinds) > 1:
        raise _misuse(Code.ARGUMENT, f"more than one kind of credentials: {', '.join(kinds)}")
    if kinds == ["oauth"] and len(given) < len(oauth):
        raise _misuse(Code.CREDENTIALS, f"missing: {', '.join(name for name in oauth if name not in given)}")
    return kinds[0]


def _misuse(code: Code, message: str) -> Exception:
    return error_for(Result("", Action.DEACTIVATE, code, message=message))


def _bytes(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name} is a str, not {type(value).__name__}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise _misuse(Code.UTF8, f"{name}: {native.text_of(Code.UTF8)}") from None
    if b"\0" in encoded:  # C would take what is before it for the whole
        raise _misuse(Code.ARGUMENT, f"{name}: {native.text_of(Code.ARGUMENT)}")
    return encoded


def _check_cancel(cancel: Optional[Cancel]) -> None:
    if cancel is not None and not isinstance(cancel, Cancel):
        raise TypeError(f"cancel is a Cancel of zoom_user_status, not {type(cancel).__name__}")


def _out_of_range(name: str, value: float) -> Exception:
    return _misuse(Code.ARGUMENT, f"{name} must be {_MUST_BE[name]}, not {value}")


def _whole(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {type(value).__name__}") from None
    if not 0 <= number < 2**31:  # C would take some other number
        raise _out_of_range(name, number)
    return number


def _timeouts(timeout: Union[float, Tuple[float, float]]) -> Tuple[int, int]:
    if isinstance(timeout, (int, float)):
        timeout = (min(TIMEOUT[0], timeout), timeout)
    return _times("timeout", timeout)


def _times(name: str, pair: Tuple[float, float]) -> Tuple[int, int]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        one = "a number of seconds or " if name == "timeout" else ""
        raise TypeError(f"{name} is {one}a pair of numbers of seconds, not {pair!r}")
    return _ms(name, pair[0]), _ms(name, pair[1])


def _ms(name: str, seconds: float) -> int:
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} is in seconds, which are a number, not {type(seconds).__name__}")
    if not 0 < seconds <= 86_400:
        raise _out_of_range(name, seconds)
    return math.ceil(seconds * 1000)  # a wait that is not zero doesn't become zero


def _per_ms(rate: Optional[float]) -> Tuple[int, int]:
    """Requests a second as so many in so many milliseconds: 2.5 is 5 in 2000."""
    if rate is None or rate == 0:
        return 0, 1000
    if not isinstance(rate, (int, float)):
        raise TypeError(f"rate is a number of requests a second, not {type(rate).__name__}")
    if not 0 < rate < 1_000_000:
        raise _out_of_range("rate", rate)
    if rate < 1:
        return 1, math.ceil(min(1000 / rate, 2**31))
    each = Fraction(rate).limit_denominator(60)
    return each.numerator, each.denominator * 1000


def _encoding(encoding: str) -> int:
    if encoding not in _ENCODINGS:
        raise _misuse(Code.ARGUMENT, f"encoding is form or json, not {encoding!r}")
    return _ENCODINGS[encoding]


def _token_writer(provider: TokenProvider) -> Callable[..., int]:
    waiting: List[bytes] = []  # a token that asked for a larger buffer

    def write(_userdata: object, refused: int, buffer: Any, capacity: int) -> int:
        token = waiting.pop() if waiting else _bytes("the token of token_provider", provider(bool(refused)))
        if len(token) > _TOKEN_MOST:
            raise _misuse(Code.ARGUMENT, f"the token of token_provider has more than {_TOKEN_MOST} bytes")
        if len(token) > capacity:
            waiting.append(token)
        else:
            ctypes.memmove(buffer, token, len(token))
        return len(token)

    return write


def _log_writer(log: logging.Logger) -> Callable[..., None]:
    def write(_userdata: object, level: int, message: bytes) -> None:
        name_this_thread()
        log.log(_LEVELS.get(level, logging.DEBUG), "%s", message.decode("utf-8", "replace"))

    return write


