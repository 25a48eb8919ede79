"""What a person sees: the standard output, the notices beside it, and how numbers and colours are written."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Iterable, Mapping, TextIO

PROGRAM = "zoom-user-status"
BOLD, RED, GREEN, YELLOW = "1", "31", "32", "33"


class CommandLineError(Exception):
    """What the person at the command line has to put right. Nothing was sent."""


def clean(text: str) -> str:
    """On one line and without what would steer a terminal."""
    if text.isascii() and text.isprintable() and "  " not in text and text.strip(" ") == text:
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def some(items: Iterable[str], most: int = 3, between: str = ", ") -> str:
    """The first few, and how many more there are."""
    shown = list(items)
    more = len(shown) - most
    return between.join(shown[:most]) + (f" and {more} more" if more > 0 else "")


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def _coloured(stream: TextIO, env: Mapping[str, str]) -> bool:
    # https://no-color.org: set and not empty.
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


class Console:
    """The two streams of a run. When the standard output can't be written, the run goes on without it."""

    def __init__(self) -> None:
        self.lost = False
        """Whether something wasn't written that somebody may want to read."""
        self.quiet = False
        """No notices: only what went wrong."""
        self._colours = _coloured(sys.stdout, os.environ)

    def say(self, line: str, colour: str = "") -> None:
        """A line on the standard output."""
        try:
            print(self.paint(line, colour))
        except OSError as error:
            self._discard(error)

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._colours else text

    def notice(self, text: str) -> None:
        """Something worth knowing, on the standard error."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Something that went wrong, on the standard error."""
        with contextlib.suppress(OSError):
            print(f"{PROGRAM}: {clean(text)}", file=sys.stderr)

    def flush(self) -> None:
        try:
            sys.stdout.flush()
        except OSError as error:
            self._discard(error)

    def _discard(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):  # whose reader has seen enough
            self.lost = True
            self.error(f"the standard output can't be written: {error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_streams() -> None:
    # Without one at the start, the next file or connection would get its number, and what is meant for the stream.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)  # a pipe's reader sees each line at once
