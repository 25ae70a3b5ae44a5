"""The analysis of a switchback: Horvitz-Thompson, means after burn-in, and randomisation inference for both.

Only windows of m + 1 periods of one kind speak of the effect: all treated against all untreated. Horvitz-Thompson
weighs each by the inverse of its chance and is unbiased whatever the outcomes (Bojinov, Simchi-Levi and Zhao 2023); it
also carries their level, so that it is wide where outcomes are far from zero. The difference of means after burn-in
takes the same windows, and the level falls out.

p-values toss the coins again, by the design. Of no effect they are exact whatever the outcomes. For the interval the
outcome under another assignment has to be filled in: an effect is taken to grow evenly with the share of the last
m + 1 periods that were treated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from scipy import stats

from measurement.core.answers import Estimate
from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.inversion import Reassigned, reassigned
from measurement.core.panel import require_amounts
from measurement.core.switchback_design import (
    DRAWS,
    SwitchbackDesign,
    coin_draws,
    design_switchback,
    given_design,
    is_admissible,
)
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

#: Fewer block means are not compared by a t test: it is off by too much.
LEAST_BLOCKS: Final = 12
Estimator = Literal["auto", "horvitz_thompson", "burn_in"]
ESTIMATORS: Final = ("auto", "horvitz_thompson", "burn_in")
#: Outcomes whose mean is more standard deviations from zero make Horvitz-Thompson too wide to be of use.
_FAR: Final = 2.0
_CHUNK: Final = 512
_LEVEL: Final = (
    "Outcomes are far from zero, and Horvitz-Thompson carries their level: it is unbiased but wide. The means after "
    "burn-in are the sharper reading."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchbackEstimate:
    """Effect of a whole treated window over an untreated one, with p and interval of one test."""

    effect: Estimate
    p_value: float
    procedure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockMeans:
    """Welch's t test of means of stretches of one kind, burn-in left out; refused for few of them."""

    blocks: int
    effect: Estimate | None
    p_value: float | None
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchbackReading:
    """What a log says.

    Attributes:
        horvitz_thompson, burn_in: the two estimates; no `burn_in` where windows of one kind are missing.
        chosen: the one asked for.
        baseline: mean of the untreated windows. lift: chosen effect over it; None where it is not positive.
        windows: how many of m + 1 periods are all treated, and all untreated.
    """

    estimator: Estimator
    horvitz_thompson: SwitchbackEstimate
    burn_in: SwitchbackEstimate | None
    block_means: BlockMeans
    baseline: float | None
    lift: Estimate | None
    windows: tuple[int, int]
    design: SwitchbackDesign
    alpha: float
    warnings: tuple[str, ...]

    @property
    def chosen(self) -> SwitchbackEstimate:
        """The estimate that was asked for."""
        return self.horvitz_thompson if self.estimator == "horvitz_thompson" or self.burn_in is None else self.burn_in


def analyze_switchback(
    treated: Sequence[int] | Ints,
    outcome: Sequence[float] | Floats,
    *,
    carryover: int,
    randomise_at: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    estimator: Estimator = "auto",
    alpha: float = 0.05,
    seed: int = 1,
    draws: int = DRAWS,
) -> SwitchbackReading:
    """Reading of a log, shape [periods] each, in order and without gaps.

    Args:
        carryover: periods beyond the treated one in which its effect still comes in.
        randomise_at: 1-based points of the design; without them those of `design_switchback`, or, where the log changes
            at others, every so many periods as all its changes allow.
        labels: of the periods, where the assignment was balanced by them.
        estimator: `auto` is Horvitz-Thompson, or, where outcomes lie far from zero, the means after burn-in. That hangs
            on the outcomes alone and not on when they were treated, so that the test of no effect stays exact.
        draws: assignments looked at where they are too many to list; the seed decides which.

    Raises:
        InvalidInput: another length, treatment that is not 0 or 1, outcomes that are no finite numbers, too large to
            reckon with or all the same,
            only one arm, no window of a kind that the estimator needs, or changes where no coin was tossed.
    """
    kinds, values = _checked(treated, outcome, carryover, alpha)
    require_amounts(values, "outcome")
    design, notes = _design_of(kinds, carryover, randomise_at)
    if labels is not None and len(labels) != len(kinds):
        raise InvalidInput(
            f"{count_of(len(labels), 'label')} for {count_of(len(kinds), 'period')}.",
            where="labels",
            fix="Give one for each period.",
        )
    coins = kinds[np.array(design.randomise_at) - 1].astype(bool)
    if labels is not None and not is_admissible(design, coins, labels):
        notes.append("The log is not as even over the labels as a balanced draw: it is read as drawn without them.")
        labels = None
    tests = _Tests(design, kinds, values, labels=labels, seed=seed, draws=draws)
    found = _estimate(tests.horvitz_thompson, "Horvitz-Thompson", alpha)
    words = f"difference of means after {count_of(carryover, 'period')} of burn-in"
    after = None if tests.difference is None else _estimate(tests.difference, words, alpha)
    windows = int(tests.observed.all.sum()), int(tests.observed.none.sum())
    far = abs(float(values.mean())) > _FAR * float(values.std())
    if after is None:
        notes.append(_one_kind(windows, carryover, far=far, estimator=estimator))
    if estimator == "auto":
        estimator = "burn_in" if far and after is not None else "horvitz_thompson"
        if far:
            notes.append(_LEVEL)
    chosen = found if estimator == "horvitz_thompson" or after is None else after
    baseline = float(values[carryover:][tests.observed.none[0]].mean()) if windows[1] else None
    return SwitchbackReading(
        estimator=estimator,
        horvitz_thompson=found,
        burn_in=after,
        block_means=_block_means(kinds, values, carryover, alpha),
        baseline=baseline,
        lift=None if baseline is None or baseline <= 0.0 else _over(chosen.effect, baseline),
        windows=windows,
        design=design,
        alpha=alpha,
        warnings=(*notes, *_warnings(tests, alpha)),
    )


def _one_kind(windows: tuple[int, int], carryover: int, *, far: bool, estimator: Estimator) -> str:
    """What a reader must know where windows of a kind are missing.

    Raises:
        InvalidInput: nothing speaks of the effect. So it is without any window, for a difference of means, and, unless
            it is asked for, for Horvitz-Thompson on outcomes far from zero, which then tells their level alone.
    """
    kind = "treated or untreated" if windows == (0, 0) else "treated" if windows[0] == 0 else "untreated"
    missing = f"There is no run of {count_of(carryover + 1, 'period')} {kind}"
    if windows == (0, 0) or estimator == "burn_in" or (estimator == "auto" and far):
        why = "there is nothing to compare after burn-in" if estimator == "burn_in" else "the effect is not in the log"
        raise InvalidInput(
            f"{missing}: {why}.",
            where="treated",
            fix="Log more periods, or give a shorter carry-over if that is true.",
        )
    return f"{missing}: only Horvitz-Thompson can be read, from windows of the other kind alone."


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    """Windows of assignments, shape [assignments, periods - carryover]: all treated, none treated, share treated."""

    all: Bools
    none: Bools
    share: Floats


def _windows(kinds: Bools, carryover: int) -> _Windows:
    summed = np.cumsum(np.pad(kinds.astype(np.int64), ((0, 0), (1, 0))), axis=1)
    inside = summed[:, carryover + 1 :] - summed[:, : summed.shape[1] - carryover - 1]
    return _Windows(inside == carryover + 1, inside == 0, inside / (carryover + 1))


class _Tests:
    """Both statistics, observed and for every other assignment."""

    def __init__(
        self,
        design: SwitchbackDesign,
        kinds: Ints,
        values: Floats,
        *,
        labels: Sequence[str] | None,
        seed: int,
        draws: int,
    ) -> None:
        blocks = design.block_of()
        coins = kinds[np.array(design.randomise_at) - 1].astype(bool)
        # A stream of its own: with that of the design, the first draw would be the assignment itself.
        others, exact = coin_draws(design, seed=(seed, 1), labels=labels, draws=draws)
        if exact:
            others = others[(others != coins).any(axis=1)]
        self.observed = _windows(kinds[None, :].astype(bool), design.carryover)
        rest = values[design.carryover :]
        chance = _chances(design, others, coins) if labels is not None else _coin_chances(design)
        total = len(rest)
        share = self.observed.share[0]
        parts: list[tuple[Floats, ...]] = []
        for begin in range(0, max(len(others), 1), _CHUNK):
            found = _windows(others[begin : begin + _CHUNK][:, blocks], design.carryover)
            all_, none = found.all / chance, found.none / chance
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = [
                    (found.all @ part) / found.all.sum(axis=1) - (found.none @ part) / found.none.sum(axis=1)
                    for part in (rest, share)
                ]
            # What a unit of effect adds where an assignment differs from the one observed; see `inversion`.
            slope = (all_ @ (1.0 - share) + none @ share) / total
            parts.append(((all_ @ rest - none @ rest) / total, slope, *mean))
        ht, slope, mean_rest, mean_share = (np.concatenate(part) for part in zip(*parts, strict=True))
        seen_ht = float(((self.observed.all[0] / chance - self.observed.none[0] / chance) @ rest) / total)
        self.horvitz_thompson: Reassigned = reassigned(center=seen_ht, shortfall=seen_ht - ht, slope=slope, exact=exact)
        self.difference: Reassigned | None = None
        if self.observed.all.any() and self.observed.none.any():
            seen = float(rest[self.observed.all[0]].mean() - rest[self.observed.none[0]].mean())
            # The test is among the assignments that have both kinds of window, as the observed one has.
            some = np.isfinite(mean_rest)
            self.difference = reassigned(
                center=seen, shortfall=seen - mean_rest[some], slope=1.0 - mean_share[some], exact=exact
            )


def _coin_chances(design: SwitchbackDesign) -> Floats:
    """Chance that a window is all treated, as that it is all untreated, shape [windows]."""
    blocks = design.block_of()
    tossed = blocks[design.carryover :] - blocks[: design.periods - design.carryover] + 1
    chances: Floats = np.power(0.5, tossed.astype(np.float64))
    return chances


def _chances(design: SwitchbackDesign, draws: Bools, coins: Bools) -> Floats:
    """The same among balanced assignments, counted; opposites are admitted together, so that both are alike."""
    found = _windows(np.vstack([draws, coins])[:, design.block_of()], design.carryover)
    chances: Floats = (found.all.mean(axis=0) + found.none.mean(axis=0)) / 2.0
    return np.maximum(chances, 1.0 / (len(draws) + 1))


def _estimate(test: Reassigned, words: str, alpha: float) -> SwitchbackEstimate:
    listed = f"all {test.count:,} assignments" if test.exact else f"{test.count:,} drawn assignments"
    return SwitchbackEstimate(
        effect=Estimate(test.center, *test.interval(alpha)),
        p_value=test.p_value(),
        procedure=f"{words}, randomisation test over {listed}, and its inversion",
    )


def _over(effect: Estimate, baseline: float) -> Estimate:
    ends = (None if end is None else end / baseline for end in (effect.low, effect.high))
    return Estimate(effect.value / baseline, *ends)


def _block_means(kinds: Ints, values: Floats, carryover: int, alpha: float) -> BlockMeans:
    """Means of stretches of one kind, without the first `carryover` periods of each."""
    starts = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    means: dict[int, list[float]] = {0: [], 1: []}
    for first, after in pairwise(starts):
        if after - first > carryover:
            means[int(kinds[first])].append(float(values[first + carryover : after].mean()))
    one, two = np.array(means[1]), np.array(means[0])
    blocks = len(one) + len(two)
    if blocks < LEAST_BLOCKS or min(len(one), len(two)) < 2:
        return BlockMeans(
            blocks=blocks,
            effect=None,
            p_value=None,
            refused=f"{blocks} block means are fewer than {LEAST_BLOCKS}: a t test of them is not to be trusted.",
        )
    # In units of the largest: squares of squares stay numbers whatever the money is counted in.
    size = float(np.abs(values).max()) or 1.0
    found = stats.ttest_ind(one / size, two / size, equal_var=False)
    ends = found.confidence_interval(1.0 - alpha)
    effect = Estimate(float(one.mean() - two.mean()), size * float(ends.low), size * float(ends.high))
    return BlockMeans(blocks=blocks, effect=effect, p_value=float(found.pvalue), refused="")


def _design_of(kinds: Ints, carryover: int, randomise_at: Sequence[int] | None) -> tuple[SwitchbackDesign, list[str]]:
    periods = len(kinds)
    changes = (np.flatnonzero(np.diff(kinds)) + 2).tolist()
    if randomise_at is not None:
        design = given_design(periods=periods, carryover=carryover, randomise_at=randomise_at)
        strays = [change for change in changes if change not in design.randomise_at]
        if strays:
            raise InvalidInput(
                f"The treatment changes at period {strays[0]}, where no coin was tossed.",
                where="randomise_at",
                fix="Give all points of the design, or check the log.",
            )
        return design, list(design.notes)
    if periods >= max(4, 4 * carryover):
        design = design_switchback(periods=periods, carryover=carryover)
        if set(changes) <= set(design.randomise_at):
            return design, list(design.notes)
    step = int(np.gcd.reduce([change - 1 for change in changes]))
    design = given_design(periods=periods, carryover=carryover, randomise_at=range(1, periods + 1, step))
    words = "every period" if step == 1 else f"every {step} periods"
    return design, [
        f"The log changes where the optimal design does not; it is read as a coin tossed {words}. "
        "Give the points of the design if it was another.",
        *design.notes,
    ]


def _checked(
    treated: Sequence[int] | Ints, outcome: Sequence[float] | Floats, carryover: int, alpha: float
) -> tuple[Ints, Floats]:
    kinds, values = np.asarray(treated), np.asarray(outcome, dtype=np.float64)
    if len(kinds) != len(values):
        raise InvalidInput(
            f"{len(kinds)} treatments stand against {len(values)} outcomes.", where="outcome", fix="Give both of each."
        )
    if not np.isin(kinds, (0, 1)).all():
        raise InvalidInput("A treatment is neither 0 nor 1.", where="treated", fix="Give 1 where treated, else 0.")
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
        raise InvalidInput("The outcome is no finite number.", where=f"period {place}", fix="Complete the log.")
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a number between 0 and 1.")
    if not 0 <= carryover < len(kinds):
        raise InvalidInput(
            f"A carry-over of {carryover} in a log of {count_of(len(kinds), 'period')}.",
            where="carryover",
            fix="Give less.",
        )
    kinds = kinds.astype(np.int64)
    if kinds.min() == kinds.max():
        raise InvalidInput(
            f"All periods are {'treated' if kinds[0] else 'untreated'}: there is nothing to compare.",
            where="treated",
            fix="Log both arms.",
        )
    if float(np.ptp(values)) == 0.0:
        raise InvalidInput("All outcomes are the same.", where="outcome", fix="Check the column.")
    return kinds, values


def _warnings(tests: _Tests, alpha: float) -> list[str]:
    if tests.horvitz_thompson.least_p <= alpha:
        return []
    return [
        f"The design has too few assignments to show an effect at {alpha:g}: the smallest p is "
        f"{tests.horvitz_thompson.least_p:.3g}."
    ]
