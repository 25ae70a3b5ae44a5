"""A finished geo experiment: daily sales by state, with a lift that is known to the cent.

The extra spend is the one in the exports (the tested placement's plan is raised in the test weeks); what it truly
brought is the incremental part of what the network attributes to it, by the flatter end of the response curves; and the
size of the states is set so that this is the stated lift of their sales. Experiment, exports and truth thus tell one
story.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from demo.core.arrays import Floats, Ints
from demo.core.measures import cents_to_text
from demo.core.profiles import GeoTestProfile
from demo.core.reported import Report
from demo.core.streams import stream
from demo.core.world import World

# Population in millions, rounded (United States Census Bureau, 2020): only the relative size of the markets matters.
STATES = {
    "AL": 5.0, "AZ": 7.2, "AR": 3.0, "CA": 39.5, "CO": 5.8, "CT": 3.6, "DE": 1.0, "FL": 21.5, "GA": 10.7, "ID": 1.8,
    "IL": 12.8, "IN": 6.8, "IA": 3.2, "KS": 2.9, "KY": 4.5, "LA": 4.7, "ME": 1.4, "MD": 6.2, "MA": 7.0, "MI": 10.1,
    "MN": 5.7, "MS": 3.0, "MO": 6.2, "MT": 1.1, "NE": 2.0, "NV": 3.1, "NH": 1.4, "NJ": 9.3, "NM": 2.1, "NY": 20.2,
    "NC": 10.4, "ND": 0.8, "OH": 11.8, "OK": 4.0, "OR": 4.2, "PA": 13.0, "RI": 1.1, "SC": 5.1, "SD": 0.9, "TN": 6.9,
    "TX": 29.1, "UT": 3.3, "VT": 0.6, "VA": 8.6, "WA": 7.7, "WV": 1.8, "WI": 5.9, "WY": 0.6,
}  # fmt: skip
WEEKDAYS = np.array([0.93, 0.90, 0.91, 0.96, 1.07, 1.15, 1.08])
STATE_NOISE = 0.035  # of the logarithm of a state's daily sales
STATE_MEMORY = 0.3  # autocorrelation of that noise from day to day
FACTORS = 2  # movements that states share, each state in its own measure


@dataclass(frozen=True)
class GeoPanel:
    """Daily sales in cents, shape [days, states], and what is true of them."""

    first: dt.date
    states: tuple[str, ...]
    sales: Ints
    design: dict[str, Any]
    truth: dict[str, Any]

    def date_of(self, day: int) -> dt.date:
        return self.first + dt.timedelta(days=day)


def make_geo_test(world: World, final: Report) -> GeoPanel | None:
    """The panel of the profile's geo test; `final` is the tested network's report after all restatements."""
    test = world.profile.geo_test
    if test is None:
        return None
    start = world.first + dt.timedelta(weeks=test.first_week)
    end = start + dt.timedelta(weeks=test.weeks, days=-1)
    first = start - dt.timedelta(weeks=test.pre_weeks)
    days = 7 * (test.pre_weeks + test.weeks + test.cooldown_weeks)
    on = slice(7 * test.pre_weeks, 7 * (test.pre_weeks + test.weeks))

    spend = int(_tested(world, final, test)["spend"].sum())
    extra = round(spend * (1 - 1 / test.heavy_up))
    attributed_return = extra_sales(world, final, test) / extra
    true_return = test.incrementality * attributed_return

    shape = _relative_sales(world, days, first)
    states = tuple(STATES)
    treated = np.isin(states, test.treated)
    scale = extra * true_return / test.lift / float(shape[on][:, treated].sum())
    sales = np.rint(scale * shape).astype(np.int64)
    without = sales[on][:, treated].copy()
    sales[on, treated] = np.rint(without * (1 + test.lift)).astype(np.int64)
    gained = int(sales[on][:, treated].sum() - without.sum())

    design = {
        "name": "Walmart search heavy-up",
        "design": "geo heavy-up",
        "network": test.network,
        "retailer": "Walmart",
        "placement": test.placement,
        "geography": "US state (USPS code)",
        "pre_period": [first.isoformat(), (start - dt.timedelta(days=1)).isoformat()],
        "test_period": [start.isoformat(), end.isoformat()],
        "cooldown_period": [
            (end + dt.timedelta(days=1)).isoformat(),
            (first + dt.timedelta(days=days - 1)).isoformat(),
        ],
        "treated": list(test.treated),
        "currency": "USD",
        "extra_spend": cents_to_text(extra),
        "attributed_return": round(attributed_return, 6),
        "attribution": {"metric": "sales", "click_days": 14, "match": "total"},
    }
    truth = {
        "lift": round(gained / int(without.sum()), 9),
        "incremental_sales": cents_to_text(gained),
        "sales_without_the_test": cents_to_text(int(without.sum())),
        "incremental_return": round(gained / extra, 6),
        "incrementality_factor": round(gained / extra / attributed_return, 6),
    }
    return GeoPanel(first, states, sales, design, truth)


def extra_sales(world: World, final: Report, test: GeoTestProfile) -> float:
    """Attributed sales, in cents, that the extra spend brought: those reported, less what the rest would have brought.

    By the true curves, week by week and cell by cell; what moves the sales of a week moves both alike.
    """
    tested = _tested(world, final, test)
    shape = (int(tested["day"].max()) // 7 + 1, len(world.cells))
    spend, sales = np.zeros(shape), np.zeros(shape)
    at = (tested["day"] // 7, tested["cell"])
    np.add.at(spend, at, tested["spend"] / 100)
    np.add.at(sales, at, tested["sales"])
    full, rest = world.curves.revenue(spend), world.curves.revenue(spend / test.heavy_up)
    kept = np.divide(rest, full, out=np.ones(shape), where=full > 0)
    return float((sales * (1 - kept)).sum())


def _tested(world: World, final: Report, test: GeoTestProfile) -> Report:
    """The rows of the tested cells in the weeks of the test."""
    start = world.first + dt.timedelta(weeks=test.first_week)
    rows = final.between(start, start + dt.timedelta(weeks=test.weeks, days=-1))
    return rows.take(np.isin(rows["cell"], world.test_cells(test)))


def _relative_sales(world: World, days: int, first: dt.date) -> Floats:
    """Sales before any test up to one scale: market size, weekday, shared slow movements, the state's own noise."""
    rng = stream(world.seed, world.profile.key, "geo")
    count = len(STATES)
    size = np.array(list(STATES.values())) * np.exp(rng.normal(0.0, 0.25, count))
    weekday = WEEKDAYS[(first.weekday() + np.arange(days)) % 7]
    movement = np.cumsum(rng.normal(0.0, 0.008, (days, FACTORS)), axis=0)
    loading = rng.normal(1.0, 0.35, (FACTORS, count))
    noise = np.zeros((days, count))
    shock = rng.normal(0.0, STATE_NOISE, (days, count))
    for day in range(days):
        noise[day] = shock[day] + (STATE_MEMORY * noise[day - 1] if day else 0.0)
    return np.asarray(size * weekday[:, None] * np.exp(movement @ loading + noise))
