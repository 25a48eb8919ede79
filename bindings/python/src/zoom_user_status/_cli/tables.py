"""Reads files of users as people have them: a table with a header, or a list without one.

If a file can't be read without guessing, the functions raise ``CommandLineError`` before anything is sent.
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
# The column names for the user in files of Zoom, Entra, Google, Okta, Active Directory and HR systems: in lower case, only letters.
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
# Excel writes these where a formula failed, in English and in German. They begin like a comment.
_EXCEL_ERRORS = re.compile(r"#(?:N/A|NV|REF!|BEZUG!|NAME\?|VALUE!|WERT!|DIV/0!|NULL!|NUM!|ZAHL!|SPILL!|CALC!)")


class Row(NamedTuple):
    """Holds a cell that should name a user."""

    line: int
    cell: str


class Layout(NamedTuple):
    """Holds what the options say about the files."""

    column: Optional[str] = None
    header: bool = True


class _Line(NamedTuple):
    number: int
    text: str


def rows_of(name: str, text: str, layout: Layout, notice: Notice) -> Iterator[Row]:
    """Yields the cells that name the users, with the lines in which their rows begin."""
    delimiter = None
    top = next(_lines(text), None)
    if top and top.text.lower().startswith("sep="):  # Excel names the delimiter in this way; it may be a tab
        delimiter = top.text[4:5] or ","

    def lines() -> Iterator[_Line]:
        return itertools.islice(_lines(text), 1 if delimiter else 0, None)

    first = next((line for line in lines() if line.text.strip(_BLANK) and not _is_comment(line.text, layout)), None)
    if first is None:  # probably an export failed: a list without users would have a header
        raise CommandLineError(f"{name} is empty and has no header: export it again")
    without_header = layout.column is None and any("@" in first.text and _names_users(first.text, sign) for sign in _DELIMITERS)
    if without_header:
        notice(f"{name} has no header, so every line is read as a user")
    if without_header or not layout.header:
        return _list(name, lines, delimiter or _best_of_list(lines), notice)
    table = text[_offset(text, first.number) :]
    return _Table(name, table, first.number, delimiter or _most_frequent([first.text]), layout, notice).rows()


def _lines(text: str) -> Iterator[_Line]:
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        yield _Line(number, line.rstrip("\n"))


def _offset(text: str, number: int) -> int:
    """Returns the offset at which a line begins."""
    at = 0
    for _ in range(number - 1):
        ends = re.compile(r"\r\n|\r|\n").search(text, at)
        assert ends
        at = ends.end()
    return at


def _is_comment(line: str, layout: Layout) -> bool:
    """Returns whether a line before the header is a comment, such as the #TYPE of PowerShell. `#,Name,Email` is a header."""
    if not line.lstrip().startswith("#"):
        return False
    names = _cells(line, _most_frequent([line]))
    return not any(_fits(name, layout) for name in names)


def _fits(name: str, layout: Layout) -> bool:
    """Returns whether a column with this name holds the users."""
    if layout.column is not None:
        return trim(name).casefold() == trim(layout.column).casefold()
    plain = re.sub(r"\[.*?\]|\(.*?\)", "", name)  # Google: "Email Address [Required]"
    return re.sub(r"[\W_]", "", plain).casefold() in _USER_COLUMNS


def _most_frequent(lines: Iterable[str]) -> str:
    """Returns the delimiter that occurs most often outside of quotation marks."""
    totals = dict.fromkeys(_DELIMITERS, 0)
    for line in lines:
        bare = re.sub('"[^"]*"', '""', line) if '"' in line else line
        for delimiter in _DELIMITERS:
            totals[delimiter] += bare.count(delimiter)
    return max(totals, key=lambda delimiter: totals[delimiter])


# ---- a list


def _cells(line: str, delimiter: str) -> List[str]:
    """Returns the cells of a single line. `"Muster, Max" <max@example.com>` is one cell."""
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])


def _names_users(line: str, delimiter: str) -> bool:
    filled = [cell for cell in _cells(line, delimiter) if trim(cell)]
    return bool(filled) and all(read_cell(cell).user for cell in filled)


def _best_of_list(lines: Callable[[], Iterator[_Line]]) -> str:
    """Returns the delimiter with which the most lines have only users: `Muster, Max <max@example.com>; eva@example.com`."""
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
                    "In a list without a header each cell is a user. Correct the cell, or write # before the line to skip it"
                )
            yield Row(line.number, cell)
    if comments:
        notice(f"{name}: {count(len(comments), 'comment')} ignored ({_lines_text(comments)})")


# ---- a table


class _Table:
    def __init__(self, name: str, text: str, line: int, delimiter: str, layout: Layout, notice: Notice) -> None:
        self._name = name
        self._delimiter = delimiter
        self._notice = notice
        self._before = line - 1  # the number of lines before the header
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._header = self._next() or (0, [])
        names = [trim(cell) for cell in self._header[1]]
        self._raw_width = len(names)
        while names and not names[-1]:
            names.pop()
        self._names = names
        self._place = self._choose(layout)

    def _next(self) -> Optional[Tuple[int, List[str]]]:
        """Returns the next row and the line in which it begins."""
        line = self._before + self._reader.line_num + 1
        try:
            row = next(self._reader, None)
        except csv.Error as error:
            where = f"{self._name}, line {line}"
            if "unexpected end of data" in str(error):
                raise CommandLineError(f"{where}: a quotation mark begins there and is never closed: correct the cell") from None
            raise CommandLineError(f"{where} can't be read as CSV: {error}") from None
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
            raise CommandLineError(f"{self._name} has more than one column {layout.column!r}: rename one. The columns are {has}")
        if fitting:
            some_fit = ", ".join(repr(clean(self._names[place])) for place in fitting)
            raise CommandLineError(f"{self._name} has more than one column that may name the user: {some_fit}. Choose one with --column")
        if any("@" in name for name in self._names):
            raise CommandLineError(
                f"{self._name} has no header: line {self._header[0]} has an address, but not every cell of it is a user. "
                "Add a first line with the names of the columns, such as: name,email"
            )
        wanted = f"column {layout.column!r}" if layout.column is not None else "column that names the user"
        hint = "choose another --column" if layout.column is not None else "use --column NAME, or --no-header for a list without a header"
        raise CommandLineError(f"{self._name} has no {wanted}: {hint}. The columns are {has}")

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
            self._notice(f"{self._name}: {count(len(comments), 'comment')} ignored ({_lines_text(comments)})")

    def _is_comment(self, line: int, row: List[str]) -> bool:
        if self._names[0].startswith("#") or _EXCEL_ERRORS.fullmatch(trim(row[0])):
            return False
        if len(self._names) == 1 and self._place == 0:
            return True
        raise CommandLineError(
            f"{self._name}, line {line} begins with #, but a table with several columns has no comments: remove the line, or correct the cell"
        )

    def _check_width(self, line: int, row: List[str]) -> None:
        """Refuses the file if the cells of a row may be in the wrong columns, because it has more or fewer cells than the header."""
        filled = len(row)
        while filled and not trim(row[filled - 1]):
            filled -= 1
        width = len(self._names)
        if len(row) == 1 and width > 1:
            for other in _DELIMITERS:
                if other != self._delimiter and row[0].count(other) >= width - 1:
                    raise CommandLineError(
                        f"{self._name}: the header has {_NAMES.get(self._delimiter, repr(self._delimiter))} between its cells, "
                        f"but line {line} has {_NAMES[other]}: use the same delimiter in the whole file"
                    )
        if filled <= width and len(row) in (width, self._raw_width):
            return
        # Only empty cells at the end are missing or added. This is harmless if no other cell could be the user, and if no cell before the
        # user could be half of one cell: `Muster, Max,boss@example.com,,` has no more filled cells than `name,manager,email,phone`.
        users = [place for place, cell in enumerate(row) if "@" in cell or is_zoom_id(trim(cell))]
        moved = max(0, len(row) - self._raw_width)
        if filled <= width and users in ([], [self._place]) and (not moved or self._place <= moved):
            return
        raise CommandLineError(
            f"{self._name}, line {line} has {count(filled if filled > width else len(row), 'cell')}, but the header has {width}: "
            "put quotation marks around a cell that contains the delimiter, or add the cell that is missing"
        )

    def _check_quotes(self, line: int, row: List[str]) -> None:
        """Refuses the file if a cell in quotation marks may contain other rows, because there is a quotation mark too many."""
        for cell in row:
            for inner in io.StringIO(cell, newline=None):
                cells = inner.rstrip("\n").split(self._delimiter)
                names_user = "@" in inner or any(is_zoom_id(trim(one)) for one in cells)
                if names_user and len(cells) >= len(self._names) > 1:
                    raise CommandLineError(
                        f"{self._name}, line {line}: a cell in quotation marks contains a line that looks like a row: "
                        f"{quoted(inner)}. Check whether there is a quotation mark too many"
                    )


def quoted(text: str, most: int = 40) -> str:
    shown = clean(text)
    return f'"{shown if len(shown) <= most else shown[: most - 1] + "…"}"'


def _lines_text(numbers: List[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {some(map(str, numbers), 5)}"
