"""Finds who issued a certificate. The module ssl says it for trusted certificates only, but here the others matter."""

from __future__ import annotations

from typing import Iterator, List, Tuple

_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_UTF16 = 0x1E  # BMPString


def issuer_of(certificate: bytes) -> str:
    """Returns the organization and common name of a certificate's issuer. The certificate is in DER."""
    try:
        ((_, whole),) = _parts(certificate)
        ((_, signed), *_rest) = _parts(whole)
        # The fields are: version (tagged 0xA0, may be absent), serial number, algorithm, issuer.
        fields = [part for part in _parts(signed) if part[0] != 0xA0]
        names = dict(_names(fields[2][1]))
    except (ValueError, IndexError):
        return "an issuer that can't be read"
    shown: List[str] = [names[oid] for oid in (_ORGANIZATION, _COMMON_NAME) if oid in names]
    return ", ".join(shown) or "an issuer without a name"


def _names(issuer: bytes) -> Iterator[Tuple[bytes, str]]:
    for _, group in _parts(issuer):
        for _, pair in _parts(group):
            (_, oid), (kind, text) = _parts(pair)
            yield oid, text.decode("utf-16-be" if kind == _UTF16 else "utf-8", "replace")


def _parts(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """Yields the tag and the value of each element in a piece of DER."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + length]
        at += length
