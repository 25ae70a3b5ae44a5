"""Which cell to test next: the one whose answer is expected to be worth most for what the test costs.

A test is worth what it changes. With today's factors the budget goes somewhere; after a reading it would go elsewhere
and earn more; averaged over the readings that today's belief expects, that gain is the expected value of information
(Raiffa and Schlaifer 1961). A cell that is unsure but small, or large but known, or so good that no reading would move
its money, is not worth a test.

Costs come out of the reserve that a scenario holds back for experiments; a test that does not fit into it is named, and
not suggested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from measurement.core.arrays import Floats
from measurement.core.calibration import Calibrated, Cell
from measurement.core.reallocation import Lines
from tenants.core.problems import InvalidInput

#: Equally likely readings that a test is judged by.
READINGS: Final = 25
#: Weeks that a decision rests on a factor: half of the year for which one is published.
USUAL_WEEKS: Final = 26
#: A test that is less sure than this, on the logarithm, tells hardly anything; it is judged by this.
VAGUEST: Final = 3.0
#: Gains below this part of the budget's worth are rounding.
_ROUNDING: Final = 1e-9
_AT_ONCE: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A test that could be run.

    Attributes:
        cost: money that the reserve pays: the extra spend of a heavy-up, or what a holdback does not sell.
        log_se: standard error of ln(factor) that its reading will have.
        weeks: its length. how: what is done, in words.
    """

    retailer: str
    placement: str
    cost: float
    log_se: float
    weeks: int = 4
    how: str = ""

    @property
    def cell(self) -> Cell:
        """Retailer and placement."""
        return self.retailer, self.placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A candidate with what it is worth.

    Attributes:
        value: expected value of its information over the weeks that decisions rest on it, incremental revenue.
        per_cost: value over cost. affordable: whether the reserve pays for it.
        factor, low, high: what is believed of the cell today.
        moved: share of the budget that its reading is expected to move.
    """

    candidate: Candidate
    value: float
    per_cost: float
    affordable: bool
    factor: float
    low: float
    high: float
    moved: float


def expected_incremental(spend: float, attributed: float, factor: float) -> float:
    """Incremental revenue that extra money is expected to bring, `attributed` per unit of it."""
    return max(spend * attributed * factor, 0.0)


def log_error(noise: float, incremental: float) -> float:
    """Standard error of ln(factor) of a test whose incremental revenue has the standard error `noise`, in money.

    By the delta method; at most `VAGUEST`.
    """
    return VAGUEST if incremental <= 0.0 else min(noise / incremental, VAGUEST)


def next_tests(
    known: Calibrated,
    lines: Lines,
    budget: float,
    candidates: Sequence[Candidate],
    *,
    reserve: float,
    weeks: int = USUAL_WEEKS,
    readings: int = READINGS,
) -> tuple[Suggestion, ...]:
    """All candidates: those that the reserve pays for first, the most valuable per unit of cost at the top.

    Args:
        known: the belief about all cells; `lines.cell` counts in the order of `known.factors`.
        budget: money a week, that the lines share.
        reserve: money for tests.
        weeks: how long decisions rest on a reading.

    Raises:
        InvalidInput: a candidate is of no known cell, or has no cost or standard error.
    """
    place = {one.cell: at for at, one in enumerate(known.factors)}
    believed = known.belief.factor[None, : len(known.factors)]
    today = lines.allocate(believed, budget)
    worth = float(lines.worth(believed, today)[0])
    for one in candidates:
        _check(one, place)
    after = np.concatenate([_after(known, place[one.cell], one.log_se, readings) for one in candidates] or [today])
    moved = np.concatenate([lines.allocate(part, budget) for part in np.array_split(after, _parts(after, lines))])
    stayed = lines.worth(after, np.repeat(today, after.shape[0], axis=0))
    gains = lines.worth(after, moved) - stayed
    shifts = np.abs(moved - today).sum(axis=1) / 2.0 / max(budget, 1e-9)
    found = []
    for at, one in enumerate(candidates):
        mine = slice(at * readings, (at + 1) * readings)
        gain = float(gains[mine].mean())
        value = gain * weeks if gain > _ROUNDING * worth else 0.0
        factor = known.factors[place[one.cell]]
        found.append(
            Suggestion(
                candidate=one, value=value, per_cost=value / one.cost, affordable=one.cost <= reserve,
                factor=factor.value, low=factor.low, high=factor.high, moved=float(shifts[mine].mean()),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (not one.affordable, -one.per_cost, one.candidate.cell)))


def _after(known: Calibrated, cell: int, log_se: float, readings: int) -> Floats:
    """Factors after each reading that the test may have, shape [readings, cells]."""
    expected = known.belief.readings(cell, log_se, readings)
    after = known.belief.after(cell, expected, log_se)[:, : len(known.factors)]
    # What is believed today is what updates average to; a finite sum is off by a little, and that is no value.
    believed = known.belief.factor[: len(known.factors)]
    return np.asarray(after * believed / np.maximum(after.mean(axis=0), 1e-12))


def _parts(after: Floats, lines: Lines) -> int:
    """Into how many parts the questions are split, so that each fits into memory with ease."""
    return max(1, len(after) * len(lines.responses) // _AT_ONCE)


def suggested(ranked: Sequence[Suggestion]) -> Suggestion | None:
    """The best one that the reserve pays for and that is worth anything; None where there is none."""
    return next((one for one in ranked if one.affordable and one.value > 0.0), None)


def _check(one: Candidate, place: dict[Cell, int]) -> None:
    where = f"test of {one.retailer}, {one.placement or 'all placements'}"
    if one.cell not in place:
        raise InvalidInput("The cell has no factor.", where=where, fix="Choose a cell that is planned with.")
    if not (math.isfinite(one.cost) and one.cost > 0.0 and math.isfinite(one.log_se) and one.log_se > 0.0):
        raise InvalidInput(
            "A test costs something, and its reading has an error.", where=where, fix="Give both, above zero."
        )
