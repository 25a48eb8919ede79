"""Holds what a run can do with each user (update, read, or read to say what an update would do) and how the run shows it."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from typing import Any, Dict, Generic, Iterator, List, NamedTuple, Optional, TypeVar

from .._batch import Batch
from .._client import Client
from .._codes import Action, Code, Delivery, Status
from .._errors import error_for
from .._result import Result, UserStatus
from .terminal import RED, YELLOW, clean

T = TypeVar("T")
PREFLIGHT = "PREFLIGHT"
"""The code in the report for a user of a preflight, who was only read."""
DESCRIPTION = {
    Action.DEACTIVATE: "remove their licenses and block the login",
    Action.ACTIVATE: "let them log in again",
}
_WANTED = {Action.ACTIVATE: Status.ACTIVE, Action.DEACTIVATE: Status.INACTIVE}


def is_missing(code: Code, zoom_code: int) -> bool:
    """Returns whether the user does not exist. Zoom may report a pending user with USER_NOT_FOUND too, but with another Zoom code."""
    return code is Code.USER_NOT_FOUND and zoom_code == 1001


class Outcome(NamedTuple):
    """Says what became of one user."""

    result: Result
    done: bool
    """Whether the user counts as done, in the table and for the exit status. With --ignore-missing, a missing user does."""
    kind: str = ""
    """The group of done users in the table that the user belongs to, if there are several."""
    short: bool = False
    """Whether the user is done, but an update would not give the wanted status."""
    user: Optional[UserStatus] = None
    """The user's data, if the user was read."""
    verdict: Optional[str] = None
    """In a preflight, the word in JSON for what an update would do; empty if the user could not be read."""

    # The cells of the report. A user of a preflight is not sent.

    @property
    def code(self) -> str:
        return self.result.code.symbol if self.verdict is None else PREFLIGHT

    @property
    def message(self) -> str:
        return self.result.message if self.verdict is None else self.kind or self.result.message

    @property
    def delivery(self) -> Delivery:
        return self.result.delivery if self.verdict is None else Delivery.NOT_SENT

    @property
    def status_before(self) -> str:
        return "" if self.verdict is None else _shown(self.result.user_status)

    @property
    def status_after(self) -> str:
        return _shown(self.result.user_status) if self.verdict is None else ""


class Job(ABC, Generic[T]):
    """Describes one kind of run."""

    word: str
    """The word in the report's column ``action``."""
    did: str
    """What the summary says about the users who are done."""
    would: str
    """What a dry run says about the users."""
    updates = True

    @abstractmethod
    def begin(self, client: Client, users: List[str]) -> Batch[T]:
        """Returns the batch."""

    @abstractmethod
    def outcome_of(self, one: T) -> Outcome:
        """Returns what a result of the batch means."""

    def outcomes(self, batch: Batch[T]) -> Iterator[Outcome]:
        for one in batch:
            yield self.outcome_of(one)

    @abstractmethod
    def line(self, outcome: Outcome) -> str:
        """Returns the line that a person reads."""

    def colour(self, outcome: Outcome) -> str:
        if outcome.done:
            return YELLOW if outcome.short else ""
        return YELLOW if outcome.result.code in (Code.CANCELLED, Code.NOT_VERIFIED) else RED

    def header(self, users: List[str]) -> str:
        """Returns the header of the table, if the lines make up a table."""
        return ""

    def json(self, outcome: Outcome) -> Dict[str, Any]:
        """Returns what JSON says besides the result."""
        return {}


class Update(Job[Result]):
    """Updates the users."""

    def __init__(self, action: Action, ignore_missing: bool, verify: Optional[float]) -> None:
        self.action = action
        self.word = str(action)
        self.did = f"{action}d and verified" if verify else f"{action}d"
        self.would = f"{action}d"
        self._ignore_missing = ignore_missing

    def begin(self, client: Client, users: List[str]) -> Batch[Result]:
        return client.update_many(users, self.action)

    def outcome_of(self, one: Result) -> Outcome:
        ignored = self._ignore_missing and is_missing(one.code, one.zoom_code)
        return Outcome(one, one.ok or ignored)

    def line(self, outcome: Outcome) -> str:
        result = outcome.result
        if result.ok:
            return f"{clean(result.user_id)}: {self.did}"
        if outcome.done:
            return f"{clean(result.user_id)}: does not exist, which counts as done"
        return _failure(result)

    def json(self, outcome: Outcome) -> Dict[str, Any]:
        ignored = {"ignored": True} if outcome.done and not outcome.result.ok else {}
        return {**ignored, "status": _shown(outcome.result.user_status)}


class Read(Job[UserStatus]):
    """Reads the users and shows them as a table."""

    word = "status"
    did = would = "read"
    updates = False

    def __init__(self) -> None:
        self._width = 0

    def begin(self, client: Client, users: List[str]) -> Batch[UserStatus]:
        return client.statuses(users)

    def outcome_of(self, one: UserStatus) -> Outcome:
        return Outcome(one.result, one.ok, (_shown(one.status) or "other") if one.ok else "", user=one)

    def header(self, users: List[str]) -> str:
        self._width = min(max((len(clean(user)) for user in users), default=0), 44)
        return self._row("user", "status", "role", "last login")

    def line(self, outcome: Outcome) -> str:
        user = outcome.user
        if is_missing(outcome.result.code, outcome.result.zoom_code):
            return self._row(clean(outcome.result.user_id), "not found", "-", "-")
        if not outcome.done or user is None:
            return _failure(outcome.result)
        return self._row(clean(user.user_id), outcome.kind, clean(user.role) or "-", clean(user.last_login_time) or "-")

    def _row(self, user: str, status: str, role: str, last_login: str) -> str:
        return f"{user:<{self._width}}  {status:<9}  {role:<12}  {last_login}"

    def json(self, outcome: Outcome) -> Dict[str, Any]:
        return {"status": _shown(outcome.result.user_status), **_who(outcome.user)}


class Preflight(Job[UserStatus]):
    """Reads the users and says what the update would do. It sends none."""

    updates = False
    did = would = "read"

    def __init__(self, action: Action) -> None:
        self.action = action
        self.word = str(action)
        self._kinds = {
            "will_change": f"will be {action}d",
            "already": f"already {_WANTED[action]}",
            "pending": f"pending: an invitation, which can't be {action}d",
            "protected": "owner or admin: Zoom refuses",
            "not_found": "not on this account",
            "unknown": "the status is not one that this program knows",
        }

    def begin(self, client: Client, users: List[str]) -> Batch[UserStatus]:
        return client.statuses(users)

    def outcome_of(self, one: UserStatus) -> Outcome:
        verdict = self._verdict(one)
        short = verdict not in ("", "will_change", "already")
        return Outcome(one.result, bool(verdict), self._kinds.get(verdict, ""), short, one, verdict)

    def _verdict(self, user: UserStatus) -> str:
        if is_missing(user.result.code, user.result.zoom_code):
            return "not_found"
        if not user.ok:
            return ""
        if user.status is Status.PENDING:
            return "pending"
        if user.status is _WANTED[self.action]:
            return "already"
        if user.protected:
            return "protected"
        return "unknown" if user.status is Status.UNKNOWN else "will_change"

    def line(self, outcome: Outcome) -> str:
        result = outcome.result
        return f"{clean(result.user_id)}: {outcome.kind}" if outcome.done else _failure(result)

    def json(self, outcome: Outcome) -> Dict[str, Any]:
        preflight = {"preflight": outcome.verdict} if outcome.verdict else {}
        return {**preflight, "status": _shown(outcome.result.user_status), **_who(outcome.user)}


def job_of(options: argparse.Namespace) -> Job[Any]:
    if options.command == "status":
        return Read()
    action = Action.of(options.command)
    if options.preflight:
        return Preflight(action)
    return Update(action, options.ignore_missing, options.verify)


def _shown(status: Status) -> str:
    return "" if status is Status.UNKNOWN else str(status)


def _who(user: Optional[UserStatus]) -> Dict[str, Any]:
    if user is None or not user.ok:
        return {}
    return {
        "id": user.id,
        "email": user.email,
        "role": user.role,
        "role_id": user.role_id,
        "type": user.type,
        "dept": user.dept,
        "last_login_time": user.last_login_time,
    }


def _failure(result: Result) -> str:
    text = clean(str(error_for(result)))
    if result.code is Code.CANCELLED:
        return f"{'NOT SENT' if result.delivery is Delivery.NOT_SENT else 'OUTCOME UNKNOWN'} {text}"
    return f"{'NOT VERIFIED' if result.code is Code.NOT_VERIFIED else 'FAILED'} {text}"
