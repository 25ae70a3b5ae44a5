"""Data of experiments that are no panel: the log of a switchback, and the sums of two arms."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from measurement.core.arrays import Bools, Floats
from measurement.core.panel_values import is_currency
from tenants.core.problems import InvalidInput

ARMS: Final = ("treated", "control")
_SUMS: Final = ("sum", "sum_of_squares", "n")
_LARGEST: Final = 1e100
_ON: Final = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class SwitchbackLog:
    """A switchback, period by period in order.

    Attributes:
        periods: numbers from 1. treated, outcome: shape [periods].
        days: of the periods where the log tells them, else empty.
        notes: what was done to the rows on reading.
    """

    periods: tuple[int, ...]
    treated: Bools
    outcome: Floats
    days: tuple[dt.date, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TwoArms:
    """Sums over the users of two arms.

    Attributes:
        arms: arm -> `sum`, `sum_of_squares`, `n`; of conversions the sum of squares is the sum.
        until: last day that the sums cover, where the file tells it.
        currency: of the outcome, empty where it is none or not told.
    """

    arms: dict[str, dict[str, float]]
    until: dt.date | None = None
    currency: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return ARMS


def read_log(content: bytes, *, period: str, treated: str, outcome: str, date: str | None = None) -> SwitchbackLog:
    """The log in a CSV file: one row per period.

    Raises:
        InvalidInput: a column, period or value is missing, repeated or no number; names the line.
    """
    try:
        frame = pl.read_csv(io.BytesIO(content), infer_schema=False, truncate_ragged_lines=False)
    except pl.exceptions.PolarsError as error:
        raise InvalidInput("The file is no table.", where="file", fix="Send a CSV with one row per period.") from error
    for name in filter(None, (period, treated, outcome, date)):
        if name not in frame.columns:
            raise InvalidInput(
                f"There is no column {name!r}.", where="header", fix=f"The columns are {', '.join(frame.columns)}."
            )
    if frame.is_empty():
        raise InvalidInput("The log has no rows.", where="file", fix="Send one row per period.")
    rows: dict[int, tuple[bool, float, dt.date | None]] = {}
    for line, row in enumerate(frame.iter_rows(named=True), start=2):
        number = _whole(row[period], line, period)
        if number in rows:
            raise InvalidInput(f"Period {number} has two rows.", where=f"line {line}", fix="Give one row per period.")
        on = _ON.get(str(row[treated] or "").strip().casefold())
        if on is None:
            raise InvalidInput(
                f"{row[treated]!r} does not say whether the period was treated.",
                where=f'line {line}, column "{treated}"',
                fix="Write 1 or 0.",
            )
        rows[number] = (on, _number(row[outcome], line, outcome), _day(row[date], line, date) if date else None)
    numbers = sorted(rows)
    # By place, not by a list of all numbers up to the last: that number is as large as somebody writes it.
    first = next((place for place, number in enumerate(numbers, start=1) if number != place), None)
    if first is not None:
        raise InvalidInput(
            f"Period {first} is missing.", where=f"period {first}", fix="Number periods from 1, without a gap."
        )
    days = tuple(day for number in numbers if (day := rows[number][2]) is not None)
    if list(days) != sorted(days):
        raise InvalidInput("The days are not in the order of the periods.", where=date or "", fix="Check both columns.")
    return SwitchbackLog(
        periods=tuple(numbers),
        treated=np.array([rows[number][0] for number in numbers]),
        outcome=np.array([rows[number][1] for number in numbers]),
        days=days,
    )


def read_summary(content: bytes) -> TwoArms:
    """The sums in a JSON file: `{"treated": {"sum", "sum_of_squares", "n"}, "control": {...}, "until": "2026-10-01"}`.

    Raises:
        InvalidInput: an arm or a sum is missing or impossible; says which.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            "The file is no JSON.", where="file", fix='Send {"treated": ..., "control": ...}.'
        ) from error
    if not isinstance(document, Mapping):
        raise InvalidInput("An object is expected.", where="file", fix='Send {"treated": ..., "control": ...}.')
    arms = {arm: _sums(document.get(arm), arm) for arm in ARMS}
    until = document.get("until")
    try:
        day = dt.date.fromisoformat(until) if until else None
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{until!r} is not a day.", where="until", fix="Write it as YYYY-MM-DD.") from error
    currency = str(document.get("currency") or "").strip().upper()
    if currency and not is_currency(currency):
        raise InvalidInput(f"{currency[:40]!r} is no currency.", where="currency", fix="Give a code such as USD.")
    return TwoArms(arms=arms, until=day, currency=currency)


def refuse_further_keys(content: bytes) -> None:
    """Of a new file, which is kept whole: it has the sums of two arms, and nothing beside them.

    Raises:
        InvalidInput: another key is there; says which.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return  # `read_summary` says so.
    if not isinstance(document, Mapping):
        return
    levels: list[tuple[str, Any, tuple[str, ...]]] = [("", document, (*ARMS, "until", "currency"))]
    levels += [(f"{arm}.", document.get(arm), _SUMS) for arm in ARMS]
    for place, given, known in levels:
        for name in given if isinstance(given, Mapping) else ():
            if name not in known:
                raise InvalidInput(
                    f"Nothing is read from {place}{name[:40]}; a file of sums has no more than them.",
                    where=f"{place}{name[:40]}",
                    fix=f"Leave it out; known are {', '.join(known)}.",
                )


def _sums(given: Any, arm: str) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"The arm {arm!r} is missing.", where=arm, fix=f"Give its {', '.join(_SUMS)}.")
    found: dict[str, float] = {}
    for name in _SUMS:
        value = given.get(name)
        # Beyond these nothing was counted, and squares would be no numbers any more.
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
            raise InvalidInput(f"{name} of {arm} is no number.", where=f"{arm}.{name}", fix="Give a finite number.")
        found[name] = float(value)
    if found["n"] < 2 or found["n"] != int(found["n"]):
        raise InvalidInput(
            f"{arm} has {found['n']:g} {'user' if found['n'] == 1 else 'users'}.",
            where=f"{arm}.n",
            fix="Give a whole number from 2.",
        )
    # By Cauchy-Schwarz; sums as exported are rounded.
    if found["sum_of_squares"] * (1 + 1e-9) < found["sum"] ** 2 / found["n"]:
        raise InvalidInput(
            f"The sum of squares of {arm} is smaller than its sum allows.",
            where=f"{arm}.sum_of_squares",
            fix="Sum the squares of each user's outcome.",
        )
    return found


def _whole(value: Any, line: int, column: str) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise InvalidInput(
            f"{value!r} is no period.", where=f'line {line}, column "{column}"', fix="Number periods from 1."
        ) from error


def _number(value: Any, line: int, column: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(
            f"{value!r} is no number.", where=f'line {line}, column "{column}"', fix="Give a figure for every period."
        )
    return number


def _day(value: Any, line: int, column: str) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidInput(
            f"{value!r} is no day.", where=f'line {line}, column "{column}"', fix="Write it as YYYY-MM-DD."
        ) from error
