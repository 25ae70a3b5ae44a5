"""Simulated portfolios with a known truth: does calibration place money better, and do its intervals hold?

A portfolio has cells (4 retailers x 6 placements by default), each with a response curve of attributed sales that is
known, and a true factor that is not. Some cells are tested. Every way of using the tests then places the same budget,
and the placing is valued by the true factors: regret is the share of the best incremental revenue that it misses.

The worlds differ in how factors come about. `usual` is the one that is judged; `prior` draws from the very prior of the
model, so that its intervals have to hold; in the others the model is wrong in a way that it might be wrong in life.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from measurement.core.arrays import Floats, Ints
from measurement.core.calibration import CellTest, calibrate
from measurement.core.factor_model import Prior
from measurement.core.next_test import Candidate, next_tests
from measurement.core.reallocation import Lines
from optimization.core.responses import Family, Responses

RETAILERS, PLACEMENTS = 4, 6
EXPERIMENTS: Final = (1, 3, 6, 12, 24)
METHODS: Final = ("attributed", "one pooled factor", "tested cells only", "hierarchical")
WORLDS: Final[dict[str, str]] = {
    "usual": "mu around log 0.6 within 0.3; spreads 0.25 (retailers), 0.30 (placements), 0.20 (cells)",
    "prior": "mu and the spreads drawn from the model's own prior",
    "heavy tails": "as usual, all parts Student t with 3 degrees of freedom, same spreads",
    "low": "as usual, around 0.25",
    "high": "as usual, around 1.1",
    "overstated": "as usual, and the higher the attributed return the lower the factor (correlation -0.7)",
    "unlike": "cells have nothing in common but mu: spread 0.45 of their own, none of retailers and placements",
    "alike": "all cells nearly the same: spreads of 0.05",
}
#: How the usual world draws: mu (middle, standard deviation), and the spreads of retailers, placements and cells.
USUAL_MIDDLE: Final = (math.log(0.6), 0.3)
USUAL_SPREADS: Final = (0.25, 0.30, 0.20)
#: Standard error of a test, relative to the return that 60 % of what is attributed would be.
NOISE: Final = (0.12, 0.45)
#: What is expected of it when the order of tests is chosen.
USUAL_ERROR: Final = 0.3


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Cells with curves, their true factors, and a test of each cell in the order they are run.

    Attributes:
        factor: true, shape [cells].
        tests: one per cell, in the order of their value; the first n are what n experiments know.
    """

    lines: Lines
    names: tuple[tuple[str, str], ...]
    budget: float
    factor: Floats
    tests: tuple[CellTest, ...]

    @classmethod
    def drawn(cls, world: str, *, seed: int, number: int) -> Portfolio:
        """The portfolio of that number in a world of `WORLDS`."""
        rng = np.random.default_rng([seed, number, list(WORLDS).index(world)])
        retailer, placement = np.divmod(np.arange(RETAILERS * PLACEMENTS), PLACEMENTS)
        count = retailer.size
        spend = 1000.0 * np.exp(rng.normal(0.0, 0.8, count))
        level = rng.normal(0.0, 0.35, count)
        roas = 3.5 * np.exp(level)
        family = np.where(rng.random(count) < 0.5, int(Family.LOG), int(Family.MICHAELIS_MENTEN)).astype(np.int8)
        k = spend * rng.uniform(0.6, 1.8, count)
        a = np.where(family == Family.LOG, roas * spend / np.log1p(spend / k), roas * (k + spend))
        factor = np.exp(true_log_factors(world, rng, retailer, placement, level / 0.35))
        lines = Lines(
            Responses.of(family, a, k, np.ones(count)), np.arange(count), np.zeros(count), np.full(count, np.inf)
        )
        names = tuple((f"retailer {r}", f"placement {p}") for r, p in zip(retailer, placement, strict=True))
        se = rng.uniform(*NOISE, count) * 0.6 * roas
        iroas = factor * roas + se * rng.standard_normal(count)
        tests = tuple(
            CellTest(
                id=f"test {at}", retailer=names[at][0], placement=names[at][1], iroas=float(iroas[at]),
                se=float(se[at]), attributed=float(roas[at]),
            )
            for at in range(count)
        )  # fmt: skip
        return cls(lines, names, float(spend.sum()), factor, tests).in_order()

    def in_order(self) -> Portfolio:
        """The same with its tests in the order in which `next_tests` values them before any is run."""
        candidates = [
            Candidate(retailer=name[0], placement=name[1], cost=1.0, log_se=USUAL_ERROR) for name in self.names
        ]
        unread = calibrate(self.names, (), draws=1)
        ranked = next_tests(unread, self.lines, self.budget, candidates, reserve=1.0, readings=9)
        order = {one.candidate.cell: at for at, one in enumerate(ranked)}
        return replace(self, tests=tuple(sorted(self.tests, key=lambda test: order[test.cell])))

    def judged(self, experiments: int, *, prior: Prior | None = None) -> dict[str, float]:
        """Regret of each of `METHODS`, and how many intervals of cells hold the truth, by number of experiments."""
        tests = self.tests[:experiments]
        known = calibrate(self.names, tests, prior=prior, draws=1)
        plain = np.ones(len(self.names))
        own = {test.cell: max(test.factor, 0.0) for test in tests}
        believed = {
            "attributed": plain,
            # One factor for all cells moves no money, whatever it is.
            "one pooled factor": plain * max(float(np.mean(list(own.values()))), 1e-6),
            "tested cells only": np.array([own.get(name, 1.0) for name in self.names]),
            "hierarchical": known.value,
        }
        spend = self.lines.allocate(np.array([*believed.values(), self.factor]), self.budget)
        worth = self.lines.worth(self.factor[None], spend)
        found = {name: float(1.0 - worth[at] / worth[-1]) for at, name in enumerate(believed)}
        held = [one.low <= truth <= one.high for one, truth in zip(known.factors, self.factor, strict=True)]
        tested = [one.source == "experiment" for one in known.factors]
        found["held"], found["cells"] = float(np.sum(held)), float(len(held))
        found["held, tested"] = float(np.sum(np.logical_and(held, tested)))
        found["cells, tested"] = float(np.sum(tested))
        return found


def judge(
    world: str,
    *,
    portfolios: int = 200,
    seed: int = 1,
    experiments: Sequence[int] = EXPERIMENTS,
    progress: Callable[[int, int], None] | None = None,
) -> dict[int, dict[str, float]]:
    """Means over portfolios, by number of experiments.

    Returns:
        `regret <method>` for each of `METHODS`; `gain` of the hierarchical over the attributed placing with `gain se`;
        `better`, the share of portfolios in which it placed better; `coverage` of all cells, and of the tested ones.
    """
    rows: dict[int, list[dict[str, float]]] = {count: [] for count in experiments}
    for number in range(portfolios):
        one = Portfolio.drawn(world, seed=seed, number=number)
        for count in experiments:
            rows[count].append(one.judged(count))
        if progress is not None:
            progress(number + 1, portfolios)
    return {count: summary(found) for count, found in rows.items()}


def summary(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over portfolios of what `Portfolio.judged` says; see `judge`."""
    gain = np.array([one["attributed"] - one["hierarchical"] for one in rows])
    found = {f"regret {name}": float(np.mean([one[name] for one in rows])) for name in METHODS}
    held = {name: sum(one[name] for one in rows) for name in ("held", "cells", "held, tested", "cells, tested")}
    return found | {
        "gain": float(gain.mean()),
        "gain se": float(gain.std(ddof=1) / math.sqrt(len(rows))) if len(rows) > 1 else 0.0,
        "better": float((gain > 0.0).mean()),
        "coverage": held["held"] / held["cells"],
        "coverage, tested": held["held, tested"] / held["cells, tested"] if held["cells, tested"] else 1.0,
    }


def true_log_factors(world: str, rng: np.random.Generator, retailer: Ints, placement: Ints, level: Floats) -> Floats:
    """Logarithms of true factors, shape [cells]; `level` is the standardised logarithm of the attributed return."""
    middle, sd = USUAL_MIDDLE
    spreads: tuple[float, ...] = USUAL_SPREADS
    draw: Callable[[int], Floats] = rng.standard_normal
    if world == "prior":
        sd, spreads = 1.0, tuple(np.abs(Prior().spread * rng.standard_normal(3)).tolist())
    elif world == "heavy tails":
        # Three degrees of freedom have a variance of three.
        draw = lambda count: rng.standard_t(3, count) / math.sqrt(3.0)  # noqa: E731
    elif world in ("low", "high"):
        middle = math.log(0.25 if world == "low" else 1.1)
    elif world == "unlike":
        spreads = (0.0, 0.0, 0.45)
    elif world == "alike":
        spreads = (0.05, 0.05, 0.05)
    parts = (retailer, placement, np.arange(retailer.size))
    found = middle + sd * float(rng.standard_normal())
    phi = found + sum(spread * draw(int(part.max()) + 1)[part] for spread, part in zip(spreads, parts, strict=True))
    if world == "overstated":
        own = math.sqrt(sum(spread**2 for spread in spreads))
        phi = found - 0.7 * own * level + math.sqrt(1.0 - 0.7**2) * (phi - found)
    return np.asarray(phi)
