"""S-shaped curves and minimum commitments: branch and bound over the jumps.

The envelopes give an upper bound and an allocation in which usually only a few cells sit inside their jump. Such a
cell is branched on: below its jump, or on the concave branch beyond it. Each branch is a smaller domain with a tighter
envelope and is solved exactly again. Rounding the partial cells, one after the other so that equal cells do not all
end up halfway, gives good allocations early; on large problems the very first gap is already tiny and the number of
branches is kept small.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np

from optimization.core.conflicts import Intervals
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Point, Unattainable
from optimization.core.responses import Floats
from optimization.core.tree import Tree

#: Branching stops at this relative gap.
GOOD_ENOUGH = 1e-9
#: Fillings of the tree that a search may spend: a share of these over the number of cells, plus a floor, up to a cap.
_CELL_FILLINGS, _FEWEST, _MOST = 60_000, 6, 1000
#: More fillings than this are spent only while the gap is larger than `_WIDE`.
_USUAL, _WIDE = 300, 5e-4


@dataclass(frozen=True, eq=False)
class Branched:
    """The best allocation found.

    Attributes:
        point: with the prices of the branch it was found in.
        bound: no allocation earns more, money.
        branches: how many relaxations were solved.
    """

    point: Point
    bound: float
    branches: int


class BranchSearch:
    """Branch and bound for one problem; counts its work in relaxations, so that it is the same on every machine."""

    def __init__(
        self, tree: Tree, cells: BoundedResponses, limits: GlobalSet, commitment: Floats, tilt: Floats | None = None
    ) -> None:
        self.tree, self.limits, self.tilt, self.commitment = tree, limits, tilt, commitment
        self.cells, self.curves = cells, cells.curves
        self.concave_from = np.maximum(cells.curves.inflection(), commitment)
        self.allowed = min(_MOST, _FEWEST + _CELL_FILLINGS // len(cells))
        self.branches = self.fillings = 0
        self.found: Point | None = None

    def run(self) -> Branched | Unattainable | None:
        """The best allocation; what makes the constraints unattainable; or None where no branch could be met."""
        root = self._relax(self.cells)
        if isinstance(root, Unattainable) or root is None:
            return root
        self._offer(self.cells, root)
        open_branches: list[tuple[float, int, BoundedResponses, Point]] = []
        self._push(open_branches, self.cells, root)
        while open_branches and self.fillings < self.allowed:
            bound = -open_branches[0][0]
            enough = GOOD_ENOUGH if self.fillings < _USUAL else _WIDE
            if self.found is not None and bound - self.found.value <= enough * abs(self.found.value):
                break
            _, _, cells, point = heapq.heappop(open_branches)
            for child in self._split(cells, point):
                relaxed = self._relax(child, point.multipliers)
                if relaxed is None or isinstance(relaxed, Unattainable):
                    continue
                self._offer(child, relaxed)
                self._push(open_branches, child, relaxed)
        if self.found is None:
            return None
        bound = max([self.found.value, *(-entry[0] for entry in open_branches)])
        return Branched(self.found, bound, self.branches)

    def _push(
        self, heap: list[tuple[float, int, BoundedResponses, Point]], cells: BoundedResponses, point: Point
    ) -> None:
        """Keep a branch open unless its own relaxation is already an allocation, or it cannot beat the best."""
        if cells.partial(point.spend).size == 0:
            return
        if self.found is not None and point.lagrangian <= self.found.value + GOOD_ENOUGH * abs(self.found.value):
            return
        heapq.heappush(heap, (-point.lagrangian, self.branches, cells, point))

    def _relax(self, cells: BoundedResponses, start: Floats | None = None) -> Point | Unattainable | None:
        """The optimum on the envelopes, None where bounds cannot be met."""
        self.branches += 1
        if Intervals.of(self.tree, cells.lower, cells.upper).empty().size:
            return None
        filling = LimitedFilling(self.tree, cells, self.limits, self.tilt)
        best = filling.best(start)
        self.fillings += filling.fills
        return best

    def _offer(self, cells: BoundedResponses, point: Point) -> None:
        """Make allocations from a relaxation and keep the best."""
        partial = cells.partial(point.spend)
        if partial.size == 0:
            self._keep(point)
            return
        if not np.any(self.commitment[partial] > 0.0):
            self._keep(point)
        beyond = cells.gapped & (point.spend >= cells.jump_to * (1.0 - 1e-9)) & (point.spend > cells.lower)
        tried: set[bytes] = set()
        for extra in (0, 1, -1):
            on = beyond.copy()
            on[self._round(cells, point, partial, extra)] = True
            if on.tobytes() in tried or (tried and self.fillings >= self.allowed):
                continue
            tried.add(on.tobytes())
            rounded = self._relax(self._decided(cells, on), point.multipliers)
            if isinstance(rounded, Point):
                self._keep(rounded)

    def _round(self, cells: BoundedResponses, point: Point, partial: np.ndarray, extra: int) -> np.ndarray:
        """Which partial cells to carry over their jump: as many per price as the money inside their jumps pays for."""
        if extra < 0:
            return partial[:0]
        group = point.filled.anchor[self.tree.owner[partial]]
        jump = cells.jump_to[partial] - cells.lower[partial]
        money = point.spend[partial] - cells.lower[partial]
        carried = []
        for anchor in np.unique(group):
            mine = np.flatnonzero(group == anchor)
            mine = mine[np.argsort(-money[mine] / jump[mine], kind="stable")]
            paid = int(np.searchsorted(np.cumsum(jump[mine]), money[mine].sum() * (1.0 + 1e-12), side="right"))
            carried.append(partial[mine[: min(mine.size, paid + extra)]])
        return np.concatenate(carried)

    def _decided(self, cells: BoundedResponses, on: np.ndarray) -> BoundedResponses:
        """Every jump decided: cells that are on keep their concave branch, the others stay at their lower bound."""
        bent = cells.gapped & (cells.jump_to > cells.lower)
        lower = np.where(bent & on, np.clip(self.concave_from, cells.lower, cells.upper), cells.lower)
        upper = np.where(bent & ~on, cells.lower, cells.upper)
        return BoundedResponses.of(self.curves, lower, upper)

    def _split(self, cells: BoundedResponses, point: Point) -> list[BoundedResponses]:
        """Two domains that leave out nothing allowed, split where the envelope promises most beyond the curve."""
        partial = cells.partial(point.spend)
        part = self.curves.take(partial)
        promise = cells.envelope_value(point.spend)[partial] - part.value(point.spend[partial])
        cell = int(partial[int(np.argmax(promise))])
        start, stop, here = float(cells.lower[cell]), float(cells.upper[cell]), float(point.spend[cell])
        committed = start == 0.0 and self.commitment[cell] > 0.0
        at = self.commitment[cell] if committed else float(self.concave_from[cell])
        if not start < at < stop:
            at = here
        low_upper, high_lower = cells.upper.copy(), cells.lower.copy()
        low_upper[cell] = 0.0 if committed else at
        high_lower[cell] = at
        return [
            BoundedResponses.of(self.curves, cells.lower, low_upper, self.commitment),
            BoundedResponses.of(self.curves, high_lower, cells.upper, self.commitment),
        ]

    def _keep(self, point: Point) -> None:
        """Judge an allocation by the true curves."""
        revenue = self.curves.value(point.spend)
        slack = self.limits.slack(point.spend, revenue)
        if np.any(slack < -1e-13 * np.maximum(self.limits.slack_scale(point.spend, revenue), 1e-12)):
            return
        value = self.limits.worth(point.spend, revenue, self.tilt)
        if self.found is None or value > self.found.value:
            self.found = replace(point, value=value, slack=slack)
