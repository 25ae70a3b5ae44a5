"""XLSX workbooks, read cell by cell as text.

The sheet's declared dimension is not trusted (exports are known to declare one cell), dates come as ISO text and
numbers in their shortest decimal form, so that money is the cents that the sheet shows.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

import fastexcel
import polars as pl

from harmonization.core.source_file import (
    HEAD_ROWS,
    RAGGED,
    SOURCE_ROW,
    FileTooLarge,
    Head,
    Limits,
    OpenedFile,
    UnreadableFile,
    raw_name,
)
from harmonization.core.workbook_cells import CellNote, Extent, unvalued_cells

_CHUNK: Final = 1024**2
#: A sheet of so many cells may be as empty as it likes; of a larger one, one cell in so many holds something.
_SMALL_AREA: Final = 1_000_000
_MOST_EMPTY: Final = 20
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    expat.ExpatError,
    ElementTree.ParseError,
    fastexcel.FastExcelError,
    pl.exceptions.PolarsError,
)


def open_workbook(path: Path, *, sheet: str | None, limits: Limits) -> OpenedFile:
    """Open the workbook's `sheet`, or its first one that has rows; further ones that have are `others`.

    Raises:
        UnreadableFile: truncated, damaged, no workbook, no such sheet.
        FileTooLarge: its members expand beyond the limits, by what they declare or by what they are.
    """
    _check_archive(path, limits)
    try:
        workbook = fastexcel.read_excel(path)
        names = workbook.sheet_names
        if sheet is not None and sheet not in names:
            raise UnreadableFile(
                f"There is no sheet {sheet!r}.",
                where=path.name,
                fix=f"The workbook has: {', '.join(names)}. Set source.sheet of the contract.",
            )
        with zipfile.ZipFile(path) as archive:
            pages = [
                _Page(workbook, path.name, name, unvalued_cells(archive, name))
                for name in ([sheet] if sheet is not None else names)
            ]
    except _DAMAGED as error:
        raise _damaged(path.name, error) from error
    filled = [page for page in pages if page.height > 1] or pages[:1]
    # A sheet that is too wide is refused where it is the first, and no candidate where it is not.
    filled = filled[:1] + [page for page in filled[1:] if page.width <= limits.columns]
    if not filled:
        raise UnreadableFile("The workbook has no sheets.", where=path.name, fix="Export the report again.")
    opened = [page.opened(names, [other for other in filled if other is not page], limits) for page in filled]
    return OpenedFile(opened[0].head, opened[0].rows, opened[0].warnings, tuple(opened[1:]))


class _Page:
    """One sheet. Only its first rows are held until its rows are asked for."""

    def __init__(self, workbook: fastexcel.ExcelReader, file: str, name: str, notes: Sequence[CellNote]) -> None:
        self._workbook, self._file, self.name, self._notes = workbook, file, name, notes
        first = self._load(HEAD_ROWS)
        self.height = first.height
        self._head = tuple(tuple(cell or "" for cell in row) for row in first.rows())
        self.width = first.width

    def opened(self, sheets: Sequence[str], others: Sequence[_Page], limits: Limits) -> OpenedFile:
        if self.width > limits.columns:
            raise FileTooLarge(
                f"The sheet {self.name!r} has {self.width:,} columns; the limit is {limits.columns:,}.",
                where=self._file,
                fix="Remove empty columns at the right.",
            )
        warnings = list(self._said())
        if others:
            warnings.append(f"Sheets that were not read: {', '.join(page.name for page in others)}.")
        head = Head(rows=self._head, kind="xlsx", sheet=self.name, sheets=tuple(sheets))
        return OpenedFile(head, self._rows, tuple(warnings))

    def _said(self) -> list[str]:
        said = []
        for is_error, what in ((True, "hold an error"), (False, "hold a formula without a stored result")):
            found = [note for note in self._notes if note.is_error == is_error]
            if found:
                said.append(f"{len(found):,} cells {what}; the first is {found[0].reference}: {found[0].text[:80]}.")
        return said

    def _rows(self, header_row: int, width: int) -> pl.LazyFrame:
        try:
            cells = self._load(None)
        except _DAMAGED as error:
            raise _damaged(self._file, error) from error
        return (
            cells.lazy()
            .select(pl.nth(*range(width)))
            .with_row_index(SOURCE_ROW, offset=1)
            .with_columns(pl.col(SOURCE_ROW).cast(pl.Int64), pl.lit(None, dtype=pl.String).alias(RAGGED))
            .slice(header_row)
        )

    def _load(self, rows: int | None) -> pl.DataFrame:
        # Without skip_rows=0 blank rows at the top are dropped and every row's number is wrong.
        page = self._workbook.load_sheet(self.name, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        cells = page.to_polars()
        cells.columns = [raw_name(position) for position in range(cells.width)]
        return _with_notes(cells, self._notes)


def _with_notes(cells: pl.DataFrame, notes: Sequence[CellNote]) -> pl.DataFrame:
    by_column: dict[int, list[CellNote]] = {}
    for note in notes:
        if note.row <= cells.height and note.column < cells.width:
            by_column.setdefault(note.column, []).append(note)
    return cells.with_columns(
        cells.to_series(column).scatter([note.row - 1 for note in found], [note.text for note in found])
        for column, found in by_column.items()
    )


def _check_archive(path: Path, limits: Limits) -> None:
    """Refuse archives that are damaged or expand too far, before anything parses them."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "xl/workbook.bin" in names:
                raise UnreadableFile("The workbook is a binary one (.xlsb).", where=path.name, fix="Save it as .xlsx.")
            if "[Content_Types].xml" not in names:
                raise UnreadableFile(
                    "The file is a zip archive but no Excel workbook.",
                    where=path.name,
                    fix="Unpack it and upload the export inside.",
                )
            declared = sum(member.file_size for member in members)
            _refuse_bomb(declared, size, path.name, limits)
            actual = 0
            for member in members:
                extent = Extent()
                with archive.open(member) as stream:
                    while chunk := stream.read(_CHUNK):
                        actual += len(chunk)
                        _refuse_bomb(actual, size, path.name, limits)
                        extent.see(chunk)
                _refuse_spread(extent, path.name, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _damaged(path.name, error) from error


def _refuse_bomb(expanded: int, size: int, name: str, limits: Limits) -> None:
    if expanded > limits.expanded_size or (expanded > 16 * _CHUNK and expanded > size * limits.expansion_ratio):
        raise FileTooLarge(
            f"The workbook's {size:,} bytes expand to {expanded:,} or more.",
            where=name,
            fix="Export the report as CSV, or a shorter period.",
        )


def _refuse_spread(extent: Extent, name: str, limits: Limits) -> None:
    """A sheet is held as a whole, with its empty cells: two cells far apart would be gigabytes of nothing."""
    if extent.columns > limits.columns and extent.area > _SMALL_AREA:
        raise FileTooLarge(
            f"A sheet has {extent.columns:,} columns; the limit is {limits.columns:,}.",
            where=name,
            fix="Remove empty columns at the right.",
        )
    if extent.area > _SMALL_AREA + _MOST_EMPTY * extent.cells:
        raise FileTooLarge(
            f"A sheet spreads {extent.cells:,} cells over {extent.rows:,} rows and {extent.columns:,} columns.",
            where=name,
            fix="Remove what stands far below or beside the table.",
        )


def _damaged(name: str, error: Exception) -> UnreadableFile:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return UnreadableFile(
        f"The workbook is damaged: {text}.",
        where=name,
        fix="Download the report again, or save it anew from a spreadsheet.",
    )
