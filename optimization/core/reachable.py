"""Whether anything satisfies all constraints, commitments and S-curves included; how much it earns does not matter.

On the envelopes the prices decide. What envelopes promise, S-curves and commitments need not keep: there HiGHS is asked
for the allocation that keeps furthest from breaking a limit, over tangents of the curves. Where even that breaks one,
none exists; where it keeps all by the curves themselves, it is the proof that one does. In between tangents are added
at it. What then is still undecided, and problems too large for that, branching decides.
"""

from __future__ import annotations

import numpy as np

from optimization.core.branching import MOST_CELLS, Branched, BranchSearch, SolverFailed
from optimization.core.conflicts import Intervals
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Point, Unattainable
from optimization.core.pattern_rows import Pattern
from optimization.core.patterns import PatternProgramme
from optimization.core.responses import Floats
from optimization.core.tree import Tree, total_by

#: Programmes for HiGHS before branching decides.
_PROGRAMMES = 8


def can_be_met(tree: Tree, cells: BoundedResponses, limits: GlobalSet, commitment: Floats) -> bool:
    """True when an allocation meets all bounds, limits and commitments, or none was found but none excluded either.

    Args:
        tree, cells, limits: the constraints; bounds of cells on their domains.
        commitment: smallest spend of an active cell, 0 for none, shape (n,).
    """
    if Intervals.of(tree, cells.lower, cells.upper).empty().size:
        return False
    start = attained(tree, cells, limits)
    if isinstance(start, Unattainable):
        return False
    if not cells.gapped.any():
        return True
    if len(cells) <= MOST_CELLS and tree.upper[0] > 0.0:
        decided = _by_programmes(tree, cells, limits, commitment, start)
        if decided is not None:
            return decided
    # Envelopes promise more than S-curves and commitments keep: only an allocation proves that one exists.
    try:
        return isinstance(BranchSearch(tree, cells, limits, commitment).run(any_will_do=True), Branched)
    except SolverFailed:
        return True  # nothing was found, but nothing excluded: a conflict named on that would be none


def attained(tree: Tree, cells: BoundedResponses, limits: GlobalSet) -> Point | Unattainable | None:
    """An allocation on the envelopes that keeps far from every limit; None where there are no limits."""
    if not len(limits):
        return None
    return LimitedFilling(tree, cells, limits).attain()


def within_bounds(tree: Tree, cells: BoundedResponses, spend: Floats) -> Floats:
    """The spend moved by as little as a solver's rounding has put it outside the bounds of the tree.

    From the top down each node gets what its own bounds and those below it allow, and what is missing or too much is
    shared by its cells and children in proportion to their room. A mixture with an inner allocation cannot do this: a
    node that is held fixed has no inside.
    """
    spans, sums = Intervals.of(tree, cells.lower, cells.upper), tree.sums(spend)
    nodes = np.clip(sums, spans.least, np.maximum(spans.least, spans.most))
    moved = np.clip(spend, cells.lower, cells.upper)
    for depth in range(tree.depths):
        here = np.zeros(tree.nodes, dtype=np.bool_)
        here[tree.at_depth(depth)] = True
        below = np.flatnonzero(here[tree.parent] & (tree.parent >= 0))
        inside = np.flatnonzero(here[tree.owner])
        parent, owner = tree.parent[below], tree.owner[inside]
        rest = nodes - total_by(parent, nodes[below], tree.nodes) - total_by(owner, moved[inside], tree.nodes)
        more = rest > 0.0
        of_nodes = np.where(more[parent], spans.most[below] - nodes[below], nodes[below] - spans.least[below])
        of_cells = np.where(more[owner], cells.upper[inside] - moved[inside], moved[inside] - cells.lower[inside])
        room = total_by(parent, of_nodes, tree.nodes) + total_by(owner, of_cells, tree.nodes)
        share = np.clip(np.divide(rest, room, out=np.zeros_like(rest), where=room > 0.0), -1.0, 1.0)
        nodes[below] += of_nodes * share[parent]
        moved[inside] += of_cells * share[owner]
    return moved


def _by_programmes(
    tree: Tree, cells: BoundedResponses, limits: GlobalSet, commitment: Floats, start: Point | None
) -> bool | None:
    """As `can_be_met`, given an allocation on the envelopes; None where tangents leave it open."""
    worth = float(cells.curves.value(np.minimum(cells.upper, tree.upper[0])).sum()) if start is None else start.value
    programme = PatternProgramme(tree, cells, limits, commitment, worth=max(worth, 1e-300))
    if start is not None:
        for share in (0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0):
            programme.touch(start.spend * share)
    for _ in range(_PROGRAMMES):
        pattern, possible = programme.solve_margin()
        if not possible:
            return False
        if pattern is None:
            return None
        if _keeps(tree, cells, limits, pattern):
            return True
        if not len(limits):
            return None
        programme.touch(pattern.spend)
        programme.cut(pattern.spend)
    return None


def _keeps(tree: Tree, cells: BoundedResponses, limits: GlobalSet, pattern: Pattern) -> bool:
    """True when an allocation meets everything by the curves themselves."""
    if Intervals.of(tree, pattern.lower, pattern.upper).empty().size:
        return False
    if not len(limits):
        return True
    inside = BoundedResponses(
        cells.curves, pattern.lower, pattern.upper, cells.jump_price, pattern.lower, np.zeros_like(cells.gapped)
    )
    spend = within_bounds(tree, inside, pattern.spend)
    sums = tree.sums(spend)
    excess = max(float(np.max(sums - tree.upper)), float(np.max(tree.lower - sums)))
    revenue = cells.curves.value(spend)
    slack = limits.slack(spend, revenue)
    kept = np.all(slack >= -1e-13 * limits.slack_scale(spend, revenue))
    return bool(kept) and excess <= 1e-12 * float(tree.upper[0])
