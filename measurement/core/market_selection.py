"""Markets to treat: every allowed set judged by what its analysis would have said in the past, where nothing was done.

Sets are ranked by three things at once: the smallest effect they find, their A/A bias and their error out of sample.
A set that fits the past well and drifts after it loses by the last two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np
from scipy.stats import rankdata

from measurement.core.arrays import Bools, Floats
from measurement.core.detectable import (
    critical_lifts,
    one_market_mde,
    one_market_power,
    placebo_found,
    placebo_level,
    placebo_mde,
    placebo_power,
)
from measurement.core.market_sets import Refusals, SetRules, as_members, candidate_sets, donors_of, screened
from measurement.core.out_of_sample import Progress, Windows, moderated, placebo_lifts
from measurement.core.panel import Panel

#: Sets that are proposed for each that is kept, and drawn for the reference.
_PROPOSED: Final = 25
REFERENCES: Final = 99
_ALIKE: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the test shall find.

    Attributes:
        durations: in periods. effects: lifts whose power is told. alpha: two-sided. power: that the MDE is for.
        placebos: that the analysis will draw.
    """

    durations: tuple[int, ...]
    effects: tuple[float, ...]
    alpha: float
    power: float
    placebos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoCandidate:
    """One set of treated markets for one duration.

    Attributes:
        treated: names. duration: in periods. method: of the analysis that power is told for.
        mde: the lift found with the power asked for, None where the test can never reject. power: effect -> chance.
        power_checked: effect -> share of past windows of this set and those that err alike in which the effect, put in,
            would have been found; empty for one market.
        se: error of the lift that the next test may expect. rmse: error over the windows looked at.
        aa_bias: mean lift over the windows, where nothing was done. critical: lift that the placebos ask for.
        investment: extra spend of the test at the MDE, negative for a go-dark, None where unknown.
        treated_share: of all volume. holdout_share: of volume without the advertising under test.
        baseline: what treated markets sell in as many periods.
        controls: how many markets may stand for the treated. rank: 1 is best of all candidates.
    """

    treated: tuple[str, ...]
    duration: int
    method: str
    mde: float | None
    power: Mapping[float, float]
    power_checked: Mapping[float, float]
    se: float
    rmse: float
    aa_bias: float
    critical: float | None
    investment: float | None
    treated_share: float
    holdout_share: float
    baseline: float
    controls: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Searched:
    """Sets and what was found of them: candidates first, then references of the same sizes.

    Attributes:
        sets: rows of the panel. reference: which sets are references. lifts: shape [durations, sets, windows].
        donors: shape [sets, units].
    """

    sets: list[tuple[int, ...]]
    reference: Bools
    lifts: Floats
    donors: Bools


def search_sets(
    panel: Panel,
    sizes: Sequence[int],
    rules: SetRules,
    windows: Windows,
    durations: Sequence[int],
    *,
    keep: int,
    seed: int,
    refused: Refusals,
    progress: Progress | None = None,
) -> Searched:
    """The sets worth judging of every size, with their A/A lifts and those of a reference of plain draws.

    References are what placebo in space draws from: sets of the same size of any markets.
    """
    units = len(panel.units)
    sets: list[tuple[int, ...]] = []
    reference: list[bool] = []
    for size in sizes:
        rng = np.random.default_rng([seed, size])
        found = candidate_sets(panel, size, rules, most=_PROPOSED * keep, rng=rng, refused=refused)
        kept = screened(panel.outcome, found, windows.starts[0], keep)
        drawn = {tuple(sorted(rng.choice(units, size, replace=False).tolist())) for _ in range(4 * REFERENCES)}
        plain = sorted(drawn)
        rng.shuffle(plain)
        sets += kept + (plain[:REFERENCES] if kept else [])
        reference += [False] * len(kept) + [True] * (len(plain[:REFERENCES]) if kept else 0)
    members = as_members(sets, units)
    donors = donors_of(members, rules)
    alone = ~donors.any(axis=1)
    if alone.any():
        refused.counts["no control left"] += int((alone & ~np.array(reference)).sum())
        sets = [one for one, lonely in zip(sets, alone, strict=True) if not lonely]
        reference = [one for one, lonely in zip(reference, alone, strict=True) if not lonely]
        members, donors = members[~alone], donors[~alone]
    lifts = (
        placebo_lifts(panel.outcome, members, donors, windows, durations, progress=progress)
        if sets
        else np.zeros((len(durations), 0, len(windows.starts)))
    )
    return Searched(sets=sets, reference=np.array(reference, dtype=bool), lifts=lifts, donors=donors)


def judged(panel: Panel, found: Searched, windows: Windows, aim: Aim, rules: SetRules) -> list[GeoCandidate]:
    """Candidates with their power, in the order in which they were found."""
    candidates: list[GeoCandidate] = []
    size_of = np.array([len(one) for one in found.sets])
    volume = panel.outcome.sum(axis=1)
    recent = panel.outcome[:, windows.starts[0] :].mean(axis=1)
    for row, duration in enumerate(aim.durations):
        for size in sorted(set(size_of.tolist())):
            mine = np.flatnonzero((size_of == size) & ~found.reference)
            placebos = found.lifts[row, (size_of == size) & found.reference]
            placebos = placebos[np.isfinite(placebos).all(axis=1)]
            lifts = found.lifts[row, mine]
            usable = np.isfinite(lifts).all(axis=1)
            mine, lifts = mine[usable], lifts[usable]
            if not len(mine):
                continue
            squares = (lifts**2).mean(axis=1)
            # Where few sets are allowed, what plain draws of the size err by says more than those few.
            prior = squares if len(squares) >= _ALIKE else np.concatenate([squares, (placebos**2).mean(axis=1)])
            errors = np.sqrt(moderated(squares, windows.independent(duration), prior))
            level = _level(size, len(panel.units), aim)
            critical = critical_lifts(placebos, level) if level is not None and len(placebos) else None
            for place, at in enumerate(mine.tolist()):
                error = float(errors[place])
                alike = np.argsort(np.abs(errors - error), kind="stable")[:_ALIKE]
                members = list(found.sets[at])
                share = float(volume[members].sum() / volume.sum())
                candidates.append(
                    GeoCandidate(
                        treated=tuple(panel.units[unit] for unit in members),
                        duration=duration,
                        method="sc_t" if size == 1 else "sc",
                        mde=_mde(size, error, critical, aim),
                        power={effect: _power(size, effect, error, critical, aim) for effect in aim.effects},
                        power_checked={
                            effect: placebo_found(effect, lifts[alike], critical)
                            for effect in aim.effects
                            if critical is not None and size > 1
                        },
                        se=error,
                        rmse=float(np.sqrt(squares[place])),
                        aa_bias=float(lifts[place].mean()),
                        critical=None if critical is None or size == 1 else float(critical.mean()),
                        investment=None,
                        treated_share=share,
                        holdout_share=share if rules.dark_is_treated else 1.0 - share,
                        baseline=float(recent[members].sum() * duration),
                        controls=int(found.donors[at].sum()),
                    )
                )
    return candidates


def _level(size: int, units: int, aim: Aim) -> float | None:
    """Quantile for placebos of a size: no more of them can be drawn than there are sets of untreated markets."""
    return placebo_level(min(aim.placebos, comb(units - size, size)), aim.alpha)


def _mde(size: int, error: float, critical: Floats | None, aim: Aim) -> float | None:
    if size == 1:
        return one_market_mde(error, aim.alpha, aim.power)
    return None if critical is None else placebo_mde(error, critical, aim.power)


def _power(size: int, effect: float, error: float, critical: Floats | None, aim: Aim) -> float:
    if size == 1:
        return one_market_power(effect, error, aim.alpha)
    return 0.0 if critical is None else placebo_power(effect, error, critical)


def ranking(candidates: Sequence[GeoCandidate]) -> list[int]:
    """Places of candidates, best first: by the mean of their ranks in MDE, A/A bias and error; ties by name.

    A candidate whose test can never reject comes after all that can.
    """
    if not candidates:
        return []
    criteria = [
        [np.inf if candidate.mde is None else candidate.mde for candidate in candidates],
        [abs(candidate.aa_bias) for candidate in candidates],
        [candidate.rmse for candidate in candidates],
    ]
    score = np.mean([rankdata(criterion) for criterion in criteria], axis=0)
    return sorted(
        range(len(candidates)),
        key=lambda at: (
            candidates[at].mde is None,
            float(score[at]),
            criteria[0][at],
            candidates[at].duration,
            candidates[at].treated,
        ),
    )


def refusal_words(counts: Counter[str]) -> str:
    """Why sets were not taken, the most frequent rule first."""
    return ", ".join(f"{count} by {rule}" for rule, count in counts.most_common())
