"""JSON and NDJSON exports, read record by record in bounded memory.

A document is walked, never loaded: of a response of 4 GiB only one record at a time is held. Where a contract does not
say at which path the records are, the array with most objects in it is taken, and the others are told.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from harmonization.core.json_records import BadRecord, decode, flatten, spell, unprintable
from harmonization.core.source_file import FileTooLarge, Head, Limits, OpenedFile, UnreadableFile
from harmonization.core.text_table import TextTable

_READ: Final = 256 * 1024
_DEPTH: Final = 6
_SPACE = re.compile(r"[ \t\r\n]*")
ROOT: Final = ""


def open_ndjson(path: Path, *, scratch: Path, limits: Limits) -> OpenedFile:
    """Open a file of one JSON object a line. Row numbers are line numbers; a line that is no object is a ragged row.

    Raises:
        UnreadableFile: UTF-16, or no line of it is an object.
        FileTooLarge: a line is over its limit, or there are too many columns.
    """
    table = TextTable(scratch / "records", path.name, limits)
    good = 0
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file, path.name, limits), start=1):
            text, reason, cells = "", None, {}
            try:
                text = line.decode()
                if text.strip():
                    cells = flatten(_whole(text))
                    reason = unprintable(cells) if "\\u" in text else None
                    good += 1
            except (BadRecord, UnicodeDecodeError, ValueError, RecursionError) as error:
                table.add_unread(number, text or line.decode(errors="replace"), f"no record: {_said(error)}")
                continue
            table.add(number, cells, reason)
    if not good:
        raise UnreadableFile(
            "No line of the file is a JSON object.", where=path.name, fix="Export one JSON object a line, in UTF-8."
        )
    return OpenedFile(Head(rows=table.head_rows(), kind="ndjson", encoding="utf-8"), table.rows)


def _lines(file: IO[bytes], name: str, limits: Limits) -> Iterator[bytes]:
    mark = file.read(3)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in mark:
        raise UnreadableFile("JSON in UTF-16 is not read.", where=f"{name}, byte 0", fix="Save the file as UTF-8.")
    file.seek(3 if mark == codecs.BOM_UTF8 else 0)
    number = 0
    while line := file.readline(limits.line + 1):
        number += 1
        if len(line) > limits.line:
            raise FileTooLarge(
                f"A line is longer than {limits.line:,} bytes.",
                where=f"{name}, line {number}",
                fix="Check that the file has one record a line, and export it again.",
            )
        yield line


def _whole(text: str) -> Any:
    """The one value of a line. `JSONDecoder.decode` would take spaces that JSON has not."""
    start = _skip(text, 0)
    value, end = decode(text, start)
    if _skip(text, end) != len(text):
        raise BadRecord(f"something follows the value at column {end + 1}")
    return value


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    assert found is not None, "the pattern matches the empty text"
    return found.end()


def open_json(path: Path, *, records: str | None, scratch: Path, limits: Limits) -> OpenedFile:
    """Open a JSON document: an array of objects, or an object with one at `records` (keys joined by dots).

    Rows are numbered from 1, in the order of the array.

    Raises:
        UnreadableFile: damaged, a key twice, no such array, an entry that is no object.
        FileTooLarge: a record is over the limit of a line, or there are too many columns.
    """
    tally = _tally(path, limits) if records is None else {}
    chosen = records if records is not None else _most(tally, path.name)
    table = TextTable(scratch / "records", path.name, limits)
    read = 0
    with path.open("rb") as file:
        walk = _Walk(file, path.name, limits)
        for number, value in walk.records(chosen) if tally or records is not None else walk.single():
            read = number
            try:
                cells = flatten(value)
                table.add(number, cells, unprintable(cells))
            except BadRecord as error:
                table.add_unread(number, _shown(value), f"no record: {error}")
    if not read:
        at = f"at {chosen!r}" if chosen else "in the file"
        raise UnreadableFile(
            f"There is no array of records {at}.",
            where=path.name,
            fix="Set source.records of the contract to the path of the array of records, such as data.rows.",
        )
    others = {place: count for place, count in tally.items() if count and place != chosen}
    warnings = (
        [f"Read were the records at {chosen or 'the top'}; the file also has {_listed(others)}."] if others else []
    )
    return OpenedFile(Head(rows=table.head_rows(), kind="json", encoding="utf-8"), table.rows, tuple(warnings))


def _shown(value: Any) -> str:
    try:
        return spell(value)
    except RecursionError:
        return "(nested too deeply to show)"


def _tally(path: Path, limits: Limits) -> dict[str, int]:
    with path.open("rb") as file:
        walk = _Walk(file, path.name, limits)
        for _ in walk.records(None):
            pass
        return walk.found


def _most(tally: dict[str, int], name: str) -> str:
    """The array with most objects; the top where the document has no array and so is one record itself."""
    best = max(tally, key=lambda place: tally[place], default=ROOT)
    if tally and not tally[best]:
        raise UnreadableFile(
            "The JSON document holds no array of objects.",
            where=name,
            fix='Export rows as objects, such as [{...}, {...}] or {"data": [{...}]}.',
        )
    return best


def _listed(others: dict[str, int]) -> str:
    return ", ".join(f"{count:,} at {place or 'the top'}" for place, count in sorted(others.items())[:5])


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is no UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


@dataclass
class _Walk:
    """A document read value by value from a window over the file.

    `found` counts the objects of each array, by its path.
    """

    file: IO[bytes]
    name: str
    limits: Limits
    found: dict[str, int] = field(default_factory=dict)
    _text: str = ""
    _at: int = 0
    _line: int = 1
    _ended: bool = False

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def records(self, wanted: str | None) -> Iterator[tuple[int, Any]]:
        """Number and value of each entry of the array at `wanted`; of every array, where that is None."""
        yield from self._value(ROOT, wanted, 0)
        if self._peek():
            raise self._damaged("something follows the end")

    def single(self) -> Iterator[tuple[int, Any]]:
        """The whole document as one record."""
        yield 1, self._decode()

    def _value(self, place: str, wanted: str | None, depth: int) -> Iterator[tuple[int, Any]]:
        sign = self._peek()
        if sign == "[":
            yield from self._array(place, wanted)
        elif sign == "{" and depth < _DEPTH:
            yield from self._object(place, wanted, depth)
        else:
            self._decode()

    def _object(self, place: str, wanted: str | None, depth: int) -> Iterator[tuple[int, Any]]:
        self._at += 1
        seen: set[str] = set()
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                raise self._damaged("a key is missing")
            key = self._decode()
            if key in seen:
                raise self._damaged(f"the key {key!r} stands twice")
            seen.add(key)
            self._expect(":")
            yield from self._value(f"{place}.{key}" if place else key, wanted, depth + 1)
            if self._next_or("}"):
                return

    def _array(self, place: str, wanted: str | None) -> Iterator[tuple[int, Any]]:
        self._at += 1
        self.found.setdefault(place, 0)
        if self._peek() == "]":
            self._at += 1
            return
        number = 0
        while True:
            number += 1
            value = self._decode()
            if isinstance(value, dict):
                self.found[place] += 1
            if wanted is None or place == wanted:
                yield number, value
            if self._next_or("]"):
                return

    def _next_or(self, end: str) -> bool:
        """Step over a comma (false) or over `end` (true)."""
        sign = self._peek()
        if sign not in (",", end) or not sign:
            raise self._damaged(f"',' or {end!r} is missing")
        self._at += 1
        return sign == end

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._damaged(f"{sign!r} is missing")
        self._at += 1

    def _peek(self) -> str:
        """The next sign that is no space; empty at the end."""
        while True:
            self._at = _skip(self._text, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _decode(self) -> Any:
        """The next value, whole."""
        self._peek()
        wanted = _READ
        while True:
            try:
                value, end = decode(self._text, self._at)
                # A number at the edge of the window may go on behind it.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            except BadRecord as error:
                raise self._damaged(str(error)) from error
            except RecursionError as error:
                raise self._damaged("it is nested too deeply") from error
            except ValueError as error:
                if self._ended:
                    raise self._damaged(getattr(error, "msg", str(error))) from error
            if len(self._text) - self._at > self.limits.line:
                raise FileTooLarge(
                    f"A record is longer than {self.limits.line:,} characters, or the JSON is damaged there.",
                    where=f"{self.name}, line {self._line_now()}",
                    fix="Set source.records of the contract to the array of records, or export it again.",
                )
            # Twice as much each time: a long value is not decoded anew for every piece of it.
            while len(self._text) - self._at < wanted and self._more():
                pass
            wanted *= 2

    def _more(self) -> bool:
        if self._ended:
            return False
        self._line += self._text.count("\n", 0, self._at)
        try:
            data = self.file.read(_READ)
            fresh = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise UnreadableFile(
                "The JSON is not UTF-8.", where=f"{self.name}, line {self._line_now()}", fix="Save it as UTF-8."
            ) from error
        self._ended = not data
        self._text, self._at = self._text[self._at :] + fresh, 0
        return not self._ended

    def _line_now(self) -> int:
        return self._line + self._text.count("\n", 0, self._at)

    def _damaged(self, what: str) -> UnreadableFile:
        return UnreadableFile(
            f"The JSON is damaged: {what}.", where=f"{self.name}, line {self._line_now()}", fix="Export it again."
        )
