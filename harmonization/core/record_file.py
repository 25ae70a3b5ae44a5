"""Small tables that people write: catalogues, audiences, policies, exchange rates. CSV, or the first sheet of a
workbook.

They are read whole, while somebody waits, and taken whole or not at all: every finding names its row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from harmonization.core.source_file import Limits
from harmonization.core.workbook import open_workbook
from tenants.core.problems import InvalidInput

MAX_FINDINGS: Final = 50
SUFFIXES: Final = (".csv", ".xlsx")
_LIMITS: Final = Limits(file_size=64 * 1024**2, expanded_size=256 * 1024**2)


@dataclass(frozen=True, slots=True)
class Record:
    """A row: its number in the file, its cells by the header's name in small letters, and whether it has more cells."""

    row: int
    cells: dict[str, str]
    is_ragged: bool = False

    def get(self, name: str) -> str:
        """The cell, or nothing where the file lacks the column."""
        return self.cells.get(name, "")


class Findings:
    """What is wrong with a file, collected so that its writer corrects all of it at once."""

    def __init__(self) -> None:
        self._errors: list[dict[str, object]] = []

    def add(self, row: int, column: str, detail: str) -> None:
        """Note one thing."""
        self._errors.append({"row": row, "where": f"row {row}, {column}", "detail": detail})

    @property
    def is_full(self) -> bool:
        """Whether enough is known to send the file back."""
        return len(self._errors) >= MAX_FINDINGS

    def raise_if_any(self) -> None:
        """Refuse the file, with everything that was noted.

        Raises:
            InvalidInput: something was.
        """
        if not self._errors:
            return
        first, more = self._errors[0], len(self._errors) - 1
        raise InvalidInput(
            f"{first['detail']}" + (f" ({more} more)" if more else ""),
            where=str(first["where"]),
            fix="Correct these rows and upload the file again; nothing of it was taken.",
            errors=self._errors,
        )


def read_records(path: Path, *, what: str, max_rows: int) -> tuple[list[str], Iterator[Record]]:
    """The header in small letters, and the rows that are not blank.

    Args:
        what: what the file is, for its errors: `catalogue`.

    Raises:
        InvalidInput: neither CSV in UTF-8 nor a workbook, no header, or more than `max_rows` rows.
        UnreadableFile, FileTooLarge: a damaged workbook, or one that unpacks to too much.
    """
    try:
        rows = _sheet(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(
            f"The {what} is not a UTF-8 CSV file: {error}.", fix="Save it as CSV, UTF-8, and upload it again."
        ) from error
    if not rows:
        raise InvalidInput(f"The {what} is empty.", where="header", fix="Export it again.")
    header = [name.strip().lower() for name in rows[0]]
    if len(rows) - 1 > max_rows:
        raise InvalidInput(
            f"The {what} has more than {max_rows:,} rows.",
            where=f"row {max_rows + 2}",
            fix="Send it in several files; nothing of it was taken.",
        )
    return header, _records(header, rows)


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def _sheet(path: Path) -> list[list[str]]:
    opened = open_workbook(path, sheet=None, limits=_LIMITS)
    if not opened.head.rows:
        return []
    header = [cell or "" for cell in opened.head.rows[0]]
    while header and not header[-1].strip():
        header.pop()
    frame = opened.rows(1, len(header)).collect().sort("source_row")
    cells = frame.select(f"raw_{place}" for place in range(len(header)))
    return [header, *([cell or "" for cell in row] for row in cells.iter_rows())]


def _records(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Record]:
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if any(cells):
            named = {name: cell for name, cell in zip(header, cells, strict=False) if name}
            yield Record(number, named, is_ragged=len(cells) > len(header) and any(cells[len(header) :]))


def missing_columns(header: Sequence[str], required: Sequence[str], *, what: str) -> None:
    """Refuse a file without what it needs.

    Raises:
        InvalidInput: naming the columns.
    """
    missing = [name for name in required if name not in header]
    if missing:
        raise InvalidInput(
            f"The {what} lacks the columns {', '.join(missing)}.",
            where="header",
            fix=f"Send a CSV or a workbook with at least {', '.join(required)}.",
        )


def as_decimal(text: str) -> Decimal | None:
    """The finite number that a text says, None for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def as_date(text: str) -> date | None:
    """A date such as 2026-11-22, also as a workbook writes it with a time of midnight; None for anything else."""
    try:
        return date.fromisoformat(text.removesuffix(" 00:00:00").removesuffix("T00:00:00"))
    except ValueError:
        return None
