"""What no data of an experiment may hold: figures of markets, SKUs, periods and arms are of nobody in particular.

Looked for are the marks that need no guessing: e-mail addresses, and hashes as networks take them in place of such
(SHA-1 and SHA-256 in hex, also behind a short prefix; MD5 has the form of many a product's id). A column of names or of
telephone numbers cannot be told from one of markets or of sales.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: From the @ on, so that a file is gone through once, whatever it holds. Labels may be written in any alphabet.
_ADDRESS: Final = re.compile(
    rb"@(?<=[^\s,;\"'<>@|]@)[\w\x80-\xff-]{1,63}(?:\.[\w\x80-\xff-]{1,63})*\.([\w\x80-\xff-]{2,63})"
)
#: Whole cells only: a piece of a longer run of hex is no digest.
_DIGEST: Final = re.compile(
    rb"(?<![\w.-])(?:0[xX]|[A-Za-z][A-Za-z0-9]{0,11}[_-])?([0-9a-fA-F]{64}|[0-9a-fA-F]{40})(?![\w.-])"
)
_LETTER: Final = re.compile(rb"[a-fA-F]")
_ESCAPED: Final = re.compile(rb"\\u([0-9a-fA-F]{4})")
#: What a name of a file ends with, not a domain: logo@2x.png.
_FILES: Final = frozenset((b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"avif", b"pdf", b"csv", b"xlsx", b"json"))
#: Endings that count however they are written; others written Like This are names of places: Store@Mall.East.
_COMMON: Final = frozenset((b"com", b"net", b"org", b"edu", b"gov", b"info", b"biz"))


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data of one kind: how many cells, and the first line that has any, from 1."""

    kind: str
    count: int
    line: int


def personal_data(content: bytes) -> tuple[Found, ...]:
    """What identifies people in a file, whatever column it is in.

    Args:
        content: of a text file in an encoding that writes ASCII as ASCII; UTF-16 is taken as UTF-8 before, and what
            JSON writes as numbers of characters as those.
    """
    text = _as_utf8(content)
    found = []
    if b"@" in text:
        addresses = [one.start() for one in _ADDRESS.finditer(text) if _ends_a_domain(one.group(1))]
        found.append(_told("e-mail address", text, addresses))
    # A long number is no digest: it has letters among its digits with a chance of all but one in millions.
    digests = [one.start() for one in _DIGEST.finditer(text) if _LETTER.search(one.group(1))]
    found.append(_told("hash of an identifier", text, digests))
    return tuple(one for one in found if one.count)


def _ends_a_domain(label: bytes) -> bool:
    if label.isdigit() or label.lower() in _FILES:
        return False
    return len(label) == 2 or label.lower() in _COMMON or not label.istitle()


def _told(kind: str, text: bytes, starts: list[int]) -> Found:
    return Found(kind, len(starts), text.count(b"\n", 0, starts[0]) + 1 if starts else 0)


def _as_utf8(content: bytes) -> bytes:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", errors="replace").encode()
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _ESCAPED.sub(lambda one: chr(int(one.group(1), 16)).encode(errors="replace"), content)
    return content
