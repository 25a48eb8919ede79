"""Writes the report of a run, a CSV with one line for each user, and reads it when a later run resumes.

A line is written in one piece when its user has ended. If the run is killed between Zoom's response and the line, the user is done but
not in the report: the next run sends that update again, which changes nothing.

A spreadsheet program may have saved the report again: with semicolons, in another encoding, with more columns and with blank lines. Such
a file is converted to the program's own form, with every column, before the run adds lines.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import os
import re
import shutil
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from .._codes import Code, Delivery
from .cells import key_of, trim
from .encodings import FALLBACK
from .jobs import PREFLIGHT, Outcome
from .terminal import Console, CommandLineError, clean
from .users import Skipped

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

SKIPPED = "SKIPPED"
"""The code of a row of a file that names no user."""
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
_CODES = {code.symbol: code for code in Code}


class Binding(NamedTuple):
    """Says which account a report belongs to. A run never resumes from lines of another account or API."""

    account: str
    """The account ID; empty with a static token, which does not show its account."""
    api_url: str


def now() -> str:
    """Returns the time in UTC, as ISO 8601."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Each column: its name, and the cell of a user. A new column needs only a line here.
_COLUMNS: Dict[str, Callable[[Outcome], str]] = {
    "user": lambda outcome: clean(outcome.result.user_id),
    "action": lambda _: "",
    "code": lambda outcome: outcome.code,
    "http_status": lambda outcome: str(outcome.result.http_status),
    "zoom_code": lambda outcome: str(outcome.result.zoom_code),
    "message": lambda outcome: clean(outcome.message),
    "tracking_id": lambda outcome: clean(outcome.result.tracking_id),
    "attempts": lambda outcome: str(outcome.result.attempts),
    "delivery": lambda outcome: str(outcome.delivery),
    "status_before": lambda outcome: outcome.status_before,
    "status_after": lambda outcome: outcome.status_after,
    "role": lambda outcome: clean(outcome.user.role) if outcome.user else "",
    "last_login": lambda outcome: clean(outcome.user.last_login_time) if outcome.user else "",
    "time": lambda _: now(),
    "account": lambda _: "",
    "api_url": lambda _: "",
}
FIELDS = list(_COLUMNS)
_NEEDED = ("user", "action", "code")


class Earlier(NamedTuple):
    """Holds what a line of an earlier run says about a user."""

    code: Code
    zoom_code: int


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "backslashreplace")


class _Lines:
    """Reads the rows of a report's complete lines. It reads the file each time and keeps no row, to save memory."""

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._size = size
        self.encoding = "utf-8"
        self.delimiter = ","
        header = next(self._bytes(), b"")
        self.delimiter = max(",;\t", key=lambda sign: header.count(sign.encode()))
        try:
            self._check()
        except UnicodeDecodeError:  # Excel saved it again as plain "CSV"
            self.encoding = FALLBACK
            self._check()
        self.names = [trim(name) for name in next(iter(self.rows()), (0, []))[1]]
        self.at = {name: place for place, name in enumerate(self.names)}

    def _check(self) -> None:
        for line in self._bytes():
            line.decode(self.encoding)

    def _bytes(self) -> Iterator[bytes]:
        left = self._size
        with open(self._path, "rb") as file:
            for line in file:
                if left <= 0:
                    return
                left -= len(line)
                yield line

    def rows(self) -> Iterator[Tuple[int, List[str]]]:
        """Yields each row and its line number, the header included. It skips blank lines."""
        text = (line.decode(self.encoding).lstrip("\ufeff") for line in self._bytes())
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row

    @property
    def can_be_added_to(self) -> bool:
        return self.encoding == "utf-8" and self.delimiter == "," and all(name in self.at for name in FIELDS)


class Report:
    """Reads the lines of earlier runs and adds the lines of this run.

    Until ``close()``, a user who is sent again has an older line, too; the last line counts.
    """

    def __init__(
        self,
        name: str,
        action: str,
        binding: Binding,
        users: Mapping[str, str],
        console: Console,
        resume: bool = False,
        read_only: bool = False,
    ) -> None:
        self.name = name
        self.problem: Optional[str] = None
        """Why no more lines can be written."""
        self.earlier: Dict[str, Earlier] = {}
        """How this run's users ended in earlier runs, by ``key_of``."""
        self._before: Dict[str, str] = {}  # the status that a preflight found, by key_of
        self._path = os.path.realpath(name)
        self._action = action
        self._binding = binding
        self._console = console
        self._skipped_files: Tuple[str, ...] = ()  # the files that this run reads again: their older skipped rows are out of date
        self._users = users
        self._twice: Set[str] = set()  # the users who have an older line, too
        self._has_skipped = False
        self._whole = 0  # the bytes of the complete lines
        self._names = FIELDS
        self._rewrite = False  # whether the file must be converted before lines can be added
        self._file: Optional[int] = None
        self._synced = 0.0
        if name == "-":
            raise CommandLineError("--report takes a file name, not -; --json prints a line for each user on the standard output")
        if name.endswith(("/", os.sep)) or os.path.isdir(self._path):
            raise CommandLineError(f"{name} is a folder: --report takes the name of a file in it")
        if os.path.exists(self._path):
            if not os.path.isfile(self._path):
                raise CommandLineError(f"{name} is not a file: --report takes the name of a file")
            if not resume and os.path.getsize(self._path):
                raise CommandLineError(f"{name} exists already: continue it with --resume, or choose another name")
            self._read(read_only)

    # ---- reading

    def _read(self, read_only: bool) -> None:
        try:
            if not read_only:
                self._file = os.open(self._path, _APPEND)
                self._lock(self._file)
            self._load()
        except OSError as error:
            raise CommandLineError(f"{self.name}: {error.strerror or error}") from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise CommandLineError(f"{self.name} is not a report of this program ({error}): choose another name") from None

    def _lock(self, file: int) -> None:
        """Locks the report for this run. On Windows it does nothing: a lock there would keep other programs from reading the file."""
        if fcntl is None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandLineError(f"{self.name} is in use by another run: wait until that run has ended") from None
        except OSError:  # the file system has no locks
            return
        if not os.path.samestat(os.fstat(file), os.stat(self._path)):
            raise CommandLineError(f"another run just ended and replaced {self.name}: start this run again")

    def _load(self) -> None:
        with open(self._path, "rb") as file:
            size, torn = _whole_lines(file)
        if not size and _line(FIELDS).startswith(torn):
            return  # an earlier run was killed before it had written the header
        lines = _Lines(self._path, size)
        if not size or any(name not in lines.at for name in _NEEDED):
            raise CommandLineError(f"{self.name} is not a report of this program: choose another name")
        if torn:
            self._console.notice(f"{self.name}: the last line is not complete, so its user is sent again")
        self._whole = size
        self._names = lines.names + [name for name in FIELDS if name not in lines.at]
        self._rewrite = not lines.can_be_added_to
        known: Dict[Tuple[str, str], Earlier] = {}
        rows = lines.rows()
        next(rows)
        for number, row in rows:
            cell = dict(zip(lines.names, row)).get
            code, zoom_code = trim(cell("code") or ""), cell("zoom_code") or "0"
            if len(row) > len(lines.names) or not re.fullmatch(r"ZUS_OK|ZUS_ERR_\w+|SKIPPED|PREFLIGHT", code):
                raise CommandLineError(f"{self.name}, line {number} is not a line of a report: correct it, or choose another report")
            if cell("action") != self._action:
                raise CommandLineError(f"{self.name} is the report of another action ({cell('action')}): choose another report")
            self._check_binding(cell("account") or "", cell("api_url") or "")
            if code == SKIPPED:
                self._has_skipped = True
                continue
            key = key_of(cell("user") or "")
            user = self._users.get(key)
            if user is None:
                continue
            if key == user:
                key = user  # this object is in memory already
            if key in self.earlier or key in self._before:
                self._twice.add(key)
            if code == PREFLIGHT:  # the user was not sent
                self._before[key] = sys.intern(cell("status_before") or "")
                self.earlier.pop(key, None)
                continue
            if (code, zoom_code) not in known:
                number_of = int(zoom_code) if zoom_code.isdecimal() else 0
                # Only a newer version knows this code. PANIC is transient, so the user is sent again.
                known[code, zoom_code] = Earlier(_CODES.get(code, Code.PANIC), number_of)
            self.earlier[key] = known[code, zoom_code]

    def _check_binding(self, account: str, api_url: str) -> None:
        ours = self._binding
        if account and ours.account and account != clean(ours.account):
            raise CommandLineError(
                f"{self.name} is the report of the account {account}, but these credentials belong to {ours.account}: choose another report"
            )
        if api_url and ours.api_url and api_url != clean(ours.api_url):
            raise CommandLineError(f"{self.name} is the report of the API {api_url}, but this run uses {ours.api_url}: choose another report")

    # ---- adding lines

    def open(self, skipped: List[Skipped], files: List[str]) -> None:
        """Makes the file, or converts the existing one, and writes the skipped rows."""
        made = self._file is None
        try:
            if self._file is None:
                self._file = os.open(self._path, _APPEND | os.O_CREAT | os.O_EXCL, 0o666)
                self._lock(self._file)
            os.ftruncate(self._file, self._whole)
            if not self._whole:
                self._put(_line(FIELDS))
            self._skipped_files = tuple(f"{clean(file)}, line " for file in files)
            if self._rewrite or (self._has_skipped and files):
                self._replace_file(every_line=True)
            for row in skipped:
                cells = {"code": SKIPPED, "message": row.message, "time": now(), "http_status": "0", "zoom_code": "0"}
                self._add({**cells, "attempts": "0", "delivery": str(Delivery.NOT_SENT)})
            self._skipped_files = ()  # from now on the skipped rows are those of this run
        except OSError as error:
            if made and self._file is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
            raise CommandLineError(f"{self.name}: {error.strerror or error}") from None

    def add(self, outcome: Outcome) -> None:
        """Adds the line of a user. If the line could not be written, ``problem`` says why."""
        if self.problem:
            return
        key = key_of(outcome.result.user_id)
        try:
            self._add({name: cell(outcome) for name, cell in _COLUMNS.items()}, key)
        except OSError as error:
            self._fail(error)
        if key in self.earlier or key in self._before:
            self._twice.add(key)

    def _add(self, cells: Dict[str, str], key: str = "") -> None:
        cells.update(action=self._action, account=clean(self._binding.account), api_url=clean(self._binding.api_url))
        cells["status_before"] = cells.get("status_before") or self._before.get(key, "")
        self._put(_line([cells.get(name, "") for name in self._names]))

    def _put(self, line: bytes) -> None:
        assert self._file is not None
        while line:
            line = line[os.write(self._file, line) :]
        if time.monotonic() - self._synced > 1:  # a power failure loses the lines of one second; a kill loses none
            os.fsync(self._file)
            self._synced = time.monotonic()

    def _fail(self, error: OSError) -> None:
        self.problem = f"{self.name} can't be written: {error.strerror or error}"

    def close(self) -> None:
        """Removes the older lines, so that each user has one line."""
        if self._file is None:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._fail(error)
        if self._twice and not self.problem:
            try:
                self._replace_file(every_line=False)
            except (OSError, UnicodeDecodeError, csv.Error) as error:
                why = getattr(error, "strerror", None) or error
                self._console.error(f"{self.name}: the older lines could not be removed ({why}); the last line of each user counts")
        self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # everything was synced before
                os.close(file)

    # ---- replacing the file

    def _replace_file(self, every_line: bool) -> None:
        """Replaces the file by one in the program's own form, with each user's last line or with every line. If this fails, the old file
        stays as it is."""
        assert self._file is not None
        lines = _Lines(self._path, os.fstat(self._file).st_size)
        last: Dict[str, int] = {}
        if not every_line:
            for number, row in self._data(lines):
                key = key_of(row[lines.at["user"]])
                if key in self._twice:
                    last[key] = number
        handle, beside = tempfile.mkstemp(prefix=f"{os.path.basename(self._path)}.", suffix=".new", dir=os.path.dirname(self._path))
        try:
            with open(handle, "wb") as file:
                file.write(_line(self._names))
                for number, row in self._data(lines):
                    if last.get(key_of(row[lines.at["user"]]), number) == number:
                        file.write(_line(row + [""] * (len(self._names) - len(row))))
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(self._path, beside)
            following = os.open(beside, _APPEND)
            if fcntl is not None:
                with contextlib.suppress(OSError):
                    fcntl.flock(following, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.name == "nt":  # Windows can't replace an open file
                os.close(following)
                self._shut()
            os.replace(beside, self._path)  # before the lock is released, so that no other run uses the old file
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise
        if os.name == "nt":
            following = os.open(self._path, _APPEND)
        self._shut()
        self._file = following
        self._rewrite = False

    def _data(self, lines: _Lines) -> Iterator[Tuple[int, List[str]]]:
        """Yields the rows of users, and the skipped rows of files that this run doesn't read again."""
        rows = lines.rows()
        next(rows, None)
        for number, row in rows:
            row += [""] * (len(lines.names) - len(row))
            reread = row[lines.at["code"]] == SKIPPED and self._skipped_files
            if not reread or not row[lines.at["message"]].startswith(self._skipped_files):
                yield number, row


def _whole_lines(file: Any) -> Tuple[int, bytes]:
    """Returns the number of bytes up to the last line end, and the incomplete line after it."""
    end = at = file.seek(0, os.SEEK_END)
    tail = b""
    while at:
        at = max(0, at - 65536)
        file.seek(at)
        tail = file.read(end - at) if end - at < 65536 else file.read(65536) + tail
        newline = tail.rfind(b"\n")
        if newline >= 0:
            return at + newline + 1, tail[newline + 1 :]
    return 0, tail
