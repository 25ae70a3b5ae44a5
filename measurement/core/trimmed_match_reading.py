"""The reading of randomised pairs by trimmed match: asked for where some pairs are far off and spend is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from measurement.core.answers import Estimate, PanelReading, UnitEffect
from measurement.core.arrays import Floats
from measurement.core.beside_pairs import beside_pairs
from measurement.core.drawn_reading import DrawnTest, drawn_reading
from measurement.core.log_effects import over_rest, scaled
from measurement.core.pair_panel import PairedTest, extra_spend, paired_test
from measurement.core.panel import Panel
from measurement.core.trimmed_match import TrimmedMatch, trimmed_interval, trimmed_match
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
    sensitivity: bool = True,
) -> PanelReading:
    """Reading whose iROAS is estimated, and whose sales follow from it and the extra spend.

    All of it speaks of test and cool-down together. Quantiles are Student's, for pairs are few; `trimmed_match` itself
    takes the published normal ones too.

    Args:
        pairs: `(treated, control)` names, four or more. start, end: positions from 0, both inclusive.
        sensitivity: whether to ask other methods too.

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
    observed = panel.outcome[test.treated].sum(axis=0)
    count = len(test.treated)

    def sold(first: int, last: int) -> Estimate | None:
        """What came in a window for all of the spend, the same number of pairs trimmed."""
        change = test.changes(panel.outcome, first, last)
        response = change[test.treated] - change[test.control]
        window = trimmed_interval(response, spend, trimmed=found.trimmed, alpha=alpha)
        return None if window is None else scaled(Estimate(*window), cost)

    return drawn_reading(
        DrawnTest(
            panel=panel,
            method="trimmed_match",
            why_method=why_method or "It was asked for: iROAS of randomised pairs, robust to a few pairs far off.",
            procedure=(
                f"studentised trimmed mean of {count} pairs, {found.trimmed} trimmed from each side, against Student's "
                f"t with {count - 2 * found.trimmed - 1} degrees of freedom, widened for the choice of how many are "
                "trimmed, and its inversion"
            ),
            alpha=alpha,
            p_value=found.p_value,
            start=test.start,
            end=test.end,
            cooldown_end=test.cooldown_end,
            treated=test.treated_names,
            controls=test.control_names,
            lift=over_rest(incremental, float(observed[test.start : test.cooldown_end + 1].sum())),
            incremental=incremental,
            iroas=iroas,
            cost=cost,
            quiet=_quiet(test, observed),
            sold=sold,
            is_share=False,
            by_unit=_by_unit(test),
            placebos=np.zeros(0),
            sensitivity=beside_pairs(test, "trimmed_match", alpha=alpha, seed=1) if sensitivity else (),
            warnings=_warnings(test, found),
            details={"pairs": count, "trimmed_each_side": found.trimmed, "std_error": found.std_error},
        )
    )


def _quiet(test: PairedTest, observed: Floats) -> Floats:
    """The controls at the level of the treated before."""
    shape: Floats = test.panel.outcome[test.control].sum(axis=0)
    before = float(shape[: test.start].sum())
    return shape * (float(observed[: test.start].sum()) / before if before else 1.0)


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
