"""The check on unseen weeks: what it holds out, what it compares with, and when it warns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optimization.core.out_of_sample import HELD_OUT, OutOfSample, carried, check_out_of_sample, warnings_of
from optimization.core.responses import Family

FAMILIES = {"families": (Family.LOG, Family.MICHAELIS_MENTEN), "carry_overs": (0.0,)}
CELLS = 60


def weeks_of(weeks: int = 40, *, noise: float = 0.2, swing: float = 0.8, seed: int = 1, late: float = 1.0) -> dict:
    """Weekly rows of saturating lines; `late` multiplies sales of the weeks to be held out."""
    rng = np.random.default_rng(seed)
    k = rng.lognormal(5.0, 0.5, CELLS)
    a = k * rng.lognormal(1.0, 0.4, CELLS)
    cell, week = np.repeat(np.arange(CELLS), weeks), np.tile(np.arange(weeks), CELLS)
    spend = k[cell] * 2.0 * np.exp(swing * rng.normal(size=cell.size))
    sales = a[cell] * np.log1p(spend / k[cell]) * np.exp(noise * rng.normal(size=cell.size) - noise**2 / 2)
    sales = np.where(week >= weeks - HELD_OUT, late * sales, sales)
    paths = [("Amazon", f"p{one % 3}", f"s{one}") for one in range(CELLS)]
    return {"cells": paths, "cell": cell, "week": week, "spend": spend, "sales": sales}


def checked(rows: dict, **changes: Any) -> OutOfSample:
    stocked = np.ones(rows["cell"].size, dtype=bool)
    return check_out_of_sample(**{"in_stock": stocked} | rows, **FAMILIES | changes)


def test_curves_beat_the_mean_return_where_spend_moves():
    found = checked(weeks_of())
    assert (found.weeks, found.fitted_weeks, found.cells, found.cells_left_out) == (8, 32, CELLS, 0)
    assert found.curves.error < 0.9 * found.mean_return.error
    assert (found.beaten_by, found.last_year) == ("", None)
    assert abs(found.curves.bias) < 0.05
    assert warnings_of(found) == []


def test_the_interval_covers_as_many_lines_as_it_says():
    shares = [checked(weeks_of(seed=seed)).coverage for seed in range(5)]
    # Two standard errors of a share among 5 x 60 lines are 0.05; intervals of a fit may be a little wide.
    assert 0.74 < float(np.mean(shares)) < 0.93, shares


def test_held_out_weeks_are_not_fitted():
    rows = weeks_of()
    moved = rows | {"sales": np.where(rows["week"] >= 32, 5.0 * rows["sales"], rows["sales"])}
    before, after = checked(rows), checked(moved)
    assert after.curves.bias == pytest.approx((1.0 + before.curves.bias) / 5.0 - 1.0)


def test_a_level_that_moved_is_told():
    found = checked(weeks_of(late=0.5))
    assert found.curves.bias > 0.5
    assert any("level of sales has moved" in told for told in warnings_of(found))
    assert any("too narrow" in told for told in warnings_of(found))


def test_curves_that_do_not_beat_a_naive_forecast_say_so():
    # Sales in proportion to spend: a mean return is the truth, and curves that bend are not.
    rows = weeks_of()
    rng = np.random.default_rng(3)
    level = rng.lognormal(0.5, 0.5, CELLS)[rows["cell"]]
    straight = rows | {"sales": level * rows["spend"]}
    found = checked(straight)
    assert found.beaten_by == "each line's mean return times its spend"
    (told,) = [words for words in warnings_of(found) if "naive forecast" in words]
    assert "as a guess" in told


def test_last_year_is_a_rival_where_there_is_one():
    rows = weeks_of(weeks=70)
    season = 1.0 + 0.8 * np.sin(2.0 * np.pi * rows["week"] / 52.0)
    found = checked(rows | {"sales": rows["sales"] * season})
    assert found.last_year is not None
    assert checked(weeks_of(weeks=59)).last_year is None, "a year and less than eight weeks"


def test_too_few_weeks_say_how_many_are_needed():
    found = checked(weeks_of(weeks=15))
    assert found.curves is None
    assert "15 usable weeks; 16 are needed" in found.missing
    assert warnings_of(found) == [f"Not checked on unseen weeks. {found.missing}"]


def test_lines_without_a_past_are_counted_not_judged():
    rows = weeks_of()
    keep = ~((rows["cell"] == 0) & (rows["week"] < 32))
    fewer = {name: value[keep] for name, value in rows.items() if name != "cells"}
    found = checked(fewer | {"cells": rows["cells"]})
    assert (found.cells, found.cells_left_out) == (CELLS - 1, 1)


def test_nothing_sold_is_no_check():
    rows = weeks_of()
    assert "Nothing was both" in checked(rows | {"sales": 0.0 * rows["sales"]}).missing


def test_carry_over_reaches_into_the_weeks_held_out():
    cell, week = np.array([1, 0, 0, 0]), np.array([0, 3, 0, 1])
    spend = np.array([7.0, 0.0, 100.0, 50.0])
    out = carried(cell, week, spend, 0.5)
    assert out.tolist() == [7.0, 18.75, 100.0, 75.0]
