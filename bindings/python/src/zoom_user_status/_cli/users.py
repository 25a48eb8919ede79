"""Collects the users of a run from the command line and from files, each user once, and the rows that name no user."""

from __future__ import annotations

import collections
from typing import Counter, Dict, Iterable, List, NamedTuple, Optional, Tuple

from .cells import Cell, key_of, read_cell, trim
from .encodings import decode, read_bytes
from .tables import Layout, quoted, rows_of
from .terminal import Console, CommandLineError, clean, count, some


class Skipped(NamedTuple):
    """Holds a row of a file that names no user."""

    file: str
    line: int
    cell: str
    why: str

    @property
    def message(self) -> str:
        cell = f": {quoted(self.cell)}" if self.cell.strip() else ""
        return clean(f"{self.file}, line {self.line}: {self.why}{cell}")


class Users:
    """Collects users. ``finish`` prints notices about what was changed and what is not sent."""

    def __init__(self, console: Console, every_notice: bool = False) -> None:
        self.files: List[str] = []
        self.skipped: List[Skipped] = []
        self._console = console
        self._most = 10**9 if every_notice else 3
        self.by_key: Dict[str, str] = {}
        """The users as the run sends them, by ``key_of``, in the order in which they were named."""
        self._trimmed: Counter[str] = collections.Counter()
        self._taken: Dict[str, List[str]] = {}
        self._duplicates = 0
        self._other_case: List[str] = []

    def add_typed(self, users: Iterable[str]) -> None:
        """Adds the users of the command line. A text that is not an address is sent as it is, because a person typed it."""
        for text in users:
            found = read_cell(text)
            if not found.user:
                bare = trim(text)
                found = Cell(bare, trimmed=bare != text)
            self._add("the command line", "", text, found)

    def add_file(self, name: str, encoding: Optional[str], layout: Layout) -> None:
        """Adds the users of a file."""
        data = read_bytes(name)
        name = "the standard input" if name == "-" else name
        self.files.append(name)
        rows = 0
        before = len(self.skipped)
        for row in rows_of(name, decode(name, data, encoding, self._console.notice), layout, self._console.notice):
            rows += 1
            found = read_cell(row.cell)
            if found.user:
                self._add(name, f"line {row.line}, ", row.cell, found)
            else:
                self.skipped.append(Skipped(name, row.line, row.cell, found.refused or "the cell is empty"))
        if rows and len(self.skipped) - before == rows and not any(trim(row.cell) for row in self.skipped[before:]):
            where = f"all {count(rows, 'row')}" if rows > 1 else "its only row"
            raise CommandLineError(f"{name}: the column of the users is empty in {where}: check the file, or choose another --column")

    def _add(self, where: str, line: str, text: str, found: Cell) -> None:
        self._trimmed[where] += found.trimmed
        if found.taken:
            self._taken.setdefault(where, []).append(f"{line}{quoted(text)} is sent as {found.user}")
        key = key_of(found.user)
        first = self.by_key.get(key)
        if first is None:
            self.by_key[key] = found.user
        elif first == found.user:
            self._duplicates += 1
        else:
            self._other_case.append(f"{found.user} is sent as {first}")

    def finish(self) -> None:
        notice = self._console.notice
        for where, number in self._trimmed.items():
            if number:
                notice(f"{where}: leading or trailing whitespace or invisible characters removed from {count(number, 'user')}")
        for where, changes in self._taken.items():
            notice(f"{where}: other text removed from {count(len(changes), 'cell')}: {some(changes, self._most, '; ')}")
        if self._other_case:
            spellings = some(self._other_case, self._most, '; ')
            notice(f"{count(len(self._other_case), 'user')} removed, because the same address is there in other upper and lower case: {spellings}")
        if self._duplicates:
            notice(f"{count(self._duplicates, 'duplicate')} removed")
        for (file, why), rows in self._reasons().items():
            cells = [f"line {row.line}" + (f" {quoted(row.cell)}" if trim(row.cell) else "") for row in rows]
            self._console.error(f"{file}: {count(len(rows), 'row')} skipped because {why}: {some(cells, max(5, self._most))}")
        if self.skipped and not self.by_key:
            raise CommandLineError("nothing was sent, because no row names a user: check the file, or choose another --column")

    def _reasons(self) -> Dict[Tuple[str, str], List[Skipped]]:
        found: Dict[Tuple[str, str], List[Skipped]] = {}
        for row in self.skipped:
            found.setdefault((row.file, row.why), []).append(row)
        return found
