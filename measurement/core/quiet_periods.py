"""Rows that lack because nothing was sold, told from those that were not delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from measurement.core.arrays import Bools, Floats

#: Stretches as long as the one before its first row after which a unit is taken to sell now and then.
_USUAL: Final = 3
#: Units that lack a period together beyond their usual rate: its square root so many times, and so many more.
_SPREAD: Final = 4.0
_MORE: Final = 2.0


def unsold(there: Bools) -> tuple[Bools, Bools]:
    """Periods in which a unit is taken to have sold nothing: between its rows, and before the first; each as `there`.

    Before its first row where it skips as many periods at a stretch three times or more later on: it sells now and
    then. A single gap as long is no habit, and the unit may have begun late. After the last row never, for what comes
    late lacks there.

    Args:
        there: whether a unit has a row, shape [units, periods]; one at least of each.
    """
    between = np.zeros(there.shape, dtype=bool)
    before = np.zeros(there.shape, dtype=bool)
    for row, rows in enumerate(there):
        held = np.flatnonzero(rows)
        first, last = int(held[0]), int(held[-1])
        between[row, first:last] = ~rows[first:last]
        if first and int((np.diff(held) - 1 >= first).sum()) >= _USUAL:
            before[row, :first] = True
    return between, before


def undelivered(there: Bools, between: Bools, required: Sequence[int]) -> int | None:
    """First period that units lack together and not by chance: far more of them than lack others, or all required ones.

    Args:
        between: periods without a row between those of a unit, shape [units, periods].
        required: rows of units, counted where there are two or more.
    """
    usual, found = _usual(there, between, range(len(there))), between.sum(axis=0)
    odd = (found > 2.0 * usual) & (found > usual + _SPREAD * np.sqrt(usual) + _MORE)
    if len(required) > 1:
        odd |= between[list(required)].all(axis=0) & (len(required) > 2.0 * _usual(there, between, required))
    places = np.flatnonzero(odd)
    return int(places[0]) if len(places) else None


def _usual(there: Bools, between: Bools, rows: Iterable[int]) -> Floats:
    """How many of some units lack a period by how often they lack the others, shape [periods]."""
    usual = np.zeros(there.shape[1])
    for row in rows:
        inside = there[row] | between[row]
        usual += (inside * int(between[row].sum()) - between[row]) / max(int(inside.sum()) - 1, 1)
    return np.maximum(usual, 0.0)
