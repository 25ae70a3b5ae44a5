"""Cells of a workbook that have no value to read: errors, and formulas whose result nobody stored.

Readers of values give both as empty cells, and an empty cell is "no spend". Here they are found in the sheet's XML, so
that the text which a person sees (`#REF!`) or wrote (`=A1*2`) stands in the cell, where a contract can judge it.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import IO, Final
from xml.etree import ElementTree
from xml.parsers import expat

_CHUNK: Final = 1024**2
_INDEX_BYTES: Final = 4 * 1024**2
_MAX_NOTES: Final = 100_000
_SUSPECT = re.compile(rb"<(?:\w+:)?f[ />]|t=[\"']e[\"']")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_OVERLAP: Final = 16
_PLACE = re.compile(rb"\sr\s*=\s*[\"']\$?([A-Za-z]{1,3})\$?(\d{1,20})[\"']")
_VEILED = re.compile(rb"\sr\s*=\s*[\"'][^\"'<>]{0,40}&")
_LONGEST_TAG: Final = 4096


@dataclass(frozen=True, slots=True)
class CellNote:
    """A cell without a value, by its row (from 1) and column (from 0 at the sheet's first used one)."""

    row: int
    column: int
    reference: str
    text: str
    is_error: bool


class Extent:
    """How far the cells of a sheet reach, told from its XML piece by piece and before anything parses it."""

    def __init__(self) -> None:
        self.rows = self.columns = self.cells = 0
        self._tail = b""

    @property
    def area(self) -> int:
        return self.rows * self.columns

    def see(self, chunk: bytes) -> None:
        """The next piece.

        Raises:
            ValueError: a reference is spelled so that it could say one thing to one reader and another to the next.
        """
        text = self._tail + chunk
        if _VEILED.search(text):
            raise ValueError("a cell's place is spelled with character references")
        cut = max(text.rfind(b"<"), len(text) - _LONGEST_TAG)
        places = _PLACE.findall(text, 0, cut)
        self.cells += len(places)
        self.rows = max(self.rows, max((int(digits) for _, digits in places), default=0))
        self.columns = max(self.columns, max(map(_column, {letters for letters, _ in places}), default=0))
        self._tail = text[cut:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


class _DoctypeError(ValueError):
    """A workbook declares entities: none that a spreadsheet wrote does."""


def unvalued_cells(archive: zipfile.ZipFile, sheet: str) -> list[CellNote]:
    """The notes on `sheet`, at most 100,000.

    Raises:
        ValueError, KeyError, zipfile.BadZipFile, expat.ExpatError: the workbook is damaged.
    """
    member = _member_of(archive, sheet)
    if member is None:
        return []
    with archive.open(member) as stream:
        if not _is_suspect(stream):
            return []
    with archive.open(member) as stream:
        return _Cells().read(stream)


def _is_suspect(stream: IO[bytes]) -> bool:
    tail = b""
    while chunk := stream.read(_CHUNK):
        if _SUSPECT.search(tail + chunk):
            return True
        tail = chunk[-_OVERLAP:]
    return False


def _member_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Where the archive keeps a sheet; None for a form of workbook without XML."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    workbook, relations = (_tree(archive, f"xl/{name}") for name in ("workbook.xml", "_rels/workbook.xml.rels"))
    targets = {each.get("Id"): each.get("Target", "") for each in relations.iter() if each.tag.endswith("Relationship")}
    for each in workbook.iter():
        if each.tag.endswith("}sheet") and each.get("name") == sheet:
            relation = next((value for key, value in each.attrib.items() if key.endswith("}id")), None)
            target = targets.get(relation, "")
            member = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            return member if member in names else None
    return None


def _tree(archive: zipfile.ZipFile, member: str) -> ElementTree.Element:
    with archive.open(member) as stream:
        text = stream.read(_INDEX_BYTES)
    if b"<!DOCTYPE" in text:
        raise _DoctypeError(f"{member} declares entities")
    return ElementTree.fromstring(text)  # noqa: S314  no doctype, so no entities; bounded in size


class _Cells:
    """Walks the XML of a sheet."""

    def __init__(self) -> None:
        self._row = self._column = 0
        self._type = self._reference = self._value = self._formula = ""
        self._inside: str | None = None
        self._has_formula = self._has_text = False
        self._first = 1 << 20
        self._found: list[tuple[int, int, str, str, bool]] = []

    def read(self, stream: IO[bytes]) -> list[CellNote]:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.buffer_text = True
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
        return [
            CellNote(row, column - self._first, reference, text, is_error)
            for row, column, reference, text, is_error in self._found
            if column >= self._first
        ]

    def _refuse(self, *_: object) -> None:
        raise _DoctypeError("a sheet declares entities")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() else self._row + 1
            self._column = -1
        elif name == "c":
            self._place(attributes.get("r", ""))
            self._type, self._value, self._formula = attributes.get("t", "n"), "", ""
            self._has_formula = self._has_text = False
        elif name in ("f", "v"):
            self._inside = name
            self._has_formula = self._has_formula or name == "f"
        elif name == "is":
            self._has_text = True

    def _place(self, reference: str) -> None:
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            self._column += 1
        else:
            self._column = -1
            for letter in found[1]:
                self._column = (self._column + 1) * 26 + ord(letter) - ord("A")
        self._reference = reference or f"column {self._column + 1}"

    def _text(self, text: str) -> None:
        if self._inside == "v":
            self._value += text
        elif self._inside == "f" and len(self._formula) < 200:
            self._formula += text

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name in ("f", "v"):
            self._inside = None
        elif name == "c":
            if self._value or self._has_text:
                self._first = min(self._first, self._column)
            is_error = self._type == "e" and bool(self._value)
            if len(self._found) < _MAX_NOTES and (
                is_error or (self._has_formula and not self._value and self._type != "str")
            ):
                text = self._value if is_error else f"={self._formula or '...'}"
                self._found.append((self._row, self._column, self._reference, text, is_error))
