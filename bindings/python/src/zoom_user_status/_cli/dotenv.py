"""Reads env files with the grammar of python-dotenv: `export`, quotes, escapes, comments, values of several lines, `${NAME:-default}`.

There is one difference: python-dotenv skips a line that it can't read, such as one with an open quote. Here that is an error.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, Mapping, Optional, Tuple

_SPACE = r"[^\S\r\n]*"
_BINDING = re.compile(
    rf"""
    (?:export[^\S\r\n]+)?
    (?:'(?P<quoted_key>[^']+)'|(?P<key>(?!')[^=\#\s]+)){_SPACE}
    (?:={_SPACE}(?:
        '(?P<single>(?:\\'|[^'])*)'
      | "(?P<double>(?:\\"|[^"])*)"
      | (?P<bare>(?!{_SPACE}['"])[^\r\n]*)
    ))?
    """,
    re.VERBOSE,
)
_END = re.compile(rf"{_SPACE}(?:\#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")
_BLANK = re.compile(r"\s*(?:\#[^\r\n]*(?:\r\n|\n|\r|\Z)\s*)*")
_DOUBLE_ESCAPES = re.compile(r"\\[\\'\"abfnrtv]")
_SINGLE_ESCAPES = re.compile(r"\\[\\']")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_VARIABLE = re.compile(r"\$\{(?P<name>[^\}:]*)(?::-(?P<default>[^\}]*))?\}")


class Unreadable(Exception):
    """A line can't be read. The message does not contain the line, which may hold a secret."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


def parse(text: str, env: Mapping[str, str]) -> Dict[str, str]:
    """Returns the variables of a file. Their values may refer to one another and to the environment."""
    values: Dict[str, Optional[str]] = {}  # None is a key without a value: it removes the value of an earlier line
    for key, value in _bindings(text):
        known = {**env, **values}
        values[key] = value and _VARIABLE.sub(lambda found: known.get(found["name"], found["default"] or "") or "", value)
    return {key: value for key, value in values.items() if value is not None}


def _bindings(text: str) -> Iterator[Tuple[str, Optional[str]]]:
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        if at == len(text):
            return
        found = _BINDING.match(text, at)
        end = _END.match(text, found.end()) if found else None
        if found is None or end is None:
            raise Unreadable(len(re.findall(r"\r\n|\n|\r", text[:at])) + 1, _why(text, at))
        yield found["quoted_key"] or found["key"], _value(found)
        at = end.end()


def _value(found: "re.Match[str]") -> Optional[str]:
    if found["single"] is not None:
        return _SINGLE_ESCAPES.sub(lambda escape: escape[0][1], found["single"])
    if found["double"] is not None:
        return _DOUBLE_ESCAPES.sub(lambda escape: _ESCAPED.get(escape[0][1], escape[0][1]), found["double"])
    if found["bare"] is not None:
        return re.sub(r"\s+#.*", "", found["bare"]).rstrip()
    return None


def _why(text: str, at: int) -> str:
    line = re.split(r"[\r\n]", text[at:], maxsplit=1)[0]
    if re.search(r"=\s*['\"]", line):
        return "a quotation mark is never closed, or there is text after the value"
    return "the line is not KEY=VALUE"
