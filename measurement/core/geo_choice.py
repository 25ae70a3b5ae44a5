"""Which method suits a design, and why: the choices whose error rates were measured."""

from __future__ import annotations

from dataclasses import replace
from math import floor
from typing import Final

import numpy as np

from measurement.core.arrays import Ints
from measurement.core.geo_methods import INDEXED, NoIndex, unindexed
from measurement.core.treated_panel import TreatedPanel
from measurement.core.words import count_of

#: What weighs controls where they are to be weighed. A plan that was registered with another keeps it.
WEIGHED_BY: Final = INDEXED
_NAMED: Final = 5


def choose_method(test: TreatedPanel, sets: Ints, alpha: float, *, weighed_by: str = WEIGHED_BY) -> tuple[str, str]:
    """Method and reason for a test without randomised pairs.

    Placebo in space needs enough sets that might have been treated: with M sets (the treated one counted) no p-value
    lies below 1/M.

    Args:
        weighed_by: `sc_indexed`, or `sc` as plans of before registered it.

    Raises:
        NoIndex: controls are to be weighed by indexed sales, and a unit has no index; see `without_dead_controls`.
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
    few = "up to a quarter" if 4 * size <= units else "no more than two"
    return method, f"{size} of {units} markets are treated, {few}: {how}. Placebo in space tests it."


def _weighed(test: TreatedPanel, weighed_by: str) -> tuple[str, str]:
    """Method that weighs controls, and what it does in words."""
    if weighed_by != INDEXED:
        return weighed_by, "synthetic control of sales, as asked or as the plan was registered"
    bad = unindexed(test)
    if bad:
        raise NoIndex(
            f"{bad[0]!r} sold nothing in sum before the test, so what it would have sold cannot be told.",
            where=f"unit {bad[0]!r}",
            fix="Leave it out of the test. Method sc fits sales as they are; it is wrong more often than it says where "
            "the treated markets are the smallest or largest.",
        )
    return INDEXED, (
        "synthetic control of sales over each market's own mean before the test, so that markets of any size are "
        "followed by what grows alike; fitted to sales as they are, the smallest or largest markets would be read "
        "wrongly far more often"
    )


def without_dead_controls(test: TreatedPanel) -> tuple[TreatedPanel, list[str]]:
    """The test without the controls that have no index, and a sentence on them; as it was where there are none.

    One control that was launched in the test must not decide how all others are weighed. Where fewer than two controls
    would remain none is left out.
    """
    bad = set(unindexed(test)) - {test.names[row] for row in test.treated}
    if not bad or len(test.controls) - len(bad) < 2:
        return test, []
    kept = np.array([row for row, name in enumerate(test.names) if name not in bad], dtype=np.int64)
    out = sorted(bad)
    named = f"{', '.join(out[:_NAMED])}{' and more' if len(out) > _NAMED else ''}"
    return replace(
        test,
        names=tuple(test.names[row] for row in kept),
        outcome=test.outcome[kept],
        cost=None if test.cost is None else test.cost[kept],
        treated=np.searchsorted(kept, test.treated),
    ), [f"{count_of(len(out), 'control')} left out, for nothing was sold there in sum before the test: {named}."]
