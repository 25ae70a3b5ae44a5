"""Where the table of a file is: on which sheet, below which rows, with one row of headers or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from harmonization.core.detect import join_headers
from harmonization.core.matching.evidence import MOST_VALUES, read_number
from harmonization.core.matching.knowledge import Knowledge
from harmonization.core.matching.reading import read
from harmonization.core.matching.tongues import spoken
from harmonization.core.matching.words import read_header
from harmonization.core.source_file import OpenedFile, UnreadableFile, raw_name

#: Cells of a file that are looked at: a wide one is judged by fewer rows.
MOST_CELLS: Final = 60_000
#: Cells of a row that are looked at for being headers.
_WIDEST: Final = 200


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its headers: the upper row of them, from 1, and how many rows they take."""

    opened: OpenedFile
    header_row: int
    header_rows: int
    headers: tuple[str, ...]

    def cells(self) -> list[list[str]]:
        """The first cells of each column, as text."""
        below = self.header_row + self.header_rows - 1
        width = len(self.headers)
        if len(self.opened.head.rows) <= below:
            return [[] for _ in range(width)]
        names = [raw_name(position) for position in range(width)]
        frame = self.opened.rows(below, width).head(max(100, min(MOST_VALUES, MOST_CELLS // width)))
        rows = frame.select(pl.col(name).cast(pl.String).fill_null("") for name in names).collect()
        return [rows[name].to_list() for name in names]


def find_table(opened: OpenedFile, knowledge: Knowledge, without: Sequence[str] = ()) -> Table:
    """The table whose headers are understood best, among all tables of the file.

    Raises:
        UnreadableFile: no row holds names.
    """
    found = [(_best(each, knowledge, without), each) for each in (opened, *opened.others)]
    (_, row, span), best = max(found, key=lambda pair: pair[0][0])
    if not row:
        raise UnreadableFile(
            "No row holds names of columns.", where="the first rows", fix="Export the report with its header row."
        )
    rows = best.head.rows
    headers = list(join_headers(rows[row - 1], rows[row]) if span == 2 else rows[row - 1])
    while headers and not headers[-1].strip():
        headers.pop()
    return Table(best, row, span, tuple(headers))


def _best(opened: OpenedFile, knowledge: Knowledge, without: Sequence[str]) -> tuple[float, int, int]:
    """(how much is understood, header row, its rows); row 0 where none holds names."""
    rows = opened.head.rows
    if opened.head.names_its_columns:
        return (_understood(rows[0], knowledge, without), 1, 1) if rows else (0.0, 0, 1)
    best = (0.0, 0, 1)
    for number, row in enumerate(rows, start=1):
        single = _understood(row, knowledge, without)
        if single > best[0] + 1e-9:
            best = (single, number, 1)
        if number == len(rows) or not _stands_over(row, rows[number]):
            continue
        double = _understood(join_headers(row, rows[number]), knowledge, without)
        if double > max(best[0], _understood(rows[number], knowledge, without)) + 1e-9:
            best = (double, number, 2)
    return best


def _stands_over(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether a row can be the upper one of two header rows: merged cells, and names below the empty ones."""
    gaps = [place for place, cell in enumerate(lower) if cell.strip() and not "".join(upper[place : place + 1]).strip()]
    return bool(gaps) and any(cell.strip() for cell in upper) and not any(map(_is_number, (*upper, *lower)))


def _is_number(cell: str) -> bool:
    return not np.isnan(read_number(cell.strip()[:40]))


def _understood(row: Sequence[str], knowledge: Knowledge, without: Sequence[str]) -> float:
    """How many cells of a row read as headers; a little for every other text."""
    words = spoken(row, without)
    total = 0.0
    for cell in [cell for cell in row if cell.strip()][:_WIDEST]:
        if _is_number(cell):
            continue
        reading = read(read_header(cell, words.words), words)
        total += 0.05 + (1.0 if knowledge.lookup(cell) else 0.0 if reading.is_empty else reading.certainty)
    return total
