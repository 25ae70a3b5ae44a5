"""Which weekly figures count, how a week's amounts are rounded, and what is believed beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from optimization.core.cells import CellKey
from optimization.core.learning.charts import SpreadPoint, WeekPoint, spread_chart, weekly_chart
from optimization.core.learning.programme import (
    CELL_SD,
    MOST_SD,
    WeekFigures,
    in_cents,
    prior_for,
    week_features,
    week_figures,
)
from optimization.core.problem import BudgetProblem, Cell, Curve
from optimization.core.responses import Family
from optimization.core.stored_curves import StoredCurve
from optimization.core.weekly_series import CellWeek, Reported

MONDAY = date(2026, 11, 9)
ALICE, BOB = CellKey("Alice", "top", "A1"), CellKey("Bob", "top", "B1")
BOTH = [ALICE, BOB]


def row(
    key: CellKey, week: date = MONDAY, spend: str | None = "10", sales: str | None = "30", **of: object
) -> CellWeek:
    told = {"spend": None if spend is None else Decimal(spend), "sales": None if sales is None else Decimal(sales)}
    usual = {"week": week, "retailer": key.retailer, "placement": key.placement, "sku": key.sku, "currency": "USD"}
    return CellWeek(**{**usual, **told, **of})  # type: ignore[arg-type]


def reported(retailer: str, days: int = 7, **of: object) -> Reported:
    usual = {"first_day": MONDAY, "last_day": MONDAY + timedelta(days=days - 1)}
    return Reported(retailer=retailer, **{**usual, **of})  # type: ignore[arg-type]


def figures(rows: list[CellWeek], accounts: list[Reported], **of: object) -> dict[date, WeekFigures]:
    given = {"currency": "USD", "start": MONDAY, "out_of_stock": {}} | of
    return week_figures(rows, BOTH, accounts, **given)  # type: ignore[arg-type]


def test_a_line_without_a_row_in_a_reported_week_spent_nothing() -> None:
    found = figures([row(ALICE), row(ALICE, spend="5", sales="1")], [reported("Alice"), reported("Bob")])[MONDAY]
    assert found.spend.tolist() == [15.0, 0.0]
    assert found.sales.tolist() == [31.0, 0.0]
    assert found.told.all()


@pytest.mark.parametrize(
    "bob",
    [
        [],
        [reported("Bob", days=6)],
        [reported("Bob", missing=(MONDAY + timedelta(days=2),))],
        [reported("Bob", final_until=MONDAY + timedelta(days=5))],
        [reported("Bob"), reported("Bob", days=3)],
    ],
    ids=["no account", "in part", "a day missing", "still restating", "one account in part"],
)
def test_a_retailer_that_is_not_final_is_not_told(bob: list[Reported]) -> None:
    found = figures([row(ALICE), row(BOB)], [reported("Alice"), *bob])[MONDAY]
    assert found.told.tolist() == [True, False]
    assert found.spend.tolist() == [10.0, 0.0]


@pytest.mark.parametrize(
    ("bad", "of"),
    [
        (row(BOB, sales=None), {}),
        (row(BOB, sales="-3"), {}),
        (row(BOB), {"out_of_stock": {("Bob", "B1"): [MONDAY]}}),
    ],
    ids=["not told", "below zero", "empty shelf"],
)
def test_what_says_nothing_of_a_line_is_not_told(bad: CellWeek, of: dict[str, object]) -> None:
    found = figures([row(ALICE), bad], [reported("Alice"), reported("Bob")], **of)[MONDAY]
    assert found.told.tolist() == [True, False]


def test_weeks_of_which_nothing_is_final_are_left_out() -> None:
    assert figures([row(ALICE)], [reported("Alice", days=6)]) == {}
    assert figures([], []) == {}
    two = figures([], [reported("Alice", days=14), reported("Bob", days=14, missing=(MONDAY,))])
    assert [one.told.tolist() for one in two.values()] == [[True, False], [True, True]]


def test_other_money_is_not_looked_at() -> None:
    found = figures([row(ALICE, currency="EUR")], [reported("Alice")])[MONDAY]
    assert found.spend.tolist() == [0.0, 0.0]


def test_cents_add_up_to_the_sum_in_cents() -> None:
    assert in_cents([1 / 3, 1 / 3, 1 / 3]) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    rng = np.random.default_rng(1)
    for _ in range(50):
        spend = rng.exponential(100.0, 40)
        spend *= 1234.56 / spend.sum()
        rounded = in_cents(spend.tolist())
        assert sum(rounded) == Decimal("1234.56")
        assert all(abs(float(one) - exact) < 0.01 for one, exact in zip(rounded, spend, strict=True))
    assert in_cents([0.0, 5.0]) == [Decimal("0.00"), Decimal("5.00")]


def test_features_say_season_and_short_stock() -> None:
    told = week_features(date(2026, 1, 5), [3.0, 20.0, None])
    assert told[:, 2].tolist() == [1.0, 0.0, 0.0]
    half = week_features(date(2026, 7, 6), [None])
    assert told[0, 0] == pytest.approx(-half[0, 0], abs=0.05)
    assert np.square(told[:, :2]).sum(axis=1) == pytest.approx(np.ones(3))


def test_a_curve_that_is_known_well_is_believed_more() -> None:
    curve = StoredCurve(key=ALICE, family=Family.LOG, a=1.0, k=1.0, reference_relative_se=0.2)
    problem = BudgetProblem.of([Cell(key.id, key.path, Curve(Family.LOG, 1.0, 1.0)) for key in BOTH], 10.0)
    assert prior_for(problem, [curve]).cell_sd == (0.2, CELL_SD)
    assert prior_for(problem, [replace(curve, reference_relative_se=9.0)]).cell_sd == (MOST_SD, CELL_SD)
    assert len(prior_for(problem, []).level_sd) == 4


def test_pictures_tell_what_is_known_and_leave_holes_where_it_is_not() -> None:
    points = [
        WeekPoint(monday=MONDAY, spend=100.0, sales=300.0, expected=280.0),
        WeekPoint(monday=MONDAY + timedelta(days=7), spend=None, sales=None, expected=290.0),
    ]
    spec = weekly_chart(points, "USD")
    assert "1 of them observed" in spec["alt"]
    by_name = {one["name"]: one["data"] for one in spec["option"]["series"]}
    assert by_name["Sales"] == [300.0, None]
    assert by_name["Expected sales"] == [280.0, 290.0]
    narrowing = spread_chart(
        [SpreadPoint(monday=one.monday, widths=widths) for one, widths in zip(points, [(0.5,), (0.2,)], strict=True)]
    )
    assert "from ±50 % to ±20 %" in narrowing["alt"]
