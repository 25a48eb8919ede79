"""What a call gives back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, Dict, Optional, Tuple, cast

from ._codes import Action, Code

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
    """One user's update, done or failed. It can be compared, pickled and kept for as long as you like."""

    user_id: str
    """The id as you gave it."""
    action: Action
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
    """The user's place in the list of ``update_many``, from 0."""
    # An answer has its own. It is no field, so that asdict() and pydantic see nothing but plain data.
    _headers: ClassVar[Headers] = Headers()

    @property
    def ok(self) -> bool:
        """Whether Zoom did it."""
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
