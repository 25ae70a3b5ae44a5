"""Reads the log of a switchback: one row per period, whether it was treated, and what came of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass

import numpy as np
import polars as pl

from measurement.core.arrays import Floats, Ints
from measurement.core.panel_values import numbers_of
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

_TREATED = {"1": 1, "0": 0, "true": 1, "false": 0, "yes": 1, "no": 0, "treated": 1, "control": 0, "1.0": 1, "0.0": 0}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SwitchbackLog:
    """A complete log, in order.

    Attributes:
        periods: whole numbers or days, one step apart. weekdays: of days, 0 is Monday; None for numbers.
        notes: what was done to the rows on reading.
    """

    periods: tuple[dt.date | int, ...]
    treated: Ints
    outcome: Floats
    notes: tuple[str, ...]

    @property
    def weekdays(self) -> list[str] | None:
        """Labels for a draw that was balanced over weekdays."""
        days = [period for period in self.periods if isinstance(period, dt.date)]
        return [str(day.weekday()) for day in days] if days else None


def read_switchback_log(content: bytes, *, period: str, treated: str, outcome: str) -> SwitchbackLog:
    """The log in a CSV file (comma or semicolon, UTF-8).

    Args:
        period, treated, outcome: names of the columns.

    Raises:
        InvalidInput: not a table, a missing column, an unreadable value, a period twice, or one that is missing.
    """
    rows, separator = _rows(content, (period, treated, outcome))
    amounts = _amounts({line: row[outcome] for line, row in rows}, outcome, separator)
    read = [(_period(row[period], line), _treated(row[treated], line, treated), amounts[line]) for line, row in rows]
    if len({type(one[0]) for one in read}) > 1:
        raise InvalidInput(
            "Some periods are days and some are numbers.", where=f'column "{period}"', fix="Write all the same way."
        )
    ordered = sorted(read, key=lambda one: _ordinal(one[0]))
    notes = [] if ordered == read else ["The rows were not in the order of their periods and were sorted."]
    places = [_ordinal(one[0]) for one in ordered]
    steps = np.diff(places).tolist()
    for place, step in enumerate(steps):
        if step == 0:
            raise InvalidInput(
                f"Period {ordered[place][0]} stands there twice.",
                where=f'column "{period}"',
                fix="Keep one row per period; add up what belongs together.",
            )
    usual = min(steps, default=1)
    for place, found in enumerate(steps):
        if found != usual:
            raise InvalidInput(
                f"After period {ordered[place][0]} comes {ordered[place + 1][0]}: at least one period is missing.",
                where=f'column "{period}"',
                fix="Complete the log; a gap would shift every carry-over after it.",
            )
    return SwitchbackLog(
        periods=tuple(one[0] for one in ordered),
        treated=np.array([one[1] for one in ordered], dtype=np.int64),
        outcome=np.array([one[2] for one in ordered]),
        notes=tuple(notes),
    )


def _rows(content: bytes, columns: tuple[str, ...]) -> tuple[list[tuple[int, dict[str, str]]], str]:
    """Rows with their lines, and the separator of the file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not UTF-8 text.", where="file", fix="Save it as CSV in UTF-8.") from error
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=separator)
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    for column in columns:
        if column not in names:
            raise InvalidInput(
                f"There is no column {column!r}.",
                where="first line",
                fix=f"The file has {', '.join(map(repr, names)) or 'none'}.",
            )
    rows = [(line, row) for line, row in enumerate(reader, start=2) if any(row.values())]
    for line, row in rows:
        if any(row[column] is None for column in columns):
            raise InvalidInput("The line is shorter than the first one.", where=f"line {line}", fix="Complete it.")
    if len(rows) < 2:
        raise InvalidInput(
            f"The log has {count_of(len(rows), 'period')}.", where="file", fix="Give at least two, and both arms."
        )
    return rows, separator


def _period(text: str, line: int) -> dt.date | int:
    word = text.strip()
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return dt.date.fromisoformat(word)
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is neither a whole number nor a day.", where=f"line {line}", fix="Write 12 or 2026-01-31."
        ) from error


def _ordinal(period: dt.date | int) -> int:
    return period.toordinal() if isinstance(period, dt.date) else period


def _treated(text: str, line: int, column: str) -> int:
    kind = _TREATED.get(text.strip().casefold())
    if kind is None:
        raise InvalidInput(
            f"{text!r} is neither 0 nor 1.",
            where=f'line {line}, column "{column}"',
            fix="Give 1 where treated, else 0.",
        )
    return kind


def _amounts(cells: dict[int, str], column: str, separator: str) -> dict[int, float]:
    """Line -> number."""
    # Cells stand at their lines, so that an error names the line that the file has.
    texts = [cells.get(line, "") for line in range(2, max(cells) + 1)]
    found = numbers_of(pl.Series(texts, dtype=pl.String), column=column, comma_file=separator == ",")[0]
    amounts: dict[int, float] = {}
    for line, text in cells.items():
        value = found[line - 2]
        if value is None:
            raise InvalidInput(
                f"{text!r} is no number.",
                where=f'line {line}, column "{column}"',
                fix="Complete the log before reading it.",
            )
        amounts[line] = float(value)
    return amounts
