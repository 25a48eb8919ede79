"""Holds the options of a client, their defaults, and the messages about a value that is not allowed."""

from __future__ import annotations

import logging
import math
import operator
import os
from fractions import Fraction
from typing import Any, List, Literal, Optional, Tuple, TypedDict, Union

from . import _native as native
from ._codes import Code
from ._errors import error_for
from ._result import Result


class Options(TypedDict, total=False):
    """The options that ``Client`` takes besides the credentials and URLs."""

    timeout: Union[float, Tuple[float, float]]
    attempt_timeout: Optional[float]
    retries: int
    backoff: Tuple[float, float]
    rate: Optional[float]
    concurrency: int
    verify: float
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

LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_ENCODINGS = {"form": 0, "json": 1}
TOKEN_MOST = 8192  # bytes
# These texts say more than the message of libzus. None of them contains a value, which may be a secret.
_URL = "https://..., or http:// to loopback, without a user, query or fragment"
_SECONDS = "from 0.001 to 86400 seconds"
_PROXY = "a URL: http://, https:// or socks5://, then [user:password@]host[:port]"
ENV_PROXY = "HTTPS_PROXY (else ALL_PROXY) of the environment"
MUST_BE = {
    "token": 'the token (ZOOM_ACCESS_TOKEN) alone, without "Bearer ", whitespace or line breaks',
    "account_id, client_id, client_secret": (
        "as the app shows them (ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET): not empty, without line breaks, "
        "and no colon in client_id"
    ),
    "base_url": f"a URL (ZOOM_API_URL): {_URL}",
    "oauth_url": f"a URL (ZOOM_OAUTH_URL): {_URL}",
    "timeout": _SECONDS,
    "attempt_timeout": _SECONDS,
    "verify": "from 0 to 86400 seconds; with 0, updates are not verified",
    "retries": "from 0 to 99",
    "backoff": f"two times {_SECONDS}, the shorter one first",
    "rate": "less than 1000000 requests a second and at least one a day; None or 0 for no limit",
    "concurrency": "from 1 to 256",
    "proxy": _PROXY,
    ENV_PROXY: _PROXY,
    "ca_file": "a file with certificates in PEM",
    "user_agent": "up to 256 bytes, without control characters",
}


def kind_of(
    token: Optional[str],
    account_id: Optional[str],
    client_id: Optional[str],
    client_secret: Optional[str],
    token_provider: Optional[Any],
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
        raise usage_error(
            Code.CREDENTIALS,
            "the client has no credentials: pass a token, or account_id with client_id and client_secret, or a token_provider",
        )
    if len(kinds) > 1:
        raise usage_error(Code.ARGUMENT, f"the client has more than one kind of credentials ({', '.join(kinds)}): pass only one")
    if kinds == ["oauth"] and len(given) < len(oauth):
        missing = ", ".join(name for name in oauth if name not in given)
        raise usage_error(Code.CREDENTIALS, f"the OAuth credentials are not complete: pass {missing}, too")
    return kinds[0]


def usage_error(code: Code, message: str) -> Exception:
    return error_for(Result("", None, code, message=message))


def to_bytes(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise usage_error(Code.UTF8, f"{name}: {native.text_of(Code.UTF8)}") from None
    if b"\0" in encoded:  # in C the text would end there
        raise usage_error(Code.ARGUMENT, f"{name}: {native.text_of(Code.ARGUMENT)}")
    return encoded


def out_of_range(name: str, value: float) -> Exception:
    return usage_error(Code.ARGUMENT, f"{name} must be {MUST_BE[name]}, not {value}")


def to_whole(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}") from None
    if not 0 <= number < 2**31:  # C would read another number
        raise out_of_range(name, number)
    return number


def to_timeouts(timeout: Union[float, Tuple[float, float]]) -> Tuple[int, int]:
    if isinstance(timeout, (int, float)):
        timeout = (min(TIMEOUT[0], timeout), timeout)
    return to_times("timeout", timeout)


def to_times(name: str, pair: Tuple[float, float]) -> Tuple[int, int]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        one = "a number of seconds or " if name == "timeout" else ""
        raise TypeError(f"{name} must be {one}a pair of numbers of seconds, not {pair!r}")
    return to_ms(name, pair[0]), to_ms(name, pair[1])


def to_ms(name: str, seconds: float) -> int:
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {type(seconds).__name__}")
    if not 0 < seconds <= 86_400:
        raise out_of_range(name, seconds)
    return math.ceil(seconds * 1000)  # rounded up, so that a small number does not become 0


def to_rate(rate: Optional[float]) -> Tuple[int, int]:
    """Converts requests a second to a number of requests in a number of milliseconds: 2.5 is 5 in 2000."""
    if rate is None or rate == 0:
        return 0, 1000
    if not isinstance(rate, (int, float)):
        raise TypeError(f"rate must be a number of requests a second, not {type(rate).__name__}")
    if not 0 < rate < 1_000_000:
        raise out_of_range("rate", rate)
    if rate < 1:
        return 1, math.ceil(min(1000 / rate, 2**31))
    each = Fraction(rate).limit_denominator(60)
    return each.numerator, each.denominator * 1000


def to_encoding(encoding: str) -> int:
    if encoding not in _ENCODINGS:
        raise usage_error(Code.ARGUMENT, f"encoding must be form or json, not {encoding!r}")
    return _ENCODINGS[encoding]
