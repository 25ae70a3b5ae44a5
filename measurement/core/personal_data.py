"""What no data of an experiment may hold: figures of markets, SKUs, periods and arms are of nobody in particular.

Looked for are the marks that need no guessing: e-mail addresses, and hashes as networks take them in place of such
(SHA-1 and SHA-256 in hex; MD5 has the form of many a product's id). A column of names or of telephone numbers cannot be
told from one of markets or of sales.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ADDRESS: Final = re.compile(rb"[^\s,;\"'<>@|]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
#: Whole cells only: a piece of a longer run of hex is no digest.
_DIGEST: Final = re.compile(rb"(?<![\w.-])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})(?![\w.-])")
_LETTER: Final = re.compile(rb"[a-fA-F]")


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data of one kind: how many cells, and the first line that has any, from 1."""

    kind: str
    count: int
    line: int


def personal_data(content: bytes) -> tuple[Found, ...]:
    """What identifies people in a file, whatever column it is in.

    Args:
        content: of a text file in an encoding that writes ASCII as ASCII; UTF-16 is taken as UTF-8 before.
    """
    text = _as_utf8(content)
    found = []
    if b"@" in text:
        found.append(_told("e-mail address", text, [one.start() for one in _ADDRESS.finditer(text)]))
    # A long number is no digest: it has letters among its digits with a chance of all but one in millions.
    digests = [one.start() for one in _DIGEST.finditer(text) if _LETTER.search(one.group())]
    found.append(_told("hash of an identifier", text, digests))
    return tuple(one for one in found if one.count)


def _told(kind: str, text: bytes, starts: list[int]) -> Found:
    return Found(kind, len(starts), text.count(b"\n", 0, starts[0]) + 1 if starts else 0)


def _as_utf8(content: bytes) -> bytes:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace").encode()
    return content
