"""Holds what a call returns."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, Dict, Optional, Tuple, cast

from ._codes import Action, Code, Delivery, Status

# A native result of a batch is valid only during its callback, and a pickled one never is: these headers are copied from them.
KEPT_HEADERS = (
    "content-type",
    "date",
    "location",
    "retry-after",
    "server",
    "www-authenticate",
    "x-ratelimit-category",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-type",
    "x-zm-trackingid",
    "x-zm-zoneid",
)


class Headers:
    """Holds the copied headers of a response whose native result is not there any more."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Optional[Dict[str, str]] = None) -> None:
        self._kept = kept or {}

    def header(self, name: str) -> str:
        return self._kept.get(name.lower(), "")

    def __reduce__(self) -> Tuple[Any, ...]:
        return Headers, (self._kept,)

    def __deepcopy__(self, memo: Dict[int, Any]) -> Headers:
        return self  # it is immutable


@dataclasses.dataclass(frozen=True)
class Result:
    """Says how a call ended. A result is plain data: you can compare it, pickle it, and keep it for as long as you like."""

    user_id: str
    """The user ID as you passed it."""
    action: Optional[Action]
    """The action. ``None`` when the user was read, and for a call without a user."""
    code: Code
    http_status: int = 0
    """The HTTP status code; 0 when no response came."""
    zoom_code: int = 0
    """Zoom's own error code, or 0."""
    message: str = ""
    """What went wrong, with Zoom's own words; empty on success."""
    tracking_id: str = ""
    """Zoom's ``x-zm-trackingid``. Zoom's support asks for it."""
    retry_after: Optional[int] = None
    """The seconds to wait before the next request, counted from the response. ``None`` when Zoom did not say it."""
    attempts: int = 0
    """The attempts begun for this user, retries included: requests that were sent, and connections that failed."""
    body: bytes = dataclasses.field(default=b"", repr=False)
    """The body of the response."""
    index: int = 0
    """The user's position in the users of ``update_many`` or ``statuses``, from 0."""
    delivery: Delivery = Delivery.NOT_SENT
    """Whether a request may have reached Zoom."""
    user_status: Status = Status.UNKNOWN
    """The user's status, if ``status`` or the verification of the update read it."""
    is_fatal: bool = False
    """Whether the failure is fatal for a batch: every other user would fail the same way (no token, a missing scope, the daily limit, a
    wrong URL)."""
    # A result of a response has its own headers. This is no dataclass field, so that asdict() and pydantic see only plain data.
    _headers: ClassVar[Headers] = Headers()

    @property
    def ok(self) -> bool:
        """Whether the call succeeded: Zoom accepted it. With ``Client(verify=...)``, the user's status is also the wanted one."""
        return self.code == Code.OK

    def __bool__(self) -> bool:
        return self.ok

    def header(self, name: str, default: str = "") -> str:
        """Returns a header of the response: ``result.header("x-ratelimit-remaining")``. Upper and lower case make no difference.

        A result of ``Client.update_many`` or ``Client.statuses``, and a pickled result, have only some headers: those for the rate limit,
        the retry, the tracking ID, the content type, the date and a few more.
        """
        return self._headers.header(name) or default

    def raise_for_status(self) -> Result:
        """Raises the exception of a failure. Returns the result itself when the call succeeded."""
        if self.code != Code.OK:
            from ._errors import error_for

            raise error_for(self)
        return self


@dataclasses.dataclass(frozen=True)
class UserStatus:
    """Holds what Zoom says about a user. If ``statuses`` could not read the user, ``ok`` is false and ``result`` says why."""

    user_id: str
    """The user ID as you passed it."""
    status: Status = Status.UNKNOWN
    id: str = ""
    """Zoom's own ID of the user."""
    email: str = ""
    display_name: str = ""
    role: str = ""
    """The name of the role. It is free text: decide by ``role_id``."""
    role_id: str = ""
    """``"0"`` is the account's owner, ``"1"`` an admin, ``"2"`` a member. Other values are roles that the account made itself."""
    type: Optional[int] = None
    """The license: 1 is Basic, 2 Licensed, 4 no Meetings license, 99 none."""
    dept: str = ""
    created_at: str = ""
    last_login_time: str = ""
    """The time of the last login in UTC, as Zoom writes it: ``2026-01-31T08:15:00Z``. Empty for a user who never logged in."""
    result: Result = dataclasses.field(default=Result("", None, Code.OK), repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the user could be read."""
        return self.result.ok

    def __bool__(self) -> bool:
        return self.ok

    @property
    def protected(self) -> bool:
        """Whether the user is the account's owner or an admin, whose status Zoom doesn't change."""
        return self.role_id in ("0", "1")

    @property
    def data(self) -> Dict[str, Any]:
        """Everything that Zoom's response says about the user, under Zoom's names."""
        return _object(self.result.body) if self.ok else {}

    def raise_for_status(self) -> UserStatus:
        """Raises the exception of a failure. Returns the object itself when the user could be read."""
        self.result.raise_for_status()
        return self

    @classmethod
    def of(cls, result: Result) -> UserStatus:
        """Makes the object from the result of a read."""
        found = _object(result.body) if result.ok else {}

        def text(name: str) -> str:
            value = found.get(name)
            return "" if value is None else str(value)

        kind = found.get("type")
        return cls(
            result.user_id,
            result.user_status,
            id=text("id"),
            email=text("email"),
            display_name=text("display_name"),
            role=text("role_name"),
            role_id=text("role_id"),
            type=kind if isinstance(kind, int) else None,
            dept=text("dept"),
            created_at=text("created_at"),
            last_login_time=text("last_login_time"),
            result=result,
        )


def _object(body: bytes) -> Dict[str, Any]:
    found = json.loads(body) if body else {}
    return found if isinstance(found, dict) else {}


@dataclasses.dataclass(frozen=True)
class Credentials:
    """Holds what is known about the credentials. It holds no secret."""

    kind: str
    """``oauth``, ``token`` or ``token_provider``."""
    token_type: str = ""
    scopes: Tuple[str, ...] = ()
    """The scopes of the token. Empty for a static token and a token provider: only a call for a user can show what they allow."""
    expires_in: Optional[int] = None
    """The seconds until the token expires, counted from the response."""
    api_url: str = ""
    """The API URL that Zoom recommends for the account, if it names one."""

    @classmethod
    def parse(cls, kind: str, body: bytes) -> Credentials:
        if not body:
            return cls(kind)
        response = cast(Dict[str, Any], json.loads(body))
        expires_in = response.get("expires_in")
        return cls(
            kind,
            token_type=str(response.get("token_type") or ""),
            scopes=tuple(str(response.get("scope") or "").replace(",", " ").split()),
            expires_in=expires_in if isinstance(expires_in, int) else None,
            api_url=str(response.get("api_url") or ""),
        )
