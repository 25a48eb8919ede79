"""Finds the user in a cell of a file.

The user is sent exactly as the cell says it, or as a notice says it, or not at all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from .terminal import clean

# Control characters, invisible formatting characters (U+200E, U+202A, U+FEFF, ...) and spaces of every kind.
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}
# The addresses that real directories hold. Any other text is not taken for an address.
_ADDRESS = re.compile(r"\w[\w.!#$%&'*+/=?^`{|}~-]*@[\w-]+(?:\.[\w-]+)*")
_SCHEME = "(?:mailto:|smtp:)?"
# The text that may surround the one address (here \0) of a cell: `Name <a@b>`, `mailto:a@b?subject=Bye`, 'a@b', `a@b;`.
_AROUND = re.compile(
    rf"(?:[^<>]*<\s*{_SCHEME}\0\s*>|[\"']?\s*{_SCHEME}\0(?:\?\S*)?\s*[\"']?)\s*[;,]?", re.IGNORECASE
)
_ID = re.compile(r"[A-Za-z0-9_-]{22}(?:==)?")


class Cell(NamedTuple):
    """Holds the user in a cell, or why there is none."""

    user: str = ""
    refused: str = ""
    """Why the cell's text is not a user. If there is no user and no reason, the cell is empty."""
    trimmed: bool = False
    """Whether whitespace or invisible characters around the user were removed."""
    taken: bool = False
    """Whether the cell has more text than the address."""


def is_unseen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in _UNSEEN


def trim(text: str) -> str:
    """Returns the text without leading and trailing whitespace and invisible characters."""
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
    """Returns whether the text looks like a Zoom user ID: 22 letters, digits, "-" and "_". They encode 16 random bytes, so upper and lower
    case are mixed."""
    bare = text.rstrip("=")
    mixed = bare.lower() != bare and bare.upper() != bare and bare.title() != bare
    return _ID.fullmatch(text) is not None and mixed


def read_cell(text: str) -> Cell:
    """Returns what a cell of a file holds."""
    bare = trim(text)
    trimmed = bare != text
    if not bare or is_address(bare) or is_zoom_id(bare):
        return Cell(bare, trimmed=trimmed and bool(bare))
    unseen = next((c for c in bare if c != " " and is_unseen(c)), "")
    if unseen:
        return Cell(refused=f"the cell has the character U+{ord(unseen):04X} inside")
    if bare.lower() == "me":
        return Cell(refused="Zoom reads this cell as the owner of the token")
    if bare.startswith("#") and "@" in bare:
        return Cell(refused="the cell looks like a comment")
    found = _ADDRESS.findall(bare)
    if len(found) != bare.count("@") or not found:
        return Cell(refused="the cell is not an e-mail address or a Zoom user ID")
    if len({address.casefold() for address in found}) > 1:
        return Cell(refused="the cell has more than one address")
    around = _ADDRESS.sub("\0", bare)
    # `a@b <mailto:a@b>` names the same address twice.
    if _AROUND.fullmatch(around) or _AROUND.fullmatch(around.replace("\0", "", around.count("\0") - 1)):
        return Cell(found[-1], trimmed=trimmed, taken=True)
    return Cell(refused="the cell has other text beside the address")


def key_of(user: str) -> str:
    """Returns a key that is equal for two spellings of one user. Upper and lower case make no difference in an address, but they do in
    a Zoom user ID."""
    user = clean(user)
    key = user.casefold() if "@" in user else user
    return user if key == user else key  # returns the same object if it can: with many users this saves memory
