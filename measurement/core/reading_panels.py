"""From a delimited file with one row per unit and period to a panel.

Nothing is filled in silently. What a reader of the file can put right (two rows for one market and day, text where a
number should be, two currencies) is a named problem with its lines. What has one sensible treatment (a market that
appears late and cannot be a control, a day that no market has) is treated so, and said so in `Panel.notes`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from measurement.core.arrays import Bools, Floats
from measurement.core.panel import Panel
from measurement.core.panel_values import MixedCurrencies, dates_of, is_currency, lines_text, numbers_of
from measurement.core.quiet_periods import undelivered, unsold
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

Missing = Literal["leave_out", "zero", "zero_inside", "refuse"]
Duplicates = Literal["refuse", "sum"]

_SEPARATORS: Final = (",", ";", "\t", "|")
_NAMED: Final = 5
_AGAIN: Final = re.compile(r"_duplicated_\d+$")
LONGEST_NAME: Final = 120
#: Cells of a panel are its units times its periods, whatever the file holds of them. A small file in which every row
#: has its own unit and period would ask for the square of its rows.
_FREE_CELLS: Final = 5_000_000
_MOST_CELLS: Final = 40_000_000
_CELLS_A_ROW: Final = 20


class InvalidPanel(InvalidInput):
    """Rows that are no panel of units by periods."""

    code = "invalid-panel"
    title = "The panel cannot be used"


class MissingRows(InvalidPanel):
    """Units that lack periods, where that cannot be treated."""

    code = "missing-rows"


class DuplicateRows(InvalidPanel):
    """Two rows for one unit and period."""

    code = "duplicate-rows"


class TooFewUnits(InvalidPanel):
    """One unit, or none: there is nothing to compare with."""

    code = "too-few-units"


def read_panel(
    source: str | Path | bytes,
    *,
    date: str,
    unit: str,
    outcome: str,
    cost: str | None = None,
    currency: str | None = None,
    missing: Missing = "leave_out",
    duplicates: Duplicates = "refuse",
    required: Collection[str] = (),
) -> Panel:
    """The panel in a CSV file (comma, semicolon, tab or bar), given as a path or as its bytes.

    Args:
        date: column of ISO dates or of whole numbers (years, period numbers). unit, outcome: columns.
        cost: column of spend. currency: column of currency codes; one code is allowed.
        missing: what becomes of a unit that lacks periods others have: it is left out, its missing values count as
            zero (a ledger that has no row where nothing was sold), or the file is refused. `zero_inside` takes rows
            that lack between a unit's first and last row for zero, and before its first where it skips as many within
            three times or more. Other days before or after were not delivered, and a unit that lacks those, or has an
            empty cell, is left out, or refused where it is required. So is the file where many units lack one period.
        duplicates: what becomes of several rows of one unit and period. A sum with an empty part is empty.
        required: units that must not be left out, the treated ones.

    Raises:
        InvalidPanel, or one of its kinds, naming columns, lines and units.
    """
    frame, separator = read_text_table(source)
    columns = {"date": date, "unit": unit, "outcome": outcome}
    columns |= {"cost": cost} if cost else {}
    columns |= {"currency": currency} if currency else {}
    absent = [name for name in columns.values() if name not in frame.columns]
    if absent:
        raise InvalidPanel(
            f"There is no column {', '.join(map(repr, absent))}.",
            where="header",
            fix=f"The columns are {', '.join(map(repr, frame.columns))}.",
        )
    if frame.is_empty():
        raise InvalidPanel("The file has a header and no rows.", fix="Give one row per unit and period.")
    notes: list[str] = []
    periods = dates_of(frame[date], column=date)
    amounts = [frame[name] for name in (outcome, cost) if name]
    values, money = numbers_of(frame[outcome], column=outcome, comma_file=separator == ",", beside=amounts)
    spend, spend_money = (
        numbers_of(frame[cost], column=cost, comma_file=separator == ",", beside=amounts) if cost else (None, "")
    )
    code = _one_currency(frame[currency] if currency else None, money, spend_money)
    long = pl.DataFrame({"unit": frame[unit].str.strip_chars().fill_null(""), "period": periods, "outcome": values})
    if spend is not None:
        long = long.with_columns(cost=spend)
    if (long["unit"] == "").any():
        lines = np.flatnonzero((long["unit"] == "").to_numpy())
        raise InvalidPanel(f"The column {unit!r} is empty.", where=lines_text(lines), fix="Name the unit in every row.")
    refuse_names(long["unit"], column=unit)
    long = _one_spelling(long, notes)
    long = _once(long, duplicates, notes)
    return _complete(long, code, missing, {name.casefold() for name in required}, notes)


def refuse_names(names: pl.Series, *, column: str) -> None:
    """Refuse names that no experiment can keep.

    Raises:
        InvalidPanel: a name is too long or holds a NUL; names the lines.
    """
    bad = np.flatnonzero(
        ((names.str.len_chars() > LONGEST_NAME) | names.str.contains("\x00", literal=True)).fill_null(False).to_numpy()
    )
    if len(bad):
        raise InvalidPanel(
            f"{count_of(len(bad), 'name')} of {column!r}: no text, or longer than {LONGEST_NAME} characters.",
            where=lines_text(bad),
            fix="Give short names.",
        )


def read_text_table(source: str | Path | bytes) -> tuple[pl.DataFrame, str]:
    """A delimited file as text columns, and its separator.

    Raises:
        InvalidPanel: it cannot be read, is no UTF-8 or UTF-16 text, or is no table.
    """
    where = "" if isinstance(source, bytes) else str(source)
    try:
        raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise InvalidPanel(
            f"The file cannot be read: {error.strerror}.", where=where, fix="Give the path of a CSV file."
        ) from error
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidPanel(
            f"The file is no UTF-8 text (byte {error.start}).", where=where, fix="Save it as UTF-8."
        ) from error
    header = text.lstrip("\r\n").split("\n", 1)[0]
    if not header.strip():
        raise InvalidPanel("The file is empty.", where=where, fix="Give a CSV file with a header.")
    separator = max(_SEPARATORS, key=header.count)
    try:
        frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False, truncate_ragged_lines=False)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InvalidPanel(f"The file is no table: {reason}.", where=where, fix="Check quotes and columns.") from error
    names = [name.strip() for name in frame.columns]
    # The reader calls a name that stands there again `name_duplicated_0`.
    given = [_AGAIN.sub("", name) if _AGAIN.sub("", name) in names else name for name in names]
    twice = next(
        (name for at, name in enumerate(given) if names[at] in names[:at] or (name and name in given[:at])),
        None,
    )
    if twice is not None:
        raise InvalidPanel(f"Two columns are named {twice!r}.", where="header", fix="Name each column once.")
    return frame.rename(dict(zip(frame.columns, names, strict=True))), separator


def _one_currency(codes: pl.Series | None, *signs: str) -> str:
    """The one currency of outcome and cost; empty where none is told."""
    found = set() if codes is None else set(codes.fill_null("").str.strip_chars().str.to_uppercase().unique())
    found |= {sign for sign in signs if sign}
    if len(found) > 1:
        told = ", ".join(sorted(code or "none" for code in found))
        raise MixedCurrencies(
            f"Amounts are in several currencies: {told}.", fix="Convert them to one currency before the analysis."
        )
    code = found.pop() if found else ""
    if code and not is_currency(code):
        raise InvalidPanel(f"{code[:40]!r} is no currency.", where="currency", fix="Give codes such as USD.")
    return code


def _one_spelling(long: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Names that differ in case alone are one unit, spelt as first met."""
    first: dict[str, str] = {}
    other: dict[str, set[str]] = {}
    for name in long["unit"].unique(maintain_order=True):
        key = name.casefold()
        if first.setdefault(key, name) != name:
            other.setdefault(first[key], set()).add(name)
    for name, spellings in other.items():
        notes.append(f"{', '.join(sorted(spellings))} is read as {name}: the names differ in case alone.")
    return long.with_columns(
        unit=long["unit"].map_elements(lambda name: first[name.casefold()], return_dtype=pl.String)
    )


def _once(long: pl.DataFrame, duplicates: Duplicates, notes: list[str]) -> pl.DataFrame:
    """One row per unit and period."""
    again = long.select(again=pl.struct("unit", "period").is_duplicated())["again"].to_numpy()
    if not again.any():
        return long
    rows = np.flatnonzero(again)
    if duplicates == "refuse":
        example = long.row(int(rows[0]), named=True)
        raise DuplicateRows(
            f"{len(rows)} rows share unit and period with another, {example['unit']!r} at {example['period']} first.",
            where=lines_text(rows),
            fix="Remove the copies, or ask for them to be summed where they are parts.",
        )
    notes.append(f"Summed, as asked: {count_of(len(rows), 'row')} that shared unit and period.")
    amounts = [name for name in ("outcome", "cost") if name in long.columns]
    # The sum of a known and an unknown amount is unknown.
    empty = {name: pl.col(name).is_null().any() for name in amounts}
    summed = long.group_by("unit", "period", maintain_order=True).agg(
        *(pl.when(empty[name]).then(None).otherwise(pl.col(name).sum()).alias(name) for name in amounts),
        halves=pl.any_horizontal(pl.col(name).is_null().any() & pl.col(name).is_not_null().any() for name in amounts),
    )
    torn = summed.filter(pl.col("halves"))
    if len(torn):
        first = torn.row(0, named=True)
        notes.append(
            f"{len(torn)} of these sums have an empty part and are taken as empty, {first['unit']} at "
            f"{first['period']} first."
        )
    return summed.drop("halves")


def _complete(long: pl.DataFrame, code: str, missing: Missing, required: set[str], notes: list[str]) -> Panel:
    """Units by periods, each unit with all periods or treated as `missing` says."""
    periods = long["period"].unique().sort().to_list()
    names = long["unit"].unique(maintain_order=True).to_list()
    cells = len(names) * len(periods)
    if cells > _FREE_CELLS and (cells > _MOST_CELLS or cells > _CELLS_A_ROW * len(long)):
        raise InvalidPanel(
            f"{len(long):,} rows tell of {len(names):,} units in {len(periods):,} periods: {cells:,} values.",
            where="file",
            fix="Give one row per unit and period, and leave out units with few rows; or sum days to weeks.",
        )
    outcome = _grid(long, "outcome", names, periods)
    cost = _grid(long, "cost", names, periods) if "cost" in long.columns else None
    _gaps(periods, notes)
    lacking = ~np.isfinite(outcome) if cost is None else ~(np.isfinite(outcome) & np.isfinite(cost))
    if missing == "zero_inside":
        _fill_unsold(long, lacking, required, names, periods, outcome, cost, notes)
        lacking = ~np.isfinite(outcome) if cost is None else ~(np.isfinite(outcome) & np.isfinite(cost))
    counts = lacking.sum(axis=1)
    keep = counts == 0
    short = np.flatnonzero(~keep)
    if len(short) and missing == "zero":
        notes.append(
            f"{count_of(int(counts.sum()), 'value')} of {count_of(len(short), 'unit')} counted as zero, "
            "without a row or empty: "
            f"{_listed([_lack(names[row], lacking[row], periods) for row in short])}."
        )
        outcome = np.where(np.isfinite(outcome), outcome, 0.0)
        cost = None if cost is None else np.where(np.isfinite(cost), cost, 0.0)
        keep[:] = True
    elif len(short):
        held = [row for row in short if missing == "refuse" or names[row].casefold() in required]
        if held:
            raise MissingRows(
                f"{_listed([_lack(names[row], lacking[row], periods) for row in held])}.",
                where=f"unit {names[held[0]]!r}",
                fix="Give the missing rows, or ask for them to count as zero if nothing was sold.",
            )
        told = _listed([_lack(names[row], lacking[row], periods) for row in short])
        notes.append(f"{count_of(len(short), 'unit')} left out for want of periods: {told}.")
    idle = keep & (np.ptp(outcome, axis=1) == 0.0) if len(periods) > 1 else np.zeros(len(names), dtype=bool)
    if idle.any():
        fixed = [names[row] for row in np.flatnonzero(idle)]
        held_idle = [name for name in fixed if name.casefold() in required]
        if held_idle:
            raise InvalidPanel(
                f"The outcome of {held_idle[0]!r} never changes.", fix="Check its rows, or choose another unit."
            )
        notes.append(f"{count_of(len(fixed), 'unit')} left out whose outcome never changes: {_listed(fixed)}.")
        keep &= ~idle
    kept = np.flatnonzero(keep)
    if len(kept) < 2:
        raise TooFewUnits(
            f"{len(kept)} of {len(names)} units can be used.",
            where="; ".join(notes),
            fix="Give at least two units with all periods: there is nothing to compare with.",
        )
    negative = int((outcome[kept] < 0.0).sum())
    if negative:
        notes.append(f"Kept as they are: {count_of(negative, 'value')} of the outcome below zero (returns).")
    empty = int((outcome[kept] == 0.0).sum())
    if empty:
        notes.append(f"Kept as they are: {count_of(empty, 'value')} of the outcome of zero.")
    return Panel(
        units=tuple(names[row] for row in kept),
        periods=tuple(periods),
        outcome=outcome[kept],
        cost=None if cost is None else cost[kept],
        currency=code,
        notes=tuple(notes),
    )


def _fill_unsold(
    long: pl.DataFrame,
    lacking: Bools,
    required: set[str],
    names: Sequence[str],
    periods: Sequence[dt.date | int],
    outcome: Floats,
    cost: Floats | None,
    notes: list[str],
) -> None:
    """Zeros where a unit sold nothing, in place, and notes of them.

    Raises:
        MissingRows: a period that many units lack at once.
    """
    there = np.isfinite(_grid(long.with_columns(there=pl.lit(1.0)), "there", names, periods))
    between, before = unsold(there)
    at = undelivered(there, between, [row for row, name in enumerate(names) if name.casefold() in required])
    if at is not None:
        without = [names[int(row)] for row in np.flatnonzero(between[:, at])]
        raise MissingRows(
            f"{len(without)} of {len(names)} units have no row at {periods[at]}, and rows around it: "
            f"{_listed(without)}. So many at once were not delivered, rather than without sales.",
            where=f"period {periods[at]}",
            fix="Give the missing rows, or take the period out for all units; if nothing was sold, ask for all rows "
            "that lack to count as zero.",
        )
    for gaps, where in ((between & lacking, "between rows that there are"), (before & lacking, "before the first row")):
        rows = np.flatnonzero(gaps.any(axis=1))
        if not len(rows):
            continue
        told = [_lack(names[int(row)], gaps[row], periods) for row in rows]
        notes.append(
            f"{count_of(int(gaps.sum()), 'value')} of {count_of(len(rows), 'unit')} counted as zero, {where}: "
            f"{_listed(told)}."
        )
        outcome[gaps] = 0.0
        if cost is not None:
            cost[gaps] = 0.0


def _grid(long: pl.DataFrame, column: str, names: Sequence[str], periods: Sequence[dt.date | int]) -> Floats:
    """Values as [units, periods], NaN where there is no row."""
    at_unit = {name: place for place, name in enumerate(names)}
    at_period = {period: place for place, period in enumerate(periods)}
    grid = np.full((len(names), len(periods)), np.nan)
    rows = [at_unit[name] for name in long["unit"]]
    places = [at_period[period] for period in long["period"]]
    grid[rows, places] = long[column].fill_null(np.nan).to_numpy()
    return grid


def _gaps(periods: Sequence[dt.date | int], notes: list[str]) -> None:
    """A note of periods that no unit has, judged by the commonest step."""
    if len(periods) < 3:
        return
    steps = [
        (later - earlier).days
        if isinstance(later, dt.date) and isinstance(earlier, dt.date)
        else int(later) - int(earlier)  # type: ignore[arg-type]
        for earlier, later in pairwise(periods)
    ]
    usual = max(set(steps), key=lambda step: (steps.count(step), -step))
    after = [str(period) for period, step in zip(periods, steps, strict=False) if step > usual]
    # Months are of unequal length: steps of 28 to 31 days are one step.
    if after and not all(28 <= step <= 31 for step in steps):
        notes.append(f"No unit has rows right after {_listed(after)}: periods are counted without those missing.")


def _lack(name: str, lacking: np.ndarray, periods: Sequence[dt.date | int]) -> str:
    first = int(np.argmin(lacking)) if not lacking.all() else len(lacking)
    if first and not lacking[first:].any():
        return f"{name} appears at {periods[first]}" if first < len(periods) else f"{name} has no values"
    last = len(lacking) - 1 - int(np.argmin(lacking[::-1]))
    if last < len(lacking) - 1 and not lacking[: last + 1].any():
        early = count_of(len(lacking) - 1 - last, "period")
        return f"{name} ends at {periods[last]}, {early} before the last, {periods[-1]}"
    return f"{name} lacks {int(lacking.sum())} of {len(periods)} periods, {periods[int(np.argmax(lacking))]} first"


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
