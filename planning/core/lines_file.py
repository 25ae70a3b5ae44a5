"""The lines of a solved scenario as a file, totals and all, with what must be known to read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from metrics.core.export import CONTENT_TYPES, ExportFile, ExportFormat, neutralised
from planning.core.result import Result

HEADER: Final = (
    "Row", "Channel", "Retailer", "Placement", "Audience", "SKU", "Product", "Now", "Proposed", "Change",
    "Expected sales now", "Expected sales proposed", "Marginal return now", "Marginal return proposed",
    "Gain, low (80 %)", "Gain, high (80 %)", "Binding constraint", "Why",
)  # fmt: skip
_MONEY: Final = range(7, 12)


def write_lines(result: Result, kind: ExportFormat, *, name: str, notes: Sequence[tuple[str, str]]) -> ExportFile:
    """All lines as CSV or XLSX. `notes` say what the figures are of; text that a spreadsheet would run stays text."""
    rows = list(_rows(result))
    content = _csv(rows, notes) if kind == "csv" else _xlsx(rows, notes)
    return ExportFile(name=f"{name}.{kind}", content_type=CONTENT_TYPES[kind], content=content)


def _rows(result: Result) -> Iterator[list[Any]]:
    for line in result.lines:
        place = list(line.path) if line.path else ["", "", "", "", ""]
        low, high = line.gain or (None, None)
        yield [
            "line" if line.cell else line.label, *place, line.product, line.now, line.proposed, line.change,
            _cents(line.sales_now), _cents(line.sales_proposed), line.marginal_now, line.marginal,
            _cents(low), _cents(high), line.binding, line.why,
        ]  # fmt: skip
    yield [
        "total", "", "", "", "", "", "", result.now, result.proposed, result.proposed - result.now,
        _cents(result.sales_now), _cents(result.sales_proposed), None, result.marginal, None, None, "", "",
    ]  # fmt: skip


def _cents(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value)).quantize(Decimal("0.01"))


def _csv(rows: Sequence[Sequence[Any]], notes: Sequence[tuple[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(
        ["" if cell is None else neutralised(cell) if isinstance(cell, str) else f"{cell}" for cell in row]
        for row in rows
    )
    out.write("\r\n")
    writer.writerows([f"# {title}: {text}"] for title, text in notes)
    # The mark tells spreadsheets that the file is UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _xlsx(rows: Sequence[Sequence[Any]], notes: Sequence[tuple[str, str]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    sheet = book.add_worksheet("Lines")
    sheet.write_row(0, 0, HEADER, bold)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(HEADER) - 1, 16)
    for number, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            if cell is None:
                continue
            if isinstance(cell, str):
                sheet.write_string(number, at, cell)
            else:
                sheet.write_number(number, at, cell, money if at in _MONEY else None)
    told = book.add_worksheet("How this was found")
    told.set_column(0, 0, 32)
    told.set_column(1, 1, 96)
    for number, (title, text) in enumerate(notes):
        told.write_string(number, 0, title, bold)
        told.write_string(number, 1, text)
    book.close()
    return out.getvalue()
