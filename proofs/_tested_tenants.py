"""Generated tenants whose ads have true incrementality factors, and their geo tests, read as the product reads them.

A tenant is one of `_generated_tenants`: reports, weekly series, fitted curves. Every retailer and placement of it has a
true factor, drawn as the usual world of `measurement.core.portfolio` draws them. A heavy-up of one placement is in its
reports, and a panel of states has the sales that it truly brought (`demo.core.geo_test`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from demo.core.days import make_facts
from demo.core.export_plan import SETTLED_DAYS
from demo.core.geo_test import GeoPanel, extra_sales, make_geo_test
from demo.core.profiles import ACME, GeoTestProfile, NetworkProfile, PlacementProfile
from demo.core.reported import Report, report
from harmonization.core.placements import placement_words
from measurement.core.answers import PanelReading
from measurement.core.arrays import Floats
from measurement.core.calibration import Cell, CellTest
from measurement.core.geo import analyze_geo
from measurement.core.increments import attributed_of_extra
from measurement.core.panel import Panel
from measurement.core.portfolio import USUAL_MIDDLE, USUAL_SPREADS, true_log_factors
from measurement.core.reallocation import Lines
from optimization.core.responses import Responses
from optimization.core.stored_curves import StoredCurve
from proofs._generated_tenants import GeneratedTenant

#: How far a line may move, as in the scenario of the demo.
CHANGE = 0.5


@dataclass(frozen=True)
class Told:
    """A test as it was read, and what is true of it.

    Attributes:
        truth: incremental return of the extra money, and incremental over attributed.
    """

    test: CellTest
    reading: PanelReading
    true_return: float
    true_factor: float


@dataclass(frozen=True, eq=False)
class TestedTenant:
    """The tenant of that number, in a world without a test in its reports but the demo's."""

    number: int
    scale: float

    __test__ = False

    @cached_property
    def factors(self) -> dict[Cell, float]:
        """True factor of every retailer and placement, as the product names them."""
        cells = [cell for cell, _, _ in _placements()]
        retailers = {name: at for at, name in enumerate(dict.fromkeys(cell[0] for cell in cells))}
        placements = {name: at for at, name in enumerate(dict.fromkeys(cell[1] for cell in cells))}
        rng = np.random.default_rng([self.number, 5])
        retailer = np.array([retailers[cell[0]] for cell in cells])
        placement = np.array([placements[cell[1]] for cell in cells])
        phi = true_log_factors("usual", rng, retailer, placement, np.zeros(len(cells)))
        return dict(zip(cells, np.exp(phi).tolist(), strict=True))

    @cached_property
    def tenant(self) -> GeneratedTenant:
        """Its reports and curves, with the demo's test of search at Walmart in them."""
        return GeneratedTenant.drawn(self.number, replace(ACME, geo_test=self._plan(_usual_test())), scale=self.scale)

    @cached_property
    def curves(self) -> tuple[StoredCurve, ...]:
        """Fitted."""
        return self.tenant.stored

    @property
    def cells(self) -> list[Cell]:
        """Of the curves, in order of appearance."""
        return list(dict.fromkeys(cell_of(one) for one in self.curves))

    def lines(self, *, change: float | None) -> Lines:
        """Fitted curves, each line within `change` of its mean spend of the year; None is any amount."""
        return self._lines(change, true=False)

    def worth(self, spend: Floats) -> float:
        """True incremental revenue of a week, of spend by line."""
        lines = self._lines(None, true=True)
        truth = np.array([self.factors[cell] for cell in self.cells])
        return float(lines.worth(truth[None], spend[None])[0])

    def best(self, *, change: float | None) -> float:
        """The most incremental revenue that the year's money can bring."""
        lines = self._lines(change, true=True)
        truth = np.array([[self.factors[cell] for cell in self.cells]])
        return self.worth(lines.allocate(truth, float(self.usual.sum()))[0])

    @property
    def usual(self) -> Floats:
        """Mean weekly spend by line."""
        return self.tenant.mixes["year"]

    def informed(self, test: CellTest) -> Floats:
        """Factors after one clear test as somebody expects them who knows how they were drawn: nobody knows better."""
        cells = self.cells
        alike = [np.array([one[at] for one in cells]) for at in (0, 1)]
        same = [one[:, None] == one for one in alike] + [np.eye(len(cells), dtype=bool)]
        middle, sd = USUAL_MIDDLE
        kernel = sd**2 + sum(spread**2 * one for spread, one in zip(USUAL_SPREADS, same, strict=True))
        at = cells.index(test.cell)
        gain = kernel[:, at] / (kernel[at, at] + (test.se / test.iroas) ** 2 + test.blur**2)
        mean = middle + gain * (np.log(test.factor) - middle)
        return np.asarray(np.exp(mean + (np.diag(kernel) - gain * kernel[:, at]) / 2.0))

    def tested(self, cell: Cell, *, label: str) -> Told:
        """The heavy-up of one cell, read from the panel of states.

        The demo's own test is in the tenant's reports; any other one is run in the same world in its place.
        """
        plan = self._plan(_test_of(cell))
        tenant = self.tenant if plan == self.tenant.world.profile.geo_test else self._again(plan)
        panel = self._panel(tenant, plan)
        reading = _read(panel, seed=self.number)
        if reading.iroas is None or reading.iroas.low is None or reading.iroas.high is None:
            raise AssertionError("a panel with costs has a return with an interval")
        first, last = plan.first_week, plan.first_week + plan.weeks
        start = tenant.world.first.toordinal()
        rows = [
            row for row in tenant.rows
            if (row.retailer, row.placement) == (cell[0], cell[1] or "unknown")
            and row.week is not None and first <= (row.week.toordinal() - start) // 7 < last
        ]  # fmt: skip
        sales, spend = (float(sum(getattr(row, name) or 0 for row in rows)) for name in ("sales", "spend"))
        mine = [one for one in self.curves if cell_of(one) == cell]
        by_sku = {one.key.sku: 0.0 for one in mine}
        for row in rows:
            if row.sku in by_sku:
                by_sku[row.sku] += float(row.spend or 0) / plan.weeks
        extra = float(panel.design["extra_spend"])
        held = attributed_of_extra(sales, spend, extra, mine, np.array([by_sku[one.key.sku] for one in mine]))
        test = CellTest(
            id=label, retailer=cell[0], placement=cell[1], iroas=reading.iroas.value,
            se=(reading.iroas.high - reading.iroas.low) / 2.0 / 1.959964, attributed=held.roas, attributed_se=held.se,
            days=7 * plan.weeks, age_days=7 * (tenant.world.weeks - last),
        )  # fmt: skip
        return Told(
            test, reading, float(panel.truth["incremental_return"]), float(panel.truth["incrementality_factor"])
        )

    def _lines(self, change: float | None, *, true: bool) -> Lines:
        place = {cell: at for at, cell in enumerate(self.cells)}
        held = np.array([place[cell_of(one)] for one in self.curves])
        if true:
            truth = self.tenant.truth
            curves = Responses.of(np.where(truth.is_log, 0, 2).astype(np.int8), truth.a, truth.k, np.ones(len(truth)))
        else:
            curves = Responses.of(
                [int(one.family) for one in self.curves], [one.a for one in self.curves],
                [one.k for one in self.curves], [one.exponent for one in self.curves],
            )  # fmt: skip
        low, high = (0.0, np.inf) if change is None else (1.0 - change, 1.0 + change)
        return Lines(curves, held, low * self.usual, np.maximum(high * self.usual, 0.0))

    def _plan(self, test: GeoTestProfile) -> GeoTestProfile:
        cell = next(cell for cell, network, one in _placements() if (network.key, one.raw) == _key(test))
        return replace(test, incrementality=self.factors[cell])

    def _again(self, plan: GeoTestProfile) -> GeneratedTenant:
        return GeneratedTenant.drawn(self.number, replace(ACME, geo_test=plan), scale=self.scale)

    def _panel(self, tenant: GeneratedTenant, plan: GeoTestProfile) -> GeoPanel:
        """The panel, whose lift is as large as the money makes it: 6 % for the demo's test at a factor of 0.55."""
        usual = _usual_test()
        of_usual = self.factors[
            next(cell for cell, network, one in _placements() if (network.key, one.raw) == _key(usual))
        ]
        base = replace(usual, incrementality=of_usual)
        size = extra_sales(self.tenant.world, _final(self.tenant, base), base)
        mine = extra_sales(tenant.world, _final(tenant, plan), plan)
        lift = usual.lift * (mine * plan.incrementality) / (size * usual.incrementality)
        company = replace(tenant.world.profile, geo_test=replace(plan, lift=lift))
        # Every test has weather of its own.
        keys: list[tuple[str, str]] = [(network.key, one.raw) for _, network, one in _placements()]
        place = keys.index(_key(plan))
        world = replace(tenant.world, profile=company, seed=tenant.world.seed + 7919 * place)
        panel = make_geo_test(world, _final(tenant, plan))
        if panel is None:
            raise AssertionError("the company has a test")
        return panel


def cell_of(curve: StoredCurve) -> Cell:
    """The cell that a curve's factor is looked up by."""
    return curve.key.retailer, "" if curve.key.placement == "unknown" else curve.key.placement


def usual_cell() -> Cell:
    """The cell of the demo's own test."""
    return next(cell for cell, network, one in _placements() if (network.key, one.raw) == _key(_usual_test()))


def _usual_test() -> GeoTestProfile:
    if ACME.geo_test is None:
        raise AssertionError("the demo has a test")
    return ACME.geo_test


def _key(test: GeoTestProfile) -> tuple[str, str]:
    return test.network, test.placement


def _placements() -> list[tuple[Cell, NetworkProfile, PlacementProfile]]:
    found = []
    for network in ACME.networks:
        words = placement_words(network.key)
        for one in network.placements:
            name = words.get(one.raw, "unknown")
            found.append(((network.retailer, "" if name == "unknown" else name), network, one))
    return found


def _test_of(cell: Cell) -> GeoTestProfile:
    """The demo's test moved to another cell; where two placements have one name, the larger of them."""
    mine = [(network, one) for name, network, one in _placements() if name == cell]
    network, placement = max(mine, key=lambda pair: pair[1].sku_share * pair[1].weekly_spend)
    return replace(_usual_test(), network=network.key, placement=placement.raw)


def _final(tenant: GeneratedTenant, test: GeoTestProfile) -> Report:
    network = next(one for one in tenant.world.profile.networks if one.key == test.network)
    return report(make_facts(tenant.world, network), tenant.world.last + dt.timedelta(days=SETTLED_DAYS))


def _read(panel: GeoPanel, *, seed: int) -> PanelReading:
    days, states = panel.sales.shape
    design = panel.design
    start = _day(design["test_period"][0]) - panel.first.toordinal()
    end = _day(design["test_period"][1]) - panel.first.toordinal()
    treated = np.isin(panel.states, design["treated"])
    cost = np.zeros((states, days))
    sold = panel.sales.sum(axis=0) * treated
    cost[:, start : end + 1] = (float(design["extra_spend"]) * sold / sold.sum() / (end + 1 - start))[:, None]
    data = Panel(
        units=panel.states, periods=tuple(panel.date_of(day) for day in range(days)),
        outcome=panel.sales.T.astype(np.float64) / 100.0, cost=cost, currency="USD",
    )  # fmt: skip
    return analyze_geo(
        data, treated=list(design["treated"]), start=start + 1, end=end + 1, seed=seed, sensitivity=False
    )


def _day(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()
