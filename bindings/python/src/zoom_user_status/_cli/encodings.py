"""Reads the text of a file and finds its encoding."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path
from typing import Callable, Optional

from .terminal import CommandLineError

Notice = Callable[[str], None]
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
FALLBACK = "cp1252"


def read_bytes(name: str) -> bytes:
    """Returns the content of a file. ``-`` is the standard input."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandLineError(f"{name}: {error.strerror or error}") from None


def marked(data: bytes) -> Optional[str]:
    """Returns the encoding that the byte order mark shows, if there is one."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def decode(name: str, data: bytes, encoding: Optional[str], notice: Notice) -> str:
    """Returns the text of a file in the given encoding, or in the encoding that its bytes show."""
    if data.startswith(_WORKBOOKS):
        raise CommandLineError(f"{name} is an Excel workbook: in Excel, save it as 'CSV UTF-8'")
    chosen = encoding or marked(data) or "utf-8"
    try:
        text = data.decode(chosen)
    except UnicodeDecodeError as error:
        if encoding or chosen != "utf-8" or b"\0" in data:
            raise CommandLineError(f"{name} is not {chosen}: byte {error.start + 1} can't be read; name its encoding with --encoding") from None
        text = _as_windows(name, data, notice)
    if "\0" in text:
        raise CommandLineError(f"{name} is not a text file, or is UTF-16 without a byte order mark: if so, use --encoding utf-16-le")
    return text[1:] if text.startswith("\ufeff") else text


def _as_windows(name: str, data: bytes, notice: Notice) -> str:
    try:
        text = data.decode(FALLBACK)
    except UnicodeDecodeError:
        raise CommandLineError(f"{name} is neither UTF-8 nor {FALLBACK}: in Excel, save it as 'CSV UTF-8', or use --encoding") from None
    notice(f"{name} is not UTF-8 and is read as {FALLBACK}; --encoding names another encoding")
    return text
