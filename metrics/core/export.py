"""Tables of figures as files: exactly the lines that are shown, with what must be disclosed beside them.

A cell of text that a spreadsheet would take for a formula is made text again (CSV: an apostrophe before it; XLSX: the
cell is typed as text). Figures stay numbers, also negative ones.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

import xlsxwriter

from metrics.core.definitions import DIMENSIONS, METRICS
from metrics.core.finality import finality_of
from metrics.core.incrementality import EVIDENCE
from metrics.core.notices import network_name, report_name
from metrics.core.records import plain_decimal
from metrics.core.request import NATIVE
from metrics.core.suppression import WITHHELD
from metrics.core.table import CURRENCY, PREVIOUS, MetricTable

ExportFormat = Literal["csv", "xlsx"]
EXPORT_FORMATS: Final[tuple[ExportFormat, ...]] = ("csv", "xlsx")
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: Column of the file that is in no frame: until when a line may change.
FINAL: Final = "restating_until"
_ATTRIBUTIONS: Final = {
    "as_reported": "As reported: each network's own model and window",
    "common_window": "Common window: {} for all networks, exactly or nearly as told below",
    "incremental": "Incremental: as reported, times published incrementality factors",
}
# What spreadsheets read as the start of a formula; the wide signs are folded to these by some of them.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file to hand out."""

    name: str
    content_type: str
    content: bytes


def write_export(table: MetricTable, kind: ExportFormat, *, brands: Sequence[str]) -> ExportFile:
    """The table as a file. `brands` are the names of those whose figures are in it."""
    period = table.request.period
    header = _header(table)
    rows = list(_rows(table))
    disclosure = list(_disclosure(table, brands))
    content = _csv(header, rows, disclosure) if kind == "csv" else _xlsx(header, rows, disclosure, table)
    return ExportFile(
        name=f"performance-{period.start}-{period.end}.{kind}", content_type=CONTENT_TYPES[kind], content=content
    )


def neutralised(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" \N{NO-BREAK SPACE}\ufeff").startswith(_FORMULA_STARTS) else text


def _columns(table: MetricTable) -> list[tuple[str, str]]:
    """(column of the frame, heading)."""
    columns = []
    for name in table.request.dimensions:
        dimension = DIMENSIONS[name]
        if dimension.label_columns:
            columns.append((dimension.label_name, dimension.label))
            columns.append((name, f"{dimension.label} id"))
        else:
            columns.append((name, dimension.label))
    if CURRENCY not in table.request.dimensions:
        columns.append((CURRENCY, "Currency"))
    for name in table.request.metrics:
        columns.append((name, METRICS[name].label))
        if table.request.compare != "none":
            columns.append((PREVIOUS + name, f"{METRICS[name].label}, compared with"))
    columns.append((FINAL, "May be restated until"))
    return columns


def _header(table: MetricTable) -> list[str]:
    return ["Row", *(heading for _, heading in _columns(table))]


def _rows(table: MetricTable) -> Iterator[list[Any]]:
    """Each with the kind of row first, so that totals are not added up with the lines they are of."""
    names = [name for name, _ in _columns(table)]
    finality = finality_of(table.provenance)
    for kind, frame in (("line", table.lines), ("other lines", table.rest), ("total", table.totals)):
        for row in frame.iter_rows(named=True):
            until, _ = finality.of(finality.accounts_of([row]))
            # What is withheld is told in its cell, and nothing stands for it that could be taken for a figure.
            cells = {name: row.get(WITHHELD + name) or row.get(name) for name in names}
            yield [kind, *(cells | {FINAL: until}).values()]


def _disclosure(table: MetricTable, brands: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What IAB/MRC ask to be told with the figures."""
    request, provenance = table.request, table.provenance
    yield "Period", f"{request.period.start} to {request.period.end}"
    if request.comparison is not None:
        yield "Compared with", f"{request.comparison.start} to {request.comparison.end}"
    yield "Brands", ", ".join(brands)
    for name, members in request.filters.items():
        yield f"Filter: {DIMENSIONS[name].label}", ", ".join(members)
    yield "Attribution", _ATTRIBUTIONS[request.attribution].format(request.rule.label)
    for item in provenance.attributions:
        differs = f" ({item.difference})" if item.difference else ""
        name = METRICS[item.metric].label.lower()
        yield f"Attribution of {name}, {network_name(item.network)}", (item.label or "not told") + differs
    if request.money != NATIVE:
        yield "Money", f"In {request.money}, each row at the rate of its day"
    yield "Viewability", "Impressions on the basis each network reports; none was re-measured"
    yield "Invalid traffic", "As filtered by each network; no further filtration was applied"
    if request.incremental:
        yield "Incrementality", "Attributed figures times published factors; 1 where none is published"
        for factor in provenance.factors:
            ends = f"{factor.value:g} ({factor.low:g} to {factor.high:g} at {factor.level:.0%})"
            yield f"Factor for {factor.scope}", f"{ends}, {EVIDENCE[factor.evidence]}: {factor.method}. {factor.source}"
    else:
        yield "Incrementality", "Not measured here: attributed figures do not say what the ads caused"
    for report in provenance.reports:
        days = f"{report.first_day} to {report.last_day}"
        yield f"Report of {report.account}", f"{report_name(report.report)}, {days}, {report.rows} rows"
    for restating in provenance.restating:
        yield f"Finality of {restating.account}", f"may be restated until {restating.until}"
    if provenance.as_of is not None:
        yield "Data as of", f"{provenance.as_of:%Y-%m-%d %H:%M} UTC, version {provenance.version}"
    for name in request.metrics:
        yield (
            f"Definition: {METRICS[name].label}",
            f"{METRICS[name].formula}. {METRICS[name].description} IAB/MRC: {METRICS[name].standing}",
        )
    for notice in table.notices:
        yield "Notice", notice.text


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]], disclosure: Sequence[tuple[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    out.write("\r\n")
    writer.writerows([f"# {name}: {text}"] for name, text in disclosure)
    # The mark tells spreadsheets that the file is UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return neutralised(cell)
    return plain_decimal(cell) if isinstance(cell, Decimal) else str(cell)


def _xlsx(
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    disclosure: Sequence[tuple[str, str]],
    table: MetricTable,
) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    formats = [None, *(_number_format(book, name) for name, _ in _columns(table))]
    sheet = book.add_worksheet("Performance")
    sheet.write_row(0, 0, header, bold)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(header) - 1, 16)
    for number, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            _write_cell(sheet, number, at, cell, formats[at])
    notes = book.add_worksheet("How this is counted")
    notes.set_column(0, 0, 32)
    notes.set_column(1, 1, 96, wrapped)
    for number, (name, text) in enumerate(disclosure):
        notes.write_string(number, 0, name, bold)
        notes.write_string(number, 1, text, wrapped)
    book.close()
    return out.getvalue()


def _number_format(book: Any, column: str) -> Any:
    metric = METRICS.get(column.removeprefix(PREVIOUS))
    if metric is None:
        return None
    shown = {"money": "#,##0.00", "count": "#,##0", "multiple": "0.00", "fraction": "0.00%"}[metric.unit]
    return book.add_format({"num_format": shown})


def _write_cell(sheet: Any, row: int, column: int, cell: Any, style: Any) -> None:
    if cell is None:
        return
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, date | datetime):
        sheet.write_datetime(row, column, cell)
    else:
        sheet.write_number(row, column, cell, style)
