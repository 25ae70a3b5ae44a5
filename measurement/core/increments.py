"""What the networks attribute to the change of spend that a test made: what a factor is over.

A heavy-up buys the flatter part of a curve, so its return is held against that part and not against the average: with
the average, a cell would look less incremental for being saturated, and the curve, which is saturated already, would be
bent twice. Ads that go dark lose the whole curve, and there the average is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from measurement.core.arrays import Floats
from optimization.core.stored_curves import StoredCurve
from tenants.core.problems import InvalidInput


@dataclass(frozen=True, slots=True)
class Attributed:
    """Attributed return of a change of spend, with its standard error, and the share of sales that it is of."""

    roas: float
    se: float
    share: float


def attributed_of_all(sales: float, spend: float) -> Attributed:
    """Of all the spend of a cell over the days of a test: for a holdback, and for ads that go dark.

    Raises:
        InvalidInput: nothing was spent.
    """
    if spend <= 0.0:
        raise InvalidInput(
            "Nothing was spent in the tested cell over the days of the test, so nothing is attributed to it.",
            where="attributed return",
            fix="Load the reports of these days.",
        )
    return Attributed(sales / spend, 0.0, 1.0)


def attributed_of_extra(
    sales: float, spend: float, extra: float, curves: Sequence[StoredCurve], weekly: Floats
) -> Attributed:
    """Of the money that was added, for a heavy-up: sales x (1 - R(before) / R(during)) / extra.

    The sales are those of the days of the test, with their season; only their split comes from the curves.

    Args:
        sales, spend: attributed sales and all spend of the cell over the days of the test. extra: what was added.
        curves: of the lines of the cell. weekly: what each of them spent a week during the test, shape [lines].

    Raises:
        InvalidInput: nothing was added, more than was spent, or the curves sell nothing.
    """
    if not 0.0 < extra < spend:
        raise InvalidInput(
            f"A heavy-up that adds {extra:,.2f} to a cell that spent {spend:,.2f} has no spend to compare with.",
            where="extra spend",
            fix="Give the extra spend of the test in the money of the reports, and load the reports of its days.",
        )
    before = weekly * (1.0 - extra / spend)
    shares = [_share(curves, before, weekly, bend) for bend in (0.0, -1.0, 1.0)]
    # The bends of all lines may be off together, so they are moved together: half of what that changes.
    rate = float(sales / extra)
    return Attributed(shares[0] * rate, abs(shares[2] - shares[1]) / 2.0 * rate, shares[0])


def _share(curves: Sequence[StoredCurve], before: Floats, during: Floats, bend: float) -> float:
    """Part of the attributed sales that the added money brought; each ln k off by `bend` standard deviations."""
    sold = np.zeros(2)
    for one, *spends in zip(curves, before, during, strict=True):
        level = np.zeros(2)
        sold += one.drawn(np.array(spends), 1.0, level=level, scale=level + bend * one.log_scale_sd)
    if sold[1] <= 0.0:
        raise InvalidInput(
            "The curves of the tested cell sell nothing, so they do not tell what the added money brought.",
            where="curves",
            fix="Fit the curves over days that hold the test.",
        )
    return float(1.0 - sold[0] / sold[1])
