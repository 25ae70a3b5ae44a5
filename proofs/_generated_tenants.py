"""Tenants of the demo's generator, as the product would see them, without a database: reports, weekly series, curves.

What is taken from each network is what its published demo files hold: later exports replace earlier ones, the broken
feed is refused, and weeks that the network may still restate are left out by `weekly_series`, as for a real tenant.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from demo.core.arrays import Ints
from demo.core.curves import Curves
from demo.core.days import make_facts
from demo.core.export_plan import NetworkPlan, plan_network
from demo.core.exports import DEFAULT_UNTIL
from demo.core.profiles import Profile, find_profile
from demo.core.truth import RECENT_WEEKS
from demo.core.world import Cell, World, make_world
from harmonization.core.placements import placement_words
from optimization.core.cells import CellKey
from optimization.core.curves import FittedCurve, fit_curves
from optimization.core.responses import Floats
from optimization.core.stored_curves import StoredCurve, curve_record
from optimization.core.weekly_series import CellWeek, Reported, WeeklySeries, weekly_series

MAPPINGS = Path(__file__).resolve().parent.parent / "config" / "mappings"


@dataclass(frozen=True, eq=False)
class GeneratedTenant:
    """A world and what is known of it.

    Attributes:
        rows, reported: weekly figures and the days they cover, as `weekly_series` takes them.
    """

    world: World
    rows: tuple[CellWeek, ...]
    reported: tuple[Reported, ...]

    @classmethod
    def drawn(cls, seed: int, profile: str | Profile = "acme", *, scale: float = 1.0) -> GeneratedTenant:
        """The tenant of that number; `scale` multiplies its products."""
        company = profile if isinstance(profile, Profile) else find_profile(profile)
        world = make_world(company, seed=seed, until=DEFAULT_UNTIL, scale=scale)
        rows: list[CellWeek] = []
        reported = []
        for network in world.profile.networks:
            plan = plan_network(world, make_facts(world, network))
            last = min(
                [world.last, *(file.first - dt.timedelta(days=1) for file in plan.files if "broken" in file.notes)]
            )
            reported.append(_reported(plan, world, last))
            rows += _weeks(plan, world, last)
        return cls(world, tuple(rows), tuple(reported))

    @cached_property
    def series(self) -> WeeklySeries:
        """What the product fits to."""
        return weekly_series(self.rows, self.reported, currency="USD", out_of_stock={})

    @cached_property
    def fits(self) -> tuple[FittedCurve, ...]:
        """The product's curves, in the order of `series.keys`."""
        s = self.series
        paths = [(key.retailer, key.placement, key.sku) for key in s.keys]
        return fit_curves(paths, s.cell, s.week, s.spend, s.sales, s.in_stock)

    @cached_property
    def stored(self) -> tuple[StoredCurve, ...]:
        """The same curves as a version keeps them."""
        return tuple(
            StoredCurve.of(curve_record(key, fit)) for key, fit in zip(self.series.keys, self.fits, strict=True)
        )

    @cached_property
    def truth(self) -> Curves:
        """True curves in the order of `series.keys`, in an average week of those that were fitted.

        A season lifts all curves of a retailer alike, and no weekly figures tell an ordinary week from a lifted one;
        so a fitted curve speaks of the mean of its weeks, and is compared with the same.
        """
        at, curves = self._worldly, self.world.curves
        return Curves(curves.is_log[at], curves.a[at] * self._season(), curves.k[at], curves.in_stock[at])

    @cached_property
    def mixes(self) -> dict[str, Floats]:
        """Weekly spend per line: the mean of the year, and of the last weeks published."""
        s = self.series
        spend = np.zeros((len(s.keys), int(s.week.max()) + 1))
        spend[s.cell, s.week] = s.spend
        weeks = [np.flatnonzero(spend[self._lines(name)].sum(axis=0)) for name in self._retailers]
        recent = np.zeros(len(s.keys))
        year = np.zeros(len(s.keys))
        for name, known in zip(self._retailers, weeks, strict=True):
            lines = self._lines(name)
            year[lines] = spend[np.ix_(lines, known)].mean(axis=1)
            recent[lines] = spend[np.ix_(lines, known[-RECENT_WEEKS:])].mean(axis=1)
        return {"year": year, "recent": recent}

    def week_sds(self) -> list[tuple[float, float]]:
        """Per retailer: spread of the weeks' common factor as the fit has it, and as it truly was."""
        found = []
        for name in self._retailers:
            lines = self._lines(name)
            demand = self.world.demand[:, self._worldly[lines[0]]][self._weeks_of(lines)]
            found.append((self.fits[lines[0]].common_week_sd, float(np.log(demand).std(ddof=1))))
        return found

    @cached_property
    def _worldly(self) -> Ints:
        """Number in the world of each line of `series.keys`."""
        number = {key_of(cell): at for at, cell in enumerate(self.world.cells)}
        return np.array([number[key] for key in self.series.keys], dtype=np.int64)

    def _weeks_of(self, lines: Ints) -> Ints:
        """Weeks of the world that were fitted; the window begins with its first week, for every retailer."""
        return np.unique(self.series.week[np.isin(self.series.cell, lines)])

    @cached_property
    def _retailers(self) -> list[str]:
        return sorted({key.retailer for key in self.series.keys})

    def _lines(self, retailer: str) -> Ints:
        return np.array([at for at, key in enumerate(self.series.keys) if key.retailer == retailer], dtype=np.int64)

    def _season(self) -> Floats:
        factor = np.ones(len(self.series.keys))
        for name in self._retailers:
            lines = self._lines(name)
            factor[lines] = self.world.demand[:, self._worldly[lines[0]]][self._weeks_of(lines)].mean()
        return factor


def key_of(cell: Cell) -> CellKey:
    """What the product calls a line of the world."""
    words = placement_words(cell.network.key)
    return CellKey(cell.network.retailer, words.get(cell.placement.raw, "unknown"), cell.sku.sku)


def _reported(plan: NetworkPlan, world: World, last: dt.date) -> Reported:
    contract = next(file.contract for file in plan.files if not file.variant)
    mapping = yaml.safe_load((MAPPINGS / f"{contract}.yaml").read_text(encoding="utf-8"))
    open_days = dt.timedelta(days=int(mapping["restatement_days"]))
    return Reported(retailer=plan.network.retailer, first_day=world.first, last_day=last, final_until=last - open_days)


def _weeks(plan: NetworkPlan, world: World, last: dt.date) -> list[CellWeek]:
    report = plan.settled.between(world.first, last)
    shape = (world.weeks, len(world.cells))
    spend, sales, seen = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    where = (report["day"] // 7, report["cell"])
    np.add.at(spend, where, report["spend"])
    np.add.at(sales, where, report["sales"])
    np.add.at(seen, where, 1)
    rows = []
    for week, cell in zip(*np.nonzero(seen), strict=True):
        key = key_of(world.cells[cell])
        rows.append(
            CellWeek(
                week=world.first + dt.timedelta(weeks=int(week)),
                retailer=key.retailer,
                placement=key.placement,
                sku=key.sku,
                currency=plan.network.currency,
                spend=Decimal(int(spend[week, cell])) / 100,
                sales=Decimal(int(sales[week, cell])) / 100,
            )
        )
    return rows
