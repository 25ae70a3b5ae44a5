"""S-shaped curves and minimum commitments: branch and bound over the jumps, and HiGHS where that is not enough.

The envelopes give an upper bound and an allocation in which usually only a few cells sit inside their jump. Such a
cell is branched on: below its jump, or on the concave branch beyond it. Each branch is a smaller domain with a tighter
envelope and is solved exactly again. Rounding the partial cells, one after the other so that equal cells do not all
end up halfway, gives good allocations early; on large problems the very first gap is already tiny and the number of
branches is kept small.

Branching is slow where many cells are worth the same, or many nodes each leave a little open: it has to try all
combinations. There HiGHS names the cells that are on (`optimization.core.patterns`), and the prices of the tree decide
what each gets.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np

from optimization.core.conflicts import Intervals
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Point, Unattainable
from optimization.core.parts import InvalidProblem
from optimization.core.patterns import PatternProgramme
from optimization.core.responses import Floats
from optimization.core.tree import Tree

#: Branching stops at this relative gap, HiGHS at that of its own tolerances.
GOOD_ENOUGH, GOOD_BY_PATTERNS = 1e-9, 1e-6
#: After HiGHS branching goes on only while the gap is larger than this.
_ENOUGH = 1e-4
#: Fillings of the tree that a search may spend: a share of these over the number of cells, plus a floor, up to a cap.
_CELL_FILLINGS, _FEWEST, _MOST = 60_000, 6, 1000
#: More fillings than this are spent only while the gap is larger than `_WIDE`.
_USUAL, _WIDE = 300, 5e-4
#: After this many fillings HiGHS is asked, if so few cells are undecided and so few there are.
_SHORT, _MOST_UNDECIDED, MOST_CELLS = 8, 300, 1000
_SECOND_SEED = 11
#: Programmes for HiGHS at most, and prices, in shares of those found, at which curves are touched beforehand.
_PROGRAMMES, _NEARBY = 16, (0.25, 0.5, 0.7, 0.9, 1.1, 1.35, 2.0, 4.0)


class SolverFailed(InvalidProblem):
    """A solver gave no answer, and none that there is none."""

    code = "solver-failed"
    title = "The solver gave no answer"


@dataclass(frozen=True, eq=False)
class Branched:
    """The best allocation found.

    Attributes:
        point: with the prices of the branch it was found in.
        bound: no allocation earns more, money.
        branches: how many relaxations were solved.
        programmes: how many programmes HiGHS was given.
    """

    point: Point
    bound: float
    branches: int
    programmes: int


class BranchSearch:
    """Branch and bound for one problem; counts its work in relaxations, so that it is the same on every machine."""

    def __init__(
        self, tree: Tree, cells: BoundedResponses, limits: GlobalSet, commitment: Floats, tilt: Floats | None = None
    ) -> None:
        self.tree, self.limits, self.tilt, self.commitment = tree, limits, tilt, commitment
        self.cells, self.curves = cells, cells.curves
        self.concave_from = np.maximum(cells.curves.inflection(), commitment)
        self.allowed = min(_MOST, _FEWEST + _CELL_FILLINGS // len(cells))
        self.branches = self.fillings = self.programmes = 0
        self.found: Point | None = None
        # The most that a branch promises whose own allocation breaks a limit by a hair and that cannot be split.
        self.left = -np.inf
        self.open: list[tuple[float, int, BoundedResponses, Point]] = []

    def run(self, *, any_will_do: bool = False) -> Branched | Unattainable | None:
        """The best allocation; what makes the constraints unattainable; or None where no branch could be met.

        Args:
            any_will_do: stop at the first allocation, however far from the bound.
        """
        root = self._relax(self.cells)
        if isinstance(root, Unattainable) or root is None:
            return root
        for idle in LimitedFilling(self.tree, self.cells, self.limits, self.tilt).idle():
            self._keep(idle)
        self._offer(self.cells, root)
        self._push(self.cells, root)
        self._explore(_SHORT, any_will_do=any_will_do)
        proven = np.inf
        if not self._closed(np.inf, GOOD_ENOUGH) and not (any_will_do and self.found):
            proven = self._by_patterns(root, any_will_do=any_will_do)
        if proven > -np.inf and not self._closed(proven, _ENOUGH if proven < np.inf else GOOD_ENOUGH):
            self._explore(self.allowed, any_will_do=any_will_do)
        if self.found is None:
            if (self.open or self.left > -np.inf) and proven > -np.inf:
                raise SolverFailed(
                    "No allocation was found that meets all commitments, and none was excluded either.",
                    where="cells",
                    fix="Loosen a bound whose commitments have to add up to it, or lower a min_spend_if_active.",
                )
            return None
        return Branched(self.found, max(self.found.value, self._bound(proven)), self.branches, self.programmes)

    def _bound(self, proven: float) -> float:
        """No allocation earns more than this, money, given what is `proven` apart from branching."""
        value = -np.inf if self.found is None else self.found.value
        return min(proven, max([value, self.left, *(-entry[0] for entry in self.open)]))

    def _closed(self, proven: float, enough: float) -> bool:
        """True when the best allocation is good enough, or no branch is left that could hold one."""
        if self.found is None:
            return not self.open and self.left == -np.inf
        return self._bound(proven) - self.found.value <= enough * abs(self.found.value)

    def _explore(self, fillings: int, *, any_will_do: bool) -> None:
        """Split the most promising branch until the gap is closed or the work allowed is spent."""
        while self.open and self.fillings < min(self.allowed, fillings):
            if self._closed(np.inf, GOOD_ENOUGH if self.fillings < _USUAL else _WIDE) or (any_will_do and self.found):
                break
            _, _, cells, point = heapq.heappop(self.open)
            for child in self._split(cells, point):
                relaxed = self._relax(child, point.multipliers)
                if relaxed is None or isinstance(relaxed, Unattainable):
                    continue
                self._offer(child, relaxed)
                self._push(child, relaxed)

    def _by_patterns(self, root: Point, *, any_will_do: bool) -> float:
        """Let HiGHS name the cells that are on; returns a bound, money, minus infinity where none can be met."""
        if len(self.cells) > MOST_CELLS or self.tree.upper[0] <= 0.0 or root.lagrangian <= 0.0:
            return np.inf
        programme = PatternProgramme(
            self.tree, self.cells, self.limits, self.commitment, worth=root.lagrangian, tilt=self.tilt
        )
        if self.found is not None:
            programme.drop(root.filled.price, root.multipliers, self.found.value)
        if programme.undecided > _MOST_UNDECIDED:
            return np.inf
        programme.touch(root.spend)
        for share in _NEARBY:
            programme.touch(self._demand(root, share))
        proven, gap, thorough = root.lagrangian, 1.0, False
        for _ in range(_PROGRAMMES):
            self.programmes += 1
            pattern, bound = programme.solve(gap, thorough=thorough)
            # What was left out earns no more than the best allocation.
            proven = min(proven, max(bound, self.found.value) if self.found is not None else bound)
            if pattern is None:
                break
            exact = self._relax(BoundedResponses.of(self.curves, pattern.lower, pattern.upper), root.multipliers)
            if isinstance(exact, Point):
                before = self.found
                self._keep(exact)
                if self.found is not None and self.found is not before:
                    programme.drop(root.filled.price, root.multipliers, self.found.value)
                programme.touch(exact.spend)
                programme.cut(exact.spend)
            programme.touch(pattern.spend)
            programme.cut(pattern.spend)
            if self.found is not None:
                size = max(abs(self.found.value), 1e-12 * root.lagrangian)
                gap = (proven - self.found.value) / size
                # What HiGHS promises is reached: tangents are tight, only its bound is left to be lowered.
                reached = pattern.promised <= self.found.value + GOOD_BY_PATTERNS * size
                closed = gap * size <= GOOD_BY_PATTERNS * size + programme.margin * root.lagrangian
                if closed or any_will_do or (thorough and reached):
                    break
                thorough = reached
        return proven if any_will_do else self._confirmed(programme, root, proven)

    def _confirmed(self, programme: PatternProgramme, root: Point, proven: float) -> float:
        """The bound, or a higher one where HiGHS comes to another the second time, on another way."""
        self.programmes += 1
        pattern, bound = programme.solve(0.0, thorough=True, seed=_SECOND_SEED)
        if pattern is not None:
            exact = self._relax(BoundedResponses.of(self.curves, pattern.lower, pattern.upper), root.multipliers)
            if isinstance(exact, Point):
                self._keep(exact)
        return min(root.lagrangian, max(proven, bound))

    def _demand(self, point: Point, share: float) -> Floats:
        """What the concave branches of the cells ask for at a share of the prices found."""
        weights, costs = self.limits.lagrangian(point.multipliers, self.tilt)
        asked = (point.filled.price[self.tree.owner] + costs) / np.maximum(weights, 1e-12)
        return self.cells.conjugate_spend(np.maximum(asked * share, 0.0))

    def _push(self, cells: BoundedResponses, point: Point) -> None:
        """Keep a branch open unless its own relaxation is already an allocation, or it cannot beat the best."""
        if cells.partial(point.spend).size == 0:
            return
        if self.found is not None and point.lagrangian <= self.found.value + GOOD_ENOUGH * abs(self.found.value):
            return
        heapq.heappush(self.open, (-point.lagrangian, self.branches, cells, point))

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
        if partial.size == 0 and self._keep(point):
            return
        if partial.size == 0:
            # A jump hardly begun counts as none, but may break a limit over next to nothing.
            self.left = max(self.left, point.lagrangian)
        elif not np.any(self.commitment[partial] > 0.0):
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
        if extra < 0 or partial.size == 0:
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

    def _keep(self, point: Point) -> bool:
        """Judge an allocation by the true curves; False where it breaks a limit."""
        revenue = self.curves.value(point.spend)
        slack = self.limits.slack(point.spend, revenue)
        if np.any(slack < -1e-13 * np.maximum(self.limits.slack_scale(point.spend, revenue), 1e-12)):
            return False
        value = self.limits.worth(point.spend, revenue, self.tilt)
        if self.found is None or value > self.found.value:
            self.found = replace(point, value=value, slack=slack)
        return True
