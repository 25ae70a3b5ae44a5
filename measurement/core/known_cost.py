"""The money of a test that its data do not hold: what was planned to be spent more, or less."""

from __future__ import annotations

from dataclasses import replace

from measurement.core.answers import Estimate, PanelReading
from measurement.core.words import money


def with_planned_cost(reading: PanelReading, cost: float, currency: str) -> PanelReading:
    """The reading with the return on a planned change of spend, where its data told of none.

    A reading that knows its cost, or a plan without one, changes nothing. The plan's amount has no error of its own
    here, so the interval is that of the incremental outcome over it; a warning says that it was never observed.

    Args:
        cost: change of spend, below zero where it was taken away.
    """
    if reading.cost is not None or not cost:
        return reading
    words = (
        f"The data hold no spend of the test: the return is on the {money(abs(cost), currency)} that were planned, and "
        "its interval takes them as certain."
    )
    return replace(reading, cost=cost, iroas=_over(reading.incremental, cost), warnings=(*reading.warnings, words))


def _over(total: Estimate, cost: float) -> Estimate:
    low, high = (None if end is None else end / cost for end in (total.low, total.high))
    return Estimate(total.value / cost, *((low, high) if cost > 0 else (high, low)))
