"""The lines of a solved scenario as a file, totals and all, with what must be known to read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from metrics.core.export import ExportFile, ExportFormat
from planning.core.result import Result
from planning.core.table_file import Sheet, write_sheet

HEADER: Final = (
    "Row", "Channel", "Retailer", "Placement", "Audience", "SKU", "Product", "Now", "Proposed", "Change",
    "Expected sales now", "Expected sales proposed", "Marginal return now", "Marginal return proposed",
    "Gain, low (80 %)", "Gain, high (80 %)", "Binding constraint", "Why",
)  # fmt: skip
_MONEY: Final = range(7, 12)


def write_lines(result: Result, kind: ExportFormat, *, name: str, notes: Sequence[tuple[str, str]]) -> ExportFile:
    """All lines as CSV or XLSX. `notes` say what the figures are of; text that a spreadsheet would run stays text."""
    sheet = Sheet(title="Lines", header=HEADER, rows=list(_rows(result)), money=frozenset(_MONEY), notes=notes)
    return write_sheet(sheet, kind, name=name)


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
        _cents(result.sales_now), _cents(result.sales_proposed), None,
        # The column is of sales; what else the budget is worth stands in the notes.
        result.marginal if result.maximised == "sales" else None, None, None, "", "",
    ]  # fmt: skip


def _cents(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value)).quantize(Decimal("0.01"))
