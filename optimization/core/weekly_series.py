"""From weekly figures of cells to the series a response curve may be fitted to.

A week belongs in a fit when its figures are whole, final, and say something about the response to spend. Everything
that is left out is counted, with the reason, so that what went in plus what was left out is what there was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from optimization.core.cells import CellKey

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellWeek:
    """What was reported for one cell in one week; None is "not told"."""

    week: date | None
    retailer: str | None
    placement: str | None
    sku: str | None
    currency: str | None
    spend: Decimal | None
    sales: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The days one account's reports cover, and until which of them figures are final."""

    retailer: str
    first_day: date
    last_day: date
    missing: Collection[date] = ()
    final_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class WeeklySeries:
    """Rows for `optimization.core.curves.fit_curves`.

    Attributes:
        keys: the cells, c of them, in a stable order.
        cell: index into `keys`, shape (rows,).
        week: weeks since the first week of the window, shape (rows,).
        spend, sales: money of the week, shape (rows,).
        in_stock: False where the shelf is known to have been empty, shape (rows,).
        left_out: rows that were not taken, by reason.
        left_out_spend: the money they had.
    """

    keys: tuple[CellKey, ...]
    cell: NDArray[np.intp]
    week: NDArray[np.int64]
    spend: NDArray[np.float64]
    sales: NDArray[np.float64]
    in_stock: NDArray[np.bool_]
    left_out: dict[str, int] = field(default_factory=dict)
    left_out_spend: dict[str, Decimal] = field(default_factory=dict)


def whole_weeks(first: date, last: date, *, most: int) -> tuple[date, date] | None:
    """The last `most` weeks, Monday to Sunday, that lie wholly between two days; None where there is none."""
    start = first + _DAY * (-first.weekday() % 7)
    end = last - _DAY * ((last.weekday() + 1) % 7)
    if end < start:
        return None
    return max(start, end - _WEEK * most + _DAY), end


def weekly_series(
    rows: Sequence[CellWeek],
    reported: Sequence[Reported],
    *,
    currency: str,
    out_of_stock: Mapping[tuple[str, str], Collection[date]],
) -> WeeklySeries:
    """The rows that can be used.

    Args:
        reported: per account; a week that one account of a retailer reported only in part, or may still restate, is
            left out for all cells of that retailer.
        currency: of the fit; money is never converted.
        out_of_stock: Mondays of weeks with an empty shelf, by (retailer, SKU).
    """
    unfit = {"reported in part": _partial_weeks(reported), "still restating": _restating_weeks(reported)}
    lost: Counter[str] = Counter()
    money: dict[str, Decimal] = {}
    kept: list[tuple[CellKey, date, Decimal, Decimal]] = []
    for row in rows:
        reason = _unusable(row, currency, unfit)
        if reason or row.week is None or row.spend is None or row.sales is None or not row.retailer or not row.sku:
            lost[reason] += 1
            money[reason] = money.get(reason, Decimal(0)) + (row.spend or Decimal(0))
            continue
        key = CellKey(row.retailer, row.placement or "unknown", row.sku)
        kept.append((key, row.week, row.spend, row.sales))
    keys = tuple(sorted({key for key, *_ in kept}))
    index = {key: at for at, key in enumerate(keys)}
    first = min((week for _, week, *_ in kept), default=date.min)
    # The metrics layer keeps an untold placement apart from one told as unknown; here both are one cell.
    sums: dict[tuple[int, int], list[Decimal]] = {}
    for key, week, spend, sales in kept:
        held = sums.setdefault((index[key], (week - first).days // 7), [Decimal(0), Decimal(0)])
        held[0] += spend
        held[1] += sales
    return WeeklySeries(
        keys=keys,
        cell=np.array([at for at, _ in sums], dtype=np.intp),
        week=np.array([number for _, number in sums], dtype=np.int64),
        spend=np.array([float(spend) for spend, _ in sums.values()], dtype=np.float64),
        sales=np.array([float(sales) for _, sales in sums.values()], dtype=np.float64),
        in_stock=np.array(
            [
                first + _WEEK * number not in out_of_stock.get((keys[at].retailer, keys[at].sku), ())
                for at, number in sums
            ],
            dtype=np.bool_,
        ),
        left_out=dict(sorted(lost.items())),
        left_out_spend=money,
    )


def _unusable(row: CellWeek, currency: str, unfit: Mapping[str, set[tuple[str, date]]]) -> str:
    """Why a row cannot be used; empty where it can."""
    if not row.retailer or not row.sku:
        return "no SKU told"
    if row.week is None:
        return "not told by week"
    if row.currency != currency:
        return f"in {row.currency or 'no currency'}"
    for reason, weeks in unfit.items():
        if (row.retailer, row.week) in weeks:
            return reason
    if row.spend is None or row.sales is None:
        return "spend or sales not told"
    # Corrections of an earlier week can exceed what a quiet week had.
    return "corrected below zero" if row.spend < 0 or row.sales < 0 else ""


def _partial_weeks(reported: Sequence[Reported]) -> set[tuple[str, date]]:
    found: set[tuple[str, date]] = set()
    for item in reported:
        if item.first_day.weekday() != 0:
            found.add((item.retailer, _monday(item.first_day)))
        if item.last_day.weekday() != 6:
            found.add((item.retailer, _monday(item.last_day)))
        found.update((item.retailer, _monday(day)) for day in item.missing)
    return found


def _restating_weeks(reported: Sequence[Reported]) -> set[tuple[str, date]]:
    found: set[tuple[str, date]] = set()
    for item in reported:
        if item.final_until is None:
            continue
        monday = _monday(item.final_until + _DAY)
        while monday <= item.last_day:
            found.add((item.retailer, monday))
            monday += _WEEK
    return found


def _monday(day: date) -> date:
    return day - _DAY * day.weekday()
