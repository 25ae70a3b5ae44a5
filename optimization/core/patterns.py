"""Which cells are on: a mixed-integer programme over tangents of the curves, solved by HiGHS.

The domain of a cell with a jump is cut into pieces, one of which it takes: nothing, the convex foot of its S-curve, the
concave branch beyond. Over each piece the curve lies below every tangent of its concave branch and below the chord of
its foot, so the programme promises at least what any allocation earns (perspective cuts: Frangioni, Gentile 2006). Its
answer names the pieces; what these earn is solved exactly by prices. Tangents are added where allocations were found,
and a foot is cut in two where one ended inside it, until promise and allocation meet.

The bound is that of HiGHS, widened by its tolerances, and none where its search was cut short: what it then says may
leave out nodes that it had begun with. Work is limited in nodes of its
search tree, not in time, so that the answer is the same on every machine.
"""

from __future__ import annotations

import numpy as np

from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.pattern_rows import (
    COARSE,
    FEW_NODES,
    FINEST,
    MANY_NODES,
    OF_COSTS,
    SHARE_OF_GAP,
    TOLERANCE,
    Pattern,
    Piece,
    Rows,
)
from optimization.core.responses import Family, Floats
from optimization.core.tree import Tree


class PatternProgramme:
    """The pieces and tangents of one problem, which grow with what is found.

    Attributes:
        pieces: of each cell, the first one lowest.
        touched: where each curve has a tangent, money.
    """

    def __init__(
        self,
        tree: Tree,
        cells: BoundedResponses,
        limits: GlobalSet,
        commitment: Floats,
        *,
        worth: float,
        tilt: Floats | None = None,
    ) -> None:
        """`worth` is a value near that of the best allocation, money, positive: the scale of revenue."""
        self.tree, self.limits, self.curves = tree, limits, cells.curves
        self.weights = limits.weight if tilt is None else limits.weight * tilt
        self.tilt = tilt
        self.worth = worth
        self.straight = (cells.curves.family == Family.POWER) & (cells.curves.exponent == 1.0)
        high = np.maximum(np.minimum(cells.upper, _tightest_cap(tree)[tree.owner]), cells.lower)
        # A budget far beyond what may be spent would put all widths below the tolerances of HiGHS.
        self.money = min(float(tree.upper[0]), float(high.sum()))
        least = np.where(cells.lower == 0.0, commitment, 0.0)
        bend = cells.curves.inflection()
        ends = zip(cells.lower.tolist(), high.tolist(), bend.tolist(), least.tolist(), strict=True)
        self.pieces = [_pieces(*of_cell) for of_cell in ends]
        self.touched: list[set[float]] = [set() for _ in self.pieces]
        self.alike = _alike(tree, cells, high, limits, commitment, self.weights)
        self.of_a_kind = _of_a_kind(cells, commitment)

    @property
    def undecided(self) -> int:
        """How many cells may still take more than one piece."""
        return sum(len(pieces) > 1 for pieces in self.pieces)

    @property
    def margin(self) -> float:
        """By how much the tolerances of HiGHS widen its bound, as a share of `worth`."""
        columns = sum(2 * len(pieces) + 1 for pieces in self.pieces)
        rows = len(self.pieces) + self.tree.nodes + len(self.limits)
        return max(1.0, float(self.weights.max())) * (TOLERANCE * rows + OF_COSTS * columns)

    def touch(self, spend: Floats) -> None:
        """Add the tangents at an allocation, shape (n,), money."""
        for pieces, touched, amount in zip(self.pieces, self.touched, spend.tolist(), strict=True):
            touched.update(min(max(amount, one.low), one.high) for one in pieces if not one.convex)

    def cut(self, spend: Floats) -> None:
        """Cut every convex foot in two where an allocation ends inside it."""
        for pieces, amount in zip(self.pieces, spend.tolist(), strict=True):
            for place, one in enumerate(pieces):
                room = 1e-7 * (one.high - one.low)
                if one.convex and one.low + room < amount < one.high - room:
                    pieces[place : place + 1] = [Piece(one.low, amount, True), Piece(amount, one.high, True)]
                    break

    def drop(self, price: Floats, multipliers: Floats, found: float) -> None:
        """Leave out every piece that no allocation better than `found` takes, by weak duality at these prices.

        Args:
            price: inside each node, shape (m,).
            multipliers: of the global constraints, shape (j,).
            found: what an allocation is known to earn, money.
        """
        which = np.repeat(np.arange(len(self.pieces)), [len(pieces) for pieces in self.pieces])
        low = np.array([one.low for pieces in self.pieces for one in pieces])
        high = np.array([one.high for pieces in self.pieces for one in pieces])
        weights, costs = self.limits.lagrangian(multipliers, self.tilt)
        if np.any(weights <= 0.0):
            return
        each = price[self.tree.owner] + costs
        parts = BoundedResponses.of(self.curves.take(which), low, high)
        gain = weights[which] * parts.conjugate((each / weights)[which])
        best = np.full(len(self.pieces), -np.inf)
        np.maximum.at(best, which, gain)
        step = price.copy()
        step[1:] -= price[self.tree.parent[1:]]
        edge = np.where(step > 0.0, self.tree.upper, self.tree.lower)
        bound = float(best.sum()) + float(np.sum(np.where(step != 0.0, step * np.where(step != 0.0, edge, 0.0), 0.0)))
        stays = bound - (best[which] - gain) > found - 1e-9 * abs(found)
        stays |= gain == best[which]
        kept = iter(stays.tolist())
        self.pieces = [[one for one in pieces if next(kept)] for pieces in self.pieces]

    def solve(self, gap: float, *, thorough: bool = False, seed: int = 7) -> tuple[Pattern | None, float]:
        """The pieces that promise most, None without an answer, and a bound on every allocation in them, money.

        Args:
            gap: what is left to be closed, relative; HiGHS need not be much finer.
            thorough: the tangents are tight where it matters, so that more nodes are worth their time.
            seed: another one is a second opinion: HiGHS goes another way.

        A bound of minus infinity says that no pieces meet the constraints.
        """
        if thorough:
            return Rows(self).answer(FINEST, MANY_NODES, seed)
        return Rows(self).answer(max(FINEST, SHARE_OF_GAP * gap), FEW_NODES, seed)

    def solve_margin(self) -> tuple[Pattern | None, bool]:
        """The pieces that keep furthest from breaking a limit; and False where none can meet all constraints.

        That none can is believed where HiGHS finds it on two ways: nothing else checks it.
        """
        for seed, presolved in ((7, True), (11, False)):
            pattern, bound = Rows(self, of_limits=True).answer(COARSE, MANY_NODES, seed, presolved=presolved)
            if bound >= 0.0:
                return pattern, True
        return None, False


def _alike(
    tree: Tree, cells: BoundedResponses, high: Floats, limits: GlobalSet, commitment: Floats, weights: Floats
) -> list[list[int]]:
    """Groups of cells with jumps that differ in nothing but their cap, the largest cap first.

    Two of a group may trade what they get as long as the caps allow it: somewhere among the best allocations no cell
    gets more than one with a larger cap.
    """
    curves, groups = cells.curves, dict[tuple[object, ...], list[int]]()
    for i in np.flatnonzero(cells.gapped).tolist():
        key = (
            int(tree.owner[i]),
            int(curves.family[i]),
            *(float(part[i]) for part in (curves.amplitude, curves.scale, curves.exponent)),
            *(float(part[i]) for part in (cells.lower, commitment, weights)),
            limits.gain[:, i].tobytes(),
            limits.cost[:, i].tobytes(),
        )
        groups.setdefault(key, []).append(i)
    return [sorted(group, key=lambda i: -high[i]) for group in groups.values() if len(group) > 1]


def _of_a_kind(cells: BoundedResponses, commitment: Floats) -> list[list[int]]:
    """Groups of cells with jumps that have the same curve, lower bound and commitment, wherever they are."""
    curves, groups = cells.curves, dict[tuple[float, ...], list[int]]()
    parts = (curves.family, curves.amplitude, curves.scale, curves.exponent, cells.lower, commitment)
    for i in np.flatnonzero(cells.gapped).tolist():
        groups.setdefault(tuple(float(part[i]) for part in parts), []).append(i)
    return [group for group in groups.values() if len(group) > 2]


def _tightest_cap(tree: Tree) -> Floats:
    """The least cap from each node up, money, shape (m,)."""
    cap = tree.upper.copy()
    for depth in range(1, tree.depths):
        here = tree.at_depth(depth)
        cap[here] = np.minimum(cap[here], cap[tree.parent[here]])
    return cap


def _pieces(low: float, high: float, bend: float, least: float) -> list[Piece]:
    """The pieces of one domain: bounds, where the curve turns concave, and the commitment (0 for none)."""
    found = []
    if least > low:
        found.append(Piece(low, low, False))
        if least > high:
            return found
        low = least
    if low < bend and low < high:
        found.append(Piece(low, min(bend, high), True))
    if bend < high or low >= high:
        found.append(Piece(max(low, bend) if low < high else low, high, False))
    return found
