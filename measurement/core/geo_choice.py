"""Which method suits a design, and why: the choices whose error rates were measured."""

from __future__ import annotations

from math import floor
from typing import Final

from measurement.core.arrays import Ints
from measurement.core.geo_methods import INDEXED, unindexed
from measurement.core.treated_panel import TreatedPanel

#: What weighs controls where they are to be weighed. A plan that was registered with another keeps it.
WEIGHED_BY: Final = INDEXED


def choose_method(test: TreatedPanel, sets: Ints, alpha: float, *, weighed_by: str = WEIGHED_BY) -> tuple[str, str]:
    """Method and reason for a test without randomised pairs.

    Placebo in space needs enough sets that might have been treated: with M sets (the treated one counted) no p-value
    lies below 1/M.

    Args:
        weighed_by: `sc_indexed`, or `sc` as plans of before registered it.
    """
    size, units = len(test.treated), len(test.names)
    floor_p = 1.0 / len(sets)
    if floor_p >= alpha:
        return "sc_t", (
            f"Only {len(sets)} sets of {size} market{'s' if size > 1 else ''} could have been treated, so placebo in "
            f"space cannot show p < {alpha}: synthetic control with a cross-fitted t-test (K = 3)."
        )
    if size > max(2, floor(units / 4)):
        return "log_did", (
            f"{size} of {units} markets are treated, more than a quarter: too few controls remain to weigh, and many "
            "treated ones even each other out: difference in differences of logarithms with placebo in space."
        )
    method, how = _weighed(test, weighed_by)
    if size == 1:
        return method, (
            f"1 of {units} markets is treated: {how}. Every other market stands in its place as a placebo, which is "
            "right at any number of markets; the t-test over time is not where sales drift."
        )
    return method, f"{size} of {units} markets are treated, up to a quarter: {how}. Placebo in space tests it."


def _weighed(test: TreatedPanel, weighed_by: str) -> tuple[str, str]:
    """Method that weighs controls, and what it does in words."""
    if weighed_by != INDEXED:
        return weighed_by, "synthetic control of sales, as asked or as the plan was registered"
    bad = unindexed(test)
    if bad:
        return "sc", (
            f"synthetic control of sales as they are, for {bad[0]!r} sold nothing in sum before the test and has no "
            "index; where the treated markets are the smallest or largest ones it is wrong more often than it says"
        )
    return INDEXED, (
        "synthetic control of sales over each market's own mean before the test, so that markets of any size are "
        "followed by what grows alike; fitted to sales as they are, the smallest or largest markets would be read "
        "wrongly far too often"
    )
