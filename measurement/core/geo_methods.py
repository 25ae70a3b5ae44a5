"""Methods that weigh controls by the time before the test, read by placebo in space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from measurement.core.arrays import Floats, Ints
from measurement.core.placebo import shares_of
from measurement.core.placebo_finding import noise_scale, placebo_finding
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.time_weights import first_differences, time_weights
from measurement.core.treated_panel import Finding, TreatedPanel
from tenants.core.problems import InvalidInput

#: Key of synthetic control of indexed sales.
INDEXED: Final = "sc_indexed"
PROCEDURE: Final = "placebo in space: the interval holds the effects that the test does not reject"

#: Sets solved between two reports of progress.
_BATCH: Final = 100
#: Penalties that the ridge of the augmented method chooses from, as shares of the largest eigenvalue.
PENALTIES: Final = (float("inf"), 1.0, 0.1, 0.03, 0.01, 0.003, 0.001)
#: Sets that judge the penalties.
_JUDGES: Final = 60

#: Power of the misfit in the noise of an index. With half of it, as for sales, small and noisy markets are found to
#: have an effect too often; with all of it large ones, whose controls are fitted to the noise of small ones.
MISFIT_PART: Final = 0.75
#: Mean before the test, over the largest of all units, up to which it is rounding rather than sales.
_LEAST_LEVEL: Final = 1e-9

Progress = Callable[[int, int], None]


class NoIndex(InvalidInput):
    """Units whose sales before the test are not positive in sum."""

    code = "no-index"
    title = "The test cannot be analysed"


def synthetic_control(
    test: TreatedPanel, sets: Ints, *, alpha: float, unit_effects: bool = True, progress: Progress | None = None
) -> Finding:
    """Synthetic control with placebo in space over `sets` (shape [sets, size], the treated one first)."""
    shares = shares_of(sets, len(test.outcome))
    centred = demeaned(test.outcome, slice(0, test.start)) if unit_effects else test.outcome
    fitted = centred[:, : test.start]
    weights = _weights(fitted, shares, 0.0, progress)
    contrasts = shares - weights
    l2, scaled = imbalance(fitted, shares[0], weights[0])
    return placebo_finding(
        test, sets, contrasts,
        scale=noise_scale(test, sets, contrasts, unit_effects=unit_effects), alpha=alpha,
        base=test.pre.mean(axis=1) if unit_effects else np.zeros(len(test.outcome)),
        evidence="counterfactual", procedure=PROCEDURE, weights=weights[0], l2=l2, scaled_l2=scaled,
    )  # fmt: skip


def indexed_control(test: TreatedPanel, sets: Ints, *, alpha: float, progress: Progress | None = None) -> Finding:
    """Synthetic control of indexed sales with placebo in space over `sets` (shape [sets, size], the treated one first).

    What each control sold is taken over its own mean before the test, and so is what a treated set sold together. The
    index of the set is fitted by those of its controls; the gap, times the set's mean, is in sales again. Hence a
    market that grows by a share is followed by others that grow by that share, whatever their size, and a large
    control counts no more than a small one. The effect is that of the treated units together, as in all methods.

    Raises:
        NoIndex: a unit sold nothing, or less, before the test in sum.
    """
    level = test.pre.mean(axis=1)
    bad = unindexed(test)
    if bad:
        raise NoIndex(
            f"{bad[0]!r} sold nothing in sum before the test, so its sales have no index.",
            where=f"unit {bad[0]!r}",
            fix="Leave such units out, or use sc, which fits sales as they are.",
        )
    shares = shares_of(sets, len(test.outcome))
    size = shares @ level
    indexed = test.pre / level[:, None] - 1.0
    parts = shares * level / size[:, None]
    weights = _weights(indexed, parts, 0.0, progress)
    contrasts = shares - weights * size[:, None] / level
    l2, scaled = imbalance(indexed, parts[0], weights[0])
    return placebo_finding(
        test, sets, contrasts,
        scale=noise_scale(test, sets, contrasts, misfit_part=MISFIT_PART), base=level, alpha=alpha,
        evidence="counterfactual", procedure=PROCEDURE, weights=weights[0], l2=l2 * float(size[0]), scaled_l2=scaled,
    )  # fmt: skip


def unindexed(test: TreatedPanel) -> list[str]:
    """Units whose mean before the test is no base of an index: nothing, less, or next to nothing beside the others."""
    level = test.pre.mean(axis=1)
    least = _LEAST_LEVEL * float(np.abs(level).max())
    return [test.names[row] for row in np.flatnonzero(level <= least)]


def augmented_control(
    test: TreatedPanel, sets: Ints, *, alpha: float, penalty: float | None = None, progress: Progress | None = None
) -> Finding:
    """Ridge-augmented synthetic control with unit effects: what the weights leave unfitted is fitted by ridge.

    Weights may be negative. The penalty is one for all sets, so that the sets remain alike: the one that predicts the
    last third of the time before the test best from the first two thirds (sets pooled, errors by size).

    Source: Ben-Michael, Feller, Rothstein (2021), equation 12.

    Args:
        penalty: as a share of the largest eigenvalue of the Gram matrix; chosen from `PENALTIES` if None, where
            infinity is synthetic control.
    """
    shares = shares_of(sets, len(test.outcome))
    if penalty is None:
        cut = max(2, test.start * 2 // 3)
        some = shares[:_JUDGES]
        early = demeaned(test.pre, slice(0, cut))
        sizes = some @ np.abs(test.pre).mean(axis=1)
        sizes = np.maximum(sizes, 1e-6 * sizes.mean() + 1e-300)
        plain = _weights(early[:, :cut], some, 0.0, None)

        def loss(candidate: float) -> float:
            contrasts = some - _augmented(early[:, :cut], some, plain, candidate)
            misses = (contrasts @ early[:, cut:]).mean(axis=1) / sizes
            return float(np.mean(misses**2))

        penalty = min(PENALTIES, key=loss)
    fitted = demeaned(test.pre, slice(0, test.start))
    weights = _augmented(fitted, shares, _weights(fitted, shares, 0.0, progress), penalty)
    contrasts = shares - weights
    l2, scaled = imbalance(fitted, shares[0], weights[0])
    return placebo_finding(
        test, sets, contrasts,
        scale=noise_scale(test, sets, contrasts), base=test.pre.mean(axis=1), alpha=alpha, evidence="counterfactual",
        procedure=PROCEDURE, weights=weights[0], l2=l2, scaled_l2=scaled,
        details={"ridge": penalty if np.isfinite(penalty) else "none: plain synthetic control predicts best"},
    )  # fmt: skip


def synthetic_did(test: TreatedPanel, sets: Ints, *, alpha: float, progress: Progress | None = None) -> Finding:
    """Synthetic difference in differences, read by placebo in space.

    Each set has its own penalty and its own time weights, as the treated one has. Time weights are fitted to what is
    sold in the test, so a placebo set must not be among the units of its fit: it would be nearer to its counterfactual
    than a set that is not. The treated units are in none of the fits, hence contrasts remain linear in the effect.

    Source: Arkhangelsky, Athey, Hirshberg, Imbens, Wager (2021), algorithm 1.
    """
    shares = shares_of(sets, len(test.outcome))
    donors = shares == 0.0
    noise = first_differences(test.pre, donors)
    zeta = (len(test.treated) * test.length) ** 0.25 * noise
    fitted = demeaned(test.pre, slice(0, test.start))
    weights = _weights(fitted, shares, zeta**2 * test.start, progress)
    known = donors.copy()
    known[:, test.treated] = False
    times = time_weights(test.pre, test.outcome[:, test.window].mean(axis=1), known, noise)
    contrasts = shares - weights
    l2, scaled = imbalance(fitted, shares[0], weights[0])
    return placebo_finding(
        test, sets, contrasts,
        scale=noise_scale(test, sets, contrasts), base=times @ test.pre.T, alpha=alpha, evidence="counterfactual",
        procedure=PROCEDURE, weights=weights[0], l2=l2, scaled_l2=scaled, details={"zeta": float(zeta[0])},
    )  # fmt: skip


def differences(test: TreatedPanel, sets: Ints, *, alpha: float) -> Finding:
    """Difference in differences of mean outcomes, all controls alike, read by placebo in space."""
    shares = shares_of(sets, len(test.outcome))
    donors = shares == 0.0
    contrasts = shares - donors / donors.sum(axis=1, keepdims=True)
    return placebo_finding(
        test, sets, contrasts,
        scale=noise_scale(test, sets, contrasts), base=test.pre.mean(axis=1), alpha=alpha, evidence="counterfactual",
        procedure=PROCEDURE, weights=np.zeros(len(test.outcome)),
    )  # fmt: skip


def _weights(fitted: Floats, shares: Floats, ridge: float | Floats, progress: Progress | None) -> Floats:
    """Weights of all sets in batches, shape [sets, units]."""
    gram = fitted @ fitted.T
    penalty = np.broadcast_to(np.asarray(ridge, dtype=np.float64), len(shares))
    found = np.empty_like(shares)
    for first in range(0, len(shares), _BATCH):
        some = slice(first, first + _BATCH)
        found[some] = simplex_weights(gram, shares[some], shares[some] == 0.0, ridge=penalty[some]).weights
        if progress:
            progress(min(first + _BATCH, len(shares)), len(shares))
    return found


def _augmented(fitted: Floats, shares: Floats, weights: Floats, penalty: float) -> Floats:
    """Simplex weights plus the ridge fit of what they leave, donors taken about their mean in each period."""
    if not np.isfinite(penalty):
        return weights
    gram = fitted @ fitted.T
    ridge = penalty * float(np.linalg.eigvalsh(gram)[-1])
    if ridge <= 0.0:
        return weights
    left = (shares - weights) @ gram
    full = weights.copy()
    for row, donors in enumerate(shares == 0.0):
        own = np.flatnonzero(donors)
        block = gram[np.ix_(own, own)]
        mean = block.mean(axis=0)
        centred = block - mean[:, None] - mean[None, :] + mean.mean()
        rest = left[row, own] - left[row, own].mean()
        full[row, own] += np.linalg.solve(centred + ridge * np.eye(len(own)), rest)
    return full


def imbalance(fitted: Floats, shares: Floats, weights: Floats) -> tuple[float, float]:
    """L2 misfit before the test, and its ratio to that of equal weights on all controls (augsynth's scaled L2)."""
    l2 = float(np.linalg.norm((shares - weights) @ fitted))
    donors = shares == 0.0
    equal = float(np.linalg.norm((shares - donors / donors.sum()) @ fitted))
    return l2, l2 / equal if equal > 0.0 else 0.0
