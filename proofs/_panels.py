"""Panels with known truth, and random tests on them: what the estimators of `measurement` are judged by.

A generated panel is a factor model on the log scale: sizes of geos spread as cities do, a few shared movements that
each geo follows in its own measure, a week whose shape differs a little between geos, and noise that remembers
yesterday. `heteroscedastic`, `outliers` and `drifting` break what estimators like to assume: one noise for all, no
bad days, and a geo that stays where its past relation to the others puts it. `trending` has sizes further apart, one
trend that all follow in proportion to them, and less noise the larger a geo is. Nothing here knows an estimator.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from measurement.core.arrays import Floats, Ints

if TYPE_CHECKING:
    from measurement.core.panel import Panel

Kind = Literal["plain", "heteroscedastic", "outliers", "drifting", "trending"]
UNITS: Final = 40
PERIODS: Final = 105
LENGTH: Final = 15
#: Days before the earliest test.
LEAST_HISTORY: Final = 45
PRE_TEST: Final = Path("measurement") / "GeoLift_PreTest.csv"


def generated(rng: np.random.Generator, kind: Kind = "plain", *, units: int = UNITS, periods: int = PERIODS) -> Floats:
    """Sales, shape [units, periods], whole numbers above zero: no geo and no day was treated."""
    if kind == "trending":
        return _trending(rng, units, periods)
    size = 3000.0 * np.exp(0.5 * rng.standard_normal(units))
    shared = np.cumsum(rng.normal(0.0, 0.02, (3, periods)), axis=1)
    follows = np.column_stack([1.0 + 0.3 * rng.standard_normal(units), 0.5 * rng.standard_normal((units, 2))])
    week = rng.normal(0.0, 0.12, 7)
    own_week = 0.03 * rng.standard_normal((units, 7))
    day = np.arange(periods) % 7
    noise = np.full(units, 0.07)
    if kind == "heteroscedastic":
        # Small geos are noisier, and some are far noisier than their size says.
        noise = 0.07 * (size / 3000.0) ** -0.5 * np.exp(0.4 * rng.standard_normal(units))
    log = np.log(size)[:, None] + follows @ shared + week[day] + own_week[:, day]
    log += noise[:, None] * autoregressive(rng, (units, periods), 0.4)
    if kind == "drifting":
        log += np.cumsum(rng.normal(0.0, 0.008, (units, periods)), axis=1)
    if kind == "outliers":
        bad = rng.random((units, periods)) < 0.01
        log += bad * rng.choice([-1.0, 1.0], (units, periods)) * rng.uniform(0.3, 1.0, (units, periods))
    return np.maximum(np.round(np.exp(log)), 1.0)


def _trending(rng: np.random.Generator, units: int, periods: int) -> Floats:
    size = np.exp(rng.normal(8.0, 1.0, units))
    trend = np.cumsum(rng.normal(0.0, 0.02, periods))
    noise = 0.02 * (size / 3000.0) ** -0.5
    sales: Floats = size[:, None] * np.exp(trend + noise[:, None] * rng.standard_normal((units, periods)))
    return np.maximum(np.round(sales), 1.0)


def autoregressive(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> Floats:
    """Noise of variance one along the last axis, each value `memory` times the one before and something new."""
    noise = rng.standard_normal(shape)
    for place in range(1, shape[1]):
        noise[:, place] = memory * noise[:, place - 1] + np.sqrt(1.0 - memory**2) * noise[:, place]
    return noise


def reference_folder() -> Path | None:
    """Where the public data sets lie (docs/reference-data.md), or None."""
    named = os.environ.get("RMN_REFERENCE_DATA")
    return Path(named) if named else None


def pre_test() -> Floats:
    """The GeoLift pre-test panel: 40 cities by 90 days, in the order of their names.

    Raises:
        FileNotFoundError: RMN_REFERENCE_DATA is unset, or the file is not there.
    """
    folder = reference_folder()
    if folder is None:
        raise FileNotFoundError("RMN_REFERENCE_DATA is not set: see docs/reference-data.md")
    rows = pl.read_csv(folder / PRE_TEST)
    wide = rows.sort("date").pivot(on="date", index="location", values="Y").sort("location")
    return np.asarray(wide.drop("location").to_numpy(), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A random test on a panel that ends with the test: what happened, and what would have without it.

    Attributes:
        untouched: shape [units, periods]. start: first day of the test, from 0; the last is the last of the panel.
        treated: rows. pairs: (treated, control) rows where the test is of matched pairs.
    """

    untouched: Floats
    start: int
    treated: Ints
    pairs: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """Last day of the test, from 0, inclusive."""
        return self.untouched.shape[1] - 1

    def outcome(self, lift: float) -> Floats:
        """Sales if the treated geos had sold `lift` (a fraction) more during the test."""
        found = self.untouched.copy()
        found[np.ix_(self.treated, np.arange(self.start, self.end + 1))] *= 1.0 + lift
        return found

    def incremental(self, lift: float) -> float:
        """The true effect, over treated geos and test days."""
        return float(lift * self.untouched[self.treated, self.start :].sum())

    def panel(self, lift: float, *, spend: float | None = None) -> Panel:
        """As the product sees it; with `spend`, that much in all is spent on the treated geos in even parts."""
        from measurement.core.panel import Panel

        outcome = self.outcome(lift)
        cost = None
        if spend is not None:
            cost = np.zeros_like(outcome)
            days = self.end + 1 - self.start
            cost[self.treated, self.start :] = spend / (days * self.treated.size)
        return Panel(
            units=names(outcome.shape[0]),
            periods=tuple(range(1, outcome.shape[1] + 1)),
            outcome=outcome,
            cost=cost,
        )

    @property
    def treated_names(self) -> tuple[str, ...]:
        """Names of the treated geos in `panel`."""
        every = names(self.untouched.shape[0])
        return tuple(every[row] for row in self.treated.tolist())

    @property
    def pair_names(self) -> list[tuple[str, str]]:
        """(treated, control) by name."""
        every = names(self.untouched.shape[0])
        return [(every[one], every[other]) for one, other in self.pairs]


def names(units: int) -> tuple[str, ...]:
    """What the geos are called."""
    return tuple(f"geo {number:02}" for number in range(1, units + 1))


def random_test(rng: np.random.Generator, panel: Floats, treated: int, *, length: int = LENGTH) -> Draw:
    """`treated` geos drawn from all, and a window drawn from all that leave enough history."""
    start = _start(rng, panel.shape[1], length)
    chosen = np.sort(rng.choice(panel.shape[0], treated, replace=False))
    return Draw(untouched=panel[:, : start + length], start=start, treated=chosen.astype(np.int64))


def sized_test(
    rng: np.random.Generator, panel: Floats, treated: int, *, largest: bool, units: int, length: int = LENGTH
) -> Draw:
    """The smallest or the largest geos of the first `units`, by what they sold before a window drawn at random."""
    start = _start(rng, panel.shape[1], length)
    sales = panel[:units, : start + length]
    order = np.argsort(sales[:, :start].mean(axis=1), kind="stable")
    chosen = np.sort(order[-treated:] if largest else order[:treated])
    return Draw(untouched=sales, start=start, treated=chosen.astype(np.int64))


def random_pairs(rng: np.random.Generator, panel: Floats, *, length: int = LENGTH) -> Draw:
    """All geos in pairs that were alike before the test; a coin says which of each pair is treated."""
    start = _start(rng, panel.shape[1], length)
    matched = alike(panel[:, :start])
    flips = rng.random(len(matched)) < 0.5
    pairs = tuple((b, a) if flip else (a, b) for (a, b), flip in zip(matched, flips.tolist(), strict=True))
    treated = np.array([one for one, _ in pairs], dtype=np.int64)
    return Draw(untouched=panel[:, : start + length], start=start, treated=treated, pairs=pairs)


def alike(history: Floats) -> list[tuple[int, int]]:
    """Pairs by the distance of their weekly log sales, the closest first; any odd geo is left out."""
    weeks = history.shape[1] // 7
    weekly = np.log(history[:, -7 * weeks :].reshape(history.shape[0], weeks, 7).sum(axis=2))
    apart = np.sqrt(((weekly[:, None, :] - weekly[None, :, :]) ** 2).mean(axis=2))
    free = set(range(history.shape[0]))
    found = []
    for place in np.argsort(apart, axis=None).tolist():
        one, other = divmod(place, history.shape[0])
        if one < other and one in free and other in free:
            free -= {one, other}
            found.append((one, other))
    return found


def _start(rng: np.random.Generator, periods: int, length: int) -> int:
    return int(rng.integers(LEAST_HISTORY, periods - length + 1))


def band(rate: float, draws: int) -> tuple[float, float]:
    """Where the share of `draws` lies with probability .99 if its expectation is `rate`."""
    half = 2.5758 * float(np.sqrt(rate * (1.0 - rate) / draws))
    return rate - half, rate + half


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Figures as they are kept."""
    return {name: round(float(value), 4) for name, value in values.items()}
