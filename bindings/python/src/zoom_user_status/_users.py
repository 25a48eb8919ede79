"""Lists of users as people have them: CSV from Excel, Okta or a text editor."""

from __future__ import annotations

import csv
import io
import re
import sys
from pathlib import Path
from typing import Callable, Dict, Iterable, List


class Misuse(Exception):
    """What the person at the command line has to put right."""


Notice = Callable[[str], None]
_EDGES = re.compile(r"\A[\s\ufeff\u200b]+|[\s\ufeff\u200b]+\Z")  # blanks, and those of no width


def read_csv(name: str, column: str, notice: Notice) -> List[str]:
    """The ids of one column, as they are in the file. ``-`` is the standard input."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Misuse(f"{name}: {error.strerror or error}") from None
    name = "the standard input" if name == "-" else name
    try:
        # Excel's "Unicode text" is UTF-16; its "CSV UTF-8" starts with a byte order mark.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise Misuse(f"{name} is not UTF-8: in Excel, save it as 'CSV UTF-8'") from None
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep="):  # Excel's own way to name the delimiter, which may be a tab
        delimiter, text = first.rstrip("\r")[4:5] or ",", rest
    else:
        delimiter = max(",;\t", key=_header(text).count)
    return list(_column(name, text, delimiter, column, notice))


def _header(text: str) -> str:
    """The first line with anything in it, without what is in quotes."""
    lines = re.sub('"[^"]*"', '""', text).splitlines()
    return next((line for line in lines if line.strip()), "")


def _column(name: str, text: str, delimiter: str, column: str, notice: Notice) -> Iterable[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    place = None
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if place is None:
                names = [cell.strip().lower() for cell in row]
                wanted = column.strip().lower()
                if names.count(wanted) == 1:
                    place = names.index(wanted)
                    continue
                if len(row) > 1 or "@" not in row[0]:
                    some = "more than one" if wanted in names else "no"
                    raise Misuse(
                        f"{name} has {some} column {column!r}; it has {', '.join(cell.strip() for cell in row)} (--column)"
                    )
                notice(f"{name}: no header, so every line is taken for a user")
                place = 0
            if len(row) <= place or not row[place].strip():
                notice(f"{name}, line {rows.line_num}: no user, skipped")
            else:
                yield row[place]
    except csv.Error as error:
        raise Misuse(f"{name}, line {rows.line_num}: {error}") from None
    if place is None:  # an export that failed, and no list of nobody
        raise Misuse(f"{name} is empty: it has not even a header")


def tidy(users: Iterable[str], notice: Notice) -> List[str]:
    """Without blanks around the ids, and each once."""
    padded = repeated = 0
    seen: Dict[str, None] = {}
    for user in users:
        bare = _EDGES.sub("", user)
        padded += bare != user
        repeated += bare in seen
        seen[bare] = None
    if padded:
        notice(f"spaces around {padded} id{'s' * (padded > 1)} trimmed")
    if repeated:
        notice(f"{repeated} repeated id{'s' * (repeated > 1)} left out")
    return list(seen)
