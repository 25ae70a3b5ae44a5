"""The reading of randomised pairs by trimmed match: asked for where some pairs are far off and spend is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from measurement.core.answers import Estimate, PanelReading, Sensitivity, UnitEffect
from measurement.core.arrays import Floats
from measurement.core.log_effects import scaled
from measurement.core.pair_panel import PairedTest, extra_spend, paired_test
from measurement.core.panel import Panel
from measurement.core.trimmed_match import TrimmedMatch, trimmed_match
from tenants.core.problems import InvalidInput


def analyze_trimmed_match(
    panel: Panel,
    *,
    pairs: Sequence[tuple[str, str]],
    start: int,
    end: int | None = None,
    cooldown: int = 0,
    alpha: float = 0.05,
    why_method: str = "",
    sensitivity: tuple[Sensitivity, ...] = (),
) -> PanelReading:
    """Reading whose iROAS is estimated, and whose sales follow from it and the extra spend.

    All of it speaks of test and cool-down together. Quantiles are Student's, for pairs are few; `trimmed_match` itself
    takes the published normal ones too.

    Args:
        pairs: `(treated, control)` names, four or more. start, end: positions from 0, both inclusive.

    Raises:
        InvalidInput: pairs or windows that the panel does not hold, no cost, or extra spend that sums to zero.
    """
    test = paired_test(panel, pairs, start=start, end=end, cooldown=cooldown)
    spend = extra_spend(test)
    if spend is None:
        raise InvalidInput(
            "Trimmed match needs the spend of every unit and period.",
            where="cost",
            fix="Name the column of the cost, or use `pairs`.",
        )
    cost = float(spend.sum())
    if abs(cost) < 1e-9 * float(np.abs(spend).sum()):
        raise InvalidInput(
            "Extra spend sums to zero over the pairs.", where="cost", fix="Check which units were treated, and when."
        )
    found = trimmed_match(test.level_differences(panel.outcome), spend, alpha=alpha, reference="t")
    iroas = Estimate(found.iroas, found.low, found.high)
    incremental = scaled(iroas, cost)
    window = slice(test.start, test.cooldown_end + 1)
    observed = panel.outcome[test.treated].sum(axis=0)
    counterfactual = _counterfactual(test, observed, incremental.value)
    sold = float(observed[window].sum())
    length, count = test.cooldown_end - test.start + 1, len(test.treated)
    nothing = np.full(len(observed), np.nan)
    return PanelReading(
        method="trimmed_match",
        why_method=why_method or "It was asked for: iROAS of randomised pairs, robust to a few pairs far off.",
        procedure=(
            f"studentised trimmed mean of {count} pairs, {found.trimmed} trimmed from each side, against Student's t "
            f"with {count - 2 * found.trimmed - 1} degrees of freedom, and its inversion"
        ),
        evidence="experiment",
        alpha=alpha,
        p_value=found.p_value,
        att=scaled(incremental, 1.0 / (count * length)),
        lift=_lift(incremental, sold),
        incremental=incremental,
        iroas=iroas,
        cost=cost,
        weights={},
        l2_imbalance=None,
        scaled_l2=None,
        periods=panel.periods,
        start=test.start,
        end=test.end,
        cooldown_end=test.cooldown_end,
        treated=test.treated_names,
        controls=test.control_names,
        observed=observed,
        counterfactual=counterfactual,
        low=nothing,
        high=nothing,
        cumulative=np.cumsum((observed - counterfactual)[window]),
        cumulative_low=np.full(length, np.nan),
        cumulative_high=np.full(length, np.nan),
        placebos=np.zeros(0),
        by_unit=_by_unit(test),
        sensitivity=sensitivity,
        warnings=(*panel.notes, *_warnings(test, found)),
        details={"pairs": count, "trimmed_each_side": found.trimmed, "std_error": found.std_error},
    )


def _lift(incremental: Estimate, sold: float) -> Estimate:
    """Incremental over what would have been sold without; no end where nothing would have been left to sell."""

    def of(value: float | None) -> float | None:
        return None if value is None or sold - value <= 0.0 else value / (sold - value)

    value = of(incremental.value)
    return Estimate(float("nan") if value is None else value, of(incremental.low), of(incremental.high))


def _counterfactual(test: PairedTest, observed: Floats, incremental: float) -> Floats:
    """The controls at the level of the treated before; in the test raised or lowered to what the estimate says."""
    panel = test.panel.outcome
    window = slice(test.start, test.cooldown_end + 1)
    shape: Floats = panel[test.control].sum(axis=0)
    before = float(shape[: test.start].sum())
    shape = shape * (float(observed[: test.start].sum()) / before if before else 1.0)
    shape[window] += (float(observed[window].sum()) - incremental - float(shape[window].sum())) / len(shape[window])
    return shape


def _by_unit(test: PairedTest) -> tuple[UnitEffect, ...]:
    panel = test.panel.outcome
    window = slice(test.start, test.cooldown_end + 1)
    found = []
    for treated, control in zip(test.treated, test.control, strict=True):
        shift = panel[treated, : test.start].mean() - panel[control, : test.start].mean()
        counterfactual = panel[control] + shift
        expected = float(counterfactual[window].sum())
        gained = float(panel[treated, window].sum()) - expected
        found.append(
            UnitEffect(
                unit=test.panel.units[treated],
                lift=gained / expected if expected > 0.0 else None,
                observed=panel[treated],
                counterfactual=counterfactual,
            )
        )
    return tuple(sorted(found, key=lambda one: -float(one.observed[window].sum())))


def _warnings(test: PairedTest, found: TrimmedMatch) -> list[str]:
    said = []
    if found.left_out:
        names = ", ".join(test.treated_names[place] for place in found.left_out)
        said.append(f"Trimmed at the estimate: the pairs of {names}.")
    if found.low is None or found.high is None:
        said.append("The pairs do not bound the iROAS on one side or both.")
    return said
