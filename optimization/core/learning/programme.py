"""From a solved budget problem to a weekly one that is learnt from, and from weekly figures to what a week was."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

from optimization.core.cells import CellKey
from optimization.core.learning.beliefs import ScalePrior
from optimization.core.problem import BudgetProblem
from optimization.core.responses import Floats
from optimization.core.stored_curves import StoredCurve
from optimization.core.weekly_series import CellWeek, Reported

FEATURES = ("season, cosine", "season, sine", "stock short")
#: A line whose stock lasts fewer days is short of stock: it may sell less than its ads would.
SHORT_DAYS = 14.0
#: Spread of a line's own factor where nothing is known of how well its curve was fitted, and the least and most.
CELL_SD, LEAST_SD, MOST_SD = 0.4, 0.1, 1.0
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_CENT = Decimal("0.01")


def weekly_problem(problem: BudgetProblem, *, weeks: float, budget: float) -> BudgetProblem:
    """The same question for one week: curves and bounds by their share of `weeks`, and a budget of its own.

    Limits on return and cost, shares and ratios stay.
    """
    lines = [
        replace(
            cell,
            curve=replace(cell.curve, a=cell.curve.a / weeks, k=cell.curve.k / weeks),
            min_spend=cell.min_spend / weeks,
            max_spend=None if cell.max_spend is None else cell.max_spend / weeks,
            min_spend_if_active=cell.min_spend_if_active / weeks,
            out_of_stock=False,
        )
        for cell in problem.cells
    ]
    bounds = [
        replace(
            one,
            min_spend=None if one.min_spend is None else one.min_spend / weeks,
            max_spend=None if one.max_spend is None else one.max_spend / weeks,
        )
        for one in problem.node_bounds
    ]
    linear = [
        replace(one, value=one.value / weeks) if one.rhs is None else replace(one, rhs=one.rhs / weeks)
        for one in problem.linear
    ]
    # No shelf is empty for good: which are is looked up week by week.
    return replace(
        problem, cells=tuple(lines), node_bounds=tuple(bounds), linear=tuple(linear), total_budget=budget,
        open_budget=False,
    )  # fmt: skip


def prior_for(problem: BudgetProblem, curves: Sequence[StoredCurve]) -> ScalePrior:
    """Beliefs before the first week: every curve is right, as far as its fit says how well it is known."""
    known = {one.key.id: one.reference_relative_se for one in curves}
    spreads = [known.get(name) or CELL_SD for name in problem.ids]
    depth = max(len(path) for path in problem.paths) - 1
    return ScalePrior(
        intercept=0.0,
        intercept_sd=0.2,
        weights=(0.0,) * len(FEATURES),
        weights_sd=(0.15, 0.15, 0.15),
        level_sd=(0.1,) * depth,
        cell_sd=tuple(float(np.clip(one, LEAST_SD, MOST_SD)) for one in spreads),
    )


def week_features(monday: date, covers: Sequence[float | None]) -> Floats:
    """What is known of each line in a week, shape (n, 3), see `FEATURES`.

    Args:
        covers: days until the stock of each line is gone, None where the feed does not say.
    """
    turn = 2.0 * math.pi * monday.timetuple().tm_yday / 365.25
    short = np.array([cover is not None and cover < SHORT_DAYS for cover in covers], dtype=np.float64)
    season = np.broadcast_to([math.cos(turn), math.sin(turn)], (len(short), 2))
    return np.column_stack([season, short])


@dataclass(frozen=True, eq=False)
class WeekFigures:
    """Figures of one week, money, shape (n,).

    Attributes:
        told: False for lines whose retailer has not reported the whole week, or may still restate it.
    """

    spend: Floats
    sales: Floats
    told: NDArray[np.bool_]


def week_figures(
    rows: Sequence[CellWeek],
    keys: Sequence[CellKey],
    reported: Sequence[Reported],
    *,
    currency: str,
    start: date,
    out_of_stock: Mapping[tuple[str, str], Collection[date]],
) -> dict[date, WeekFigures]:
    """What is final of each week from `start` on, by Monday; weeks of which nothing is final are left out.

    A line without a row in a week that its retailer has reported whole has spent and sold nothing. A week with an empty
    shelf, or with figures that are not told or were corrected below zero, says nothing of the line.

    Args:
        keys: of the n lines.
        currency: money in another is not looked at.
        out_of_stock: Mondays of weeks with an empty shelf, by (retailer, SKU).
    """
    sums: dict[tuple[CellKey, date], list[Decimal]] = {}
    unusable: set[tuple[CellKey, date]] = set()
    for row in rows:
        if row.week is None or not row.retailer or not row.sku or row.currency != currency:
            continue
        at = (CellKey(row.retailer, row.placement or "unknown", row.sku), row.week)
        if row.spend is None or row.sales is None:
            unusable.add(at)
            continue
        held = sums.setdefault(at, [Decimal(0), Decimal(0)])
        held[0] += row.spend
        held[1] += row.sales
    unusable |= {at for at, amounts in sums.items() if min(amounts) < 0}
    last = max((one.last_day for one in reported), default=start - _DAY)
    found: dict[date, WeekFigures] = {}
    monday = start
    while monday + 6 * _DAY <= last:
        final = _final_retailers(reported, monday)
        told = np.array(
            [
                key.retailer in final
                and (key, monday) not in unusable
                and monday not in out_of_stock.get((key.retailer, key.sku), ())
                for key in keys
            ],
            dtype=np.bool_,
        )
        if told.any():
            amounts = np.zeros((len(keys), 2))
            for place, key in enumerate(keys):
                if told[place]:
                    amounts[place] = [float(one) for one in sums.get((key, monday), (0, 0))]
            found[monday] = WeekFigures(amounts[:, 0], amounts[:, 1], told)
        monday += _WEEK
    return found


def _final_retailers(reported: Sequence[Reported], monday: date) -> set[str]:
    """Retailers of which the week is reported whole by an account, and by none in part or not for good."""
    sunday = monday + 6 * _DAY
    whole: set[str] = set()
    open_: set[str] = set()
    for one in reported:
        if one.first_day > sunday or one.last_day < monday:
            continue
        inside = one.first_day <= monday and sunday <= one.last_day
        missing = any(monday <= day <= sunday for day in one.missing)
        final = one.final_until is None or sunday <= one.final_until
        (whole if inside and not missing and final else open_).add(one.retailer)
    return whole - open_


def in_cents(spend: Sequence[float]) -> list[Decimal]:
    """Amounts to the cent whose sum is the sum to the cent: the largest remainders are rounded up."""
    exact = [Decimal(repr(float(one))) for one in spend]
    floors = [one.quantize(_CENT, rounding="ROUND_FLOOR") for one in exact]
    left = int((sum(exact, Decimal(0)).quantize(_CENT, rounding=ROUND_HALF_UP) - sum(floors, Decimal(0))) / _CENT)
    order = sorted(range(len(exact)), key=lambda at: floors[at] - exact[at])
    for at in order[:left]:
        floors[at] += _CENT
    return floors


def monday_of(day: date) -> date:
    """First day of the week that a day lies in."""
    return day - _DAY * day.weekday()


def covers_of(keys: Sequence[CellKey], covers: Mapping[tuple[str, str], float | None]) -> list[float | None]:
    """Stock cover of each line, days, from that by retailer and SKU."""
    return [covers.get((key.retailer, key.sku)) for key in keys]
