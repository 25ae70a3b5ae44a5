"""Small exports in the networks' real forms, and their sums by csv and Decimal alone."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import xlsxwriter

SEARCH_TERM = [
    "Start Date",
    "End Date",
    "Portfolio name",
    "Currency",
    "Campaign Name",
    "Ad Group Name",
    "Targeting",
    "Match Type",
    "Customer Search Term",
    "Impressions",
    "Clicks",
    "Click-Thru Rate (CTR)",
    "Cost Per Click (CPC)",
    "Spend ",
    "7 Day Total Sales ",
    "Total Advertising Cost of Sales (ACoS) ",
    "Total Return on Advertising Spend (RoAS)",
    "7 Day Total Orders (#)",
    "7 Day Total Units (#)",
    "7 Day Conversion Rate",
    "7 Day Advertised SKU Units (#)",
    "7 Day Other SKU Units (#)",
    "7 Day Advertised SKU Sales ",
    "7 Day Other SKU Sales ",
]


def search_term_row(
    term: str,
    *,
    day: str = "Feb 1, 2020",
    last: str | None = None,
    impressions: str = "100",
    clicks: str = "4",
    spend: str = "$2.00",
    sales: str = "$10.00",
    same: str = "$7.00",
    halo: str = "$3.00",
    currency: str = "USD",
) -> list[str]:
    dimensions = [day, last or day, "Snacks", currency, "Chips - Exact", "Core", "chips", "EXACT", term]
    return [
        *dimensions,
        impressions,
        clicks,
        "4%",
        "$0.50",
        spend,
        sales,
        "20%",
        "5.0",
        "2",
        "3",
        "50%",
        "2",
        "1",
        same,
        halo,
    ]


def csv_bytes(rows: Iterable[Sequence[str]], *, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def write_csv(path: Path, rows: Iterable[Sequence[str]], **form: str) -> Path:
    path.write_bytes(csv_bytes(rows, **form))
    return path


def write_xlsx(path: Path, rows: Sequence[Sequence[object]], *, sheet: str = "Report") -> Path:
    """Cells as Excel keeps them: dates are day numbers with a format, amounts binary fractions."""
    with xlsxwriter.Workbook(path) as workbook:
        page = workbook.add_worksheet(sheet)
        day = workbook.add_format({"num_format": "mmm d, yyyy"})
        for line, row in enumerate(rows):
            for position, cell in enumerate(row):
                if isinstance(cell, datetime.date):
                    page.write_datetime(line, position, datetime.datetime.combine(cell, datetime.time()), day)
                elif cell is not None:
                    page.write(line, position, cell)
    return path


def column_sum(path: Path, header: str, *, skip: int = 0) -> Decimal:
    """The sum of a CSV column of plain or dollar amounts."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[skip:]
    position = [name.strip() for name in rows[0]].index(header)
    return sum((Decimal(row[position].strip("$%").replace(",", "")) for row in rows[1:]), Decimal(0))
