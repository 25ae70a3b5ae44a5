"""Text that says it is UTF-8 and is not, or not everywhere.

Exports put together from several systems hold lines in UTF-8 beside lines in Windows-1252. Reading all as the one is an
error in the middle of the file, reading all as the other turns every `é` of the first into `Ã©`. So each byte that is
no UTF-8 is read as Windows-1252, where it stands, and the lines are told. Five bytes are nothing in either: they become
U+FFFD, and the rows that hold them go to quarantine.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harmonization.core.source_file import FileTooLarge, Limits, UnreadableFile

REPLACEMENT: Final = "\ufffd"
_CHUNK: Final = 4 * 1024**2
#: With more lines than this share unreadable the file is no text of ours.
_MOST_UNREADABLE: Final = 0.1
_SHOWN: Final = 5


@dataclass
class Repair:
    """What was found; line numbers count from 1."""

    lines: int = 0
    utf8_lines: int = 0
    mended: list[int] = field(default_factory=list)
    mended_lines: int = 0
    unreadable_lines: int = 0
    first_unreadable: str = ""

    @property
    def encoding(self) -> str:
        """What the file mostly is."""
        return "utf-8" if self.utf8_lines else "cp1252"

    @property
    def warning(self) -> str:
        """One sentence for the report."""
        if not self.utf8_lines:
            said = "The file is not UTF-8; it was read as Windows-1252."
        else:
            places = ", ".join(map(str, self.mended))
            more = f" and {self.mended_lines - len(self.mended):,} more" if self.mended_lines > len(self.mended) else ""
            said = f"Bytes that are not UTF-8 were read as Windows-1252, in line {places}{more}."
        if self.unreadable_lines:
            said += f" {self.unreadable_lines:,} lines hold bytes that are neither; their rows are in quarantine."
        return said


def mend(path: Path, target: Path, name: str, limits: Limits) -> Repair:
    """Write `path` as clean UTF-8 to `target`.

    Raises:
        UnreadableFile: too much of it is in neither encoding; names the first byte.
        FileTooLarge: a line is over its limit.
    """
    repair, carried, offset = Repair(), b"", 0
    with path.open("rb") as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            cut = (chunk.rfind(b"\n") if b"\n" in chunk else chunk.rfind(b"\r")) + 1
            if len(carried) + cut > limits.line + _CHUNK:
                raise FileTooLarge(
                    f"A line is longer than {limits.line:,} bytes.",
                    where=f"{name}, line {repair.lines + 1}",
                    fix="Check that the file is a table with one record a line, and export it again.",
                )
            whole, carried = carried + chunk[:cut], (carried if not cut else b"") + chunk[cut:]
            if cut:
                sink.write(_mended(whole, repair, name, offset))
                offset += len(whole)
        sink.write(_mended(carried, repair, name, offset))
    if repair.unreadable_lines > max(1, repair.lines * _MOST_UNREADABLE):
        raise UnreadableFile(
            "The text is neither UTF-8 nor cp1252.", where=repair.first_unreadable, fix="Save the file as UTF-8."
        )
    return repair


def _mended(text: bytes, repair: Repair, name: str, offset: int) -> bytes:
    made = []
    for line in text.splitlines(keepends=True) if text else []:
        repair.lines += 1
        try:
            line.decode()
            repair.utf8_lines += not line.isascii()
            made.append(line)
        except UnicodeDecodeError as error:
            fixed = line.decode(errors=_AS_CP1252)
            if REPLACEMENT in fixed:
                repair.unreadable_lines += 1
                at = offset + next((n for n, byte in enumerate(line) if byte in _NOWHERE), error.start)
                repair.first_unreadable = repair.first_unreadable or f"{name}, byte {at}"
            repair.mended_lines += 1
            if len(repair.mended) < _SHOWN:
                repair.mended.append(repair.lines)
            made.append(fixed.encode())
        offset += len(line)
    return b"".join(made)


_AS_CP1252: Final = "rmn-as-cp1252"
_NOWHERE: Final = frozenset(b"\x81\x8d\x8f\x90\x9d")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError), "the handler is for reading"
    # One byte at a time: what follows the first bad one may be UTF-8 again.
    byte = error.object[error.start : error.start + 1]
    return byte.decode("cp1252", errors="replace"), error.start + 1


codecs.register_error(_AS_CP1252, _as_cp1252)
