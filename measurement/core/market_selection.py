"""Markets to treat: every allowed set judged by what its analysis would have said in the past, where nothing was done.

Sets are ranked by three things at once: the smallest effect they find, their A/A bias and their error out of sample.
A set that fits the past well and drifts after it loses by the last two.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Final

import numpy as np
from scipy.stats import rankdata

from measurement.core.arrays import Floats
from measurement.core.detectable import (
    critical_lifts,
    one_market_mde,
    one_market_power,
    placebo_found,
    placebo_level,
    placebo_mde,
    placebo_power,
)
from measurement.core.geo_methods import INDEXED
from measurement.core.market_sets import Refusals, SetRules, as_members, candidate_sets, donors_of, screened
from measurement.core.out_of_sample import Errors, Group, Progress, Windows, moderated, past_errors
from measurement.core.panel import Panel
from measurement.core.placebo import placebo_sets

#: Sets that are proposed for each that is kept, and drawn for the reference.
_PROPOSED: Final = 25
REFERENCES: Final = 99
_ALIKE: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the test shall find.

    Attributes:
        durations: in periods. effects: lifts whose power is told. alpha: two-sided. power: that the MDE is for.
        placebos: that the analysis will draw. sign: -1 where an effect above zero means so much of a loss, as in a
            go-dark.
    """

    durations: tuple[int, ...]
    effects: tuple[float, ...]
    alpha: float
    power: float
    placebos: int
    sign: int = 1

    def signed(self, effect: float) -> float:
        """The effect on sales that is meant."""
        return self.sign * effect if effect > 0.0 else effect


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoCandidate:
    """One set of treated markets for one duration.

    Attributes:
        treated: names. duration: in periods. method: of the analysis that power is told for.
        mde: the lift found with the power asked for, None where the test can never reject. power: effect -> chance.
        power_checked: effect -> share of past windows of this set and those that err alike in which the effect, put in,
            would have been found; empty where too few sets are there for placebos.
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
    """Sets of one size and how the analysis will read them: `sc_indexed`, `sc`, `log_did`, or `sc_t` without placebos.

    Attributes:
        sets: rows of the panel. group: the same with references. method: key of the analysis.
        level: quantile that placebo in space asks for, None where it is not asked.
    """

    sets: list[tuple[int, ...]]
    group: Group
    method: str
    level: float | None


def search_sets(
    panel: Panel,
    sizes: Sequence[int],
    rules: SetRules,
    until: int,
    aim: Aim,
    *,
    keep: int,
    seed: int,
    refused: Refusals,
) -> list[Searched]:
    """The sets worth judging of every size, with references: plain draws from all markets, as placebo in space makes.

    Args:
        until: first period that may not be looked at for choosing sets.
        keep: sets of each size.
        refused: counts sets not taken.
    """
    units = len(panel.units)
    # As the analysis chooses: a market that sold nothing before the first window has no index.
    weighed = INDEXED if (panel.outcome[:, :until].mean(axis=1) > 0.0).all() else "sc"
    searched = []
    for size in sizes:
        rng = np.random.default_rng([seed, size])
        found = candidate_sets(panel, size, rules, most=_PROPOSED * keep, rng=rng, refused=refused)
        sets = screened(panel.outcome, found, until, keep)
        donors = donors_of(as_members(sets, units), rules)
        served = donors.sum(axis=1) >= 2
        refused.counts["fewer than two controls left"] += int((~served).sum())
        sets = [one for one, able in zip(sets, served, strict=True) if able]
        if not sets:
            continue
        possible = min(aim.placebos + 1, comb(units, size))
        level = placebo_level(possible, aim.alpha)
        method = "sc_t" if level is None else weighed if size <= max(2, units // 4) else "log_did"
        # The set that stands for the treated one comes first; here it is one reference more.
        references = placebo_sets(units, sets[0], count=REFERENCES, seed=seed).tolist()
        searched.append(
            Searched(
                sets=sets,
                group=Group(
                    candidates=as_members(sets, units),
                    references=as_members(references, units),
                    donors=donors[served],
                    logs=method == "log_did",
                    indexed=method == INDEXED,
                ),
                method=method,
                level=level,
            )
        )
    refused.counts = +refused.counts
    return searched


def judged(
    panel: Panel,
    searched: Sequence[Searched],
    windows: Windows,
    aim: Aim,
    rules: SetRules,
    *,
    refused: Refusals,
    progress: Progress | None = None,
) -> list[GeoCandidate]:
    """Candidates with their power, in the order in which they were found; those that cannot be read are counted."""
    if not searched:
        return []
    found = past_errors(panel.outcome, [one.group for one in searched], windows, aim.durations, progress=progress)
    return [
        candidate
        for duration, row in zip(aim.durations, found, strict=True)
        for one, errors in zip(searched, row, strict=True)
        for candidate in _judged(panel, one, errors, windows, duration, aim, rules, refused)
    ]


def _judged(
    panel: Panel,
    searched: Searched,
    errors: Errors,
    windows: Windows,
    duration: int,
    aim: Aim,
    rules: SetRules,
    refused: Refusals,
) -> list[GeoCandidate]:
    usable = np.isfinite(errors.found).all(axis=1)
    if not usable.all():
        # Synthetic control needs a counterfactual above zero, logarithms need sales above zero in every market.
        refused.counts["sales of zero or less in a past window"] += int((~usable).sum())
    if not usable.any():
        return []
    errors = replace(
        errors,
        found=errors.found[usable],
        scale=errors.scale[usable],
        reach=errors.reach[:, usable],
        own=errors.own[:, usable],
    )
    # In units of the statistic, in which large and small markets err alike; plain draws help out where few are known.
    unit = errors.scale.mean(axis=1)
    company = (errors.placebos**2).mean(axis=1) if len(unit) < _ALIKE else None
    squares = ((errors.found / errors.scale) ** 2).mean(axis=1)
    deviations = unit * np.sqrt(moderated(squares, windows.independent(duration), company))
    effects = sorted(aim.effects)
    chances, checked, mdes, asked = _chances(searched, errors, deviations, effects, aim)
    volume = panel.outcome.sum(axis=1)
    recent = panel.outcome[:, windows.starts[0] :].mean(axis=1)
    candidates = []
    for place, at in enumerate(np.flatnonzero(usable).tolist()):
        members = list(searched.sets[at])
        share = float(volume[members].sum() / volume.sum())
        alike = np.argsort(np.abs(deviations - deviations[place]), kind="stable")[:_ALIKE]
        lifts = errors.lifts[place]
        candidates.append(
            GeoCandidate(
                treated=tuple(panel.units[unit] for unit in members),
                duration=duration,
                method=searched.method,
                mde=float(mdes[place]) if np.isfinite(mdes[place]) else None,
                power={effect: float(chances[effects.index(effect)][place]) for effect in aim.effects},
                power_checked={
                    effect: float(checked[effects.index(effect)][alike].mean()) for effect in aim.effects if checked
                },
                se=float(deviations[place]),
                rmse=float(np.sqrt(np.mean(lifts**2))),
                aa_bias=float(lifts.mean()),
                critical=float(asked[place]) if searched.level is not None else None,
                investment=None,
                treated_share=share,
                holdout_share=share if rules.dark_is_treated else 1.0 - share,
                baseline=float(recent[members].sum() * duration),
                controls=int(searched.group.donors[at].sum()),
            )
        )
    return candidates


def _chances(
    searched: Searched, errors: Errors, deviations: Floats, effects: list[float], aim: Aim
) -> tuple[list[Floats], list[Floats], Floats, Floats]:
    """Power and its check for each effect in order, the MDE, and the lift asked for; shape [candidates] each."""
    level = searched.level
    if level is None:
        chances = [
            np.array([one_market_power(aim.signed(effect), float(one), aim.alpha) for one in deviations])
            for effect in effects
        ]
        mdes = np.array([one_market_mde(float(one), aim.alpha, aim.power) for one in deviations])
        return chances, [], mdes, np.full_like(deviations, np.nan)
    chances = [placebo_power(errors, deviations, level, aim.signed(effect)) for effect in effects]
    return (
        _monotone(effects, chances),
        [placebo_found(errors, level, aim.signed(effect)) for effect in effects],
        placebo_mde(errors, deviations, level, aim.power, aim.sign),
        critical_lifts(errors, level, 0.0).mean(axis=1),
    )


def _monotone(effects: list[float], chances: list[Floats]) -> list[Floats]:
    """Chances that do not fall as the effect grows in size: the analysis rejects what lies beyond a rejected effect.

    The critical value comes from drawn references and wobbles with them.
    """
    kept = list(chances)
    ups = [at for at, effect in enumerate(effects) if effect >= 0.0]
    downs = [at for at, effect in reversed(list(enumerate(effects))) if effect <= 0.0]
    for order in (ups, downs):
        for before, after in itertools.pairwise(order):
            kept[after] = np.maximum(kept[after], kept[before])
    return kept


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
