"""From the contrast of each placebo set to what a method with weights finds: effect, intervals, path, iROAS.

A method gives, for each set, a contrast on units: shares of the set less the weights of its counterfactual, applied to
outcomes about their pre-test mean (or about nothing, without unit effects). Weights of an index stand here as weights
of outcomes, each times the set's mean over the control's. Everything after that is the same test.

iROAS divides the effect by the spend that the test added. Where that is known (the controls spent alike throughout),
its interval is that of the effect over it. Where it is an estimate, r is tested by outcome less r times cost, which is
a panel in which nothing was done if the iROAS is r (Fieller's idea, by placebo in space); the data may leave it
unbounded, and where they do so on both sides of zero though there is an effect, no ratio is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from measurement.core.answers import Evidence
from measurement.core.arrays import Floats, Ints
from measurement.core.placebo import Inverted, invert
from measurement.core.placebo_words import counted
from measurement.core.treated_panel import UNCLEAR_SPEND, Finding, Span, TreatedPanel


def placebo_finding(
    test: TreatedPanel,
    sets: Ints,
    contrasts: Floats,
    *,
    scale: Floats,
    base: Floats,
    alpha: float,
    evidence: Evidence,
    procedure: str,
    weights: Floats,
    l2: float | None = None,
    scaled_l2: float | None = None,
    details: dict[str, float | int | str] | None = None,
) -> Finding:
    """What the placebo test over the sets finds.

    Args:
        sets: shape [sets, size], the treated one first.
        contrasts: shape [sets, units]; rows sum to zero, those of an index after each is taken times `base`.
        scale: noise that is expected of each set's contrast up to a common factor, shape [sets].
        base: what each unit's outcome is counted from, its mean before the test, shape [units], or a weighted one of
            each set, shape [sets, units].
    """
    bases = np.broadcast_to(base, contrasts.shape)
    window = test.outcome[:, test.window]
    gaps = contrasts @ window - np.einsum("su,su->s", contrasts, bases)[:, None]
    paths = _reach(test, contrasts, window)
    # Direction of the hypothesis: the effect is a share of what was sold, or alike everywhere where nothing was.
    totals = invert(gaps.sum(axis=1), paths.sum(axis=1), scale, alpha)
    sold = _direction(test, window)[test.treated].mean(axis=0)
    single = [invert(gaps[:, t], paths[:, t], scale, alpha) for t in range(test.length)]
    sums, reaches, solds = gaps.cumsum(axis=1), paths.cumsum(axis=1), sold.cumsum()
    running = [invert(sums[:, t], reaches[:, t], scale, alpha) for t in range(test.length)]
    total = _times(totals, float(sold.sum()))
    p_value = totals.p_value

    iroas: tuple[float, Span] | None = None
    warnings: tuple[str, ...] = ()
    spent = _spend(test, contrasts)
    if spent is not None and not spent.known:
        null = gaps.sum(axis=1) - totals.estimate * paths.sum(axis=1)
        null[0] = gaps[0].sum()
        sign = float(np.sign(spent.gap[0]))
        found = invert(sign * null, sign * spent.gap, scale, alpha)
        if p_value >= alpha:
            iroas = (found.estimate, Span(min(found.low, 0.0), max(found.high, 0.0)))
        elif found.low > 0.0 or found.high < 0.0:
            iroas = (found.estimate, Span(found.low, found.high))
        else:
            warnings = (UNCLEAR_SPEND,)
    path = test.observed - contrasts[0] @ (test.outcome - bases[0][:, None])
    cleared = gaps.sum(axis=1) - totals.estimate * paths.sum(axis=1)
    level = (test.outcome[sets][:, :, test.window].mean(axis=1)).sum(axis=1) - gaps.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        lifts = (cleared / level)[1:]
    return Finding(
        procedure=procedure,
        evidence=evidence,
        counterfactual=path,
        total=total,
        p_value=p_value,
        period_low=_ends(single, sold, "low"),
        period_high=_ends(single, sold, "high"),
        cumulative_low=_ends(running, solds, "low"),
        cumulative_high=_ends(running, solds, "high"),
        placebos=lifts[np.isfinite(lifts)],
        weights=weights,
        l2=l2,
        scaled_l2=scaled_l2,
        iroas=iroas,
        extra_cost=None if spent is None else float(spent.gap[0]) * len(test.treated),
        warnings=warnings,
        details={**counted(p_value, len(sets) - 1), **(details or {})},
    )


def noise_scale(
    test: TreatedPanel, sets: Ints, contrasts: Floats, *, unit_effects: bool = True, misfit_part: float = 0.5
) -> Floats:
    """Noise to be expected of each set: geometric mean of its misfit before the test and of its size, shape [sets].

    The misfit alone flatters sets that many donors happen to fit; the size alone knows nothing of odd markets.

    Args:
        misfit_part: weight of the misfit in the mean, that of the size being the rest.
    """
    pre = test.pre - test.pre.mean(axis=1, keepdims=True) if unit_effects else test.pre
    misfit = np.sqrt(np.mean((contrasts @ pre) ** 2, axis=1))
    size = np.abs(test.pre).mean(axis=1)[sets].mean(axis=1)
    floor = 1e-9 * float(size.mean()) + 1e-300
    parts = np.maximum(misfit, floor) ** misfit_part * np.maximum(size, floor) ** (1.0 - misfit_part)
    return np.asarray(parts, dtype=np.float64)


def _direction(test: TreatedPanel, window: Floats) -> Floats:
    """Effect of x = 1 on each unit and period of the window: what was sold, or 1 where the treated sold none."""
    sold = window[test.treated].sum(axis=0)
    enough = bool((sold > 0.0).all())
    return window if enough else np.ones_like(window)


def _reach(test: TreatedPanel, contrasts: Floats, window: Floats) -> Floats:
    """How far the contrast of each set moves with x, by period: shape [sets, length]."""
    return np.asarray(contrasts[:, test.treated] @ _direction(test, window)[test.treated], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Spend:
    """Contrast of the spend of each set over the window; of placebo sets with what the test added taken off.

    `known`: the controls' spend makes no difference, so what the treated spent more is no estimate.
    """

    gap: Floats
    known: bool


def _spend(test: TreatedPanel, contrasts: Floats) -> _Spend | None:
    """Spend of the sets; None without cost or without a difference in it."""
    if test.cost is None:
        return None
    change = test.cost[:, test.window].sum(axis=1) - test.length * test.cost[:, : test.start].mean(axis=1)
    own = float(contrasts[0] @ change)
    most = max(float(np.abs(test.cost).sum()), 1e-300)
    if abs(own) <= 1e-9 * most:
        return None
    change[test.treated] = _unspent(change[test.treated], own)
    gap = contrasts @ change
    gap[0] = own
    before = contrasts[0] @ test.cost[:, : test.start]
    noise = max(float(np.abs(gap[1:]).max(initial=0.0)), float(np.ptp(before)))
    return _Spend(gap, noise <= 1e-6 * abs(own))


def _unspent(change: Floats, own: float) -> Floats:
    """Changes of the treated units' spend less what the test added, `own` each on the mean: where it makes the changes,
    each unit is taken to have spent its part of it, for budgets follow size; else all alike."""
    mean = float(change.mean())
    left: Floats = change * (1.0 - own / mean) if 0.5 * abs(own) < np.sign(own) * mean else change - own
    return left


def _times(found: Inverted, factor: float) -> Span:
    return Span(found.low * factor, found.high * factor)


def _ends(found: list[Inverted], factors: Floats, end: str) -> Floats:
    """Ends of intervals in units of the outcome; NaN where there is none."""
    values = np.array([getattr(one, end) for one in found]) * factors
    return np.where(np.isfinite(values), values, np.nan)
