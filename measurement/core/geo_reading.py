"""From what a method finds to the reading that people see: sums over treated units, fractions, labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from measurement.core.answers import Estimate, Evidence, PanelReading, Sensitivity, UnitEffect
from measurement.core.arrays import Floats
from measurement.core.geo_methods import INDEXED
from measurement.core.log_effects import over_rest
from measurement.core.panel import Panel
from measurement.core.returns import margin_of_changes, return_of
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.treated_panel import UNCLEAR_SPEND, Finding, TreatedPanel, clear_of_rounding


def reading_of(
    panel: Panel,
    test: TreatedPanel,
    finding: Finding,
    *,
    method: str,
    why: str,
    alpha: float,
    evidence: Evidence,
    sensitivity: Sequence[Sensitivity],
    warnings: Sequence[str],
) -> PanelReading:
    """The finding in the units of the product. Arguments as the attributes of `PanelReading`."""
    size = len(test.treated)
    window = test.window
    observed, counterfactual = size * test.observed, size * finding.counterfactual
    effect = observed[window] - counterfactual[window]
    incremental = incremental_of(test, finding)
    cells = size * test.length
    low, high = np.full(len(observed), np.nan), np.full(len(observed), np.nan)
    low[window] = observed[window] - size * finding.period_high
    high[window] = observed[window] - size * finding.period_low
    cost = extra_cost(test, finding)
    iroas = _iroas(incremental, test, finding, cost, alpha)
    unclear = (UNCLEAR_SPEND,) if cost and iroas is None and UNCLEAR_SPEND not in finding.warnings else ()
    return PanelReading(
        method=method,
        why_method=why,
        procedure=finding.procedure,
        evidence=evidence,
        alpha=alpha,
        p_value=finding.p_value,
        att=_scaled(incremental, 1.0 / cells),
        lift=lift_of(test, incremental),
        incremental=incremental,
        iroas=iroas,
        cost=cost,
        weights={
            test.names[row]: float(finding.weights[row])
            for row in np.argsort(-finding.weights, kind="stable")
            if finding.weights[row] > 1e-6
        },
        l2_imbalance=finding.l2,
        scaled_l2=finding.scaled_l2,
        periods=panel.periods,
        start=test.start,
        end=test.end,
        cooldown_end=test.cooldown_end,
        treated=tuple(test.names[row] for row in test.treated),
        controls=tuple(test.names[row] for row in test.controls),
        observed=observed,
        counterfactual=counterfactual,
        low=low,
        high=high,
        cumulative=effect.cumsum(),
        cumulative_low=size * finding.cumulative_low,
        cumulative_high=size * finding.cumulative_high,
        placebos=finding.placebos,
        by_unit=_by_unit(test, indexed=method == INDEXED),
        sensitivity=tuple(sensitivity),
        warnings=(*panel.notes, *finding.warnings, *unclear, *warnings),
        details=finding.details,
    )


def incremental_of(test: TreatedPanel, finding: Finding) -> Estimate:
    """The effect summed over treated units and window."""
    size = len(test.treated)
    value = size * float((test.observed - finding.counterfactual)[test.window].sum())
    return Estimate(value, _end(size * finding.total.low), _end(size * finding.total.high))


def lift_of(test: TreatedPanel, incremental: Estimate) -> Estimate:
    """The effect over what would have been, rising in the effect as long as that is positive."""
    return over_rest(incremental, len(test.treated) * float(test.observed[test.window].sum()))


def extra_cost(test: TreatedPanel, finding: Finding) -> float | None:
    """Spend that the test added: the method's own figure, else what the treated spent beyond the controls' course."""
    if finding.extra_cost is not None or test.cost is None:
        return finding.extra_cost
    change = _changes(test, test.cost)
    return clear_of_rounding(
        float(len(test.treated) * (change[test.treated].mean() - change[test.controls].mean())), test.cost
    )


def _changes(test: TreatedPanel, cost: Floats) -> Floats:
    """What each unit spent in the window beyond its mean before, shape [units]."""
    change: Floats = cost[:, test.window].sum(axis=1) - test.length * cost[:, : test.start].mean(axis=1)
    return change


def _iroas(
    incremental: Estimate, test: TreatedPanel, finding: Finding, cost: float | None, alpha: float
) -> Estimate | None:
    """The method's own ratio, else the effect over the spend, each with its error."""
    if finding.iroas is not None:
        value, span = finding.iroas
        return Estimate(value, _end(span.low), _end(span.high))
    if not cost or UNCLEAR_SPEND in finding.warnings:
        return None
    margin = 0.0
    if finding.extra_cost is None and test.cost is not None:
        change = _changes(test, test.cost)
        margin = margin_of_changes(change[test.treated], change[test.controls], alpha)
    return return_of(incremental, cost, margin)


def _by_unit(test: TreatedPanel, *, indexed: bool) -> tuple[UnitEffect, ...]:
    """Each treated unit against its own synthetic control, largest first: shown, not tested.

    Args:
        indexed: whether outcomes are fitted over each unit's mean, or about it.
    """
    level = test.pre.mean(axis=1, keepdims=True) if indexed else np.ones((len(test.outcome), 1))
    centred = demeaned(test.outcome / level, slice(0, test.start))
    fitted = centred[:, : test.start]
    shares = np.zeros((len(test.treated), len(test.outcome)))
    shares[np.arange(len(test.treated)), test.treated] = 1.0
    donors = np.ones_like(shares, dtype=bool)
    donors[:, test.treated] = False
    weights = simplex_weights(fitted @ fitted.T, shares, donors).weights
    paths = test.outcome[test.treated] - level[test.treated] * ((shares - weights) @ centred)
    effects = []
    for place in np.argsort(-test.pre[test.treated].mean(axis=1), kind="stable"):
        observed, path = test.outcome[test.treated[place]], paths[place]
        base = float(path[test.window].sum())
        lift = float(observed[test.window].sum()) / base - 1.0 if base > 0.0 else None
        effects.append(
            UnitEffect(unit=test.names[test.treated[place]], lift=lift, observed=observed, counterfactual=path)
        )
    return tuple(effects)


def _end(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    low, high = estimate.low, estimate.high
    return Estimate(
        estimate.value * factor, None if low is None else low * factor, None if high is None else high * factor
    )
