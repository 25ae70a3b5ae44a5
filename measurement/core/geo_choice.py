"""Which method suits a design, and why: the choices whose error rates were measured."""

from __future__ import annotations

from math import floor

from measurement.core.arrays import Ints
from measurement.core.treated_panel import TreatedPanel


def choose_method(test: TreatedPanel, sets: Ints, alpha: float) -> tuple[str, str]:
    """Method and reason for a test without randomised pairs.

    Placebo in space needs enough sets that might have been treated: with M sets (the treated one counted) no p-value
    lies below 1/M.
    """
    size, units = len(test.treated), len(test.names)
    floor_p = 1.0 / len(sets)
    if floor_p >= alpha:
        return "sc_t", (
            f"Only {len(sets)} sets of {size} market{'s' if size > 1 else ''} could have been treated, so placebo in "
            f"space cannot show p < {alpha}: synthetic control with a cross-fitted t-test (K = 3)."
        )
    if size == 1:
        return "sc", (
            f"1 of {units} markets is treated: synthetic control with unit effects, and every other market in its "
            "place as a placebo. That is right at any number of markets; the t-test over time is not where sales drift."
        )
    if size <= max(2, floor(units / 4)):
        return "sc", (
            f"{size} of {units} markets are treated, up to a quarter: synthetic control with unit effects and placebo "
            "in space, which holds its level and sees more than difference in differences."
        )
    return "log_did", (
        f"{size} of {units} markets are treated, more than a quarter: too few controls remain to weigh, and many "
        "treated ones even each other out: difference in differences of logarithms with placebo in space."
    )
