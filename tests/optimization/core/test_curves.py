"""Fitted curves are judged by the money their decisions lose on a simulator with known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from optimization.core.cells import CellKey
from optimization.core.curve_risk import shared_weeks, total_spread
from optimization.core.curves import FittedCurve, UnusableSeries, fit_curves
from optimization.core.problem import BudgetProblem, Cell, Curve
from optimization.core.responses import Family, Floats
from optimization.core.solve import solve_budget
from optimization.core.stored_curves import StoredCurve, curve_record


@dataclass(frozen=True)
class World:
    """300 lines with known curves and 52 weeks of spend that moves little."""

    paths: list[tuple[str, ...]]
    truth: list[Curve]
    mix: Floats
    spend: Floats
    sales: Floats

    @classmethod
    def drawn(cls, seed: int, family: Family = Family.LOG, cells: int = 300, weeks: int = 52) -> World:
        rng = np.random.default_rng(seed)
        paths = [(f"retailer{i % 4}", f"placement{i // 4 % 3}", f"sku{i}") for i in range(cells)]
        k = np.exp(rng.normal(np.log(1000.0), 0.8, cells))
        a = np.exp(rng.normal(np.log(4.0), 0.6, cells)) * k
        mix = np.exp(rng.normal(np.log(600.0), 0.8, cells))
        spend = mix[:, None] * np.exp(rng.normal(0.0, 0.25, (cells, weeks)))
        ratio = spend / k[:, None]
        shape = np.log1p(ratio) if family is Family.LOG else ratio / (1.0 + ratio)
        sales = a[:, None] * shape * np.exp(rng.normal(-0.045, 0.3, (cells, weeks)))
        truth = [Curve(family, float(one), float(scale)) for one, scale in zip(a, k, strict=True)]
        return cls(paths, truth, mix, spend, sales)

    def fit(self, *, shrink: bool) -> tuple[FittedCurve, ...]:
        cells, weeks = self.spend.shape
        return fit_curves(
            self.paths,
            np.repeat(np.arange(cells), weeks),
            np.tile(np.arange(weeks), cells),
            self.spend.ravel(),
            self.sales.ravel(),
            shrink=shrink,
        )

    def problem(self, curves: list[Curve]) -> BudgetProblem:
        cells = [
            Cell(str(i), path, curve, max_spend=float(4.0 * spend))
            for i, (path, curve, spend) in enumerate(zip(self.paths, curves, self.mix, strict=True))
        ]
        return BudgetProblem.of(cells, float(self.mix.sum()))

    def lost(self, spend: Floats) -> float:
        """Share of the best revenue that an allocation misses."""
        problem = self.problem(self.truth)
        return 1.0 - float(problem.responses.value(spend).sum()) / solve_budget(problem).objective_revenue

    def lost_with(self, fits: tuple[FittedCurve, ...]) -> float:
        return self.lost(solve_budget(self.problem([fit.curve() for fit in fits])).spend)


@pytest.mark.parametrize("family", [Family.LOG, Family.MICHAELIS_MENTEN])
@pytest.mark.parametrize("seed", [1, 2])
def test_shrunk_curves_lose_less_than_lone_fits_and_the_current_mix(seed: int, family: Family) -> None:
    world = World.drawn(seed, family)
    shrunk, alone = world.lost_with(world.fit(shrink=True)), world.lost_with(world.fit(shrink=False))
    assert shrunk < 0.7 * alone
    assert shrunk < 0.2 * world.lost(world.mix)


def test_eighty_percent_intervals_hold_about_that_often() -> None:
    world = World.drawn(3)
    hits = []
    for fit, truth, spend in zip(world.fit(shrink=True), world.truth, world.mix, strict=True):
        for factor in (0.5, 1.0, 2.0):
            low, high = fit.interval(factor * spend)
            hits.append(float(low) <= truth.a * np.log1p(factor * spend / truth.k) <= float(high))
    assert 0.68 <= float(np.mean(hits)) <= 0.92


def series(spend: list[float], sales: list[float], **more: object) -> FittedCurve:
    """One line fitted among three well-observed neighbours."""
    rng = np.random.default_rng(0)
    weeks = 30
    neighbours = rng.uniform(50.0, 400.0, (3, weeks))
    paths = [("r", "p", name) for name in ("n0", "n1", "n2", "alice")]
    cell = np.concatenate([np.repeat(np.arange(3), weeks), np.full(len(spend), 3)])
    week = np.concatenate([np.tile(np.arange(weeks), 3), np.arange(len(spend))])
    x = np.concatenate([neighbours.ravel(), spend])
    y = np.concatenate([(900.0 * np.log1p(neighbours / 200.0)).ravel(), sales])
    stock = np.concatenate([np.ones(3 * weeks, dtype=bool), more.pop("in_stock", np.ones(len(spend), dtype=bool))])
    return fit_curves(paths, cell, week, x, y, stock, carry_overs=(0.0,))[3]


def test_noise_free_weeks_give_back_the_curve() -> None:
    spend = np.linspace(40.0, 900.0, 40)
    fit = series(list(spend), list(500.0 * np.log1p(spend / 150.0)))
    assert fit.family is Family.LOG
    assert fit.revenue(spend) == pytest.approx(500.0 * np.log1p(spend / 150.0), rel=0.05)
    assert fit.r2 == pytest.approx(1.0, abs=0.01)
    assert fit.observed_spend_range == (40.0, 900.0)


def test_out_of_stock_weeks_are_left_out_and_said_so() -> None:
    spend = np.tile([100.0, 300.0], 10)
    sales = 500.0 * np.log1p(spend / 150.0)
    stock = np.ones(20, dtype=bool)
    stock[:5] = False
    sales[:5] = 0.0
    fit = series(list(spend), list(sales), in_stock=stock)
    assert fit.n_weeks == 15
    assert fit.revenue(200.0) == pytest.approx(500.0 * np.log1p(200.0 / 150.0), rel=0.1)
    assert "5 out-of-stock weeks left out." in fit.diagnostics


@pytest.mark.parametrize(
    ("spend", "sales", "note"),
    [
        ([0.0] * 8, [0.0] * 8, "No week with spend"),
        ([], [], "No week with spend"),
        ([100.0, 120.0], [300.0, 310.0], "Only 2 weeks"),
        ([100.0] * 12, [300.0] * 12, "hardly varied"),
        ([100.0, 200.0] * 6, [0.0] * 12, "No attributed sales"),
    ],
)
def test_thin_series_fall_back_on_their_neighbours(spend: list[float], sales: list[float], note: str) -> None:
    fit = series(spend, sales)
    assert any(note in one for one in fit.diagnostics)
    assert np.isfinite([fit.a, fit.k, fit.amplitude_se, fit.log_scale_sd]).all()
    assert fit.a >= 0.0
    assert fit.k > 0.0
    low, high = fit.interval(150.0)
    assert low <= fit.revenue(150.0) <= high


def test_fewer_weeks_mean_wider_intervals() -> None:
    rng = np.random.default_rng(5)
    spend = rng.uniform(50.0, 400.0, 40)
    sales = 500.0 * np.log1p(spend / 150.0) * np.exp(rng.normal(0.0, 0.3, 40))
    few, many = series(list(spend[:5]), list(sales[:5])), series(list(spend), list(sales))
    assert few.amplitude_se / few.a > many.amplitude_se / many.a
    assert few.shrinkage > many.shrinkage


def test_carry_over_is_recognised() -> None:
    rng = np.random.default_rng(6)
    spend = rng.uniform(20.0, 600.0, (20, 52))
    effective = spend.copy()
    for week in range(1, 52):
        effective[:, week] = 0.6 * effective[:, week - 1] + 0.4 * spend[:, week]
    sales = 500.0 * np.log1p(effective / 150.0) * np.exp(rng.normal(0.0, 0.05, spend.shape))
    paths = [("r", f"p{i % 2}", f"s{i}") for i in range(20)]
    fits = fit_curves(paths, np.repeat(np.arange(20), 52), np.tile(np.arange(52), 20), spend.ravel(), sales.ravel())
    assert {fit.carry_over for fit in fits} == {0.6}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"spend": [1.0, -2.0]}, "spend is -2"),
        ({"sales": [1.0, float("nan")]}, "sales is nan"),
        ({"week": [0, 0]}, "occurs twice"),
        ({"cell": [0, 5]}, "not listed"),
        ({"spend": [0.0, 0.0]}, "No week has both"),
        ({"sales": [1.0]}, "different lengths"),
    ],
)
def test_unusable_rows_are_named(changes: dict[str, list[float]], says: str) -> None:
    columns = {"cell": [0, 0], "week": [0, 1], "spend": [1.0, 2.0], "sales": [3.0, 4.0]} | changes
    with pytest.raises(UnusableSeries, match=says):
        fit_curves([("r", "p", "s")], **columns)


def seasonal(shock: float, *, lines: int = 40, weeks: int = 52) -> tuple[tuple[FittedCurve, ...], Floats, Floats]:
    """Lines of one retailer whose planner spends more in weeks that sell more; with spend and true weekly factors."""
    rng = np.random.default_rng(9)
    factor = np.exp(rng.normal(0.0, shock, weeks))
    factor /= factor.mean()
    spend = 200.0 * factor * np.exp(rng.normal(0.0, 0.4, (lines, weeks)))
    sales = 500.0 * np.log1p(spend / 150.0) * factor * np.exp(rng.normal(0.0, 0.1, spend.shape))
    paths = [("r", f"p{i % 2}", f"s{i}") for i in range(lines)]
    fits = fit_curves(
        paths, np.repeat(np.arange(lines), weeks), np.tile(np.arange(weeks), lines), spend.ravel(), sales.ravel()
    )
    return fits, spend, factor


def test_a_season_is_not_taken_for_the_work_of_the_money() -> None:
    fits, _, factor = seasonal(0.3)
    for spend in (100.0, 200.0, 400.0):
        told = float(np.mean([fit.revenue(spend) for fit in fits]))
        assert told == pytest.approx(500.0 * np.log1p(spend / 150.0), rel=0.05)
    assert fits[0].common_week_sd == pytest.approx(np.log(factor).std(ddof=1), rel=0.2)


def test_weeks_that_share_nothing_have_no_common_factor() -> None:
    assert seasonal(0.0)[0][0].common_week_sd < 0.03


@pytest.mark.parametrize(("count", "said"), [(1, "1 week"), (3, "3 weeks")])
def test_weeks_of_an_empty_shelf_that_nobody_told_of_are_left_out_and_said_so(count: int, said: str) -> None:
    rng = np.random.default_rng(11)
    spend = rng.uniform(50.0, 500.0, 40)
    sales = 500.0 * np.log1p(spend / 150.0) * np.exp(rng.normal(0.0, 0.1, 40))
    sales[10 : 10 + count] *= 0.08
    fit = series(list(spend), list(sales))
    assert fit.far_weeks == count
    assert any(f"{said} far off the curve left out" in note for note in fit.diagnostics)
    assert fit.revenue(250.0) == pytest.approx(500.0 * np.log1p(250.0 / 150.0), rel=0.06)


def test_a_version_tells_the_same_interval_as_the_fit() -> None:
    fit = seasonal(0.1)[0][0]
    stored = StoredCurve.of(curve_record(CellKey("r", "p0", "s0"), fit))
    spend = np.array([0.0, 30.0, 100.0, 200.0, 700.0, 9000.0])
    for z in (0.5, 1.2815515655446004, 2.0):
        np.testing.assert_allclose(stored.interval(spend, z=z), fit.interval(spend, z=z))
        np.testing.assert_allclose(
            stored.interval(4.0 * spend, weeks=4.0, z=z), 4.0 * np.stack(fit.interval(spend, z=z))
        )


def test_what_hits_all_lines_alike_does_not_average_out() -> None:
    fits, spend, _ = seasonal(0.2)
    stored = [StoredCurve.of(curve_record(CellKey(*fit.cell), fit)) for fit in fits]
    usual = 4.0 * spend.mean(axis=1)
    whole, one = total_spread(stored, usual, 4.0), total_spread(stored[:1], usual[:1], 4.0)
    assert one.noise / one.revenue > 5.0 * whole.noise / whole.revenue
    assert whole.weeks / whole.revenue == pytest.approx(one.weeks / one.revenue, rel=1e-6)
    assert whole.total**2 == pytest.approx(whole.curves**2 + whole.noise**2 + whole.weeks**2)
    drawn = shared_weeks(stored, 4.0, 4000, np.random.default_rng(1))
    revenue = np.array([float(curve.revenue(money, 4.0)) for curve, money in zip(stored, usual, strict=True)])
    assert float((revenue @ drawn).std()) == pytest.approx(whole.weeks, rel=0.05)
    assert float(drawn.mean()) == pytest.approx(1.0, abs=0.01)
