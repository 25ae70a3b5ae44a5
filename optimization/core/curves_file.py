"""The curves of a version as a file: the rows that are shown, with what must be known to read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import xlsxwriter

from metrics.core.export import CONTENT_TYPES, ExportFile, ExportFormat, neutralised
from optimization.core.curve_table import CurveRow

HEADER: Final = (
    "Retailer", "Placement", "SKU", "Product", "Family", "a", "k", "Usual weekly spend", "Return", "Return, low (80 %)",
    "Return, high (80 %)", "Marginal return", "Shrinkage", "Weeks", "R2", "Incrementality factor", "Standard error",
    "Source of factor", "Overridden by", "Reason", "Notes",
)  # fmt: skip


def write_curves(
    rows: Sequence[CurveRow], kind: ExportFormat, *, name: str, notes: Sequence[tuple[str, str]]
) -> ExportFile:
    """Rows as CSV or XLSX. `notes` say what the figures are of; text that a spreadsheet would run stays text."""
    lines = list(_lines(rows))
    content = _csv(lines, notes) if kind == "csv" else _xlsx(lines, notes)
    return ExportFile(name=f"{name}.{kind}", content_type=CONTENT_TYPES[kind], content=content)


def _lines(rows: Sequence[CurveRow]) -> Iterator[list[Any]]:
    for row in rows:
        factor = row.factor
        yield [
            row.key.retailer, row.key.placement, row.key.sku, row.product, row.family, row.a, row.k, row.usual,
            row.roas, row.roas_low, row.roas_high, row.marginal, row.shrinkage, row.weeks, row.r2,
            factor.mean if factor else None, factor.sd if factor else None, factor.source if factor else "",
            row.overridden.get("by", ""), row.overridden.get("reason", ""), " ".join(row.notes),
        ]  # fmt: skip


def _csv(lines: Sequence[Sequence[Any]], notes: Sequence[tuple[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(
        ["" if cell is None else neutralised(cell) if isinstance(cell, str) else f"{cell:.10g}" for cell in line]
        for line in lines
    )
    out.write("\r\n")
    writer.writerows([f"# {title}: {text}"] for title, text in notes)
    # The mark tells spreadsheets that the file is UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _xlsx(lines: Sequence[Sequence[Any]], notes: Sequence[tuple[str, str]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Curves")
    sheet.write_row(0, 0, HEADER, bold)
    sheet.freeze_panes(1, 3)
    sheet.set_column(0, len(HEADER) - 1, 16)
    for number, line in enumerate(lines, start=1):
        for at, cell in enumerate(line):
            if isinstance(cell, str):
                sheet.write_string(number, at, cell)
            elif cell is not None:
                sheet.write_number(number, at, cell)
    told = book.add_worksheet("How this was found")
    told.set_column(0, 0, 32)
    told.set_column(1, 1, 96)
    for number, (title, text) in enumerate(notes):
        told.write_string(number, 0, title, bold)
        told.write_string(number, 1, text)
    book.close()
    return out.getvalue()
