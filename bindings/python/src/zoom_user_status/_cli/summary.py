"""Counts how a run ended and shows it as a table. Each user and each row is in exactly one line of it."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, Counter, Dict, Iterable, Iterator, List, Optional, Tuple

from .._codes import Code, Delivery
from .hints import hint
from .jobs import Outcome
from .report import Earlier
from .terminal import GREEN, RED, YELLOW, Console, duration

DONE, FAILED, USAGE_ERROR, STOPPED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


@dataclasses.dataclass
class Tally:
    """Holds the counts. ``users`` is the sum of ``before``, ``done``, ``failed``, ``unknown`` and ``not_sent``."""

    did: str
    """What the table says about the users who are done."""
    users: int
    skipped: int
    done_before: int = 0
    failed_before: int = 0
    done: int = 0
    missing: int = 0
    """The done users who do not exist (``--ignore-missing``)."""
    kinds: Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """The done users in groups, if there are several groups."""
    short: int = 0
    """The done users who would not get the wanted status."""
    unknown: int = 0
    """The users whose outcome is unknown: they were in flight when the run stopped."""
    again: int = 0
    """The failed users whom ``--resume`` sends again."""
    failures: Counter[Code] = dataclasses.field(default_factory=collections.Counter)
    ended: str = ""
    """Why the run stopped early."""
    signal_status: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        result = outcome.result
        if outcome.done:
            self.done += 1
            self.short += outcome.short
            if outcome.kind:
                self.kinds[outcome.kind] += 1
            else:
                self.missing += not result.ok
        elif result.code is Code.CANCELLED:
            self.unknown += result.delivery is not Delivery.NOT_SENT
        else:
            self.failures[result.code] += 1
            self.again += result.code.transient

    @property
    def before(self) -> int:
        return self.done_before + self.failed_before

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def not_sent(self) -> int:
        return self.users - self.before - self.done - self.failed - self.unknown

    @property
    def remaining(self) -> int:
        """The number of users whom ``--resume`` sends."""
        return self.not_sent + self.unknown + self.again

    @property
    def status(self) -> int:
        if self.signal_status:
            return self.signal_status
        if self.ended:
            return STOPPED
        return FAILED if self.failed or self.failed_before or self.short or self.skipped else DONE

    def as_json(self) -> Dict[str, Any]:
        return {
            "users": self.users,
            "done": self.done,
            "missing": self.missing,
            "kinds": dict(sorted(self.kinds.items())),
            "failed": self.failed,
            "skipped": self.skipped,
            "not_sent": self.not_sent,
            "unknown": self.unknown,
            "before": self.before,
            "failed_before": self.failed_before,
            "seconds": round(self.seconds, 3),
            "codes": {code.symbol: number for code, number in sorted(self.failures.items())},
            "ended": self.ended,
            "status": self.status,
        }

    def show(self, console: Console, updates: bool) -> None:
        """Shows the table."""
        rows = list(self._rows(updates))
        width = max(len(number) for _, number, _, _ in rows)
        for name, number, text, colour in rows:
            line = f"{name:<9} {number:>{width}}  {text}".rstrip()
            console.say(line, colour)

    def _rows(self, updates: bool) -> Iterator[Tuple[str, str, str, str]]:
        gone = f", {self.missing} of them because they don't exist" if self.missing else ""
        yield "done", str(self.done), f"{self.did}{gone}", GREEN if self.done else ""
        for kind, number in self.kinds.most_common():
            yield "", str(number), kind, ""
        if self.before:
            yield "before", str(self.before), f"in the report already: {self.done_before} done, {self.failed_before} failed", ""
        yield "failed", str(self.failed), "", RED if self.failed else ""
        longest = max((len(code.symbol) for code in self.failures), default=0)
        for code, number in self.failures.most_common():
            yield "", str(number), f"{code.symbol:<{longest}}  {hint(code, updates)}", ""
        if self.unknown:
            yield "unknown", str(self.unknown), "in flight when the run stopped: the update may have been applied", YELLOW
        yield "skipped", str(self.skipped), "rows without a user" if self.skipped else "", YELLOW if self.skipped else ""
        yield "not sent", str(self.not_sent), "", YELLOW if self.not_sent else ""
        sent = self.done + self.failed + self.unknown
        speed = f"{sent / self.seconds:.1f} users a second" if sent and self.seconds > 0 else ""
        yield "time", duration(self.seconds), speed, ""


def how_it_ended(tally: Tally, resume: Optional[str], again: str, console: Console) -> None:
    """Says why the run stopped, and how to continue: with the command ``resume``, or else as the text ``again`` says."""
    if tally.signal_status:
        console.error("stopped by a signal")
    elif tally.ended:
        console.error(f"stopped: {tally.ended}")
    if not tally.remaining:
        return
    parts: List[str] = []
    if tally.not_sent:
        parts.append(f"{tally.not_sent} not sent")
    if tally.unknown:
        parts.append(f"{tally.unknown} with unknown outcome")
    if tally.again:
        parts.append(f"{tally.again} failed and may succeed later")
    remaining = f"{tally.remaining} user{'s' * (tally.remaining != 1)} remain{'s' * (tally.remaining == 1)} ({', '.join(parts)})"
    if resume is None:
        console.error(f"{remaining}. {again}".rstrip())
    else:
        console.error(f"{remaining}. To continue: {resume}")


def describe(earlier: Iterable[Earlier]) -> str:
    """Says how many users of earlier runs are done, and how many failed with which code."""
    codes = collections.Counter(one.code for one in earlier)
    done = codes.pop(Code.OK, 0)
    reasons = ", ".join(f"{number} {code.symbol}" for code, number in sorted(codes.items()))
    return f"{done} done" + (f", {sum(codes.values())} failed ({reasons})" if codes else "")
