"""One cell of a file, and the user that it names.

A cell is sent as it is, or as a notice on it says, or not at all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from .terminal import clean

# Controls, formats without a width (U+200E, U+202A, U+FEFF, ...) and spaces of every kind.
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}
# What real directories hold. Anything stranger is refused rather than guessed at.
_ADDRESS = re.compile(r"\w[\w.!#$%&'*+/=?^`{|}~-]*@[\w-]+(?:\.[\w-]+)*")
_SCHEME = "(?:mailto:|smtp:)?"
# What may stand around the one address (here \0) of a cell: `Name <a@b>`, `mailto:a@b?subject=Bye`, 'a@b', `a@b;`.
_AROUND = re.compile(
    rf"(?:[^<>]*<\s*{_SCHEME}\0\s*>|[\"']?\s*{_SCHEME}\0(?:\?\S*)?\s*[\"']?)\s*[;,]?", re.IGNORECASE
)
_ID = re.compile(r"[A-Za-z0-9_-]{22}(?:==)?")


class Cell(NamedTuple):
    """What a cell comes to: a user, or why there is none."""

    user: str = ""
    refused: str = ""
    """Why what it holds is no user. Empty with no user: the cell is blank."""
    trimmed: bool = False
    """Whitespace or invisible characters around it were left out."""
    taken: bool = False
    """The address was taken out of more text."""


def is_unseen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in _UNSEEN


def trim(text: str) -> str:
    """Without whitespace and invisible characters at its edges."""
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    start, end = 0, len(text)
    while start < end and is_unseen(text[start]):
        start += 1
    while end > start and is_unseen(text[end - 1]):
        end -= 1
    return text[start:end]


def is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def is_zoom_id(text: str) -> bool:
    """22 letters, digits, "-" and "_": 16 random bytes, so never all of one kind."""
    bare = text.rstrip("=")
    mixed = bare.lower() != bare and bare.upper() != bare and bare.title() != bare
    return _ID.fullmatch(text) is not None and mixed


def read_cell(text: str) -> Cell:
    """The user in a cell of a file."""
    bare = trim(text)
    trimmed = bare != text
    if not bare or is_address(bare) or is_zoom_id(bare):
        return Cell(bare, trimmed=trimmed and bool(bare))
    unseen = next((c for c in bare if c != " " and is_unseen(c)), "")
    if unseen:
        return Cell(refused=f"it has the character U+{ord(unseen):04X} inside")
    if bare.lower() == "me":
        return Cell(refused="Zoom takes it for the owner of the token")
    if bare.startswith("#") and "@" in bare:
        return Cell(refused="it looks like a comment")
    found = _ADDRESS.findall(bare)
    if len(found) != bare.count("@") or not found:
        return Cell(refused="it is no e-mail address or Zoom user ID")
    if len({address.casefold() for address in found}) > 1:
        return Cell(refused="it holds more than one address")
    around = _ADDRESS.sub("\0", bare)
    # `a@b <mailto:a@b>` names the same address twice.
    if _AROUND.fullmatch(around) or _AROUND.fullmatch(around.replace("\0", "", around.count("\0") - 1)):
        return Cell(found[-1], trimmed=trimmed, taken=True)
    return Cell(refused="it holds more than an address")


def key_of(user: str) -> str:
    """Equal for two spellings of one user, as they stand in a file or a report: addresses don't differ in case, Zoom's IDs do."""
    user = clean(user)
    key = user.casefold() if "@" in user else user
    return user if key == user else key  # the same object, where it can be: there may be many
