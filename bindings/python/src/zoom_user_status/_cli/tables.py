"""Files of users as people have them: a table with a header, or a bare list.

Both refuse a file that they can't read without guessing: ``CommandLineError``, before anything is sent.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import Callable, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .cells import is_zoom_id, read_cell, trim
from .encodings import Notice
from .terminal import CommandLineError, clean, count, some

_DELIMITERS = ",;\t|"
_BLANK = " \t\r\n" + _DELIMITERS
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Headers of the column that names the user, without case, spaces and signs: Zoom, Entra, Google, Okta, Active Directory, HR.
_USER_COLUMNS = {
    "email",
    "emailaddress",
    "emailadresse",
    "emailwork",
    "login",
    "mail",
    "mailadresse",
    "primaryemail",
    "primaryworkemail",
    "upn",
    "useremail",
    "userlogin",
    "userprincipalname",
    "workemail",
}
# What Excel leaves where a formula failed, in English and in German. They begin like a comment.
_EXCEL_ERRORS = re.compile(r"#(?:N/A|NV|REF!|BEZUG!|NAME\?|VALUE!|WERT!|DIV/0!|NULL!|NUM!|ZAHL!|SPILL!|CALC!)")


class Row(NamedTuple):
    """A cell that should name a user."""

    line: int
    cell: str


class Layout(NamedTuple):
    """What the person said of the files."""

    column: Optional[str] = None
    header: bool = True


class _Line(NamedTuple):
    number: int
    text: str


def rows_of(name: str, text: str, layout: Layout, notice: Notice) -> Iterator[Row]:
    """The cells that name the users, with the lines where they begin."""
    delimiter = None
    top = next(_lines(text), None)
    if top and top.text.lower().startswith("sep="):  # Excel's own way to name the delimiter, which may be a tab
        delimiter = top.text[4:5] or ","

    def lines() -> Iterator[_Line]:
        return itertools.islice(_lines(text), 1 if delimiter else 0, None)

    first = next((line for line in lines() if line.text.strip(_BLANK) and not _is_comment(line.text, layout)), None)
    if first is None:  # an export that failed, and no list of nobody
        raise CommandLineError(f"{name} is empty: it has not even a header")
    without_header = layout.column is None and any("@" in first.text and _names_users(first.text, sign) for sign in _DELIMITERS)
    if without_header:
        notice(f"{name}: no header, so every line is taken for a user")
    if without_header or not layout.header:
        return _list(name, lines, delimiter or _best_of_list(lines), notice)
    table = text[_offset(text, first.number) :]
    return _Table(name, table, first.number, delimiter or _most_frequent([first.text]), layout, notice).rows()


def _lines(text: str) -> Iterator[_Line]:
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        yield _Line(number, line.rstrip("\n"))


def _offset(text: str, number: int) -> int:
    """Where a line begins."""
    at = 0
    for _ in range(number - 1):
        ends = re.compile(r"\r\n|\r|\n").search(text, at)
        assert ends
        at = ends.end()
    return at


def _is_comment(line: str, layout: Layout) -> bool:
    """Whether a line before the header is one, such as the #TYPE of PowerShell. `#,Name,Email` is a header."""
    if not line.lstrip().startswith("#"):
        return False
    names = _cells(line, _most_frequent([line]))
    return not any(_fits(name, layout) for name in names)


def _fits(name: str, layout: Layout) -> bool:
    """Whether a column of this name holds the users."""
    if layout.column is not None:
        return trim(name).casefold() == trim(layout.column).casefold()
    plain = re.sub(r"\[.*?\]|\(.*?\)", "", name)  # Google: "Email Address [Required]"
    return re.sub(r"[\W_]", "", plain).casefold() in _USER_COLUMNS


def _most_frequent(lines: Iterable[str]) -> str:
    """The delimiter that occurs most often outside of quotes."""
    totals = dict.fromkeys(_DELIMITERS, 0)
    for line in lines:
        bare = re.sub('"[^"]*"', '""', line) if '"' in line else line
        for delimiter in _DELIMITERS:
            totals[delimiter] += bare.count(delimiter)
    return max(totals, key=lambda delimiter: totals[delimiter])


# ---- a list


def _cells(line: str, delimiter: str) -> List[str]:
    """The cells of one line on its own, with `"Muster, Max" <max@example.com>` as one of them."""
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])


def _names_users(line: str, delimiter: str) -> bool:
    filled = [cell for cell in _cells(line, delimiter) if trim(cell)]
    return bool(filled) and all(read_cell(cell).user for cell in filled)


def _best_of_list(lines: Callable[[], Iterator[_Line]]) -> str:
    """The delimiter with which the most lines are nothing but users: `Muster, Max <max@example.com>; eva@example.com`."""
    used = [sign for sign in _DELIMITERS if any(sign in line.text for line in lines())] or [","]
    if len(used) == 1:
        return used[0]
    return max(used, key=lambda sign: sum(_names_users(line.text, sign) for line in lines()))


def _list(name: str, lines: Callable[[], Iterator[_Line]], delimiter: str, notice: Notice) -> Iterator[Row]:
    comments: List[int] = []
    for line in lines():
        if line.text.lstrip().startswith("#"):
            comments.append(line.number)
            continue
        for cell in _cells(line.text, delimiter):
            if not trim(cell):
                continue
            found = read_cell(cell)
            if found.refused:
                raise CommandLineError(
                    f"{name}, line {line.number}: {quoted(cell)} can't be sent: {found.refused}. "
                    "In a list without a header each cell is a user; begin a line with # to leave it out"
                )
            yield Row(line.number, cell)
    if comments:
        notice(f"{name}: {count(len(comments), 'comment')} left out ({_lines_text(comments)})")


# ---- a table


class _Table:
    def __init__(self, name: str, text: str, line: int, delimiter: str, layout: Layout, notice: Notice) -> None:
        self._name = name
        self._delimiter = delimiter
        self._notice = notice
        self._before = line - 1  # lines before the header
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._header = self._next() or (0, [])
        names = [trim(cell) for cell in self._header[1]]
        self._raw_width = len(names)
        while names and not names[-1]:
            names.pop()
        self._names = names
        self._place = self._choose(layout)

    def _next(self) -> Optional[Tuple[int, List[str]]]:
        """The next row and the line where it begins."""
        line = self._before + self._reader.line_num + 1
        try:
            row = next(self._reader, None)
        except csv.Error as error:
            where = f"{self._name}, line {line}"
            if "unexpected end of data" in str(error):
                raise CommandLineError(f"{where}: a quotation mark is opened there and never closed") from None
            raise CommandLineError(f"{where}: {error}") from None
        return None if row is None else (line, row)

    def _choose(self, layout: Layout) -> int:
        fitting = [place for place, name in enumerate(self._names) if _fits(name, layout)]
        has = ", ".join(repr(clean(name)) for name in self._names)
        if len(fitting) == 1:
            found = self._names[fitting[0]]
            if found.casefold() != "email":
                self._notice(f"{self._name}: the users are in the column {clean(found)!r}")
            return fitting[0]
        if fitting and layout.column is not None:
            raise CommandLineError(f"{self._name} has more than one column {layout.column!r}; it has {has}")
        if fitting:
            some_fit = ", ".join(repr(clean(self._names[place])) for place in fitting)
            raise CommandLineError(f"{self._name} has more than one column that may name the user: {some_fit}. Say which with --column")
        if any("@" in name for name in self._names):
            raise CommandLineError(
                f"{self._name}, line {self._header[0]}: it holds an address, so it is no header, and it is no list of users "
                "either. Put a line with the names of the columns before it, such as: name,email"
            )
        wanted = f"column {layout.column!r}" if layout.column is not None else "column that names the user"
        hint = "choose another --column" if layout.column is not None else "--column NAME, or --no-header for a bare list"
        raise CommandLineError(f"{self._name} has no {wanted}; it has {has} ({hint})")

    def rows(self) -> Iterator[Row]:
        comments: List[int] = []
        while True:
            found = self._next()
            if found is None:
                break
            line, row = found
            if not any(trim(cell) for cell in row):
                continue
            if row[0].lstrip().startswith("#") and self._is_comment(line, row):
                comments.append(line)
                continue
            if len(row) != self._raw_width or len(row) > len(self._names):
                self._check_width(line, row)
            if any("\n" in cell or "\r" in cell for cell in row):
                self._check_quotes(line, row)
            yield Row(line, row[self._place] if self._place < len(row) else "")
        if comments:
            self._notice(f"{self._name}: {count(len(comments), 'comment')} left out ({_lines_text(comments)})")

    def _is_comment(self, line: int, row: List[str]) -> bool:
        if self._names[0].startswith("#") or _EXCEL_ERRORS.fullmatch(trim(row[0])):
            return False
        if len(self._names) == 1 and self._place == 0:
            return True
        raise CommandLineError(
            f"{self._name}, line {line} begins with #: is it a comment? A table has none. Take the line out, or put the cell in order"
        )

    def _check_width(self, line: int, row: List[str]) -> None:
        """A row with more or fewer cells than the header has may have its cells in wrong columns."""
        filled = len(row)
        while filled and not trim(row[filled - 1]):
            filled -= 1
        width = len(self._names)
        if len(row) == 1 and width > 1:
            for other in _DELIMITERS:
                if other != self._delimiter and row[0].count(other) >= width - 1:
                    raise CommandLineError(
                        f"{self._name}: the header is separated by {_NAMES.get(self._delimiter, repr(self._delimiter))}, "
                        f"and line {line} by {_NAMES[other]}"
                    )
        if filled <= width and len(row) in (width, self._raw_width):
            return
        # Only empty cells at the end are missing or too many. That is harmless where no other cell could be the user, and where
        # none before it could have been two: `Muster, Max,boss@example.com,,` has as many filled cells as `name,manager,email,phone`.
        users = [place for place, cell in enumerate(row) if "@" in cell or is_zoom_id(trim(cell))]
        moved = max(0, len(row) - self._raw_width)
        if filled <= width and users in ([], [self._place]) and (not moved or self._place <= moved):
            return
        raise CommandLineError(
            f"{self._name}, line {line} has {count(filled if filled > width else len(row), 'cell')}, and the header has {width}: "
            "a cell with a delimiter in it needs quotation marks around it"
        )

    def _check_quotes(self, line: int, row: List[str]) -> None:
        """A quotation mark too many can swallow whole rows."""
        for cell in row:
            for inner in io.StringIO(cell, newline=None):
                cells = inner.rstrip("\n").split(self._delimiter)
                names_user = "@" in inner or any(is_zoom_id(trim(one)) for one in cells)
                if names_user and len(cells) >= len(self._names) > 1:
                    raise CommandLineError(
                        f"{self._name}, line {line}: a cell in quotation marks goes on over a line that looks like a row: "
                        f"{quoted(inner)}. Is there a quotation mark too many?"
                    )


def quoted(text: str, most: int = 40) -> str:
    shown = clean(text)
    return f'"{shown if len(shown) <= most else shown[: most - 1] + "…"}"'


def _lines_text(numbers: List[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {some(map(str, numbers), 5)}"
