"""Holds the numbers of the C API. New versions add numbers and never change one."""

from __future__ import annotations

import enum
from typing import Literal, Optional, Union


class Code(enum.IntEnum):
    """Says how a call ended: 1-19 are usage errors, 20-39 network errors, 40-69 come from Zoom, 70-79 from a batch, a cancel or a call that
    could not be started; 99 is a bug."""

    OK = 0
    NULL = 1
    UTF8 = 2
    ARGUMENT = 3
    CREDENTIALS = 4
    """No credentials are configured."""
    FORKED = 5
    """The client was made before a fork; the child process needs its own client."""
    REENTRANT = 6
    """A callback called its own client."""
    RESOLVE = 20
    CONNECT = 21
    TLS = 22
    TIMEOUT = 23
    PROXY = 24
    IO = 25
    """The connection broke."""
    PROTOCOL = 26
    """The response is not one that Zoom sends: HTML, text, a redirect, too large, cut short."""
    TOKEN = 40
    """No access token could be obtained."""
    UNAUTHORIZED = 41
    """Zoom rejected the access token."""
    FORBIDDEN = 42
    """The app lacks a scope, or the token's user lacks a permission."""
    USER_NOT_FOUND = 43
    USER_PROTECTED = 44
    """The user is a Zoom Room or an admin, whose status can't be changed."""
    USER_BUSY = 45
    """The user has upcoming Zoom Events."""
    USER_LIMIT = 46
    """The account has reached its user limit."""
    RATE_LIMITED = 47
    DAILY_LIMIT = 48
    """Zoom's daily limit was reached, or a rate limit that lasts more than a minute."""
    REJECTED = 49
    """Zoom rejected the request for another reason."""
    SERVER = 50
    """Zoom's server failed, such as with HTTP 5xx."""
    NOT_VERIFIED = 51
    """Zoom accepted the update, but the user's status did not become the wanted one in time, or could not be read."""
    ENDPOINT = 52
    """The server doesn't know this endpoint: check the API URL."""
    CANCELLED = 70
    PARTIAL = 71
    """A batch ran to its end and some users failed."""
    QUEUE_FULL = 72
    """65,536 started calls were not taken from the queue, so this call was not started."""
    NO_THREAD = 73
    """The system has no thread left, so the call was not started."""
    PANIC = 99
    """A bug in libzus."""

    @classmethod
    def _missing_(cls, value: object) -> Optional[Code]:
        if not isinstance(value, int):
            return None
        code = int.__new__(cls, value)  # a newer libzus has codes that this package does not know
        code._name_, code._value_ = "UNKNOWN", value
        return code

    @property
    def symbol(self) -> str:
        """The name in C, which reports and messages show: ``ZUS_ERR_USER_NOT_FOUND``."""
        return "ZUS_OK" if self is Code.OK else f"ZUS_ERR_{self.name}"

    def __str__(self) -> str:
        """Returns ``symbol`` on every Python: the text of an IntEnum changed in Python 3.11."""
        return self.symbol

    def __format__(self, spec: str) -> str:
        return format(int(self) if spec[-1:] in _OF_NUMBERS else str(self), spec)

    @property
    def transient(self) -> bool:
        """Whether the same update of the same user may succeed later."""
        return self in _TRANSIENT


_OF_NUMBERS = tuple("bcdoxXneEfFgG%")
_TRANSIENT = frozenset(
    {
        Code.CREDENTIALS,
        Code.FORKED,
        Code.REENTRANT,
        Code.RESOLVE,
        Code.CONNECT,
        Code.TLS,
        Code.TIMEOUT,
        Code.PROXY,
        Code.IO,
        Code.PROTOCOL,
        Code.TOKEN,
        Code.UNAUTHORIZED,
        Code.FORBIDDEN,
        Code.USER_BUSY,
        Code.USER_LIMIT,
        Code.RATE_LIMITED,
        Code.DAILY_LIMIT,
        Code.SERVER,
        Code.NOT_VERIFIED,
        Code.ENDPOINT,
        Code.CANCELLED,
        Code.QUEUE_FULL,
        Code.NO_THREAD,
        Code.PANIC,
    }
)


class _Word(enum.IntEnum):
    """Shows a number of the C API as a word in lower case."""

    def __str__(self) -> str:
        return self.name.lower()

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Delivery(_Word):
    """Says whether a request may have reached Zoom, over all attempts of a call."""

    NOT_SENT = 0
    """No request was sent: Zoom changed nothing."""
    UNKNOWN = 1
    """A request may have reached Zoom and may have been applied: the connection broke, the time ran out, the server failed, or the
    response did not come from Zoom."""
    RESPONDED = 2
    """Zoom sent a response, and the code says what it means."""


class Status(_Word):
    """The status of a user at Zoom."""

    UNKNOWN = 0
    """The user was not read, or this version does not know the status."""
    ACTIVE = 1
    """The user can sign in."""
    INACTIVE = 2
    """The user is deactivated."""
    PENDING = 3
    """The user was invited and has not accepted the invitation. Zoom accepts an update of the status and changes nothing."""


class Action(_Word):
    """What to do with a user. Every function that takes an action also takes its name: ``"deactivate"``."""

    ACTIVATE = 1
    DEACTIVATE = 2
    CLOCK_IN = 3
    CLOCK_OUT = 4

    @classmethod
    def of(cls, action: Union[Action, str]) -> Action:
        """Returns the action for an action or its name. Raises ``ValueError`` for any other value."""
        if isinstance(action, Action):
            return action
        if isinstance(action, str):
            found = cls.__members__.get(action.upper()) if action == action.lower() else None
            if found is None:
                raise ValueError(f"{action!r} is not an action: use one of {', '.join(map(str, cls))}")
            return found
        return cls(action)


ActionName = Literal["activate", "deactivate", "clock_in", "clock_out"]
ActionLike = Union[Action, ActionName]
