"""The report of a run: a CSV with one line a user, which a later run resumes from.

A line is written in one piece as its user ends. A run that is killed between Zoom's answer and the line leaves a user who is done
but not in the report: the next run sends that update again, which changes nothing.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import os
import shutil
import sys
import time
from typing import Dict, List, Optional, Set

from ._codes import Action, Code
from ._result import Result
from ._users import Misuse, Notice

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

FIELDS = ["user", "action", "code", "http_status", "zoom_code", "message", "tracking_id", "attempts", "time"]
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
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


def _last_lines(rows: List[List[str]]) -> List[List[str]]:
    """Each user's last line, in the order of the file."""
    last: Dict[str, List[str]] = {}
    for row in rows:
        last.pop(row[0], None)
        last[row[0]] = row
    return list(last.values())


class Report:
    """An earlier run's lines, and the file that this run's lines are added to.

    A user who is tried again has an older line too until ``close()``; the last one counts.
    """

    def __init__(self, name: str, action: Action, resume: bool, notice: Notice, read_only: bool = False) -> None:
        self.name = name
        self.problem: Optional[str] = None
        """Why no more lines can be kept."""
        self.done: Dict[str, Code] = {}
        """Who needs no other try: done, or refused for good."""
        self._path = os.path.realpath(name)
        self._action = action
        self._notice = notice
        self._earlier: Set[str] = set()  # users with a line already
        self._older = False  # whether some have two
        self._whole = 0  # bytes of the lines that aren't torn
        self._file: Optional[int] = None
        self._synced = 0.0
        if os.path.exists(self._path):
            if not resume:
                raise Misuse(f"{name} exists: --resume goes on with it, or choose another name")
            if not os.path.isfile(self._path):
                raise Misuse(f"{name} is not a file")
            self._load(self._read(read_only))

    def _read(self, read_only: bool) -> bytes:
        try:
            if not read_only:
                self._file = os.open(self._path, _APPEND)
                self._lock(self._file)
            with open(self._path, "rb") as file:
                return file.read()
        except OSError as error:
            raise Misuse(f"{self.name}: {error.strerror or error}") from None

    def _lock(self, file: int) -> None:
        """One run at a time. Windows has no lock that would let the file be read meanwhile."""
        if fcntl is None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misuse(f"{self.name} is in use by another run") from None
        except OSError:  # a file system without locks
            return
        if not os.path.samestat(os.fstat(file), os.stat(self._path)):
            raise Misuse(f"{self.name} was just finished by another run: start again")

    def _load(self, data: bytes) -> None:
        whole, newline, torn = data.rpartition(b"\n")
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
            self._notice(f"{self.name}: its last line is torn, so that user is sent again")
        for number, row in enumerate(rows[1:], 2):
            if len(row) != len(FIELDS) or row[2] not in _CODES:
                raise Misuse(f"{self.name}, line {number}: not a line of a report")
            if row[1] != str(self._action):
                raise Misuse(f"{self.name} is of another action: {row[1]}")
        codes = {row[0]: _CODES[row[2]] for row in rows[1:]}
        self.done = {user: code for user, code in codes.items() if not code.passing}
        self._earlier = set(codes)
        self._older = len(codes) < len(rows) - 1
        self._whole = len(whole) + 1

    def open(self) -> None:
        """Makes the file, or drops a torn last line."""
        made = self._file is None
        try:
            if self._file is None:
                self._file = os.open(self._path, _APPEND | os.O_CREAT | os.O_EXCL, 0o666)
                self._lock(self._file)
            os.ftruncate(self._file, self._whole)
            if not self._whole:
                self._put(_line(FIELDS))
        except OSError as error:
            if made and self._file is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
            raise Misuse(f"{self.name}: {error.strerror or error}") from None

    def add(self, result: Result) -> None:
        """One user's line. See ``problem`` for whether it was kept."""
        if self.problem:
            return
        row = [
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
        try:
            self._put(_line(row))
        except OSError as error:
            self._fail(error)
        self._older |= row[0] in self._earlier

    def _put(self, line: bytes) -> None:
        assert self._file is not None
        while line:
            line = line[os.write(self._file, line) :]
        if time.monotonic() - self._synced > 1:  # a kill loses nothing; a power failure a second
            os.fsync(self._file)
            self._synced = time.monotonic()

    def _fail(self, error: OSError) -> None:
        self.problem = f"{self.name} can't be written: {error.strerror or error}"

    def close(self) -> None:
        """Leaves each user's last line only."""
        if self._file is None:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._fail(error)
        if self._older and not self.problem:
            self._tidy()
        self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # all was synced before
                os.close(file)

    def _tidy(self) -> None:
        beside = f"{self._path}.new"
        try:
            with open(self._path, newline="", encoding="utf-8-sig") as report:
                header, *rows = csv.reader(report)
            with open(beside, "wb") as file:
                file.write(b"".join(map(_line, [header, *_last_lines(rows)])))
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(self._path, beside)
            if os.name == "nt":  # which replaces no open file
                self._shut()
            os.replace(beside, self._path)  # before the lock goes, so that no other run goes on with the old one
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            self._notice(f"{self.name} keeps older lines too ({error.strerror or error}): each user's last one counts")
