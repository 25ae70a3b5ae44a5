"""Workbooks as the Amazon Ads console writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

FIXED_CREATION = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)


class _OneCellSheet(Worksheet):  # type: ignore[misc]
    """A sheet that claims to hold one cell only, as console exports do.

    Readers that trust the claim stop after A1. xlsxwriter always writes the true extent, hence the override.
    """

    def _write_dimension(self) -> None:
        self._xml_empty_tag("dimension", [("ref", "A1")])


def write_workbook(
    path: Path,
    sheet_name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    claims_one_cell: bool,
) -> None:
    """One sheet: `header`, then rows of dates, texts and numbers. None leaves a cell empty."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        # A fixed creation date makes the same world the same bytes.
        book.set_properties({"created": FIXED_CREATION})
        date_format = book.add_format({"num_format": "mmm d, yyyy"})
        sheet = book.add_worksheet(sheet_name, _OneCellSheet if claims_one_cell else None)
        sheet.write_row(0, 0, header)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, dt.date):
                    sheet.write_datetime(number, column, value, date_format)
                elif isinstance(value, str):
                    sheet.write_string(number, column, value)
                else:
                    sheet.write_number(number, column, value)
