"""XLSX workbooks, read cell by cell as text.

The sheet's declared dimension is not trusted (exports are known to declare one cell), dates come as ISO text and
numbers in their shortest decimal form, so that money is the cents that the sheet shows.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Final

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

_CHUNK: Final = 1024**2


def open_workbook(path: Path, *, sheet: str | None, limits: Limits) -> OpenedFile:
    """Open the workbook's `sheet`, or its first one that holds anything.

    Raises:
        UnreadableFile: truncated, damaged, no workbook, no such sheet.
        FileTooLarge: its members expand beyond the limits, by what they declare or by what they are.
    """
    _check_archive(path, limits)
    try:
        workbook = fastexcel.read_excel(path)
        names = workbook.sheet_names
        wanted = [sheet] if sheet is not None else names
        if sheet is not None and sheet not in names:
            raise UnreadableFile(
                f"There is no sheet {sheet!r}.",
                where=path.name,
                fix=f"The workbook has: {', '.join(names)}. Set source.sheet of the contract.",
            )
        chosen, cells = wanted[0], pl.DataFrame()
        for name in wanted:
            cells = _cells(workbook, name)
            chosen = name
            if cells.height > 1:
                break
    except (fastexcel.FastExcelError, RuntimeError, ValueError) as error:
        raise UnreadableFile(
            f"The workbook is damaged: {_first_line(error)}.",
            where=path.name,
            fix="Download the report again, or save it anew from a spreadsheet.",
        ) from error
    if cells.width > limits.columns:
        raise FileTooLarge(
            f"The sheet {chosen!r} has {cells.width:,} columns; the limit is {limits.columns:,}.",
            where=path.name,
            fix="Remove empty columns at the right.",
        )
    cells.columns = [raw_name(position) for position in range(cells.width)]
    rows = tuple(tuple(cell or "" for cell in row) for row in cells.head(HEAD_ROWS).rows())
    head = Head(rows=rows, kind="xlsx", sheet=chosen, sheets=tuple(names))

    def frame(header_row: int, width: int) -> pl.LazyFrame:
        return (
            cells.lazy()
            .select(pl.nth(*range(width)))
            .with_row_index(SOURCE_ROW, offset=1)
            .with_columns(pl.col(SOURCE_ROW).cast(pl.Int64), pl.lit(None, dtype=pl.String).alias(RAGGED))
            .slice(header_row)
        )

    return OpenedFile(head, frame)


def _cells(workbook: fastexcel.ExcelReader, sheet: str) -> pl.DataFrame:
    # Without skip_rows=0 blank rows at the top are dropped and every row's number is wrong.
    page = workbook.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
    return page.to_polars()


def _check_archive(path: Path, limits: Limits) -> None:
    """Refuse archives that are damaged or expand too far, before anything parses them."""
    damaged = "Download the report again; the file is cut off or damaged."
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if "[Content_Types].xml" not in {member.filename for member in members}:
                raise UnreadableFile(
                    "The file is a zip archive but no Excel workbook.",
                    where=path.name,
                    fix="Unpack it and upload the export inside.",
                )
            declared = sum(member.file_size for member in members)
            _refuse_bomb(declared, size, path.name, limits)
            actual = 0
            for member in members:
                with archive.open(member) as stream:
                    while chunk := stream.read(_CHUNK):
                        actual += len(chunk)
                        _refuse_bomb(actual, size, path.name, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(f"The workbook is damaged: {_first_line(error)}.", where=path.name, fix=damaged) from error


def _refuse_bomb(expanded: int, size: int, name: str, limits: Limits) -> None:
    if expanded > limits.expanded_size or (expanded > 16 * _CHUNK and expanded > size * limits.expansion_ratio):
        raise FileTooLarge(
            f"The workbook's {size:,} bytes expand to {expanded:,} or more.",
            where=name,
            fix="Export the report as CSV, or a shorter period.",
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
