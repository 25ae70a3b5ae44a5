"""Designs that no other beats on everything: detectable effect, weeks, money and what is held out."""

from __future__ import annotations

import numpy as np

from measurement.core.arrays import Bools, Floats


def undominated(costs: Floats) -> Bools:
    """Which rows no other row is at least as small as everywhere and smaller than somewhere.

    Args:
        costs: one row per design, smaller is better in every column, shape [designs, criteria]. Of equal rows all stay.
    """
    order = np.lexsort(costs.T[::-1])
    best = np.ones(len(costs), dtype=bool)
    front: list[int] = []
    for row in order:
        # In this order a row can only be dominated by one before it, and then by one that itself is not dominated.
        if front:
            others = costs[front]
            beaten = (others <= costs[row]).all(axis=1) & (others < costs[row]).any(axis=1)
            if beaten.any():
                best[row] = False
                continue
        front.append(int(row))
    return best
