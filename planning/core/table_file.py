"""A table with what must be known to read it, as CSV or XLSX; text that a spreadsheet would run stays text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from metrics.core.export import CONTENT_TYPES, ExportFile, ExportFormat, neutralised


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table.

    Attributes:
        title: of its sheet.
        rows: text, numbers and None, as long as `header` each.
        money: places of the columns that are written with two decimals.
        notes: (title, text) of what a reader must know.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    money: frozenset[int] = frozenset()
    notes: Sequence[tuple[str, str]] = ()


def write_sheet(sheet: Sheet, kind: ExportFormat, *, name: str) -> ExportFile:
    """The table as a file called `name`."""
    content = _csv(sheet) if kind == "csv" else _xlsx(sheet)
    return ExportFile(name=f"{name}.{kind}", content_type=CONTENT_TYPES[kind], content=content)


def _csv(sheet: Sheet) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(neutralised(title) for title in sheet.header)
    writer.writerows(
        ["" if cell is None else neutralised(cell) if isinstance(cell, str) else f"{cell}" for cell in row]
        for row in sheet.rows
    )
    out.write("\r\n")
    writer.writerows([f"# {title}: {text}"] for title, text in sheet.notes)
    # The mark tells spreadsheets that the file is UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _xlsx(sheet: Sheet) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    table = book.add_worksheet(sheet.title)
    for at, title in enumerate(sheet.header):
        table.write_string(0, at, title, bold)
    table.freeze_panes(1, 1)
    table.set_column(0, len(sheet.header) - 1, 16)
    for number, row in enumerate(sheet.rows, start=1):
        for at, cell in enumerate(row):
            if cell is None:
                continue
            if isinstance(cell, str):
                table.write_string(number, at, cell)
            else:
                table.write_number(number, at, cell, money if at in sheet.money else None)
    told = book.add_worksheet("How this was found")
    told.set_column(0, 0, 32)
    told.set_column(1, 1, 96)
    for number, (title, text) in enumerate(sheet.notes):
        told.write_string(number, 0, title, bold)
        told.write_string(number, 1, text)
    book.close()
    return out.getvalue()
