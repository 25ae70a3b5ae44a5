"""What the analysis would have found in the past, where nothing was done: A/A lifts over several windows.

Every set of markets is taken as treated in every window, fitted on the history before it by the estimator of the
analysis, and read in the window itself. The lifts found are errors out of sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from measurement.core.arrays import Bools, Floats
from measurement.core.assignment import InvalidDesign
from measurement.core.geo_methods import MISFIT_PART
from measurement.core.synthetic_control import demeaned
from measurement.core.words import count_of

#: A look-back of one window makes a power of 0 or 1, and seven are the fewest that show bias beside noise.
LEAST_WINDOWS: Final = 7
#: Duality gap at which weights are near enough: as a share of their squared misfit, or of the group's own variation.
#: The analysis solves to the end; here thousands of groups are fitted, and errors out of sample no longer move.
_MISFIT_GAP: Final = 0.05
_OWN_GAP: Final = 1e-3
#: All sets together say at most as much of one set as so many windows, so that its own record always counts.
_MOST_PRIOR: Final = 20.0
_ROUND: Final = 25
_ROUNDS: Final = 4

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Windows:
    """Where A/A tests begin: positions from 0, the same for all durations.

    Attributes:
        starts: first period of each window. longest: the longest duration asked for.
    """

    starts: tuple[int, ...]
    longest: int

    def independent(self, duration: int) -> float:
        """How many windows of a duration fit between the first start and the last end without overlap."""
        return min(float(len(self.starts)), (self.starts[-1] - self.starts[0]) / duration + 1.0)


def windows_of(periods: int, durations: Sequence[int], count: int) -> Windows:
    """Starts of `count` windows that end with the history at the latest, spread evenly over its later two thirds.

    Raises:
        InvalidDesign: fewer than seven windows asked for, a duration below one, or too short a history.
    """
    if count < LEAST_WINDOWS:
        raise InvalidDesign(
            f"A look-back of {count} makes power jump between few values (with one window it is 0 or 1) and cannot "
            "tell bias from noise.",
            where="windows",
            fix=f"Use at least {LEAST_WINDOWS}.",
        )
    if not durations or min(durations) < 1:
        raise InvalidDesign("A test lasts at least one period.", where="durations", fix="Give whole numbers above 0.")
    longest = max(durations)
    first, last = max(periods // 3, longest, 4), periods - longest
    if last - first < count - 1:
        needed = next(n for n in range(longest, 10**6) if n - longest - max(n // 3, longest, 4) >= count - 1)
        raise InvalidDesign(
            f"{count_of(periods, 'period')}: too few for {count_of(count, 'window')} of "
            f"{count_of(longest, 'period')} with a history before each.",
            where="durations",
            fix=f"Give at least {needed} periods, or shorter tests.",
        )
    spread = np.linspace(first, last, count)
    return Windows(starts=tuple(int(start) for start in np.floor(spread + 1e-9)), longest=longest)


@dataclass(frozen=True, slots=True)
class Group:
    """Sets of one size: candidates, and references that placebo in space draws from.

    Attributes:
        candidates, references: members, shape [sets, units]. donors: of the candidates, same shape; a reference is
            compared with all other markets.
        logs: whether the analysis takes logarithms and equal weights (many treated markets) or synthetic control.
        indexed: whether synthetic control takes sales over each market's mean before the window, or about it.
    """

    candidates: Bools
    references: Bools
    donors: Bools
    logs: bool
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Errors:
    """What the analysis says of a group where nothing was done, for one duration.

    An effect moves a candidate's `found` and all statistics in proportion to a `shift`: the effect, or its logarithm
    where the analysis takes logarithms.

    Attributes:
        found: lift of each candidate, or log(1 + lift), shape [candidates, windows]; NaN where it has none.
        scale: found / scale is the statistic that placebo in space ranks, shape [candidates, windows].
        placebos: statistics of the references, with sign, shape [references, windows].
        reach: what a shift of 1 in a candidate adds to a reference that shares markets with it or weighs them, shape
            [references, candidates, windows].
        own: which reference is the candidate itself, shape [references, candidates].
        logs: as of the group.
    """

    found: Floats
    scale: Floats
    placebos: Floats
    reach: Floats
    own: Bools
    logs: bool

    @property
    def lifts(self) -> Floats:
        """Lifts as fractions, shape [candidates, windows]."""
        return np.expm1(self.found) if self.logs else self.found


def past_errors(
    outcome: Floats,
    groups: Sequence[Group],
    windows: Windows,
    durations: Sequence[int],
    *,
    progress: Progress | None = None,
) -> list[list[Errors]]:
    """Errors of every duration and group, by the estimators and the statistic of the analysis.

    Args:
        outcome: shape [units, periods].
        groups: at least one.
        windows: where the A/A tests begin.
        durations: in periods.
        progress: called with (windows done, windows).
    """
    everything = [_empty(group, len(windows.starts)) for _ in durations for group in groups]
    found = [everything[at * len(groups) : (at + 1) * len(groups)] for at in range(len(durations))]
    members = np.vstack([np.vstack([group.candidates, group.references]) for group in groups])
    donors = np.vstack([np.vstack([group.donors, ~group.references]) for group in groups])
    shares = members / members.sum(axis=1, keepdims=True)
    even: Floats = donors / donors.sum(axis=1, keepdims=True)
    spans = [len(group.candidates) + len(group.references) for group in groups]
    indexed = np.repeat([group.indexed for group in groups], spans)
    solved = {True: indexed, False: np.repeat([not (group.logs or group.indexed) for group in groups], spans)}
    weights = even.copy()
    for at, start in enumerate(windows.starts):
        before = outcome[:, :start]
        mean = before.mean(axis=1)
        parts, scale = shares.copy(), np.ones(len(shares))
        level = {True: mean if (mean > 0.0).all() else np.full_like(mean, np.nan), False: np.ones_like(mean)}
        for index, rows in solved.items():
            if not rows.any() or not np.isfinite(level[index]).all():
                continue
            centred = demeaned(before / level[index][:, None], slice(0, start))
            gram = centred @ centred.T
            parts[rows] = parts_of(shares[rows], level[index])
            # The weights of the window before are a good start.
            weights[rows] = near_weights(gram, parts[rows], donors[rows], weights[rows])
            left = parts[rows] - weights[rows]
            misfit = np.sqrt(np.maximum(np.einsum("gu,gu->g", left @ gram, left), 0.0) / start)
            size = parts[rows] @ (np.abs(before).mean(axis=1) / level[index])
            scale[rows] = _noise(misfit, size, MISFIT_PART if index else 0.5)
        contrasts = parts - weights
        for row, duration in enumerate(durations):
            later = outcome[:, start : start + duration].mean(axis=1)
            first = 0
            for group, errors in zip(groups, found[row], strict=True):
                own = slice(first, first + len(group.candidates))
                other = slice(own.stop, own.stop + len(group.references))
                first = other.stop
                if group.logs:
                    _read_logs(errors, at, contrasts[own], contrasts[other], group.candidates, mean, later)
                elif np.isfinite(level[group.indexed]).all():
                    sold = later / level[group.indexed]
                    moved = sold - mean / level[group.indexed]
                    gap = contrasts[own] @ moved
                    _read_control(errors, at, gap, parts[own] @ sold, scale[own])
                    errors.placebos[:, at] = contrasts[other] @ moved / scale[other]
                    reach = contrasts[other] @ (group.candidates * sold).T
                    errors.reach[:, :, at] = reach / scale[other][:, None]
        if progress is not None:
            progress(at + 1, len(windows.starts))
    return found


def parts_of(shares: Floats, level: Floats) -> Floats:
    """What each unit has of a set's sales where `level` is sold: the index of a set is that mean of those of its units.

    Shape [sets, units]; equal shares where all levels are one.
    """
    parts: Floats = shares * level
    whole: Floats = parts / parts.sum(axis=1, keepdims=True)
    return whole


def _empty(group: Group, windows: int) -> Errors:
    candidates, references = len(group.candidates), len(group.references)
    nothing = np.full((candidates, windows), np.nan)
    return Errors(
        found=nothing,
        scale=nothing.copy(),
        placebos=np.full((references, windows), np.nan),
        reach=np.full((references, candidates, windows), np.nan),
        own=(group.references[:, None, :] == group.candidates).all(axis=2),
        logs=group.logs,
    )


def _read_control(errors: Errors, at: int, gap: Floats, observed: Floats, scale: Floats) -> None:
    counterfactual = observed - gap
    positive = counterfactual > 0.0
    errors.found[positive, at] = gap[positive] / counterfactual[positive]
    errors.scale[positive, at] = scale[positive] / counterfactual[positive]


def _read_logs(
    errors: Errors, at: int, own: Floats, other: Floats, candidates: Bools, mean: Floats, later: Floats
) -> None:
    if (mean <= 0.0).any() or (later <= 0.0).any():
        return
    change = np.log(later / mean)
    errors.found[:, at] = own @ change
    errors.scale[:, at] = 1.0
    errors.placebos[:, at] = other @ change
    errors.reach[:, :, at] = other @ candidates.T.astype(np.float64)


def _noise(misfit: Floats, size: Floats, part: float) -> Floats:
    """The scale by which `placebo_finding.noise_scale` makes sets alike, from misfits and sizes that are known."""
    floor = 1e-9 * float(size.mean()) + 1e-300
    found: Floats = np.maximum(misfit, floor) ** part * np.maximum(size, floor) ** (1.0 - part)
    return found


def near_weights(gram: Floats, shares: Floats, donors: Bools, start: Floats) -> Floats:
    """Weights of synthetic control near enough to tell its errors, for many groups at once, shape [groups, units].

    The problem of `synthetic_control.simplex_weights`, by accelerated projected gradient alone.

    Args:
        gram, shares, donors: as there.
        start: weights to begin from, on the simplex of the donors.
    """
    linear = shares @ gram
    own = np.einsum("gu,gu->g", linear, shares)
    step = 1.0 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-300)
    weights = start.copy()
    left = np.arange(len(shares))
    ahead, pace = weights.copy(), np.ones(len(shares))
    for _ in range(_ROUNDS):
        mask, target, current = donors[left], linear[left], weights[left]
        for _ in range(_ROUND):
            following = _on_simplex(ahead - step * (ahead @ gram - target), mask)
            moved = following - current
            uphill = np.einsum("gu,gu->g", ahead - following, moved) > 0.0
            pace = np.where(uphill, 1.0, pace)
            next_pace = 0.5 + np.sqrt(0.25 + pace * pace)
            ahead = following + ((pace - 1.0) / next_pace)[:, None] * moved
            current, pace = following, next_pace
        weights[left] = current
        gradient = current @ gram - target
        gap = np.einsum("gu,gu->g", gradient, current) - np.where(mask, gradient, np.inf).min(axis=1)
        misfit = np.einsum("gu,gu->g", gradient - target, current) + own[left]
        keep = 2.0 * gap > np.maximum(_MISFIT_GAP * misfit, _OWN_GAP * own[left])
        left, ahead, pace = left[keep], ahead[keep], pace[keep]
        if not len(left):
            break
    return weights


def _on_simplex(points: Floats, mask: Bools) -> Floats:
    """Projection of each row on the simplex of its mask, by shrinking the support until none is cut (Michelot 1986)."""
    support = mask
    while True:
        count = support.sum(axis=1, keepdims=True)
        cut = (np.where(support, points, 0.0).sum(axis=1, keepdims=True) - 1.0) / count
        smaller = support & (points > cut)
        if (smaller.sum(axis=1) == count[:, 0]).all():
            return np.where(support, points - cut, 0.0)
        support = smaller


def moderated(squares: Floats, degrees: float, company: Floats | None = None) -> Floats:
    """Mean squared errors drawn towards what sets like them have, as far as the few windows make them uncertain.

    The best of many sets by an error from few windows looks better than it is. Variances are taken as draws from a
    scaled inverse chi-squared whose centre and spread are estimated from all sets (Smyth 2004); the posterior mean
    of each is what its next test may expect.

    Args:
        squares: mean squared error of each set, shape [sets].
        degrees: how many independent windows they come from.
        company: squares of further sets that tell what is usual, where there are few.
    """
    known = squares if company is None else np.concatenate([squares, company])
    known = known[np.isfinite(known) & (known > 0)]
    if len(known) < 3:
        return squares
    half = degrees / 2.0
    logs = np.log(known) - digamma(half) + np.log(half)
    spread = float(logs.var(ddof=1) - polygamma(1, half))
    prior_half = _MOST_PRIOR / 2.0
    if spread > float(polygamma(1, prior_half)):
        prior_half = _inverse_trigamma(spread)
    centre = float(np.exp(logs.mean() + digamma(prior_half) - np.log(prior_half)))
    return np.asarray((prior_half * centre + half * squares) / (prior_half + half))


def _inverse_trigamma(value: float) -> float:
    """x with trigamma(x) = value; trigamma falls from infinity to 0."""
    return float(brentq(lambda x: float(polygamma(1, x)) - value, 1e-4, 1e8))
