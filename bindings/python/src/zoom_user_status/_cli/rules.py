"""Decides when a run stops by itself, because going on would do harm or would do nothing."""

from __future__ import annotations

from typing import Optional

from .._codes import Code
from .jobs import Outcome

FIRST = 25
"""The run stops when this many users have failed for the same reason, or have not reached Zoom."""


def _reached_nobody(code: Code) -> bool:
    return 20 <= code < 40


class StopRules:
    """Checks every result and says when to stop, and why."""

    def __init__(self, max_failures: Optional[int]) -> None:
        self._max_failures = max_failures
        self._failures = 0
        self._counted = 0
        self._only: Optional[Code] = None  # the code with which all users have failed so far
        self._unreachable = 0

    def check(self, outcome: Outcome, tried_before: bool, asked_for: bool) -> Optional[str]:
        """Returns why the run should stop now, or None.

        tried_before: the user failed in an earlier run, so another failure says nothing about the list.
        asked_for: the person asked to send failed users again, with --retry-failed.
        """
        code = outcome.result.code
        ignored = outcome.done and not outcome.result.ok
        if code is Code.CANCELLED:
            return None
        failed = not outcome.done
        self._failures += failed
        if failed and self._failures == self._max_failures:
            return f"{self._failures} users failed (--max-failures {self._max_failures})"
        if ignored or asked_for:
            return None
        self._unreachable = self._unreachable + 1 if _reached_nobody(code) else 0
        if self._unreachable == FIRST:
            return f"{FIRST} users in a row could not reach Zoom, the last one with {code.symbol}: see zoom-user-status check"
        if tried_before or self._max_failures is not None:
            return None
        if code is Code.NOT_VERIFIED:  # Zoom accepted the update, so the account is the right one
            failed = False
        self._counted += 1
        self._only = code if failed and (self._counted == 1 or code is self._only) else None
        if self._counted == FIRST and self._only is not None:
            return f"the first {FIRST} users all failed with {code.symbol}: check that this is the right account and the right list"
        return None
