"""Several cells against one control: p-values that hold for all of them together.

`holm` needs nothing but p-values (Holm 1979). `max_t` uses what the cells have in common, their control and their
reassignments, and so is never less powerful in the same data (Westfall and Young 1993, step-down).
"""

from __future__ import annotations

import numpy as np

from measurement.core.arrays import Floats
from tenants.core.problems import InvalidInput


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values in the order given, shape [cells]: below alpha where the cell counts among all.

    Raises:
        InvalidInput: a value outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise InvalidInput("A p-value lies outside 0 to 1.", where="p_values", fix="Give what the tests say.")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted


def max_t(observed: Floats, reassigned: Floats) -> Floats:
    """Step-down adjusted p-values from the joint distribution of the statistics under reassignment.

    Args:
        observed: statistics, shape [cells]; the larger in size the more they speak. They should be comparable
            (studentised), else the widest cell rules.
        reassigned: the same of each reassignment, shape [reassignments, cells], without the observed one.

    Raises:
        InvalidInput: shapes that do not fit, no reassignment, or no finite numbers.
    """
    seen, drawn = np.abs(np.asarray(observed, float)), np.abs(np.asarray(reassigned, float))
    if drawn.ndim != 2 or drawn.shape[1] != len(seen) or len(drawn) == 0:
        raise InvalidInput(
            f"{drawn.shape} reassigned statistics do not fit {len(seen)} cells.",
            where="reassigned",
            fix="Give one row per reassignment and one column per cell.",
        )
    if not (np.isfinite(seen).all() and np.isfinite(drawn).all()):
        raise InvalidInput("A statistic is no finite number.", where="observed", fix="Leave that cell out.")
    order = np.argsort(-seen, kind="stable")
    # In each step the largest of the cells not yet decided is compared with the largest of the same cells redrawn.
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    stepped = (1.0 + (largest >= seen[order]).sum(axis=0)) / (1.0 + len(drawn))
    adjusted: Floats = np.empty(len(seen))
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
