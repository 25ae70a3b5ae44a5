"""From tests to incrementality factors: what every retailer and placement of a brand is worth, and how sure that is.

A test of a cell (retailer, placement) found an incremental return; the networks attribute another to the same change of
spend. The factor is the one over the other. `measurement.core.factor_model` carries what a test says to the cells that
were not tested.

A test speaks of its own days, spend and length, and a plan asks about other ones. Its standard error on the logarithm
grows by four rules, added as variances:

- **again**: a cell that is tested again reads otherwise by more than the errors of both tests: `AGAIN` at least;
- **age**: what is true drifts, by `DRIFT` in a year (a random walk);
- **spend**: where the cell now spends another amount than in the test, by `BEND` per doubling;
- **length**: shorter than `WHOLE_DAYS`, a test misses purchase cycles: `SHORT` times the square root of how many times
  its days fit into them, less one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from measurement.core.arrays import Floats
from measurement.core.factor_model import Belief, Prior, Readings, believe
from tenants.core.problems import InvalidInput

AGAIN: Final = 0.08
DRIFT: Final = 0.15
BEND: Final = 0.10
SHORT: Final = 0.10
#: Doublings of spend that are counted at most: of a cell that spends nothing now there is no end of them.
MOST_DOUBLINGS: Final = 6.0
#: Standard deviation on the logarithm beyond which a test tells nothing anyway.
VAGUEST: Final = 5.0
WHOLE_DAYS: Final = 28
#: Below this many standard errors above zero a return is weighed on a grid, for its logarithm is skewed: a return that
#: is read high by luck looks surer than it is, and with the delta method from 2 on the intervals of tested cells hold
#: too seldom. From here on a normal with the same mean and variance says the same within a thousandth.
CLEAR: Final = 16.0
#: Of the interval that is published, central.
LEVEL: Final = 0.90
#: A cell that all tests together move by less than this part of a reading rests on none of them, and one that moves it
#: by less is not named, unless all do: then the strongest few are.
LEAST_INFLUENCE: Final = 0.02
FEW: Final = 3
#: The quantile that a least return is judged by.
CAUTIOUS: Final = 0.20
USUAL_DRAWS: Final = 1000
#: Where the likelihood of a clear return is summed, in units of its standard error on the logarithm.
_OFF: Final = np.linspace(-10.0, 10.0, 401)

Cell = tuple[str, str]
Source = Literal["experiment", "proxy", "prior"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTest:
    """What one test found in one cell.

    Attributes:
        id: of the experiment, as people know it.
        iroas, se: incremental outcome per extra unit of spend, and its standard error.
        attributed: what the networks attribute per unit of the same change of spend; for a heavy-up the increment of
            the curve and not its average.
        attributed_se: its standard error; 0 where it was counted.
        days: length of the test, cool-down left out. age_days: since its end.
        spend_ratio: what the cell spends now over what it spent in the test.
    """

    id: str
    retailer: str
    placement: str
    iroas: float
    se: float
    attributed: float
    attributed_se: float = 0.0
    days: int = WHOLE_DAYS
    age_days: int = 0
    spend_ratio: float = 1.0

    @property
    def cell(self) -> Cell:
        """Retailer and placement."""
        return self.retailer, self.placement

    @property
    def factor(self) -> float:
        """As read, with nothing learnt from elsewhere."""
        return self.iroas / self.attributed

    @property
    def clear(self) -> bool:
        """Whether the return is far enough above zero for a normal to describe its logarithm."""
        return self.iroas > 0.0 and self.iroas / self.se >= CLEAR

    @property
    def staleness(self) -> float:
        """Variance on the logarithm that the rules above add."""
        drift = DRIFT**2 * max(self.age_days, 0) / 365.25
        doublings = abs(math.log2(self.spend_ratio)) if self.spend_ratio > 0.0 else MOST_DOUBLINGS
        bend = (BEND * min(doublings, MOST_DOUBLINGS)) ** 2
        short = SHORT**2 * max(WHOLE_DAYS / self.days - 1.0, 0.0)
        return AGAIN**2 + drift + bend + short

    @property
    def log_factor(self) -> tuple[float, float]:
        """Mean and standard deviation of ln(factor) by the test alone, for one that is `clear`.

        They are those of the likelihood that tests below `CLEAR` are weighed by, N(iROAS | ROAS exp(phi), SE) as a
        function of phi, so that both meet. The delta method has its mode, which lies 1.5 (SE / iROAS)^2 higher.
        """
        clear = self.iroas / self.se
        off = _OFF / clear
        weight = np.exp(-0.5 * (clear * np.expm1(off)) ** 2)
        weight /= weight.sum()
        mean = float(weight @ off)
        return math.log(self.factor) + mean, math.hypot(math.sqrt(float(weight @ (off - mean) ** 2)), self.blur)

    @property
    def blur(self) -> float:
        """What the rules and the attributed return add on the logarithm, for a return that has none of its own."""
        return min(math.hypot(self.attributed_se / self.attributed, math.sqrt(self.staleness)), VAGUEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFactor:
    """The factor of one cell.

    Attributes:
        value: what budgets are planned with, exp of the mean of phi. low, high: ends of the central `LEVEL` interval.
        cautious: the lower quantile that a least return is judged by.
        sd: standard deviation of the factor.
        source: experiment (of this very cell), proxy (taken over from tests of other cells), or prior (no test says
            anything of it).
        rests_on: ids of the tests it rests on, the one that moves it most first. influence: by how much the logarithm
            of the factor moves with the one of each.
    """

    retailer: str
    placement: str
    value: float
    low: float
    high: float
    cautious: float
    sd: float
    source: Source
    rests_on: tuple[str, ...] = ()
    influence: tuple[float, ...] = ()

    @property
    def cell(self) -> Cell:
        """Retailer and placement."""
        return self.retailer, self.placement


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Factors of all cells, in the order asked for.

    Attributes:
        draws: joint draws of the factors, shape [draws, cells]; one row is one possible truth.
    """

    factors: tuple[CellFactor, ...]
    tests: tuple[CellTest, ...]
    belief: Belief
    draws: Floats = field(repr=False)

    def of(self, cell: Cell) -> CellFactor | None:
        """The factor of a cell; None where it was not asked for."""
        return next((one for one in self.factors if one.cell == cell), None)

    @property
    def value(self) -> Floats:
        """What budgets are planned with, shape [cells]."""
        return np.array([one.value for one in self.factors])


def calibrate(
    cells: Sequence[Cell],
    tests: Sequence[CellTest],
    *,
    prior: Prior | None = None,
    draws: int = USUAL_DRAWS,
    seed: int = 1,
) -> Calibrated:
    """Factors of all cells of a brand, from the tests of some.

    Args:
        cells: each once. A test of a cell that is not among them counts too.

    Raises:
        InvalidInput: a cell or the same test of one is there twice, or a test has no standard error, return, spend or
            days to speak of.
    """
    if len(set(cells)) != len(cells):
        raise InvalidInput("A cell is listed twice.", where="cells", fix="Name each retailer and placement once.")
    for test in tests:
        _check(test)
    named = Counter((test.id, test.cell) for test in tests)
    for (name, cell), count in named.items():
        if count > 1:
            raise InvalidInput(
                f"{name} is listed {count} times for {' '.join(cell).strip()}, and would count as often.",
                where=f"test {name}",
                fix="Give each reading once, and readings of other tests under other names.",
            )
    every = list(dict.fromkeys([*cells, *(test.cell for test in tests)]))
    retailers = {name: at for at, name in enumerate(dict.fromkeys(one[0] for one in every))}
    placements = {name: at for at, name in enumerate(dict.fromkeys(one[1] for one in every))}
    belief = believe(
        np.array([retailers[one[0]] for one in every], dtype=np.int64),
        np.array([placements[one[1]] for one in every], dtype=np.int64),
        _readings(tests, {cell: at for at, cell in enumerate(every)}),
        prior,
    )
    half = (1.0 - LEVEL) / 2.0
    ends = {level: belief.quantile(level) for level in (half, 1.0 - half, CAUTIOUS)}
    found = []
    for at, cell in enumerate(cells):
        source, rests_on, influence = _support(cell, tests, belief.influence[at])
        found.append(
            CellFactor(
                retailer=cell[0], placement=cell[1], value=float(belief.centre[at]), low=float(ends[half][at]),
                high=float(ends[1.0 - half][at]), cautious=float(ends[CAUTIOUS][at]), sd=float(belief.factor_sd[at]),
                source=source, rests_on=rests_on, influence=influence,
            )
        )  # fmt: skip
    return Calibrated(tuple(found), tuple(tests), belief, belief.draws(draws, seed=seed)[:, : len(cells)])


def _readings(tests: Sequence[CellTest], number: dict[Cell, int]) -> Readings:
    told = [test.log_factor if test.clear else (test.iroas, test.se) for test in tests]
    return Readings(
        cell=np.array([number[test.cell] for test in tests], dtype=np.int64),
        logs=np.array([test.clear for test in tests], dtype=np.bool_),
        value=np.array([value for value, _ in told], dtype=np.float64),
        se=np.array([se for _, se in told], dtype=np.float64),
        roas=np.array([test.attributed for test in tests], dtype=np.float64),
        blur=np.array([test.blur for test in tests], dtype=np.float64),
    )


def _support(
    cell: Cell, tests: Sequence[CellTest], influence: Floats
) -> tuple[Source, tuple[str, ...], tuple[float, ...]]:
    """Where the factor of a cell comes from, and the tests that move it with by how much, the strongest first."""
    order = [int(at) for at in np.argsort(-np.abs(influence), kind="stable")]
    own = any(test.cell == cell for test in tests)
    counted = [at for at in order if abs(influence[at]) >= LEAST_INFLUENCE]
    if not counted and (own or float(np.abs(influence).sum()) >= LEAST_INFLUENCE):
        counted = order[:FEW]
    source: Source = "experiment" if own else "proxy" if counted else "prior"
    return source, tuple(tests[at].id for at in counted), tuple(float(influence[at]) for at in counted)


def _check(test: CellTest) -> None:
    numbers = (test.iroas, test.se, test.attributed, test.attributed_se, test.spend_ratio)
    if not all(map(math.isfinite, numbers)) or test.se <= 0.0 or test.attributed_se < 0.0:
        raise InvalidInput(
            f"The return of {test.id} has no standard error to weigh it by.",
            where=f"test {test.id}",
            fix="Use a reading whose iROAS has an interval with two ends.",
        )
    if test.attributed <= 0.0:
        raise InvalidInput(
            f"The networks attribute nothing to the spend that {test.id} changed, so it has no factor.",
            where=f"test {test.id}",
            fix="Give the attributed return of the same days and the same change of spend.",
        )
    if test.days < 1 or test.spend_ratio < 0.0:
        raise InvalidInput(
            f"{test.id} has no days, or its cell spends less than nothing.",
            where=f"test {test.id}",
            fix="Give the length of the test in days, and spend of zero or more.",
        )
