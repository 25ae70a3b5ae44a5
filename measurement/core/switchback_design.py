"""Switchbacks: when to toss the coin, what that risks at worst, and an assignment drawn from it.

One unit (a store, a whole market) is treated in some periods and not in others. Where an effect carries over for m
periods, only periods whose last m + 1 were alike speak of it, so the coin is tossed seldom; too seldom, and chance
rules. Bojinov, Simchi-Levi and Zhao (Management Science 2023) give the points that keep the worst expected squared
error least: {1, 2m+1, 3m+1, ..., (n-2)m+1} for T = nm periods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

#: Up to so many coins all assignments are listed.
LISTED_COINS: Final = 14
#: Assignments drawn where there are more.
DRAWS: Final = 9_999
#: More periods than any test has: an hour each for two years is less.
MOST_PERIODS: Final = 20_000
#: Share of all assignments that is kept where labels (weekdays) are balanced, and how many are at least.
_BALANCED, _LEAST_KEPT = 0.25, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchbackDesign:
    """When to toss.

    Attributes:
        randomise_at: 1-based periods before which a fair coin decides until the next one.
        risk: expected squared error of the Horvitz-Thompson estimate at worst, for outcomes within [-1, 1].
        burn_in: periods after each change that say nothing of the effect: the carry-over.
        notes: what a reader must know, in words.
    """

    periods: int
    carryover: int
    randomise_at: tuple[int, ...]
    risk: float
    notes: tuple[str, ...] = ()

    @property
    def burn_in(self) -> int:
        """Periods after a change that are not read."""
        return self.carryover

    @property
    def lengths(self) -> tuple[int, ...]:
        """Periods from each toss to the next."""
        return tuple(np.diff([*self.randomise_at, self.periods + 1]).tolist())

    def block_of(self) -> Ints:
        """Number of the coin that decides each period, shape [periods], from 0."""
        blocks: Ints = np.repeat(np.arange(len(self.randomise_at), dtype=np.int64), self.lengths)
        return blocks


def design_switchback(*, periods: int, carryover: int) -> SwitchbackDesign:
    """The design of least worst-case risk.

    Where the periods are no multiple of the carry-over, the risk is minimised over all designs whose blocks are at
    least as long as the carry-over; the published points are the same where they apply.

    Raises:
        InvalidInput: a negative carry-over, fewer than four times as many periods, or more than `MOST_PERIODS`.
    """
    if carryover < 0:
        raise InvalidInput(f"The carry-over is {carryover}.", where="carryover", fix="Give 0 or more periods.")
    least = max(4, 4 * carryover)
    if periods < least:
        raise InvalidInput(
            f"{count_of(periods, 'period')} {'is' if periods == 1 else 'are'} too few for a carry-over of {carryover}.",
            where="periods",
            fix=f"Plan at least {least} periods, or shorter ones.",
        )
    if periods > MOST_PERIODS:
        raise InvalidInput(
            f"{periods:,} periods are more than {MOST_PERIODS:,}.", where="periods", fix="Plan longer, fewer periods."
        )
    if carryover == 0:
        points = tuple(range(1, periods + 1))
        return SwitchbackDesign(periods=periods, carryover=0, randomise_at=points, risk=4.0 / periods)
    most = periods // carryover
    lengths = min(
        (_lengths(periods, carryover, coins) for coins in range(most, max(1, most - 6), -1)),
        key=lambda found: _risk_of(found, carryover),
    )
    points = tuple((1 + np.concatenate([[0], np.cumsum(lengths)[:-1]])).tolist())
    return SwitchbackDesign(
        periods=periods,
        carryover=carryover,
        randomise_at=points,
        risk=worst_case_risk(points, periods=periods, carryover=carryover),
        notes=_notes(points, periods, carryover),
    )


def given_design(*, periods: int, carryover: int, randomise_at: Sequence[int]) -> SwitchbackDesign:
    """A design whose points are known, such as of a test that another tool planned.

    Raises:
        InvalidInput: points that do not start at 1, do not rise, or lie beyond the periods.
    """
    points = tuple(randomise_at)
    rising = all(one < two for one, two in pairwise(points))
    if not points or points[0] != 1 or not rising or points[-1] > periods:
        raise InvalidInput(
            f"The points {list(points)} do not rise from 1 to at most {periods}.",
            where="randomise_at",
            fix="Give the 1-based periods before which the coin was tossed, as 1,5,7,9.",
        )
    if not 0 <= carryover < periods:
        raise InvalidInput(f"The carry-over is {carryover}.", where="carryover", fix="Give 0 or more periods.")
    risk = worst_case_risk(points, periods=periods, carryover=carryover)
    return SwitchbackDesign(
        periods=periods, carryover=carryover, randomise_at=points, risk=risk, notes=_notes(points, periods, carryover)
    )


def worst_case_risk(randomise_at: Sequence[int], *, periods: int, carryover: int) -> float:
    """Expected squared error of the Horvitz-Thompson estimate when every outcome is at the same end of [-1, 1].

    Two windows of `carryover + 1` periods move together by `2^(1 + k)` where they share k coins, and not at all where
    they share none.
    """
    points = np.asarray(randomise_at, dtype=np.int64)
    blocks = np.searchsorted(points, np.arange(1, periods + 1), side="right") - 1
    first, last = blocks[: periods - carryover], blocks[carryover:]
    # Windows between the same coins are alike: count them instead of comparing all pairs.
    kinds, counts = np.unique(np.stack([first, last]), axis=1, return_counts=True)
    total = 0.0
    for place in range(len(counts)):
        shared = np.minimum(kinds[1], kinds[1, place]) - np.maximum(kinds[0], kinds[0, place]) + 1
        total += counts[place] * float((counts * np.where(shared > 0, 2.0 ** (1 + shared), 0.0)).sum())
    return total / (periods - carryover) ** 2


def coin_draws(
    design: SwitchbackDesign, *, seed: int | Sequence[int], labels: Sequence[str] | None = None, draws: int = DRAWS
) -> tuple[Bools, bool]:
    """Assignments of the coins, shape [assignments, coins]: all of them up to `LISTED_COINS`, else drawn by seed.

    Args:
        labels: of the periods (weekdays), shape [periods]; only the quarter of assignments that treats each label
            most evenly is kept, and with every assignment its opposite.

    Returns:
        The assignments, and whether they are all.
    """
    coins = len(design.randomise_at)
    if coins <= LISTED_COINS:
        codes = np.arange(2**coins)
        listed: Bools = ((codes[:, None] >> np.arange(coins)) & 1).astype(bool)
        if labels is None:
            return listed, True
        uneven = _unevenness(design, listed, labels)
        return listed[uneven <= _limit(uneven)], True
    rng = np.random.default_rng(seed)
    if labels is None:
        return rng.random((draws, coins)) < 0.5, False
    # The limit is the design's own and must not move with the seed of the draw.
    sample = np.random.default_rng(0).random((4_000, coins)) < 0.5
    limit = _limit(_unevenness(design, sample, labels))
    kept: list[Bools] = []
    while sum(map(len, kept)) < draws:
        fresh = rng.random((2_000, coins)) < 0.5
        kept.append(fresh[_unevenness(design, fresh, labels) <= limit])
    return np.concatenate(kept)[:draws], False


def draw_assignment(design: SwitchbackDesign, *, seed: int, labels: Sequence[str] | None = None) -> Ints:
    """One assignment, 0 or 1 for each period; the same seed draws the same.

    Args:
        labels: of the periods, to treat each label about as often as not.

    Raises:
        InvalidInput: labels of another number of periods.
    """
    if labels is not None and len(labels) != design.periods:
        raise InvalidInput(
            f"{count_of(len(labels), 'label')} for {count_of(design.periods, 'period')}.",
            where="labels",
            fix="Give one for each period.",
        )
    drawn, complete = coin_draws(design, seed=seed, labels=labels, draws=1)
    row = drawn[int(np.random.default_rng(seed).integers(len(drawn)))] if complete else drawn[0]
    assignment: Ints = row[design.block_of()].astype(np.int64)
    return assignment


def is_admissible(design: SwitchbackDesign, coins: Bools, labels: Sequence[str]) -> bool:
    """Whether a draw balanced by these labels could have come out like that."""
    if len(coins) <= LISTED_COINS:
        kept, _ = coin_draws(design, seed=0, labels=labels)
        return bool((kept == coins).all(axis=1).any())
    sample = np.random.default_rng(0).random((4_000, len(coins))) < 0.5
    limit = _limit(_unevenness(design, sample, labels))
    return bool(_unevenness(design, coins[None, :], labels)[0] <= limit)


def _unevenness(design: SwitchbackDesign, coins: Bools, labels: Sequence[str]) -> Floats:
    """Summed squares of treated less untreated periods, per label."""
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    per_coin = np.zeros((len(design.randomise_at), len(names)))
    np.add.at(per_coin, (design.block_of(), codes), 1.0)
    uneven: Floats = (((2.0 * coins - 1.0) @ per_coin) ** 2).sum(axis=1)
    return uneven


def _limit(uneven: Floats) -> float:
    """Largest unevenness kept; all that are equal to it are kept, so opposites stay together."""
    keep = min(len(uneven), max(_LEAST_KEPT, int(len(uneven) * _BALANCED)))
    return float(np.sort(uneven)[keep - 1]) + 1e-9


def _lengths(periods: int, carryover: int, coins: int) -> list[int]:
    """Block lengths of least risk for so many coins, none shorter than the carry-over."""
    spare = [0] * coins
    # What is left over goes, one period at a time, where it adds least: the first and the last block take m more
    # before the others take any, for windows at the ends hang together with one neighbour only.
    middle_first = sorted(range(coins), key=lambda place: (abs(2 * place - coins + 1), place))
    for _ in range(periods - coins * carryover):
        ends = {0, coins - 1}
        best = min(middle_first, key=lambda place: 4 * (2 * spare[place] + 1) - (8 * carryover if place in ends else 0))
        spare[best] += 1
    return [carryover + more for more in spare]


def _risk_of(lengths: list[int], carryover: int) -> float:
    """As `worst_case_risk`, in closed form for blocks at least as long as the carry-over; up to its divisor."""
    spare = np.array(lengths) - carryover
    ends = spare[0] + spare[-1]
    coins = len(lengths)
    if coins < 2:
        return float("inf")
    pure = 4.0 * float((spare**2).sum()) + 16.0 * carryover * float(spare.sum()) - 8.0 * carryover * float(ends)
    return pure + 8.0 * carryover**2 * (2 * coins - 3)


def _notes(points: Sequence[int], periods: int, carryover: int) -> tuple[str, ...]:
    said = []
    coins = len(points)
    if coins < 6:
        said.append(
            f"{coins} toss{'' if coins == 1 else 'es'}: the smallest two-sided p is {2.0 / 2**coins:.3g}. "
            "Plan more periods to show an effect at 5 %."
        )
    if carryover and periods % carryover:
        said.append(
            f"{count_of(periods, 'period')}, no multiple of {carryover}: the points were searched, not read off."
        )
    return tuple(said)
