"""Lines that returns and costs keep at next to nothing, found before prices are.

A limit is G(x) = sum of h_i(x_i) >= 0 with h_i = g_i R_i - c_i x_i over the lines of its scope. Limits mixed with
weights >= 0 are such a limit again. Let m_i be the largest h_i on the domain of line i, and H their sum. Whatever the
other lines do, G(x) <= H - m_i + h_i(x_i), so every allocation that keeps the limit has

    h_i(x_i) >= m_i - H        for each line i.

Where no line of the scope ever pays (all m_i = h_i(0) = 0, hence H = 0) that says h_i(x_i) >= 0: a line whose h falls
from the start stays at nothing. Without this no allocation keeps the limit with room to spare, and the prices that
prove the optimum are infinite. Where a scope only just pays, its lines end at the far root of h_i = m_i - H.

It loses nothing: the inequality holds for every allocation within the bounds of the cells that keeps the limits, and
bounds of nodes can only make it stronger. Domains only shrink, so the step may be taken again on what it left. Where
h_i is not concave (an S-curve, a commitment) its envelope is used, which lies above it.

Which mixture to take is a linear programme: h_i never rises where its slope at nothing is at most zero, and that slope
is linear in the weights. The programme only proposes; the ends are those of the inequality above for whatever it says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.responses import Floats
from optimization.core.tree import Ints, Tree

#: Scopes whose best first unit of money returns at most this share more than it has to are looked at.
_BARELY = 1e-2
#: Scopes that pay for more than this share of what they may spend are left to the prices.
_LITTLE = 1e-2
#: Lines that could earn less than this share of what another could are not searched over.
_TRACE = 1e-11
_ROUNDS = 20
_HALVINGS = 100
#: Surpluses count larger by this share of what they balance, for their rounding.
_ROUNDING = 1e-15
#: Beyond this many lines that pay one limit and not another no mixture is sought.
_MOST_MIXED = 2_000


@dataclass(frozen=True, eq=False)
class Narrowed:
    """Cells on domains that hold every allocation within the limits.

    Attributes:
        cells: the cells.
        by: the limit that ended the domain of each cell (of a mixture the one that weighs most), -1 for none; (n,).
    """

    cells: BoundedResponses
    by: Ints

    @classmethod
    def of(cls, tree: Tree, cells: BoundedResponses, limits: GlobalSet, commitment: Floats) -> Narrowed:
        """Shrink the domains until the limits say no more.

        Args:
            commitment: smallest spend of an active cell, 0 for none, shape (n,).
        """
        by = np.full(len(cells), -1, dtype=np.intp)
        usable = np.flatnonzero((limits.rhs == 0.0) & limits.gain.any(axis=1)) if len(limits) else by[:0]
        if usable.size == 0:
            return cls(cells, by)
        capped = np.maximum(np.minimum(cells.upper, tightest_cap(tree)[tree.owner]), cells.lower)
        for _ in range(_ROUNDS):
            before = cells
            for weights in _mixtures(cells, capped, limits, usable):
                gain, cost = weights @ limits.gain, weights @ limits.cost
                upper = _ends(cells, gain, cost, float(tree.upper[0]))
                if upper is None:
                    continue
                shorter = upper < cells.upper
                by[shorter] = np.argmax(weights[:, None] * limits.cost[:, shorter], axis=0)
                capped = np.minimum(capped, upper)
                cells = BoundedResponses.of(cells.curves, cells.lower, upper, commitment)
            if cells is before:
                break
        return cls(cells, by)

    def without_traces(self, budget: float) -> BoundedResponses:
        """The cells to search over: those that a limit leaves a trace of the whole are closed.

        Prices have no digits left for them. What that loses is no more than they could earn, and the proof is made on
        the domains that still have them. None is closed where a cell jumps: what branching bounds is not proven again.
        """
        cells = self.cells
        if cells.gapped.any():
            return cells
        worth = cells.curves.value(np.minimum(cells.upper, budget))
        traces = (self.by >= 0) & (cells.upper > 0.0) & (worth <= _TRACE * float(worth.max(initial=0.0)))
        if not traces.any() or float(worth[traces].sum()) > 10.0 * _TRACE * float(worth.max()):
            return cells
        upper = np.where(traces, cells.lower, cells.upper)
        return BoundedResponses.of(cells.curves, cells.lower, upper)


def tightest_cap(tree: Tree) -> Floats:
    """The least cap from each node up, money, shape (m,)."""
    cap = tree.upper.copy()
    for depth in range(1, tree.depths):
        here = tree.at_depth(depth)
        cap[here] = np.minimum(cap[here], cap[tree.parent[here]])
    return cap


def _mixtures(cells: BoundedResponses, capped: Floats, limits: GlobalSet, usable: Ints) -> list[Floats]:
    """Weights of the limits, shape (j,), at which nothing pays, or hardly; single limits first."""
    found: list[Floats] = []
    # Where a floor holds spend up, a limit that is only just kept is a coincidence.
    usable = usable[~np.any((limits.cost[usable] > 0.0) & (cells.lower > 0.0), axis=1)]
    open_still = np.flatnonzero(capped > cells.lower)
    if usable.size == 0 or open_still.size == 0:
        return found
    gain, cost = limits.gain[np.ix_(usable, open_still)], limits.cost[np.ix_(usable, open_still)]
    first = np.minimum(cells.jump_price[open_still], 1e200)
    # What the first unit of money has above what it has to bring, as a share of that, shape (limits, cells).
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        surplus = np.where(cost > 0.0, gain * first / np.where(cost > 0.0, cost, 1.0) - 1.0, 0.0)
    found += [np.where(np.arange(len(limits)) == row, 1.0, 0.0) for row in usable[np.any(cost > 0.0, axis=1)]]
    for allowed in (0.0, _BARELY):
        mixed = _mixture(surplus - np.where(cost > 0.0, allowed, 0.0), cost > 0.0)
        if mixed is not None and np.count_nonzero(mixed) > 1:
            weights = np.zeros(len(limits))
            weights[usable] = mixed / limits.cost[usable].max(axis=1)
            found.append(weights)
    return found


def _mixture(surplus: Floats, inside: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Floats | None:
    """Weights >= 0 of the limits at which no line pays, as many lines as can be strictly so; None where all are zero.

    Args:
        surplus: of the first unit of money of each line in each limit, shape (limits, lines).
        inside: whether the limit is over the line.
    """
    kept = np.any(inside, axis=1)
    while True:
        # A line that pays every limit that is left takes all of them out: no mixture of them keeps it from paying.
        pays = kept & np.any(
            (surplus > 0.0) & inside & ~np.any((surplus <= 0.0) & inside & kept[:, None], axis=0), axis=1
        )
        if not pays.any():
            break
        kept &= ~pays
    rows = np.flatnonzero(kept)
    if rows.size == 0:
        return None
    mixed = np.flatnonzero(np.any(surplus[rows] > 0.0, axis=0))
    weights = np.zeros(kept.size)
    if mixed.size == 0:
        weights[rows] = 1.0
        return weights
    if mixed.size > _MOST_MIXED:
        return None
    part = surplus[np.ix_(rows, mixed)].T
    part = part / np.abs(part).max(axis=1, keepdims=True)
    few, many = rows.size, mixed.size
    # part w + t <= 0 with each t in [0, 1]: every line that can be strictly in deficit is, for w may be of any size.
    answer = linprog(
        np.append(np.full(few, -1e-3), np.full(many, -1.0)),
        A_ub=np.hstack([part, np.eye(many)]),
        b_ub=np.zeros(many),
        bounds=[(0.0, 1e4)] * few + [(0.0, 1.0)] * many,
        method="highs",
    )
    if answer.x is None:
        return None
    found = np.where(answer.x[:few] > 1e-6, answer.x[:few], 0.0)
    if not found.any():
        return None
    weights[rows] = found
    return weights


def _ends(cells: BoundedResponses, gain: Floats, cost: Floats, budget: float) -> Floats | None:
    """The upper ends that one limit leaves, shape (n,), or None where it says little."""
    scope = np.flatnonzero((cost > 0.0) & (cells.upper > cells.lower))
    if scope.size == 0:
        return None
    part, g, c = cells.take(scope), gain[scope], cost[scope]
    with np.errstate(divide="ignore", over="ignore"):
        at = np.minimum(np.where(g > 0.0, c / np.maximum(g, 1e-300), np.inf), 1e300)
    best = np.where(part.jump_price > at, part.demand(at), 0.0)
    if float(best.sum()) > _LITTLE * float(np.minimum(part.upper, budget).sum()):
        return None
    most = np.maximum(g * part.envelope_value(best) - c * best, 0.0) + _ROUNDING * c * best
    ends = _far_roots(part, g, c, best, most - float(most.sum()))
    if np.all(ends >= part.upper * 0.9):
        return None
    upper = cells.upper.copy()
    upper[scope] = ends
    return upper


def _far_roots(part: BoundedResponses, g: Floats, c: Floats, best: Floats, least: Floats) -> Floats:
    """The largest spend up to each upper end at which the surplus on the envelope is not below `least`, shape (n,)."""
    first = np.where(g > 0.0, g * np.minimum(part.jump_price, 1e200), 0.0)
    # A concave surplus that falls from the start is nowhere else as large as at nothing; a straight one may be flat.
    falls = (least >= 0.0) & ((first < c) | ((first == c) & (part.jump_to == part.lower)))

    def kept(spend: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray(g * part.envelope_value(spend) - c * spend + _ROUNDING * c * spend >= least)

    low, high = np.maximum(best, 1e-30 * part.upper), part.upper.copy()
    whole = kept(high)
    for _ in range(_HALVINGS):
        # Amounts next to nothing lie orders of magnitude apart.
        middle = np.sqrt(low) * np.sqrt(high)
        inside = kept(middle)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(falls, 0.0, np.where(whole, part.upper, high))
