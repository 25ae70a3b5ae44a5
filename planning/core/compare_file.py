"""A comparison as a file: every line with its amount per scenario, and what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from metrics.core.export import ExportFile, ExportFormat
from planning.core.comparison import ComparedLine, Comparison, Row
from planning.core.table_file import Sheet, write_sheet

_PLACE = ("Row", "Channel", "Retailer", "Placement", "Audience", "SKU", "Product")


def write_comparison(found: Comparison, lines: Sequence[ComparedLine], kind: ExportFormat) -> ExportFile:
    """The lines given, their totals, and totals and terms as notes."""
    labels = [one.label for one in found.candidates]
    header = [*_PLACE, *labels, "Largest difference", *(f"{label} binds" for label in labels)]
    rows: list[list[Any]] = []
    for line in lines:
        place = list(line.path) if line.path else [""] * 5
        rows.append(
            ["line" if line.cell else line.label, *place, line.product, *line.amounts, line.spread, *line.bindings]
        )
    sums = [
        None if one.result is None else sum((line.amounts[at] or Decimal(0) for line in lines), Decimal(0))
        for at, one in enumerate(found.candidates)
    ]
    rows.append(["total", *[""] * 6, *sums, None, *[""] * len(labels)])
    first = len(_PLACE)
    sheet = Sheet(
        title="Comparison", header=header, rows=rows, money=frozenset(range(first, first + len(labels) + 1)),
        notes=list(_notes(found)),
    )  # fmt: skip
    return write_sheet(sheet, kind, name="_".join(labels))


def _notes(found: Comparison) -> list[tuple[str, str]]:
    notes = [("Scenario", f"{one.label} {one.name}: {one.status}") for one in found.candidates]
    notes.append(("Currency", found.currency))
    notes.append(("Money", "per week of each horizon" if found.per_week else "over each scenario's own horizon"))
    notes += [("Note", words) for words in found.cautions]
    return notes + [(row.label, _values(row)) for row in (*found.totals, *found.terms)]


def _values(row: Row) -> str:
    def text(value: Any) -> str:
        if value is None:
            return "none"
        if isinstance(value, str):
            return value
        return f"{value:.1%}" if row.kind == "percent" else f"{value:,.2f}"

    return " | ".join(text(value) for value in row.values)
