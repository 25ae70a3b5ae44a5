"""What is looked at before a test starts: drift of the arms, other tests, balance, the assignment as planned.

A difference that is not significant is no proof of none: with few periods nothing is. The check of drift therefore asks
the other way round, whether the drift is shown to be smaller than a margin (Hartman, Hidalgo 2018), and tells a joint
test with its error rate beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import t

from measurement.core.arrays import Floats
from measurement.core.assignment import Assignment, InvalidDesign
from measurement.core.features import FEATURES, features_of, rows_of
from measurement.core.out_of_sample import parts_of
from measurement.core.panel import Panel
from measurement.core.placebo import placebo_sets, shares_of
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.words import between, count_of, percent

#: Standardised differences beyond this are told (Imbens, Rubin 2015).
UNBALANCED: Final = 0.25
_PLACEBOS: Final = 199
_LEAST_BLOCKS: Final = 4

Verdict = Literal["steady", "drifting", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTrend:
    """Whether treated units and their counterfactual went the same way before the test.

    Attributes:
        drift: of the gap over the length of a test, a fraction of the counterfactual. low, high: its interval of level
            1 - 2 alpha, whose lying within the margin is the equivalence test at alpha.
        margin: the drift that would still do. equivalent: whether the drift is shown to be smaller.
        p_joint: chance of gaps as far from zero, all blocks together, had any other set been treated.
        alpha: error rate of either test. blocks: of periods that the gap was averaged over.
        verdict: `steady` if equivalent and the joint test does not reject, `drifting` if it rejects and they are not
            equivalent, else `unclear`.
        words: the verdict in a sentence.
    """

    drift: float
    low: float
    high: float
    margin: float
    equivalent: bool
    p_joint: float
    alpha: float
    blocks: int
    verdict: Verdict
    words: str


def pre_trend(
    panel: Panel,
    *,
    treated: Sequence[str],
    duration: int,
    margin: float,
    excluded: Sequence[str] = (),
    weighted: bool = True,
    alpha: float = 0.05,
    seed: int = 1,
) -> PreTrend:
    """The check of drift on the history before a test.

    With `weighted` the counterfactual is a synthetic control fitted on the first half, and its gap is followed over the
    second: a fit says nothing of the time that it was made on. Without, all controls count alike over all the time.
    The gap is averaged over blocks of a week, or of what makes at least four blocks, for single days are not
    independent.

    Args:
        panel: the history, and nothing after the start.
        treated, excluded: units; all others are controls.
        duration: of the test, in periods.
        margin: drift over a test that would still do, a fraction above 0: some of the lift that is looked for.
        weighted: see above. alpha: of each test. seed: of the sets of the joint test.

    Raises:
        InvalidDesign: too short a history, no controls, or a margin that is none.
    """
    if margin <= 0.0 or duration < 1 or not 0.0 < alpha < 0.5:
        raise InvalidDesign(
            "Margin, duration or alpha is out of range.", where="margin", fix="Give a margin such as 0.02."
        )
    out = set(rows_of(panel, excluded, "excluded"))
    names = [row for row in range(len(panel.units)) if row not in out]
    chosen = [names.index(row) for row in rows_of(panel, treated, "treated") if row in names]
    outcome, periods = panel.outcome[names], len(panel.periods)
    if not chosen or len(names) - len(chosen) < 2:
        raise InvalidDesign("An arm is empty.", where="treated", fix="Name treated units, and leave two controls.")
    first = periods // 2 if weighted else 0
    length = max(1, min(7, (periods - first) // _LEAST_BLOCKS))
    blocks = (periods - first) // length
    if blocks < _LEAST_BLOCKS or (weighted and first < 4):
        raise InvalidDesign(
            f"{count_of(periods, 'period')} before the test: too few to see a drift.",
            where="panel",
            fix="Give 8 or more, better 8 weeks.",
        )
    sets = placebo_sets(len(names), chosen, count=_PLACEBOS, seed=seed)
    gaps = _gaps(outcome, shares_of(sets, len(names)), first, weighted)
    means = gaps[:, gaps.shape[1] - blocks * length :].reshape(len(sets), blocks, length).mean(axis=2)
    centred = means if weighted else means - means.mean(axis=1, keepdims=True)
    statistic = (centred**2).sum(axis=1)
    p_joint = float(np.mean(statistic >= statistic[0] * (1.0 - 1e-12)))
    slope, error = _slope(means[0])
    per_test = duration / length
    reach = float(t.isf(alpha, blocks - 2)) * error * per_test
    drift = slope * per_test
    equivalent = bool(-margin < drift - reach and drift + reach < margin)
    verdict: Verdict = (
        "steady" if equivalent and p_joint >= alpha else "drifting" if not equivalent and p_joint < alpha else "unclear"
    )
    ends = between(percent(drift - reach, signed=True), percent(drift + reach, signed=True))
    told = f"The gap moves by {percent(drift, signed=True)} over a test ({1 - 2 * alpha:.0%} interval {ends}, "
    told += f"margin {margin:.1%}); joint p = {p_joint:.3f}, each test errs at {alpha:g}."
    return PreTrend(
        drift=drift,
        low=drift - reach,
        high=drift + reach,
        margin=margin,
        equivalent=equivalent,
        p_joint=p_joint,
        alpha=alpha,
        blocks=blocks,
        verdict=verdict,
        words=told,
    )


def _gaps(outcome: Floats, shares: Floats, first: int, weighted: bool) -> Floats:
    """Relative gap of each set to its counterfactual from a period on, shape [sets, periods]."""
    donors = shares == 0.0
    if not weighted:
        # Each unit about its own mean: units of other sizes share a path in proportion, not in amounts.
        usual = outcome.mean(axis=1, keepdims=True)
        relative = outcome[:, first:] / np.where(usual > 0.0, usual, 1.0) - 1.0
        return np.asarray((shares - donors / donors.sum(axis=1, keepdims=True)) @ relative)
    base = outcome[:, :first].mean(axis=1)
    if (base > 0.0).all():
        # As the analysis weighs: sales over each unit's own mean, a set by what its units sell together.
        index = outcome / base[:, None] - 1.0
        parts = parts_of(shares, base)
        weights = simplex_weights(index[:, :first] @ index[:, :first].T, parts, donors, gap=1e-6).weights
        return np.asarray((parts - weights) @ index[:, first:])
    fitted = demeaned(outcome[:, :first], slice(None))
    weights = simplex_weights(fitted @ fitted.T, shares, donors, gap=1e-6).weights
    level = outcome - outcome[:, :first].mean(axis=1, keepdims=True)
    gap = (shares - weights) @ level[:, first:]
    return np.asarray(gap / np.maximum((shares @ outcome).mean(axis=1, keepdims=True), 1e-300))


def _slope(means: Floats) -> tuple[float, float]:
    """Least-squares slope per block and its standard error."""
    blocks = len(means)
    time = np.arange(blocks) - (blocks - 1) / 2
    slope = float(time @ means / (time @ time))
    rest = means - means.mean() - slope * time
    return slope, float(np.sqrt((rest @ rest) / (blocks - 2) / (time @ time)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupied:
    """Units that a test takes up at a retailer: from its first day to the last of its cool-down.

    Attributes:
        name: of the test. retailer: empty for all of them. units: names. start, end: both inclusive.
    """

    name: str
    retailer: str
    units: tuple[str, ...]
    start: dt.date
    end: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Where another test is in the way: units, first and last day of both."""

    name: str
    retailer: str
    units: tuple[str, ...]
    first: dt.date
    last: dt.date

    @property
    def words(self) -> str:
        """It in a sentence."""
        at = f" at {self.retailer}" if self.retailer else ""
        named = ", ".join(self.units[:5]) + (" and more" if len(self.units) > 5 else "")
        return f"{self.name}{at} holds {len(self.units)} of the units from {self.first} to {self.last}: {named}."


def contaminations(planned: Occupied, others: Sequence[Occupied]) -> list[Contamination]:
    """Tests that share units, days and retailer with a planned one, earliest first.

    Controls count as well as treated units: a control that another test treats is none.
    """
    if planned.end < planned.start:
        raise InvalidDesign("The test ends before it starts.", where="end", fix="Give an end on or after the start.")
    wanted = {unit.casefold() for unit in planned.units}
    found = []
    for other in others:
        alike = not planned.retailer or not other.retailer or planned.retailer.casefold() == other.retailer.casefold()
        first, last = max(planned.start, other.start), min(planned.end, other.end)
        shared = tuple(unit for unit in other.units if unit.casefold() in wanted)
        if alike and first <= last and shared:
            found.append(
                Contamination(
                    name=other.name,
                    retailer=other.retailer or planned.retailer,
                    units=shared,
                    first=first,
                    last=last,
                )
            )
    return sorted(found, key=lambda one: (one.first, one.name))


@dataclass(frozen=True, slots=True)
class Balance:
    """Difference of the arms in each feature, in deviations over all units: treated less control."""

    differences: dict[str, float]

    @property
    def unbalanced(self) -> tuple[str, ...]:
        """Features that differ by more than a quarter of a deviation."""
        return tuple(name for name, apart in self.differences.items() if abs(apart) > UNBALANCED)


def balance(panel: Panel, *, treated: Sequence[str], control: Sequence[str]) -> Balance:
    """How alike the arms are before the test in size, variation, slope and autocorrelation."""
    ones, others = rows_of(panel, treated, "treated"), rows_of(panel, control, "control")
    if not ones or not others:
        raise InvalidDesign("An arm is empty.", where="units", fix="Name units of both arms.")
    features = features_of(panel.outcome[[*ones, *others]])
    apart = features[: len(ones)].mean(axis=0) - features[len(ones) :].mean(axis=0)
    return Balance({name: float(difference) for name, difference in zip(FEATURES, apart, strict=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentCheck:
    """How what runs differs from what was planned.

    Attributes:
        moved: unit -> (planned, running). missing: planned and not running. added: running and not planned.
    """

    moved: dict[str, tuple[str, str]]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def as_planned(self) -> bool:
        """Whether nothing differs; any difference makes the analysis another than the one planned."""
        return not (self.moved or self.missing or self.added)


def compare_assignments(planned: Assignment, running: Assignment) -> AssignmentCheck:
    """Every unit whose group or cell is not the planned one; excluded units may be absent from what runs."""
    before = {row.unit.casefold(): row for row in planned.rows}
    after = {row.unit.casefold(): row for row in running.rows}
    moved = {}
    for key, row in before.items():
        other = after.get(key)
        if other is not None and (row.group, row.cell) != (other.group, other.cell):
            moved[row.unit] = (f"{row.group} {row.cell}".strip(), f"{other.group} {other.cell}".strip())
    return AssignmentCheck(
        moved=moved,
        missing=tuple(row.unit for key, row in before.items() if key not in after and row.group != "excluded"),
        added=tuple(row.unit for key, row in after.items() if key not in before and row.group != "excluded"),
    )
