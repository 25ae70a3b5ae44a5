"""Tables as files that people open in a spreadsheet: CSV and XLSX of exactly the rows that a page shows.

A cell of text that a spreadsheet would take for a formula is made text again (CSV: an apostrophe before it; XLSX: the
cell is typed as text). Figures stay numbers, also negative ones.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

import xlsxwriter

FileKind = Literal["csv", "xlsx"]
FILE_KINDS: Final[tuple[FileKind, ...]] = ("csv", "xlsx")
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: What spreadsheets read as the start of a formula; the wide signs are folded to these by some of them.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
#: The longest text that a cell of a workbook holds.
_LONGEST_CELL: Final = 32_767


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file to hand out."""

    name: str
    content_type: str
    content: bytes


def write_table(
    kind: FileKind, *, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], notes: Sequence[str] = ()
) -> TableFile:
    """A table as a file.

    Args:
        name: without the suffix; also the name of the sheet.
        rows: cells are text, numbers, dates, instants (UTC) or None.
        notes: what has to be told with it; below the rows of a CSV, on a sheet of its own in a workbook.
    """
    content = _csv(header, rows, notes) if kind == "csv" else _xlsx(name, header, rows, notes)
    return TableFile(name=f"{name}.{kind}", content_type=CONTENT_TYPES[kind], content=content)


def neutralised(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" \N{NO-BREAK SPACE}\ufeff").startswith(_FORMULA_STARTS) else text


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]], notes: Sequence[str]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(neutralised(name) for name in header)
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    if notes:
        out.write("\r\n")
        writer.writerows([f"# {note}"] for note in notes)
    # The mark tells spreadsheets that the file is UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _as_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return neutralised(cell)
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _xlsx(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], notes: Sequence[str]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd", "remove_timezone": True})
    bold, instant = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet = book.add_worksheet(name[:31])
    for at, title in enumerate(header):
        sheet.write_string(0, at, title, bold)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(header) - 1, 18)
    for number, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, at, cell, instant)
            elif isinstance(cell, date):
                sheet.write_datetime(number, at, cell)
            elif isinstance(cell, bool) or not isinstance(cell, int | float | Decimal | None):
                sheet.write_string(number, at, str(cell)[:_LONGEST_CELL])
            elif cell is not None:
                sheet.write_number(number, at, cell)
    if notes:
        about = book.add_worksheet("Notes")
        about.set_column(0, 0, 120)
        for number, note in enumerate(notes):
            about.write_string(number, 0, note[:_LONGEST_CELL])
    book.close()
    return out.getvalue()
