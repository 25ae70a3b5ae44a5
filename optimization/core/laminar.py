"""Exact allocation of a budget over a tree: water-filling with a price per bound.

For a price m per unit of money every cell has a best spend that falls as m grows. A node passes on the sum of its
children clipped to its own bounds, so the demand of the whole tree at one price takes one sweep from the bottom up.
The price of the total is the root of that monotone function; every node whose sum it leaves outside its bounds gets a
price of its own, searched inside the node alone, from the top down. All nodes of a depth are searched at the same
time. The result satisfies the Karush-Kuhn-Tucker conditions, hence is optimal for concave curves (separable resource
allocation on laminar constraints: Hochbaum 1994; Patriksson 2008).

The work is one sort-free sweep of vectorised closed forms per trial price, and the number of trials does not grow
with the number of cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.envelope import CHORD_BAND, BoundedResponses
from optimization.core.responses import SMALLEST_PRICE, Floats
from optimization.core.tree import Ints, Tree, total_by

#: A node counts as meeting its target within this share of it.
TARGET_TOLERANCE = 1e-14
_MAX_TRIALS = 160


@dataclass(frozen=True, eq=False)
class PricedSpend:
    """An allocation and the prices that prove it.

    Attributes:
        spend: money per cell, shape (n,).
        price: price of money inside each node, shape (m,).
        anchor: the node whose bound sets that price, shape (m,).
        trials: how many times demand was evaluated.
    """

    spend: Floats
    price: Floats
    anchor: Ints
    trials: int


def fill_tree(
    tree: Tree,
    cells: BoundedResponses,
    weights: Floats | None = None,
    costs: Floats | None = None,
    guess: float | None = None,
) -> PricedSpend:
    """Maximise sum(weights R(x) - costs x) within the bounds of cells and nodes.

    Args:
        tree: m nodes whose bounds can be met (see `optimization.core.conflicts`).
        cells: n cells, with curves that may jump; then the optimum is that of the concave envelopes.
        weights, costs: per cell, shape (n,); weights positive, costs >= 0. Default 1 and 0.
        guess: where to start looking for the price of the total, as from a similar problem.

    Returns:
        The allocation; its node sums meet the binding bounds to about 1e-13 of them.
    """
    n = len(cells)
    w = np.ones(n) if weights is None else weights
    c = np.zeros(n) if costs is None else costs
    filling = _Filling(tree, cells, w, c)
    price, anchor = np.zeros(tree.nodes), np.zeros(tree.nodes, dtype=np.intp)
    targets = np.full(tree.nodes, np.nan)
    for depth in range(tree.depths):
        here = tree.at_depth(depth)
        raw = filling.sums(price, depth)[here]
        slack = TARGET_TOLERANCE * 10.0
        over = raw > tree.upper[here] * (1.0 + slack)
        short = raw < tree.lower[here] * (1.0 - slack)
        clipped = np.flatnonzero(over | short) + here.start
        if clipped.size:
            target = np.where(over, tree.upper[here], tree.lower[here])[clipped - here.start]
            targets[clipped] = target
            start, side = price[clipped], over[clipped - here.start]
            if depth == 0:
                start = np.array([filling.typical_price() if guess is None else guess])
            found = filling.search(depth, clipped, target, start, side)
            if depth:
                # A cap only ever raises the price it inherits and a floor lowers it, whatever rounding says.
                found = np.where(side, np.maximum(found, start), np.minimum(found, start))
            price[clipped] = found
            anchor[clipped] = clipped
        for deeper in range(depth + 1, tree.depths):
            below = tree.at_depth(deeper)
            price[below] = price[tree.parent[below]]
            anchor[below] = anchor[tree.parent[below]]
    spend = filling.settle(price, anchor, targets)
    return PricedSpend(spend, price, anchor, filling.trials)


class _Filling:
    """The cells of one problem with what every trial price needs at hand."""

    def __init__(self, tree: Tree, cells: BoundedResponses, weights: Floats, costs: Floats) -> None:
        self.tree, self.cells, self.weights, self.costs = tree, cells, weights, costs
        self.plain = bool(np.all(weights == 1.0) and np.all(costs == 0.0))
        # Prices are searched as logarithms of price + offset, so that a price may be as low as minus the largest cost.
        self.offset = float(costs.max(initial=0.0))
        self.trials = 0
        self.least = tree.fold(tree.gather(cells.lower))
        self.most = tree.fold(tree.gather(cells.upper))

    def spend(self, price: Floats) -> Floats:
        """Demand of every cell at the prices of the nodes."""
        self.trials += 1
        each = price[self.tree.owner]
        return self.cells.demand(each if self.plain else (each + self.costs) / self.weights)

    def sums(self, price: Floats, top: int) -> Floats:
        return self.tree.fold(self.tree.gather(self.spend(price)), top=top)

    def typical_price(self) -> float:
        """A price near that of the total: the marginal return of the average cell if all shared the budget alike."""
        cells, budget = self.cells, float(self.tree.upper[0])
        share = min(1.0, budget / max(float(cells.upper.sum()), SMALLEST_PRICE))
        marginal = cells.curves.marginal(cells.lower + share * (cells.upper - cells.lower) + SMALLEST_PRICE)
        worth = self.weights * np.minimum(marginal, 1e100) - self.costs
        return max(float(np.median(worth)), 1e-6 * float(np.max(worth, initial=0.0)) - self.offset)

    def search(self, depth: int, nodes: Ints, target: Floats, start: Floats, over: np.ndarray) -> Floats:
        """The price inside each of `nodes` (all of one depth) at which its demand is its target.

        Args:
            start: the price inherited from above, at which demand is above the target where `over`, else below it;
                for the total a mere guess.
        """
        target = self._away_from_ends(nodes, target)
        floor = np.log(SMALLEST_PRICE)
        begin = np.log(np.maximum(start + self.offset, SMALLEST_PRICE))
        trial = _Trial(self, depth, nodes)
        edges = _Edges(self, depth, nodes)
        # Ends of the bracket: demand at `rich` is at least the target, at `poor` at most.
        rich = np.where(over & (depth > 0), begin, floor)
        poor = np.where(over | (depth == 0), np.inf, begin)
        rich_gap, poor_gap = np.full(nodes.size, np.nan), np.full(nodes.size, np.nan)
        best, best_gap = begin.copy(), np.full(nodes.size, np.inf)
        step, last = np.full(nodes.size, 0.25), np.zeros(nodes.size)
        alive = np.arange(nodes.size)
        met = TARGET_TOLERANCE * np.maximum(target, SMALLEST_PRICE)
        for number in range(_MAX_TRIALS):
            low, high, low_gap, high_gap = rich[alive], poor[alive], rich_gap[alive], poor_gap[alive]
            untried = np.isnan(low_gap) & np.isnan(high_gap)
            open_up = np.where(untried, over[alive], np.isnan(high_gap))
            open_down = np.where(untried, ~over[alive], np.isnan(low_gap))
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                point = (low * -high_gap + high * low_gap) / (low_gap - high_gap)
                middle = 0.5 * (low + high)
                inside = (point > low) & (point < high) & (number % 4 != 3) & (number < 40)
                point = np.where(inside, point, middle)
                # A secant cannot see a jump: the ends of all jumps are tried first, halving their number each time.
                edge, in_band = edges.between(alive, low, high)
                point = np.where(np.isnan(edge), point, edge)
                point = np.where(open_up, low + step[alive], point)
                point = np.where(open_down, np.maximum(high - step[alive], low), point)
            if number == 0 and depth == 0:
                point = begin.copy()
            else:
                step[alive] *= 2.0
            gap = trial.demand(alive, np.exp(np.minimum(point, 690.0)) - self.offset) - target[alive]
            self.trials += 1
            # On ties the later point: a floor over flat curves is met at no price, and the lowest one is its bound.
            closer = np.abs(gap) <= np.abs(best_gap[alive])
            best[alive[closer]], best_gap[alive[closer]] = point[closer], gap[closer]
            up = gap >= 0.0
            # Illinois: an end that stays put twice counts half, or the secant would creep.
            kept = np.where(up, 1.0, -1.0)
            same = last[alive] == kept
            last[alive] = kept
            rich[alive], poor[alive] = np.where(up, point, low), np.where(up, high, point)
            damped = np.where(same, 0.5, 1.0)
            rich_gap[alive] = np.where(up, gap, low_gap * damped)
            poor_gap[alive] = np.where(up, high_gap * damped, gap)
            width = poor[alive] - rich[alive]
            done = (np.abs(gap) <= met[alive]) | (width <= 4e-16 * np.maximum(1.0, np.abs(point)))
            done |= ~up & (point <= floor)
            # Inside a jump the price is known far better than it matters; `settle` gives out the rest exactly.
            done |= in_band & (width <= 1e-3 * CHORD_BAND)
            alive = alive[~done]
            if alive.size == 0:
                break
        return np.exp(np.minimum(best, 690.0)) - self.offset

    def _away_from_ends(self, nodes: Ints, target: Floats) -> Floats:
        """Targets a hair inside what can be spent: at the very end any price would do, and the tight one is wanted."""
        hair = 1e-13 * self.most[nodes]
        return np.clip(target, np.minimum(self.least[nodes] + hair, self.most[nodes]), self.most[nodes] - hair)

    def settle(self, price: Floats, anchor: Ints, targets: Floats) -> Floats:
        """Demand at the final prices, with the rest of each binding bound spread over the cells that share its price.

        The rest is what the resolution of floating-point prices leaves: next to nothing on smooth curves, up to 1e-7 of
        one jump where a cell is indifferent. Such cells take it first: to any other it would be worth less.
        """
        tree, cells = self.tree, self.cells
        spend = self.spend(price)
        group = anchor[tree.owner]
        each = price[tree.owner]
        indifferent = cells.at_jump(each if self.plain else (each + self.costs) / self.weights)
        for depth in range(tree.depths - 1, -1, -1):
            here = tree.at_depth(depth)
            # A cell at zero would break a limit of its own over next to nothing: those in between come before it.
            inside, softened = (spend > cells.lower) & (spend < cells.upper), False
            for takers in (indifferent, inside, inside, None):
                rest = np.zeros(tree.nodes)
                rest[here] = np.nan_to_num(targets[here] - tree.sums(spend)[here])
                rest[np.abs(rest) <= 1e-13 * np.nan_to_num(targets)] = 0.0
                if not rest.any():
                    break
                wanted = rest[group]
                if takers is not None and not takers.any():
                    continue
                most = cells.jump_to if takers is indifferent else cells.upper
                room = np.where(wanted > 0.0, most - spend, spend - cells.lower) * (wanted != 0.0)
                if takers is not None:
                    room = np.maximum(room * takers, 0.0)
                if takers is inside and not softened:
                    # Those whose demand a price moves most: to them a little more or less is worth the same.
                    softened, part = True, self._softness(spend) * (room > 0.0)
                else:
                    part = room
                total = np.bincount(group, part, minlength=tree.nodes)
                share = np.divide(rest, total, out=np.zeros_like(rest), where=total > 0.0)
                spend = spend + np.clip(part * share[group], -room, room)
        return spend

    def _softness(self, spend: Floats) -> Floats:
        """By how much demand moves per unit of price, shape (n,), relative to the softest cell."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            bend = -self.weights * self.cells.curves.curvature(spend)
            soft = np.where(bend > 0.0, 1.0 / bend, 0.0)
        soft = np.nan_to_num(soft, posinf=1e300)
        return np.asarray(soft / max(float(soft.max(initial=0.0)), 1e-300), dtype=np.float64)


class _Edges:
    """The prices at which cells under some nodes of one depth begin and end their jumps, as the search counts them."""

    def __init__(self, filling: _Filling, depth: int, nodes: Ints) -> None:
        tree, cells = filling.tree, filling.cells
        jumps = cells.jumps
        place = np.full(tree.nodes + 1, -1, dtype=np.intp)
        place[nodes] = np.arange(nodes.size)
        slot = place[tree.ancestors[depth]][tree.owner[jumps]] if jumps.size else jumps
        jumps, slot = jumps[slot >= 0], slot[slot >= 0]
        at = cells.jump_price[jumps]
        ends = [filling.weights[jumps] * at * (1.0 + side) - filling.costs[jumps] for side in (-CHORD_BAND, CHORD_BAND)]
        price = np.log(np.maximum(np.concatenate(ends) + filling.offset, SMALLEST_PRICE))
        both = np.concatenate([slot, slot])
        order = np.lexsort((price, both))
        self.price = price[order]
        self.first = np.searchsorted(both[order], np.arange(nodes.size + 1))

    def between(self, alive: Ints, low: Floats, high: Floats) -> tuple[Floats, np.ndarray]:
        """The middle one of the edges inside each bracket, NaN for none; and whether the bracket lies in one jump."""
        if self.price.size == 0:
            return np.full(alive.size, np.nan), np.zeros(alive.size, dtype=np.bool_)
        first, last = self.first[alive], self.first[alive + 1]
        left, right = self._rank(first, last, low, after=True), self._rank(first, last, high, after=False)
        middle = np.minimum((left + right) // 2, self.price.size - 1)
        edge = np.where((left < right) & np.isfinite(low) & np.isfinite(high), self.price[middle], np.nan)
        between = (left > first) & (right < last) & (left == right)
        span = self.price[np.minimum(right, self.price.size - 1)] - self.price[np.maximum(left - 1, 0)]
        return edge, between & (span <= 4.0 * CHORD_BAND)

    def _rank(self, first: Ints, last: Ints, value: Floats, *, after: bool) -> Ints:
        """Where `value` would stand in its node's part of the sorted prices."""
        left, right = first.copy(), last.copy()
        while np.any(left < right):
            open_still = left < right
            middle = (left + right) // 2
            here = self.price[np.minimum(middle, self.price.size - 1)]
            beyond = (here <= value if after else here < value) & open_still
            left = np.where(beyond, middle + 1, left)
            right = np.where(open_still & ~beyond, middle, right)
        return left


class _Trial:
    """Demand under some nodes of one depth; shrinks as nodes are done, so that late trials cost little."""

    def __init__(self, filling: _Filling, depth: int, nodes: Ints) -> None:
        self.filling, self.depth, self.nodes = filling, depth, nodes
        self.size = -1

    def _narrow(self, alive: Ints) -> None:
        filling, tree = self.filling, self.filling.tree
        place = np.full(tree.nodes + 1, -1, dtype=np.intp)
        place[self.nodes[alive]] = alive
        slot = place[tree.ancestors[self.depth]][tree.owner]
        chosen = np.flatnonzero(slot >= 0)
        index = slice(None) if chosen.size == tree.owner.size else chosen
        self.slot, self.owner = slot[index], tree.owner[index]
        self.cells = filling.cells.take(index)
        self.weights, self.costs = filling.weights[index], filling.costs[index]
        self.size = alive.size

    def demand(self, alive: Ints, price: Floats) -> Floats:
        """Spend under nodes[alive] at their prices, their own bounds aside; shape like alive."""
        if self.size < 0 or alive.size <= self.size // 2:
            self._narrow(alive)
        filling = self.filling
        every = np.full(self.nodes.size, 1e100)
        every[alive] = price
        each = every[self.slot]
        if not filling.plain:
            each = (each + self.costs) / self.weights
        own = total_by(self.owner, self.cells.demand(each), filling.tree.nodes)
        return filling.tree.fold(own, top=self.depth)[self.nodes[alive]]
