"""Writes what a person sees: the standard output, notices and errors, with their numbers and colours."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Iterable, Mapping, TextIO

PROGRAM = "zoom-user-status"
BOLD, RED, GREEN, YELLOW = "1", "31", "32", "33"


class CommandLineError(Exception):
    """Says what the person has to correct before the command can run. Nothing was sent."""


def clean(text: str) -> str:
    """Returns the text on one line and without control characters, which could change the terminal."""
    if text.isascii() and text.isprintable() and "  " not in text and text.strip(" ") == text:
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def some(items: Iterable[str], most: int = 3, between: str = ", ") -> str:
    """Returns the first few items, and how many more there are."""
    shown = list(items)
    more = len(shown) - most
    return between.join(shown[:most]) + (f" and {more} more" if more > 0 else "")


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def _coloured(stream: TextIO, env: Mapping[str, str]) -> bool:
    # https://no-color.org: the variable counts if it is set and not empty.
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


class Console:
    """Writes to the standard output and the standard error. If the standard output can't be written, the run goes on without it."""

    def __init__(self) -> None:
        self.lost = False
        """Whether output was lost that somebody may want to read."""
        self.quiet = False
        """Whether to show no notices, only errors."""
        self._colours = _coloured(sys.stdout, os.environ)

    def say(self, line: str, colour: str = "") -> None:
        """Prints a line on the standard output."""
        try:
            print(self.paint(line, colour))
        except OSError as error:
            self._discard(error)

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._colours else text

    def notice(self, text: str) -> None:
        """Prints something that is worth knowing on the standard error."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Prints something that went wrong on the standard error."""
        with contextlib.suppress(OSError):
            print(f"{PROGRAM}: {clean(text)}", file=sys.stderr)

    def flush(self) -> None:
        try:
            sys.stdout.flush()
        except OSError as error:
            self._discard(error)

    def _discard(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):  # a closed pipe is not an error: its reader, such as head, needs no more lines
            self.lost = True
            self.error(f"the standard output can't be written: {error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_streams() -> None:
    """Opens the standard streams that are missing, and sets how the others write."""
    # A shell may start the program without a stream. The next file or connection would get its number, and the output of the stream.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)  # so that the reader of a pipe sees each line at once
