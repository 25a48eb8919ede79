"""What a call gives back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, Dict, Optional, Tuple, cast

from ._codes import Action, Code, Delivery, Status

# What is kept of a batch's answers, whose native results end with the callback, and of a pickled result.
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
    """The kept headers of an answer whose native result isn't at hand."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Optional[Dict[str, str]] = None) -> None:
        self._kept = kept or {}

    def header(self, name: str) -> str:
        return self._kept.get(name.lower(), "")

    def __reduce__(self) -> Tuple[Any, ...]:
        return Headers, (self._kept,)

    def __deepcopy__(self, memo: Dict[int, Any]) -> Headers:
        return self  # it never changes


@dataclasses.dataclass(frozen=True)
class Result:
    """What a call came to, done or failed. It can be compared, pickled and kept for as long as you like."""

    user_id: str
    """The id as you gave it."""
    action: Optional[Action]
    """``None`` where the user was read, and for what is of no user."""
    code: Code
    http_status: int = 0
    """0 when no answer came."""
    zoom_code: int = 0
    """Zoom's own error code, or 0."""
    message: str = ""
    """What went wrong in words, with Zoom's own; empty on success."""
    tracking_id: str = ""
    """Zoom's ``x-zm-trackingid``, which its support asks for."""
    retry_after: Optional[int] = None
    """Seconds from the moment of the answer, where Zoom said when to come back."""
    attempts: int = 0
    """Attempts begun for this user, repeats included: requests sent, and connections that failed."""
    body: bytes = dataclasses.field(default=b"", repr=False)
    """The answer's body as it came."""
    index: int = 0
    """The user's place in the list of ``update_many`` or ``statuses``, from 0."""
    delivery: Delivery = Delivery.NOT_SENT
    """Whether the request may have reached Zoom."""
    user_status: Status = Status.UNKNOWN
    """The user's status where it was read: by ``status``, or to verify the update."""
    is_fatal: bool = False
    """Whether every other user would fail the same way: no token, a missing scope, the daily limit, a wrong URL."""
    # An answer has its own. It is no field, so that asdict() and pydantic see nothing but plain data.
    _headers: ClassVar[Headers] = Headers()

    @property
    def ok(self) -> bool:
        """Whether Zoom accepted it; with ``Client(verify=...)``, whether the status is the wanted one."""
        return self.code == Code.OK

    def __bool__(self) -> bool:
        return self.ok

    def header(self, name: str, default: str = "") -> str:
        """A header of Zoom's answer, in any case: ``result.header("x-ratelimit-remaining")``.

        A result of ``update_many`` keeps only the ones of Zoom's documents (rate limit, retry, tracking, type and date).
        """
        return self._headers.header(name) or default

    def raise_for_status(self) -> Result:
        """Raises this failure's exception; gives the result itself when it is a success."""
        if self.code != Code.OK:
            from ._errors import error_for

            raise error_for(self)
        return self


@dataclasses.dataclass(frozen=True)
class UserStatus:
    """What Zoom says of a user. In ``statuses``, ``ok`` is false where the user could not be read, and ``result`` says why."""

    user_id: str
    """The id as you gave it."""
    status: Status = Status.UNKNOWN
    id: str = ""
    """Zoom's own."""
    email: str = ""
    display_name: str = ""
    role: str = ""
    """Its name, which is free text: see ``role_id``."""
    role_id: str = ""
    """``"0"`` is the account's owner, ``"1"`` an admin, ``"2"`` a member; others are roles of the account's own."""
    type: Optional[int] = None
    """1 Basic, 2 Licensed, 4 no Meetings license, 99 none."""
    dept: str = ""
    created_at: str = ""
    last_login_time: str = ""
    """In UTC, as Zoom writes it: ``2026-01-31T08:15:00Z``. Empty for a user who never signed in."""
    result: Result = dataclasses.field(default=Result("", None, Code.OK), repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the user could be read."""
        return self.result.ok

    def __bool__(self) -> bool:
        return self.ok

    @property
    def protected(self) -> bool:
        """Whether it is the account's owner or an admin, whose status Zoom doesn't change."""
        return self.role_id in ("0", "1")

    @property
    def data(self) -> Dict[str, Any]:
        """Everything that Zoom said, by its own names."""
        return _object(self.result.body) if self.ok else {}

    def raise_for_status(self) -> UserStatus:
        """Raises the failure's exception; gives itself when the user could be read."""
        self.result.raise_for_status()
        return self

    @classmethod
    def of(cls, result: Result) -> UserStatus:
        """From the result of a read."""
        said = _object(result.body) if result.ok else {}

        def text(name: str) -> str:
            value = said.get(name)
            return "" if value is None else str(value)

        kind = said.get("type")
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
    said = json.loads(body) if body else {}
    return said if isinstance(said, dict) else {}


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is known of the credentials after they have given a token. It holds no secret."""

    kind: str
    """``oauth``, ``token`` or ``token_provider``."""
    token_type: str = ""
    scopes: Tuple[str, ...] = ()
    """Empty for a fixed token or a provider: nothing can be learnt of these without touching a user."""
    expires_in: Optional[int] = None
    """Seconds from now."""
    api_url: str = ""
    """The API host that Zoom recommends for the account, when it names one."""

    @classmethod
    def parse(cls, kind: str, body: bytes) -> Credentials:
        if not body:
            return cls(kind)
        answer = cast(Dict[str, Any], json.loads(body))
        expires_in = answer.get("expires_in")
        return cls(
            kind,
            token_type=str(answer.get("token_type") or ""),
            scopes=tuple(str(answer.get("scope") or "").replace(",", " ").split()),
            expires_in=expires_in if isinstance(expires_in, int) else None,
            api_url=str(answer.get("api_url") or ""),
        )
