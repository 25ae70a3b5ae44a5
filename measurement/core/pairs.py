"""Matched-pair log-DiD: the default where at least eight pairs were randomised.

Each pair gives one number, the log growth of its treated unit beyond that of its control. Their mean is the log of one
plus the lift; the test turns the signs of pairs as the coin might have, and every interval inverts that test
(`signflip`). The effect is taken to multiply the sales of all units alike. Incremental sales are what the treated
sold, times `1 - exp(-effect)`; iROAS divides them by the extra spend, whose own error widens its interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from measurement.core.answers import Estimate, PanelReading, UnitEffect
from measurement.core.arrays import Floats
from measurement.core.beside_pairs import beside_pairs, log_sign_flip, require_sales
from measurement.core.drawn_reading import DrawnTest, drawn_reading
from measurement.core.log_effects import effect_of, lift_of_log, sales_of_log
from measurement.core.pair_panel import PairedTest, extra_spend, paired_test
from measurement.core.panel import Panel
from measurement.core.returns import margin_of_changes, return_of
from measurement.core.signflip import least_p
from measurement.core.treated_panel import clear_of_rounding
from measurement.core.words import count_of

#: Fewer pairs can show an effect, but seldom do.
USUAL_PAIRS = 8


def analyze_pairs(
    panel: Panel,
    *,
    pairs: Sequence[tuple[str, str]],
    start: int,
    end: int | None = None,
    cooldown: int = 0,
    alpha: float = 0.05,
    seed: int = 1,
    why_method: str = "",
    sensitivity: bool = True,
) -> PanelReading:
    """Reading of a test whose pairs were randomised.

    A cool-down counts to the test in every figure, so that one p-value stands for all of them.

    Args:
        pairs: `(treated, control)` names. start, end: positions from 0, both inclusive; without `end` the test lasts to
            the end of the panel, less the cool-down.
        cooldown: periods after the test in which its effect may still come in.
        sensitivity: whether to ask other methods too.

    Raises:
        InvalidInput: pairs or windows that the panel does not hold, or a unit without sales before or in the test.
    """
    test = paired_test(panel, pairs, start=start, end=end, cooldown=cooldown)
    require_sales(test)
    found = log_sign_flip(test, test.start, test.cooldown_end, seed)
    assert found is not None
    observed = panel.outcome[test.treated].sum(axis=0)

    def sold(first: int, last: int) -> Estimate | None:
        window = log_sign_flip(test, first, last, seed)
        if window is None:
            return None
        return sales_of_log(effect_of(window, alpha), float(observed[first : last + 1].sum()))

    effect = effect_of(found, alpha)
    incremental = sales_of_log(effect, float(observed[test.start : test.cooldown_end + 1].sum()))
    spend = extra_spend(test)
    cost = None if spend is None or panel.cost is None else clear_of_rounding(float(spend.sum()), panel.cost)
    iroas = None
    if cost and panel.cost is not None:
        change = test.changes(panel.cost)
        margin = margin_of_changes(change[test.treated], change[test.control], alpha)
        iroas = return_of(incremental, cost, margin)
    base = panel.outcome[:, : test.start].mean(axis=1)
    count = len(test.treated)
    turned = f"all {2**count:,} reassignments" if found.exact else f"{found.count:,} drawn reassignments"
    return drawn_reading(
        DrawnTest(
            panel=panel,
            method="pairs",
            why_method=why_method or _why(count),
            procedure=f"sign-flip test of {count} pairs' log difference-in-differences, {turned}, and its inversion",
            alpha=alpha,
            p_value=found.p_value(),
            start=test.start,
            end=test.end,
            cooldown_end=test.cooldown_end,
            treated=test.treated_names,
            controls=test.control_names,
            lift=lift_of_log(effect),
            incremental=incremental,
            iroas=iroas,
            cost=cost,
            quiet=(base[test.treated] / base[test.control]) @ panel.outcome[test.control],
            sold=sold,
            is_share=True,
            by_unit=_by_unit(test),
            placebos=_placebos(test),
            sensitivity=beside_pairs(test, "pairs", alpha=alpha, seed=seed) if sensitivity else (),
            warnings=_warnings(test, alpha, cost),
            details={"pairs": count, "reassignments": found.count},
        )
    )


def _why(pairs: int) -> str:
    if pairs >= USUAL_PAIRS:
        return f"{pairs} randomised pairs: the test rests on the coin alone, and no model of sales is needed."
    return f"{count_of(pairs, 'randomised pair')}: fewer than {USUAL_PAIRS}, but still a randomised test."


def _placebos(test: PairedTest) -> Floats:
    """Lifts of windows before the test that are as long as it, none overlapping; before each lies at least one such."""
    length = test.cooldown_end - test.start + 1
    lifts = []
    for first in range(test.start - length, length - 1, -length):
        differences = test.log_differences(first, first + length - 1, before=first)
        if np.isfinite(differences).all():
            lifts.append(float(np.expm1(differences.mean())))
    return np.array(lifts[::-1])


def _by_unit(test: PairedTest) -> tuple[UnitEffect, ...]:
    panel = test.panel.outcome
    base = panel[:, : test.start].mean(axis=1)
    differences = test.log_differences(test.start, test.cooldown_end)
    window = slice(test.start, test.cooldown_end + 1)
    found = [
        UnitEffect(
            unit=test.panel.units[treated],
            lift=float(np.expm1(difference)),
            observed=panel[treated],
            counterfactual=panel[control] * base[treated] / base[control],
        )
        for treated, control, difference in zip(test.treated, test.control, differences, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -float(one.observed[window].sum())))


def _warnings(test: PairedTest, alpha: float, cost: float | None) -> list[str]:
    pairs = len(test.treated)
    said = []
    if least_p(pairs) > alpha:
        said.append(
            f"A test of {count_of(pairs, 'pair')} cannot show an effect at {alpha:g}: its smallest p is "
            f"{least_p(pairs):.3g}, and the "
            f"interval has no ends."
        )
    elif pairs < USUAL_PAIRS:
        said.append(f"Only {count_of(pairs, 'pair')}: a true effect is easily missed.")
    if test.start < test.end - test.start + 1:
        said.append(f"Only {count_of(test.start, 'period')} before a test of {test.end - test.start + 1}.")
    if cost is not None and cost == 0.0:
        said.append("Extra spend sums to zero over the pairs: there is no iROAS.")
    return said
