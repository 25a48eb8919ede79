"""The report of a run: a CSV with one line a user, which a later run resumes from.

A line is written in one piece as its user ends. A run that is killed between Zoom's answer and the line leaves a user who is done
but not in the report: the next run sends that update again, which changes nothing.
"""

from __future__ import annotations

import csv
import datetime
import io
import os
import shutil
import time
from typing import Dict, List, Optional

from ._codes import Action, Code
from ._result import Result
from ._users import Misuse, Notice

FIELDS = ["user", "action", "code", "http_status", "zoom_code", "message", "tracking_id", "attempts", "time"]
_CODES = {code.symbol: code for code in Code}


def now() -> str:
    """The time in UTC, as ISO 8601."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clean(text: str) -> str:
    """On one line and without what would steer a terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def _line(cells: List[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "backslashreplace")


class Report:
    """An earlier run's lines, and the file that this run's lines go to."""

    def __init__(self, name: str, action: Action, resume: bool, notice: Notice) -> None:
        self.name = name
        self._path = os.path.realpath(name)
        self._action = action
        self._resume = resume
        self._kept: List[List[str]] = []
        self.done: Dict[str, Code] = {}
        """Who needs no other try: done, or refused for good."""
        self._file: Optional[int] = None
        self._synced = 0.0
        if os.path.exists(self._path):
            if not resume:
                raise Misuse(f"{name} exists: --resume goes on with it, or choose another name")
            if not os.path.isfile(self._path):
                raise Misuse(f"{name} is not a file")
            self._load(notice)

    def _load(self, notice: Notice) -> None:
        try:
            with open(self._path, "rb") as file:
                whole, newline, torn = file.read().rpartition(b"\n")
        except OSError as error:
            raise Misuse(f"{self.name}: {error.strerror or error}") from None
        header = _line(FIELDS)
        if not newline and header.startswith(torn):
            return  # killed at its very start
        try:
            rows = list(csv.reader(io.StringIO((whole + newline).decode("utf-8-sig"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise Misuse(f"{self.name} is not a report of this program: {error}") from None
        if not rows or rows[0] != FIELDS:
            raise Misuse(f"{self.name} is not a report of this program")
        if torn:
            notice(f"{self.name}: its last line is torn, so that user is sent again")
        for number, row in enumerate(rows[1:], 2):
            if len(row) != len(FIELDS) or row[2] not in _CODES:
                raise Misuse(f"{self.name}, line {number}: not a line of a report")
            if row[1] != str(self._action):
                raise Misuse(f"{self.name} is of another action: {row[1]}")
            code = _CODES[row[2]]
            if not code.passing:
                self.done[row[0]] = code
                self._kept.append(row)

    def open(self) -> None:
        """Makes the file, or leaves in it only the lines that stand: those of users who are tried again go."""
        if not self._resume:
            try:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
            except OSError as error:
                raise Misuse(f"{self.name}: {error.strerror or error}") from None
            self._put(_line(FIELDS))
            return
        beside = f"{self._path}.new"
        try:
            with open(beside, "wb") as file:
                file.write(_line(FIELDS) + b"".join(map(_line, self._kept)))
                file.flush()
                os.fsync(file.fileno())
            if os.path.exists(self._path):
                shutil.copymode(self._path, beside)
            os.replace(beside, self._path)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise Misuse(f"{self.name}: {error.strerror or error}") from None

    def add(self, result: Result) -> None:
        """One user's line. ``OSError`` when it can't be kept."""
        self._put(
            _line(
                [
                    clean(result.user_id),
                    str(result.action),
                    result.code.symbol,
                    str(result.http_status),
                    str(result.zoom_code),
                    clean(result.message),
                    clean(result.tracking_id),
                    str(result.attempts),
                    now(),
                ]
            )
        )

    def _put(self, line: bytes) -> None:
        assert self._file is not None
        while line:
            line = line[os.write(self._file, line) :]
        if time.monotonic() - self._synced > 1:  # a kill loses nothing; a power failure a second
            os.fsync(self._file)
            self._synced = time.monotonic()

    def close(self) -> None:
        if self._file is not None:
            os.fsync(self._file)
            os.close(self._file)
            self._file = None
