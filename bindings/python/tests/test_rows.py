"""Tests any CSV: a row is sent exactly as its cell or a notice says, or a notice says that it is skipped, or the file is refused."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Dict, List, Literal, NamedTuple, Tuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from zoom_user_status._cli import main

_SETTINGS = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
_TAKEN = re.compile(r'line (\d+), "(.*?)" is sent as ([^\s;]+)(?=;|$)', re.MULTILINE)


class Outcome(NamedTuple):
    status: int
    sent: List[str]
    skipped: Dict[int, str]
    said: str


def dry_run(text: str, *options: str) -> Outcome:
    """Returns what the command line would do with a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(text.encode("utf-8"))
        out, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            status = main(["deactivate", "--csv", str(path), "--dry-run", "--json", *options])
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    skipped = {line["line"]: line["cell"] for line in lines if "skipped" in line}
    return Outcome(status, [line["user"] for line in lines if "user" in line], skipped, said.getvalue())


_name = st.text("abcXYZäöß0 '.", min_size=1, max_size=8)
_address = st.from_regex(r"\A[a-z][a-z0-9.+']{0,6}[a-z]@[a-z]{1,5}\.(com|de)\Z")
_space = st.sampled_from(["", "", " ", "\t", "\u200b", "\u202a", "\u00a0 "])
_user = st.one_of(
    _address,
    _address,
    st.builds("{}{}{}".format, _space, _address, _space),
    st.builds("mailto:{}".format, _address),
    st.builds("{} <{}>".format, _name, _address),
    st.builds("{}; {}".format, _address, _address),
    st.builds("{} of {}".format, _name, _address),
    st.sampled_from(["", " ", "N/A", "#N/A", "NULL", "-", "0", "Total", "me", "ME", "KDcuGIm1QgePTO8WbOqwIQ", "#b@x.de"]),
    st.text(max_size=8),
)
_other = st.one_of(
    _name,
    _address,
    st.builds("{}, {}".format, _name, _name),
    st.builds("{};{}".format, _name, _name),
    st.sampled_from(["", "", '5" screen', '"', "a\nb", "a,b\nc,d", "# x", "#REF!", "|", "\t"]),
    st.text('ab,;"\n\t|#', max_size=6),
)


class Table(NamedTuple):
    place: int
    width: int
    rows: List[Tuple[str, ...]]
    delimiter: str
    end: str

    @property
    def header(self) -> List[str]:
        names = ["name", "manager", "team", "note"][: self.width - 1]
        return [*names[: self.place], "email", *names[self.place :]]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 5))
    place = draw(st.integers(0, width - 1))
    row = st.tuples(*(_user if at == place else _other for at in range(width)))
    rows = draw(st.lists(row, min_size=1, max_size=6))
    return Table(place, width, rows, draw(st.sampled_from(",;\t")), draw(st.sampled_from(["\n", "\r\n"])))


def accepted_forms(cell: str) -> List[str]:
    """Returns the users that a cell may name. It does not use the code of the program."""
    bare = "".join(c for c in cell if c.isprintable() or c == " ").strip()
    found = re.findall(r"[\w.+'#-]+@[\w.-]+\w", bare)
    return [bare, *found] if len(set(found)) == 1 else [bare]


def is_seen(cell: str) -> bool:
    return any(c.isprintable() and c != " " for c in cell)


def check(table: Table, outcome: Outcome, lines: List[int], slipped: bool = False) -> None:
    if outcome.status == 2:
        assert outcome.sent == [] and len([line for line in outcome.said.splitlines() if line]) >= 1
        return
    sent = {user.casefold() for user in outcome.sent}
    allowed = set()
    taken = {int(line): user for line, _, user in _TAKEN.findall(outcome.said)}
    for row, line in zip(table.rows, lines):
        cell = row[table.place]
        if not any(is_seen(c) for c in row):
            continue  # a blank line
        forms = [form.casefold() for form in accepted_forms(cell)]
        if line in outcome.skipped:
            assert slipped or outcome.skipped[line] == cell
            continue
        if table.width == 1 and cell.lstrip().startswith("#"):
            assert "comment" in outcome.said
            continue
        mine = [form for form in forms if form in sent]
        if slipped and not mine and "@" not in cell and cell != "KDcuGIm1QgePTO8WbOqwIQ":
            continue  # the cell is part of another row's cell in quotation marks, and names no user
        assert mine, f"{row} of line {line} is lost: {outcome}"
        if mine[0] != forms[0] or line in taken:
            assert taken[line].casefold() in forms, "taken out without a notice"
        allowed.update(forms)
    assert sent <= allowed, f"{sent - allowed} are nobody's cell: {outcome}"
    assert outcome.status == (1 if outcome.skipped else 0)


def written(table: Table, quotes: bool) -> Tuple[str, List[int]]:
    """Returns the file, and the line in which each row begins."""
    text = io.StringIO()
    bare_cr = any("\r" in cell for row in table.rows for cell in row)  # the writer would write such a cell without quotation marks
    quoting: Literal[0, 1] = csv.QUOTE_ALL if bare_cr else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=table.delimiter, lineterminator=table.end, quoting=quoting)
    lines = []
    for number, row in enumerate([table.header, *map(list, table.rows)]):
        if number:
            lines.append(len(re.findall(r"\r\n|\r|\n", text.getvalue())) + 1)
        if quotes:
            writer.writerow(row)
        else:
            text.write(table.delimiter.join(row) + table.end)
    return text.getvalue(), lines


@_SETTINGS
@given(tables())
def test_a_table_that_a_program_wrote(table: Table) -> None:
    text, lines = written(table, quotes=True)
    check(table, dry_run(text), lines)


@_SETTINGS
@given(tables())
@example(Table(2, 3, [("Muster, Max", "boss@x.de", "max@x.de")], ",", "\n"))
@example(Table(2, 4, [("Muster, Max", "boss@x.de", "max@x.de", "")], ",", "\n"))
@example(Table(0, 2, [("max@x.de", '"27'), ("eva@x.de", '24"')], ",", "\n"))
@example(Table(0, 2, [("KDcuGIm1QgePTO8WbOqwIQ", '"27'), ("KDcuGIm1QgePTO8WbOqwIQ", '24"')], ",", "\n"))
@example(Table(2, 4, [("Muster, Max", "boss@x.de", "", "")], ",", "\n"))
@example(Table(1, 2, [('"', ""), ('"', "max@x.de")], ",", "\n"))
def test_a_table_that_was_written_without_quotes(table: Table) -> None:
    """Cells may be in wrong columns. Even then, no other user is sent in the place of a row's user."""
    if any("\n" in cell or "\r" in cell for row in table.rows for cell in row):
        return  # a row with several lines: test_any_text has such rows
    text, lines = written(table, quotes=False)
    check(table, dry_run(text), lines, slipped=True)


@_SETTINGS
@given(st.lists(st.one_of(_address, _user, st.builds("{}, {}".format, _address, _user), st.just("# a comment")), min_size=1, max_size=6))
def test_a_list(lines: List[str]) -> None:
    outcome = dry_run("\n".join(lines) + "\n", "--no-header")
    if outcome.status == 2:
        assert outcome.sent == []
        return
    sent = {user.casefold() for user in outcome.sent}
    kept = [line for line in re.split(r"\r\n|\n|\r", "\n".join(lines)) if not line.lstrip().startswith("#")]
    everybody = {form.casefold() for line in kept for form in re.findall(r"[\w.+'#-]+@[\w.-]+\w|KDcuGIm1QgePTO8WbOqwIQ", line)}
    assert sent == everybody and not outcome.skipped, outcome


@_SETTINGS
@given(st.text('amx@.,;\t|"\n\r #<>\u200b\ufeff', max_size=60), st.sampled_from([(), ("--no-header",), ("--column", "m")]))
def test_any_text(text: str, options: Tuple[str, ...]) -> None:
    for start in ("", "email\n", "email,name\n"):
        outcome = dry_run(start + text, *options)
        assert outcome.status in (0, 1, 2) and "Traceback" not in outcome.said
        assert all(user in start + text for user in outcome.sent)
        assert outcome.status != 2 or outcome.sent == []
