"""Difference in differences of logarithms with randomisation inference: plain, quick, and good with many treated units.

A unit's change is the logarithm of its mean in the test over its mean before; every unit counts alike, whatever its
size. The effect of a test that raises sales by a share x moves the change of a treated unit by log(1 + x), so the
test over assignments is linear in log(1 + x) and inverted exactly, see `placebo`.
"""

from __future__ import annotations

import numpy as np

from measurement.core.arrays import Floats, Ints
from measurement.core.geo_methods import PROCEDURE
from measurement.core.placebo import Inverted, invert, shares_of
from measurement.core.placebo_words import counted
from measurement.core.treated_panel import Finding, Span, TreatedPanel
from tenants.core.problems import InvalidInput


class NoLogarithms(InvalidInput):
    """Units whose sales are not positive in sum."""

    code = "no-logarithms"
    title = "The test cannot be analysed"


def log_differences(test: TreatedPanel, sets: Ints, *, alpha: float) -> Finding:
    """The effect as a share by log-DiD over `sets` (shape [sets, size], the treated one first).

    Raises:
        NoLogarithms: a unit sold nothing, or less, before the test or in it.
    """
    before = test.pre.mean(axis=1)
    sold = test.outcome[:, test.window].cumsum(axis=1)
    bad = np.flatnonzero((before <= 0.0) | (sold[:, -1] <= 0.0))
    if len(bad):
        raise NoLogarithms(
            f"{test.names[bad[0]]!r} sold nothing before the test or in it.",
            where=f"unit {test.names[bad[0]]!r}",
            fix="Leave such units out, or use a method that takes no logarithms.",
        )
    shares = shares_of(sets, len(test.outcome))
    donors = shares == 0.0
    contrasts = shares - donors / donors.sum(axis=1, keepdims=True)
    reach = contrasts[:, test.treated].sum(axis=1)
    alike = np.ones(len(sets))

    def found(amounts: Floats, level: Floats) -> Inverted | None:
        if (amounts <= 0.0).any():
            return None
        return invert(contrasts @ np.log(amounts / level), reach, alike, alpha)

    whole = found(sold[:, -1], before * test.length)
    assert whole is not None
    own = test.outcome[test.treated][:, test.window]
    single = [found(test.outcome[:, test.start + t], before) for t in range(test.length)]
    running = [found(sold[:, t], before * (t + 1)) for t in range(test.length)]
    mean, sums = own.mean(axis=0), own.mean(axis=0).cumsum()
    span = Span(_effect(whole.low, float(sums[-1])), _effect(whole.high, float(sums[-1])))
    return Finding(
        procedure=PROCEDURE,
        evidence="counterfactual",
        counterfactual=_path(test, before, whole.estimate),
        total=span,
        p_value=whole.p_value,
        period_low=_ends(single, mean, "low"),
        period_high=_ends(single, mean, "high"),
        cumulative_low=_ends(running, sums, "low"),
        cumulative_high=_ends(running, sums, "high"),
        placebos=np.expm1((contrasts @ np.log(sold[:, -1] / (before * test.length)) - whole.estimate * reach)[1:]),
        weights=np.zeros(len(test.outcome)),
        details={**counted(whole.p_value, len(sets) - 1)},
    )


def _effect(x: float, observed: float) -> float:
    """Effect in units of the outcome of log(1 + lift) = x, where `observed` was sold."""
    if not np.isfinite(x):
        return observed if x > 0.0 else -np.inf
    return observed * -float(np.expm1(-x))


def _ends(found: list[Inverted | None], observed: Floats, end: str) -> Floats:
    values = [
        np.nan if one is None or not np.isfinite(getattr(one, end)) else _effect(getattr(one, end), float(level))
        for one, level in zip(found, observed, strict=True)
    ]
    return np.array(values)


def _path(test: TreatedPanel, before: Floats, estimate: float) -> Floats:
    """Treated mean moved with the controls, and in the window so that the effect over it is the estimate."""
    moved = before[test.treated].mean() * (test.outcome[test.controls] / before[test.controls][:, None]).mean(axis=0)
    observed = float(test.observed[test.window].sum())
    wanted = observed - _effect(estimate, observed)
    told = float(moved[test.window].sum())
    if told > 0.0:
        moved[test.window] *= wanted / told
    return np.asarray(moved, dtype=np.float64)
