"""Kinds of tests on advertising, and what each does to spend and to what is held out.

A holdback launches where it is treated and holds the launch back elsewhere. A heavy-up spends more where it is
treated; it measures the slope of the response above today's spend. A go-dark stops spending where it is treated: spend
falls, sales are expected to fall, and iROAS is what was lost over what was saved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from measurement.core.assignment import InvalidDesign

KindKey = Literal["holdback", "heavy_up", "go_dark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignKind:
    """What a kind means.

    Attributes:
        key, title: the name in files, the name for people.
        sign: of the effect on sales and on spend in treated units, +1 or -1.
        dark: which arm has no, or less, advertising: the holdout.
        measures: what the result says, a sentence.
    """

    key: KindKey
    title: str
    sign: int
    dark: Literal["treated", "control"]
    measures: str


KINDS: Final[dict[str, DesignKind]] = {
    kind.key: kind
    for kind in (
        DesignKind(
            key="holdback",
            title="Holdback",
            sign=1,
            dark="control",
            measures="What advertising that runs nowhere yet adds where it is launched.",
        ),
        DesignKind(
            key="heavy_up",
            title="Heavy-up",
            sign=1,
            dark="control",
            measures="What spending more adds on top of today's spend.",
        ),
        DesignKind(
            key="go_dark",
            title="Go-dark",
            sign=-1,
            dark="treated",
            measures="What is lost where today's advertising stops.",
        ),
    )
}


def kind_of(key: str) -> DesignKind:
    """The kind by its key.

    Raises:
        InvalidDesign: there is no such kind.
    """
    if key not in KINDS:
        raise InvalidDesign(f"There is no kind {key!r} of test.", where="kind", fix=f"Use one of {', '.join(KINDS)}.")
    return KINDS[key]


def extra_spend(
    kind: DesignKind,
    *,
    treated_cost: float | None,
    treated_sales: float,
    effect: float,
    change: float | None = None,
    cost_per_incremental: float | None = None,
) -> float | None:
    """Spend in treated units over the test less what it would have been; negative for a go-dark, None where unknown.

    Args:
        treated_cost: what treated units spend today over as many periods; None where the panel has no cost.
        treated_sales: what they sell in as many periods.
        effect: the lift that the test should find, a fraction of sales, of either sign.
        change: spend of the test over today's, a fraction; a go-dark that stops all is -1, its default.
        cost_per_incremental: money for one more unit of the outcome; used where the change is not told.

    Raises:
        InvalidDesign: a change whose sign is not that of the kind, a cost below zero, or no finite numbers.
    """
    if cost_per_incremental is not None and not 0.0 <= cost_per_incremental < math.inf:
        raise InvalidDesign(
            f"A cost per incremental unit of {cost_per_incremental:g} is out of range.",
            where="cost per incremental unit",
            fix="Give zero or more.",
        )
    if kind.key == "go_dark" and change is None and treated_cost is not None:
        change = -1.0
    if change is not None and not (change * kind.sign >= 0 and -1.0 <= change < math.inf):
        raise InvalidDesign(
            f"A {kind.title.lower()} cannot change spend by {change:+.0%}.",
            where="change of spend",
            fix="Give more than 0 for a heavy-up or holdback, from -1 to 0 for a go-dark.",
        )
    if change is not None and treated_cost is not None:
        return change * treated_cost
    if cost_per_incremental is not None:
        return kind.sign * cost_per_incremental * abs(effect) * treated_sales
    return None
